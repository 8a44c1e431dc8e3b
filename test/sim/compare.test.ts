import { beforeAll, describe, expect, it } from "vitest";
import { createEngine, type Engine, Random } from "../../ts/node.js";
import { compareTrackers, type CompareOptions } from "../../ts/sim/compare.js";
import type { Comparison, TrackerId, TrackerResult } from "../../ts/sim/comparison.js";
import { COSTS, type CostName, type CostProfile, MissingCostError } from "../../ts/sim/cost-profile.js";
import { layoutAroundPages, layoutRam } from "../../ts/sim/layout.js";
import { COST_PROFILES, defaultCostProfile } from "../../ts/sim/profiles.js";
import { SEED_EXPERIMENT_BYTES } from "../../ts/sim/workloads.js";
import { TraceStore } from "../../ts/trace/store.js";
import { engineUrl } from "../support/engine-url.js";
import { OracleContext, type OracleAccess, OracleSpace } from "../support/oracle.js";

interface Step {
  readonly page: number;
  readonly access: OracleAccess;
  readonly count: number;
}

const FIRST_PAGE = 2 ** 28 - 700;

/** Every cost is another power of two, so that a sum says what it was made of. */
const BINARY_COSTS: CostProfile = {
  profile: 1,
  name: "binary",
  provenance: "made up",
  costs: Object.fromEntries(
    (Object.keys(COSTS) as CostName[]).map((name, i) => [name, { ns: 2 ** i, source: "made up" }]),
  ),
};

let engine: Engine;

beforeAll(async () => {
  engine = await createEngine({}, engineUrl);
});

describe("the experiment of the patch: 10 GiB of untouched memory", () => {
  let rows: ReadonlyMap<TrackerId, TrackerResult>;

  beforeAll(() => {
    rows = rowsOf(compareTrackers(engine, seedExperiment()));
  });

  it("without the feature arms nothing and allocates no table", () => {
    expect(rows.get("wp")).toMatchObject({
      label: "DEFAULT",
      armed: { none: 0, page: 0, zeroPage: 0 },
      tableBytes: { before: 0, armed: 0, end: 0 },
    });
  });

  it.each(["wp-pre-read", "wp-populate-read"] as const)("with %s arms the zero page 2,621,440 times", (id) => {
    expect(rows.get(id)).toMatchObject({ armed: { none: 0, page: 0, zeroPage: 2_621_440 }, prefaulted: 2_621_440 });
  });

  it.each(["wp-unpopulated", "wp-async"] as const)(
    "with %s leaves 2,621,440 markers in 5,120 + 10 + 1 tables",
    (id) => {
      const row = rows.get(id);
      expect(row).toMatchObject({ armed: { none: 2_621_440, page: 0, zeroPage: 0 }, prefaulted: 0 });
      expect(row?.tableBytes).toEqual({ before: 0, armed: (5120 + 10 + 1) * 4096, end: (5120 + 10 + 1) * 4096 });
    },
  );

  it("finds nothing dirty, as nothing was written", () => {
    for (const row of rows.values()) expect([row.messages, row.dirty.found, row.dirty.missed]).toEqual([0, 0, 0]);
  });

  it("models the times that were published, from the costs that they give", () => {
    const [, series] = COST_PROFILES;
    const trackers: TrackerId[] = ["wp-pre-read", "wp-populate-read", "wp-unpopulated"];
    const modelled = compareTrackers(engine, { ...seedExperiment(), profile: series as CostProfile, trackers });
    const totals = modelled.trackers.map((row) => row.modelled.arm.totalNs / 1000);
    // one or two calls more than the published sum: 4 us each
    for (const [i, published] of [1_112_909, 278_276, 11_712].entries()) {
      expect(Math.abs((totals[i] ?? 0) - published)).toBeLessThan(9);
    }
  });
});

