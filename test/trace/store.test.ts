import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { pageOf } from "../../ts/trace/access.js";
import { PAGE_FETCHED, PAGE_READ, PAGE_WRITTEN, TraceStore } from "../../ts/trace/store.js";
import { TraceReader } from "../../ts/trace/reader.js";
import { blockOf, chunksOf, recordsOf } from "./support/blocks.js";
import { type Run } from "./support/naive.js";
import { sample } from "./support/samples.js";

/** Time for a test that reads the whole trace, on a busy machine too. */
const LONG_MS = 60_000;

const FLAGS = { R: PAGE_READ, W: PAGE_WRITTEN, F: PAGE_FETCHED };

const page = fc.oneof(fc.nat({ max: 30 }), fc.integer({ min: 0, max: 2 ** 35 - 1 }));
const run = fc.record({ page, kind: fc.constantFrom("R", "W", "F"), count: fc.integer({ min: 1, max: 9 }) });
const blocks = fc.array(fc.array(run, { maxLength: 60 }), { maxLength: 5 });

/** `plainBytes`: how much of it is kept as it is. */
function storeOf(all: readonly (readonly Run[])[], plainBytes = 0): TraceStore {
  const store = new TraceStore({ plainBytes });
  for (const runs of all) store.append(blockOf(runs));
  return store;
}

/** What touchedPages should find, access by access. */
function touched(all: readonly (readonly Run[])[], first: number, end: number): Map<number, number> {
  const accesses = all.flat().flatMap(({ page, kind, count }) => Array.from({ length: count }, () => ({ page, kind })));
  const found = new Map<number, number>();
  for (const { page, kind } of accesses.slice(first, end)) found.set(page, (found.get(page) ?? 0) | FLAGS[kind]);
  return new Map([...found].sort(([a], [b]) => a - b));
}

describe("TraceStore", () => {
  it("replays what was appended, as often as wanted", () => {
    fc.assert(
      fc.property(blocks, fc.constantFrom(0, 12 * 70, Infinity), (all, plainBytes) => {
        const store = storeOf(all, plainBytes);
        const kept = all.filter((runs) => runs.length > 0);
        for (let pass = 0; pass < 2; pass++) expect([...store.blocks()].length).toBe(kept.length);
        expect(Array.from(store.blocks(), recordsOf)).toEqual(kept);
        expect(store.records).toBe(all.flat().length);
        expect(store.accesses).toBe(all.flat().reduce((sum, { count }) => sum + count, 0));
      }),
    );
  });

  it("keeps records as they are up to a limit, and encodes the others", () => {
    const runs = Array.from({ length: 100 }, (_, i): Run => ({ page: i, kind: "W", count: 1 }));
    const store = storeOf([runs, runs, runs], 2400);
    expect(store.bytes - 2400).toBeGreaterThan(0);
    expect(store.bytes - 2400).toBeLessThan(1200);
    expect(Array.from(store.blocks(), recordsOf)).toEqual([runs, runs, runs]);
  });

  it("is the same in another thread, without being copied again", () => {
    const store = storeOf([[{ page: 7, kind: "W", count: 2 }], [{ page: 8, kind: "R", count: 1 }]], 12);
    const trace = structuredClone(store.share());
    const again = TraceStore.fromShared(trace);
    expect(Array.from(again.blocks(), recordsOf)).toEqual(Array.from(store.blocks(), recordsOf));
    expect([again.records, again.accesses, again.bytes]).toEqual([store.records, store.accesses, store.bytes]);
    for (const block of trace) {
      const arrays = "payload" in block ? [block.payload] : [block.words, block.counts];
      for (const { buffer } of arrays) expect(buffer).toBeInstanceOf(SharedArrayBuffer);
    }
    expect(store.share()).toEqual(trace);
  });

  it.each([0, Infinity])("keeps a copy of an appended block, with %d bytes plain", (plainBytes) => {
    const block = blockOf([{ page: 7, kind: "W", count: 2 }]);
    const store = new TraceStore({ plainBytes });
    store.append(block);
    block.words.fill(0);
    expect(Array.from(store.blocks(), recordsOf)).toEqual([[{ page: 7, kind: "W", count: 2 }]]);
  });

  it("can be iterated twice at the same time", () => {
    const store = storeOf([[{ page: 1, kind: "R", count: 1 }], [{ page: 2, kind: "R", count: 1 }]]);
    const first = store.blocks();
    const block = first.next().value;
    for (const other of store.blocks()) expect(other.length).toBe(1);
    if (block === undefined) throw new Error("expected a block");
    expect(pageOf(block, 0)).toBe(1);
  });

  it("finds the pages of any range of accesses", () => {
    fc.assert(
      fc.property(blocks, fc.nat(300), fc.nat(300), (all, firstAccess, endAccess) => {
        const store = storeOf(all);
        const expected = touched(all, firstAccess, endAccess);
        const result = store.touchedPages({ firstAccess, endAccess });
        expect(new Map(Array.from(result.pages, (page, index) => [page, result.flags[index]]))).toEqual(expected);
        expect([...result.pages]).toEqual([...expected.keys()]);
      }),
      { numRuns: 200 },
    );
  });

  it("finds nothing in an empty range, even inside a record", () => {
    const store = storeOf([[{ page: 1, kind: "R", count: 4 }]]);
    expect(store.touchedPages({ firstAccess: 2, endAccess: 2 }).pages.length).toBe(0);
    expect(store.touchedPages({ firstAccess: 2, endAccess: 3 }).pages.length).toBe(1);
  });

  it("selects by what was done, and tells all that was done", () => {
    const store = storeOf([
      [
        { page: 9, kind: "R", count: 1 },
        { page: 3, kind: "F", count: 1 },
        { page: 2 ** 34, kind: "W", count: 5 },
        { page: 9, kind: "W", count: 1 },
      ],
    ]);
    expect([...store.touchedPages().pages]).toEqual([3, 9, 2 ** 34]);
    expect([...store.touchedPages({ include: "data" }).pages]).toEqual([9, 2 ** 34]);
    const written = store.touchedPages({ include: "written" });
    expect([...written.flags]).toEqual([PAGE_READ | PAGE_WRITTEN, PAGE_WRITTEN]);
    expect([...store.touchedPages({ endAccess: 2, include: "written" }).pages]).toEqual([]);
  });

  it(
    "holds the shipped trace, whose second half writes pages that the first did not touch",
    async () => {
      const reader = new TraceReader(chunksOf(sample("sqlite.pte-trace.gz")));
      const store = await TraceStore.read(reader);
      expect(store.accesses).toBe(20_010_864);
      expect(store.records).toBe(reader.summary.lines);
      expect(store.bytes / store.records).toBeLessThan(1.3);
      expect(reader.summary).toMatchObject({ reads: 3_992_804, writes: 2_375_854, fetches: 13_642_206 });
      const half = store.accesses / 2;
      const before = new Set(store.touchedPages({ endAccess: half }).pages);
      const after = store.touchedPages({ firstAccess: half, include: "written" }).pages;
      expect(after.filter((page) => !before.has(page)).length).toBe(579);
    },
    LONG_MS,
  );
});
