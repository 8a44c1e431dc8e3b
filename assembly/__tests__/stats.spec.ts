import "./support/heap";
import { COUNTER_ANON_PAGES, COUNTER_COUNT, COUNTER_MINFLT, COUNTER_SCAN_PROTECTED, SPACE_COUNTERS } from "../abi";
import { createSpace } from "../space";
import { addTo, counterOf, takeFrom } from "../stats";

let space: usize = 0;

describe("stats", () => {
  beforeEach(() => {
    space = createSpace();
  });

  it("starts every counter at 0", () => {
    for (let counter: u32 = 0; counter < <u32>COUNTER_COUNT; counter++) {
      expect(counterOf(space, counter)).toBe(0, `counter ${counter}`);
    }
  });

  it("adds to one counter and leaves the others alone", () => {
    addTo(space, COUNTER_MINFLT, 3);
    addTo(space, COUNTER_MINFLT, 4);
    for (let counter: u32 = 0; counter < <u32>COUNTER_COUNT; counter++) {
      expect(counterOf(space, counter)).toBe(counter == COUNTER_MINFLT ? 7 : 0, `counter ${counter}`);
    }
  });

  it("keeps a counter where the host reads it, as a u64", () => {
    addTo(space, COUNTER_SCAN_PROTECTED, 0x123456789a);
    expect(load<u64>(space + SPACE_COUNTERS + COUNTER_SCAN_PROTECTED * 8)).toBe(0x123456789a);
  });

  it("takes away down to 0 and no further", () => {
    addTo(space, COUNTER_ANON_PAGES, 5);
    takeFrom(space, COUNTER_ANON_PAGES, 2);
    expect(counterOf(space, COUNTER_ANON_PAGES)).toBe(3);
    expect(() => {
      takeFrom(space, COUNTER_ANON_PAGES, 4);
    }).toThrow("a counter of what there is cannot be negative");
    takeFrom(space, COUNTER_ANON_PAGES, 3);
    expect(counterOf(space, COUNTER_ANON_PAGES)).toBe(0);
  });

  it("counts for each space alone", () => {
    const other = createSpace();
    addTo(other, COUNTER_MINFLT, 1);
    expect(counterOf(space, COUNTER_MINFLT)).toBe(0);
  });
});