describe("a comparison", () => {
  it.each([1, 2, 3, 4, 5, 6, 7, 8])("says what a naive calculation says (random trace %i)", (seed) => {
    const random = new Random(seed);
    const steps = randomSteps(random, 250);
    const total = steps.reduce((sum, step) => sum + step.count, 0);
    const snapshotAt = random.below(total + 1);
    const result = compareTrackers(engine, optionsFor(steps, { snapshotAt, profile: BINARY_COSTS }));
    for (const row of result.trackers) expect(seenIn(row)).toEqual(naiveRow(steps, snapshotAt, row.tracker));
    expect(result.trackers).toHaveLength(5);
    expect(result.dirtyPages).toBe(naiveTruth(steps, snapshotAt).length);
  });

  it("loses what was never touched before, without the feature, and names it", () => {
    const steps: Step[] = [
      { page: FIRST_PAGE, access: "write", count: 1 },
      { page: FIRST_PAGE + 1, access: "read", count: 1 },
      { page: FIRST_PAGE, access: "write", count: 1 },
      { page: FIRST_PAGE + 1, access: "write", count: 1 },
      { page: FIRST_PAGE + 2, access: "write", count: 1 },
    ];
    const rows = rowsOf(compareTrackers(engine, optionsFor(steps, { snapshotAt: 2 })));
    expect(rows.get("wp")?.dirty).toEqual({ found: 2, missed: 1, false: 0, missedPages: [FIRST_PAGE + 2] });
    for (const id of ["wp-pre-read", "wp-populate-read", "wp-unpopulated", "wp-async"] as const) {
      expect(rows.get(id)?.dirty).toEqual({ found: 3, missed: 0, false: 0, missedPages: [] });
    }
  });

  it("with the snapshot at the start arms untouched memory, at the end finds nothing", () => {
    const steps = randomSteps(new Random(3), 100);
    const total = steps.reduce((sum, step) => sum + step.count, 0);
    const atStart = compareTrackers(engine, optionsFor(steps, { snapshotAt: 0 }));
    expect(atStart.snapshot).toEqual({ at: 0, pages: 0, zeroPages: 0 });
    expect(rowsOf(atStart).get("wp")?.dirty.found).toBe(0);
    expect(rowsOf(atStart).get("wp")?.dirty.missed).toBe(atStart.dirtyPages);
    const atEnd = compareTrackers(engine, optionsFor(steps, { snapshotAt: total }));
    expect(atEnd.dirtyPages).toBe(0);
    expect(atEnd.trackers.map((row) => row.dirty.found)).toEqual([0, 0, 0, 0, 0]);
  });

  it.each([-1, 0.5, NaN, 4])("refuses a snapshot at %s of 3 accesses", (snapshotAt) => {
    const steps: Step[] = [{ page: FIRST_PAGE, access: "write", count: 3 }];
    expect(() => compareTrackers(engine, optionsFor(steps, { snapshotAt }))).toThrow('"snapshotAt"');
  });

  it("runs the trackers that are asked for, in its own order", () => {
    const steps = randomSteps(new Random(1), 20);
    const result = compareTrackers(engine, optionsFor(steps, { trackers: ["wp-async", "wp"] }));
    expect(result.trackers.map((row) => row.tracker)).toEqual(["wp", "wp-async"]);
  });

  it("takes the middle of the trace when no point is given", () => {
    const steps = randomSteps(new Random(1), 21);
    const options = optionsFor(steps, {});
    expect(compareTrackers(engine, options).snapshot.at).toBe(Math.floor(options.store.accesses / 2));
  });

  it("says what is missing when the profile does not know a cost, and gives its memory back", () => {
    const steps = randomSteps(new Random(1), 50);
    const [, series] = COST_PROFILES;
    const options = optionsFor(steps, { profile: series as CostProfile });
    expect(() => compareTrackers(engine, options)).toThrow(MissingCostError);
    const before = engine.memoryBytes;
    for (let i = 0; i < 20; i++) expect(() => compareTrackers(engine, options)).toThrow();
    expect(engine.memoryBytes).toBe(before);
  });

  it("has a timeline that only grows and ends with all accesses", () => {
    const steps = randomSteps(new Random(5), 250);
    const result = compareTrackers(engine, optionsFor(steps, {}));
    for (const { timeline } of result.trackers) {
      for (const series of [timeline.accesses, timeline.mapFaults, timeline.wpFaults]) {
        expect([...series].sort((a, b) => a - b)).toEqual(series);
        expect(series).toHaveLength(timeline.accesses.length);
      }
      expect(timeline.accesses.at(-1)).toBe(result.accesses.total);
    }
  });

  it("tells how far it is", () => {
    const seen: number[] = [];
    const onProgress = (done: number): number => seen.push(done);
    compareTrackers(engine, optionsFor(randomSteps(new Random(5), 250), { onProgress }));
    expect([...seen].sort((a, b) => a - b)).toEqual(seen);
    expect(seen.at(-1)).toBe(1);
  });
});

