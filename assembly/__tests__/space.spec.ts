import "./support/heap";
import {
  ACCESS_READ,
  ACCESS_WRITE,
  COUNTER_ANON_PAGES,
  COUNTER_MINFLT,
  OUTCOME_DONE,
  PROTECT_UNPOPULATED,
} from "../abi";
import { accessPage } from "../access";
import { populate } from "../populate";
import { protect } from "../protect";
import { createSpace, destroySpace } from "../space";
import { counterOf } from "../stats";
import { exhaustMemory, giveBlocks, restoreMemory } from "./support/memory";
import { expectConsistent } from "./support/recount";
import {
  ANON,
  entryAt,
  expectEvents,
  LAST_OF_SLOT,
  MARKER,
  place,
  SLOT,
  spaceWith,
  valueRead,
  WRITTEN,
} from "./support/spaces";

/** Makes a space that holds something of everything, in many tables. */
function fullSpace(): usize {
  const space = spaceWith(0, 0x800000000, ANON);
  populate(space, LAST_OF_SLOT - 700, 1400, ACCESS_WRITE);
  populate(space, 5, 10, ACCESS_READ);
  protect(space, 0x7ffffffff - 2000, 2001, PROTECT_UNPOPULATED);
  return space;
}

describe("space", () => {
  it("is empty when it is created", () => {
    const space = createSpace();
    expect(space).not.toBe(0);
    expect(space & 4095).toBe(0);
    expect(entryAt(space, SLOT)).toBe(0);
    expectEvents(space, []);
    expectConsistent(space);
  });

  it("does not see the pages, contents or counters of another", () => {
    const first = spaceWith(SLOT, 8, ANON);
    const second = spaceWith(SLOT, 8, ANON);
    expect(accessPage(first, SLOT, ACCESS_WRITE, 11)).toBe(OUTCOME_DONE);
    expect(entryAt(second, SLOT)).toBe(0);
    expect(counterOf(second, COUNTER_MINFLT)).toBe(0);
    expect(accessPage(second, SLOT, ACCESS_WRITE, 22)).toBe(OUTCOME_DONE);
    protect(second, SLOT, 8, PROTECT_UNPOPULATED);
    accessPage(first, SLOT, ACCESS_READ, 0);
    expect(valueRead()).toBe(11);
    expect(entryAt(first, SLOT + 1)).toBe(0);
    expectConsistent(first);
    expectConsistent(second);
  });

  it("leaves the others alone when it is destroyed", () => {
    const first = fullSpace();
    const second = fullSpace();
    accessPage(first, LAST_OF_SLOT, ACCESS_WRITE, 33);
    destroySpace(second);
    expectConsistent(first);
    accessPage(first, LAST_OF_SLOT, ACCESS_READ, 0);
    expect(valueRead()).toBe(33);
    expect(counterOf(first, COUNTER_ANON_PAGES)).toBe(1400);
    destroySpace(first);
  });

  it("gives every block back: making and destroying spaces again and again needs no more memory", () => {
    let pages = 0;
    for (let round = 0; round < 100; round++) {
      const space = createSpace();
      for (let i: u64 = 0; i < 300; i++) place(space, SLOT + i * 512 * 513, i % 2 == 0 ? WRITTEN : MARKER);
      destroySpace(space);
      if (round == 0) pages = memory.size();
    }
    expect(memory.size()).toBe(pages);
  });

  it("gives its region table back: spaces with regions need no more memory either", () => {
    let pages = 0;
    for (let round = 0; round < 200; round++) {
      destroySpace(spaceWith(SLOT, 8, ANON));
      if (round == 99) pages = memory.size();
    }
    expect(memory.size()).toBe(pages);
  });

  it("is not created when there is no memory, and loses no block then", () => {
    exhaustMemory();
    const none = createSpace();
    giveBlocks(1);
    const half = createSpace();
    giveBlocks(1);
    const whole = createSpace();
    restoreMemory();
    expect(none).toBe(0);
    expect(half).toBe(0);
    expect(whole).not.toBe(0);
    destroySpace(whole);
  });
});
