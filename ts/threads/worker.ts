import { readFile } from "node:fs/promises";
import { parentPort } from "node:worker_threads";
import type { Engine } from "../engine/engine.js";
import { instantiateEngine } from "../engine/load.js";
import { runTracker } from "../sim/compare.js";
import { TRACKERS } from "../sim/trackers.js";
import { TraceStore } from "../trace/store.js";
import { describeThrown, type TrackerAnswer, type TrackerProgress, type TrackerTask } from "./messages.js";

/** Progress is told at most so often. */
const PROGRESS_MS = 50;

/** A thread has one engine, whose memory later runs use again. */
let engine: Promise<Engine> | undefined;

/** Carries out one task in a thread of a pool. */
export default async function run(task: TrackerTask): Promise<TrackerAnswer> {
  try {
    engine ??= readFile(new URL(task.engineUrl)).then((bytes) => instantiateEngine(bytes));
    const tracker = TRACKERS.find(({ id }) => id === task.tracker);
    if (tracker === undefined) throw new TypeError(`"tracker" expected the name of one, got "${task.tracker}"`);
    const options = { ...task, store: TraceStore.fromShared(task.trace) };
    return { run: runTracker(await engine, options, tracker, progressOf(task)) };
  } catch (error) {
    return { error: describeThrown(error) };
  }
}

function progressOf({ tracker }: TrackerTask): (done: number) => void {
  let toldAt = 0;
  return (done) => {
    const now = performance.now();
    if (now - toldAt < PROGRESS_MS) return;
    toldAt = now;
    parentPort?.postMessage({ tracker, done } satisfies TrackerProgress);
  };
}