function seedExperiment(): CompareOptions {
  return {
    title: "seed",
    source: "none",
    store: new TraceStore(),
    layout: layoutRam(SEED_EXPERIMENT_BYTES),
    accesses: { reads: 0, writes: 0, skipped: 0 },
    profile: defaultCostProfile(),
    labels: "seed",
  };
}

function rowsOf(comparison: Comparison): ReadonlyMap<TrackerId, TrackerResult> {
  return new Map(comparison.trackers.map((row) => [row.tracker, row]));
}

/** Some pages again and again, over the border of 512 GiB. */
function randomSteps(random: Random, count: number): Step[] {
  return Array.from({ length: count }, () => {
    const page = FIRST_PAGE + (random.below(3) === 0 ? random.below(1500) : 600 + random.below(40));
    return { page, access: random.below(2) === 0 ? ("read" as const) : ("write" as const), count: 1 + random.below(3) };
  });
}

function optionsFor(steps: readonly Step[], changes: Partial<CompareOptions>): CompareOptions {
  const store = new TraceStore();
  for (let at = 0; at < steps.length; at += 77) append(store, steps.slice(at, at + 77));
  const layout = layoutOf(steps);
  return {
    title: "test",
    source: "random",
    store,
    layout,
    accesses: { reads: 0, writes: 0, skipped: 0 },
    profile: defaultCostProfile(),
    ...changes,
  };
}

function layoutOf(steps: readonly Step[]): ReturnType<typeof layoutAroundPages> {
  return layoutAroundPages(Float64Array.from(new Set(steps.map((step) => step.page))).sort());
}

function append(store: TraceStore, steps: readonly Step[]): void {
  const words = new Uint32Array(2 * steps.length);
  steps.forEach(({ page, access }, i) => {
    words[2 * i] = page % 2 ** 32;
    words[2 * i + 1] = Math.floor(page / 2 ** 32) + (access === "write" ? 2 ** 31 : 0);
  });
  const counts = Uint32Array.from(steps, (step) => step.count);
  store.append({ words, counts, length: steps.length, accesses: counts.reduce((a, b) => a + b, 0) });
}

/** What is compared of a row: everything but the timeline. */
function seenIn(row: TrackerResult): unknown {
  const { armed, prefaulted, tableBytes, faults, messages, dirty, modelled } = row;
  const times = { arm: modelled.arm.totalNs, fault: modelled.fault.totalNs };
  return { armed, prefaulted, tableBytes, faults, messages, dirty, times };
}

function naiveTruth(steps: readonly Step[], snapshotAt: number): number[] {
  const { after } = cut(steps, snapshotAt);
  return [...new Set(after.filter((step) => step.access === "write").map((step) => step.page))].sort((a, b) => a - b);
}

/** A step belongs to where its first access is. */
function cut(steps: readonly Step[], snapshotAt: number): { before: Step[]; after: Step[] } {
  let position = 0;
  const before: Step[] = [];
  const after: Step[] = [];
  for (const step of steps) {
    (position < snapshotAt ? before : after).push(step);
    position += step.count;
  }
  return { before, after };
}

