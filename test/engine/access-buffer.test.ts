import { beforeEach, describe, expect, it } from "vitest";
import { AddressSpace, createEngine, type Engine, OutOfMemoryError, Random } from "../../ts/node.js";
import { engineUrl } from "../support/engine-url.js";

const FIRST_PAGE = 2 ** 32;
const PAGES = 4096;
const ACCESSES = 50_000;

let engine: Engine;

function randomRecords(seed: number): Uint32Array {
  const random = new Random(seed);
  const words = new Uint32Array(2 * ACCESSES);
  for (let i = 0; i < words.length; i += 2) {
    words[i] = random.below(PAGES);
    words[i + 1] = Math.floor(FIRST_PAGE / 2 ** 32) + (random.below(2) === 0 ? 2 ** 31 : 0);
  }
  return words;
}

function space(pages = PAGES): AddressSpace {
  const made = new AddressSpace(engine);
  made.mmap({ at: FIRST_PAGE * 4096, length: pages * 4096 });
  return made;
}

beforeEach(async () => {
  engine = await createEngine({}, engineUrl);
});

describe("a buffer of access records", () => {
  it("replays as an array does, in several spaces, though the memory grows meanwhile", () => {
    const records = randomRecords(1);
    const copied = space();
    const expected = copied.replay(records, { value: 7 });
    const buffer = engine.createAccessBuffer(ACCESSES);
    buffer.words.set(records);
    const before = engine.memoryBytes;
    for (let round = 0; round < 40; round++) {
      const placed = space();
      expect(placed.replay(buffer, { value: 7 })).toEqual(expected);
      expect(placed.counters()).toEqual(copied.counters());
    }
    expect(engine.memoryBytes).toBeGreaterThan(before);
    expect(buffer.words).toEqual(records);
  });

  it("goes on from where a replay has stopped", () => {
    const records = randomRecords(2);
    const hole = space(PAGES - 1);
    const passed = space(PAGES - 1);
    const buffer = engine.createAccessBuffer(ACCESSES);
    buffer.words.set(records);
    let done = 0;
    let signals = 0;
    while (done < ACCESSES) {
      const result = hole.replay(buffer.from(done), { value: 7 });
      done += result.done;
      if (result.reason === "end" || result.reason === "full") continue;
      expect(result.reason).toBe("sigsegv");
      signals++;
      done++; // the access that no mapping allows
    }
    const all = passed.replay(records, { value: 7, signals: "pass", records: "count" });
    expect(all.done).toBe(ACCESSES);
    expect(signals).toBeGreaterThan(0);
    expect(hole.counters()).toEqual(passed.counters());
  });

  it("is zero at first, also where others were freed before", () => {
    const buffer = engine.createAccessBuffer(1000);
    buffer.words.fill(7);
    engine.freeAccessBuffer(buffer);
    const again = engine.createAccessBuffer(1000);
    expect(again.address).toBe(buffer.address);
    expect(again.words.every((word) => word === 0)).toBe(true);
  });

  it("may be empty", () => {
    const buffer = engine.createAccessBuffer(0);
    expect(space().replay(buffer, { value: 1 })).toMatchObject({ done: 0, reason: "end" });
    engine.freeAccessBuffer(buffer);
  });

  it("belongs to its engine and is freed once and whole", async () => {
    const other = await createEngine({}, engineUrl);
    const buffer = other.createAccessBuffer(10);
    expect(() => space().replay(buffer, { value: 1 })).toThrow(TypeError);
    expect(() => engine.freeAccessBuffer(buffer)).toThrow(TypeError);
    expect(() => other.freeAccessBuffer(buffer.from(5))).toThrow(TypeError);
    expect(() => buffer.from(11)).toThrow(RangeError);
    other.freeAccessBuffer(buffer);
    expect(() => other.freeAccessBuffer(buffer)).toThrow(TypeError);
  });

  it("does not fit into a memory that is too small", async () => {
    const small = await createEngine({ memoryLimit: 2 ** 26 }, engineUrl);
    expect(() => small.createAccessBuffer(2 ** 24)).toThrow(OutOfMemoryError);
    expect(() => small.createAccessBuffer(2 ** 28 + 1)).toThrow(RangeError);
    expect(() => small.createAccessBuffer(-1)).toThrow(RangeError);
  });
});
