import { beforeAll, describe, expect, it } from "vitest";
import { OutOfMemoryError } from "../../ts/base/errors.js";
import { createEngine, type Engine } from "../../ts/node.js";
import { type CompareOptions, compareTrackers } from "../../ts/sim/compare.js";
import type { Comparison } from "../../ts/sim/comparison.js";
import { MissingCostError } from "../../ts/sim/cost-profile.js";
import { layoutRam } from "../../ts/sim/layout.js";
import { prepareTrace } from "../../ts/sim/prepare.js";
import { defaultCostProfile } from "../../ts/sim/profiles.js";
import { workloadBlocks } from "../../ts/sim/workloads.js";
import { compareInThreads } from "../../ts/threads/compare.js";
import { describeThrown, thrownError } from "../../ts/threads/messages.js";
import { TraceStore } from "../../ts/trace/store.js";
import { engineUrl } from "../support/engine-url.js";

/** As the build left it, for tests that import the sources: beside those there is none. */
const THREADS = { workerUrl: new URL("../../dist/worker.js", import.meta.url), engineUrl };

let engine: Engine;
let options: CompareOptions;

beforeAll(async () => {
  engine = await createEngine({}, engineUrl);
  const workload = { pattern: "zipf", pages: 20_000, accesses: 150_000, writeShare: 0.4, seed: 3 } as const;
  const { store, reads, writes } = await prepareTrace(workloadBlocks(workload));
  options = {
    title: "threads",
    source: "a workload",
    store,
    layout: layoutRam(20_000 * 4096),
    accesses: { reads, writes, skipped: 0 },
    snapshotAt: 60_001,
    profile: defaultCostProfile(),
  };
});

function withoutTime(comparison: Comparison): Omit<Comparison, "elapsedMs"> {
  const { elapsedMs, ...rest } = comparison;
  expect(elapsedMs).toBeGreaterThan(0);
  return rest;
}

describe("a comparison in threads", { timeout: 60_000 }, () => {
  it.each([1, 2, 8])("with %i of them is the comparison in one thread", async (jobs) => {
    const alone = compareTrackers(engine, options);
    expect(withoutTime(await compareInThreads(options, { jobs, ...THREADS }))).toEqual(withoutTime(alone));
  });

  it("has the rows that were asked for, named as they were asked to be", async () => {
    const some = { ...options, trackers: ["wp-async", "wp"], labels: "seed" } as const;
    const compared = await compareInThreads(some, { jobs: 2, ...THREADS });
    expect(compared.trackers.map(({ label }) => label)).toEqual(["DEFAULT", "WP-ASYNC"]);
    expect(withoutTime(compared)).toEqual(withoutTime(compareTrackers(engine, some)));
  });

  it("says how far it is", async () => {
    const shares: number[] = [];
    await compareInThreads({ ...options, onProgress: (share) => shares.push(share) }, { jobs: 2, ...THREADS });
    expect(shares.length).toBeGreaterThan(0);
    expect(shares.every((share) => share >= 0 && share <= 1)).toBe(true);
  });

  it("fails as the comparison in one thread does", async () => {
    const beyond = { ...options, snapshotAt: 150_001 };
    await expect(compareInThreads(beyond, { jobs: 2, ...THREADS })).rejects.toThrow(
      new RangeError('"snapshotAt" expected 0 to 150000 accesses, got 150001'),
    );
    const { costs, ...profile } = defaultCostProfile();
    const { call, ...others } = costs;
    expect(call).toBeDefined();
    const poor = { ...options, profile: { ...profile, costs: others as typeof costs } };
    const error: unknown = await compareInThreads(poor, { jobs: 2, ...THREADS }).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(MissingCostError);
    expect(() => compareTrackers(engine, poor)).toThrow((error as Error).message);
  });

  it("tells of memory that is used up by the error that the engine throws", () => {
    const error = new OutOfMemoryError("replay", 2 ** 32);
    const copied = thrownError(structuredClone(describeThrown(error)));
    expect(copied).toBeInstanceOf(OutOfMemoryError);
    expect(copied).toMatchObject({ message: error.message, memoryBytes: 2 ** 32, operation: "replay" });
  });
});

/** The words and counts of a trace, block by block, as texts. */
function contentOf(store: TraceStore): string[] {
  return Array.from(store.blocks(), ({ words, counts, length }) => {
    return `${words.subarray(0, 2 * length).join()};${counts.subarray(0, length).join()}`;
  });
}

describe("a shared trace", () => {
  it("is the trace, and shares its bytes", () => {
    const { store } = options;
    const blocks = contentOf(store);
    const shared = store.share();
    const copy = TraceStore.fromShared(structuredClone(shared));
    for (const read of [store, copy]) {
      expect([read.records, read.accesses, read.bytes]).toEqual([150_000, 150_000, store.bytes]);
      expect(contentOf(read).every((text, i) => text === blocks[i])).toBe(true);
      expect(contentOf(read)).toHaveLength(blocks.length);
    }
  });

  it("may be empty", () => {
    expect(TraceStore.fromShared(new TraceStore().share()).records).toBe(0);
  });
});