function naiveRow(steps: readonly Step[], snapshotAt: number, tracker: TrackerId): unknown {
  const { before, after } = cut(steps, snapshotAt);
  const oracle = new OracleSpace();
  const areas = layoutOf(steps).mappings.map(({ firstPage, pageCount }) => ({
    first: firstPage,
    end: firstPage + pageCount,
  }));
  for (const { first, end } of areas) oracle.mmap(first, end, "rw");
  const policy = { wp: "unprotect", signals: "stop", waits: 0 } as const;
  oracle.replay(before, { ...policy, value: 1 });
  const beforeBytes = tableBytes(oracle);
  const prefaulted = tracker === "wp-pre-read" || tracker === "wp-populate-read" ? pagesIn(areas) : 0;
  if (prefaulted > 0) for (const { first, end } of areas) oracle.populate(first, end, "read");
  const context = new OracleContext({
    unpopulated: tracker === "wp-unpopulated",
    async: tracker === "wp-async",
    sigbus: false,
  });
  for (const { first, end } of areas) {
    oracle.register(context, first, end, false, true);
    oracle.writeProtect(first, end);
  }
  const armed = { ...oracle.counters };
  const armedBytes = tableBytes(oracle);
  const { records } = oracle.replay(after, { ...policy, value: 2 });
  const reported = tracker === "wp-async" ? writtenPages(oracle, areas) : new Set(records.map((record) => record.page));
  return {
    armed: { none: armed.armedNone, page: armed.armedPage, zeroPage: armed.armedZeroPage },
    prefaulted,
    tableBytes: { before: beforeBytes, armed: armedBytes, end: tableBytes(oracle) },
    ...naiveFaults(oracle, armed),
    dirty: naiveDirty(naiveTruth(steps, snapshotAt), reported),
    times: { arm: naiveArmTime(armed, tracker, prefaulted, areas.length), fault: naiveFaultTime(oracle, armed) },
  };
}

function naiveFaults(oracle: OracleSpace, armed: OracleSpace["counters"]): { faults: unknown; messages: number } {
  const since = (name: keyof OracleSpace["counters"]): number => oracle.counters[name] - armed[name];
  return {
    faults: {
      exceptions: {
        readNotPresent: since("readNotPresent"),
        writeNotPresent: since("writeNotPresent"),
        writeProtected: since("writeProtected"),
      },
      zeroPage: since("zeroPageFaults"),
      allocate: since("allocateFaults"),
      copy: since("copyFaults"),
      marker: since("markerFaults"),
      wpSync: since("wpMessages"),
      wpAsync: since("wpAsyncFaults"),
    },
    messages: since("wpMessages"),
  };
}

function naiveDirty(truth: readonly number[], reported: ReadonlySet<number>): unknown {
  const missed = truth.filter((page) => !reported.has(page));
  const wrong = [...reported].filter((page) => !truth.includes(page));
  return { found: reported.size, missed: missed.length, false: wrong.length, missedPages: missed.slice(0, 20) };
}

function naiveArmTime(
  armed: OracleSpace["counters"],
  tracker: TrackerId,
  prefaulted: number,
  mappings: number,
): number {
  const changed = armed.armedNone + armed.armedPage + armed.armedZeroPage;
  const calls = tracker === "wp-populate-read" ? 2 * mappings : mappings;
  const protecting =
    armed.armedNone * ns("protectNone") +
    armed.armedPage * ns("protectPage") +
    armed.armedZeroPage * ns("protectZeroPage") +
    (armed.protectVisited - changed) * ns("protectVisited");
  return calls * ns("call") + prefaulted * ns(tracker === "wp-pre-read" ? "preRead" : "populateRead") + protecting;
}

function naiveFaultTime(oracle: OracleSpace, armed: OracleSpace["counters"]): number {
  const since = (name: keyof OracleSpace["counters"]): number => oracle.counters[name] - armed[name];
  return (
    since("zeroPageFaults") * ns("readFault") +
    since("allocateFaults") * ns("writeFault") +
    since("copyFaults") * ns("copyFault") +
    since("wpMessages") * ns("wpSyncFault") +
    since("reuseFaults") * ns("wpAsyncFault")
  );
}

function ns(cost: CostName): number {
  return BINARY_COSTS.costs[cost]?.ns ?? NaN;
}

function writtenPages(oracle: OracleSpace, areas: readonly { first: number; end: number }[]): Set<number> {
  const filter = {
    inverted: [],
    mask: ["written"],
    anyOf: [],
    returned: ["written"],
    wpMatching: false,
    checkWpAsync: true,
  };
  const pages = new Set<number>();
  for (const { first, end } of areas) {
    const { regions } = oracle.scan({ first, end, vectorLength: Infinity, maxPages: Infinity, ...filter });
    for (const region of regions) for (let page = region.first; page < region.end; page++) pages.add(page);
  }
  return pages;
}

function tableBytes(oracle: OracleSpace): number {
  const { pudTables, pmdTables, pteTables } = oracle.levels;
  return 4096 * (pudTables + pmdTables + pteTables);
}

function pagesIn(areas: readonly { first: number; end: number }[]): number {
  return areas.reduce((sum, area) => sum + area.end - area.first, 0);
}
