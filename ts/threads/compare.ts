import type { Piscina } from "piscina";
import { type CompareOptions, comparisonOf, type FinishedRun, wantedTrackers } from "../sim/compare.js";
import type { Comparison } from "../sim/comparison.js";
import type { Tracker } from "../sim/trackers.js";
import { thrownError, type TrackerAnswer, type TrackerProgress, type TrackerTask } from "./messages.js";

/** How a comparison is spread over threads. */
export interface ThreadOptions {
  /** Threads, 1 or more; there are never more than trackers. */
  readonly jobs: number;
  /** Where `engine.wasm` and the worker are, if not beside this module. */
  readonly engineUrl?: string | URL;
  readonly workerUrl?: string | URL;
}

/**
 * Does what `compareTrackers` does, each tracker in one of several threads with an engine of its own. The trace is in memory once. Nothing in
 * the comparison depends on the number of threads but the time that it took.
 * @throws as `compareTrackers`; of several runs that fail, what the first in the order of the rows threw.
 */
export async function compareInThreads(options: CompareOptions, threads: ThreadOptions): Promise<Comparison> {
  const started = performance.now();
  const trackers = wantedTrackers(options);
  const pool = await makePool(Math.min(threads.jobs, trackers.length), threads);
  try {
    showProgress(pool, trackers, options);
    const answers = await Promise.all(tasksOf(options, trackers, threads).map((task) => pool.run(task)));
    return comparisonOf(options, answers.map(runOf), performance.now() - started);
  } finally {
    await pool.destroy();
  }
}

/** The package is loaded only when there is something to do for it. */
async function makePool(size: number, { workerUrl }: ThreadOptions): Promise<Piscina<TrackerTask, TrackerAnswer>> {
  const { Piscina } = await import("piscina");
  const filename = new URL(workerUrl ?? new URL("./worker.js", import.meta.url)).href;
  return new Piscina<TrackerTask, TrackerAnswer>({ filename, minThreads: size, maxThreads: size });
}

function tasksOf(options: CompareOptions, trackers: readonly Tracker[], threads: ThreadOptions): TrackerTask[] {
  const { store, layout, snapshotAt, profile, labels } = options;
  const shared = {
    trace: store.share(),
    layout,
    profile,
    ...(snapshotAt === undefined ? {} : { snapshotAt }),
    ...(labels === undefined ? {} : { labels }),
    engineUrl: new URL(threads.engineUrl ?? new URL("./engine.wasm", import.meta.url)).href,
  };
  return trackers.map(({ id }) => ({ ...shared, tracker: id }));
}

function showProgress(
  pool: Piscina<TrackerTask, TrackerAnswer>,
  trackers: readonly Tracker[],
  { onProgress }: CompareOptions,
): void {
  const shares = new Map(trackers.map(({ id }) => [id, 0]));
  pool.on("message", ({ tracker, done }: TrackerProgress) => {
    shares.set(tracker, done);
    const sum = [...shares.values()].reduce((total, share) => total + share, 0);
    onProgress?.(sum / trackers.length, trackers.find(({ id }) => id === tracker)?.label ?? tracker);
  });
}

function runOf(answer: TrackerAnswer): FinishedRun {
  if ("error" in answer) throw thrownError(answer.error);
  return answer.run;
}
