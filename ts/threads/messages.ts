import { OutOfMemoryError } from "../base/errors.js";
import type { FinishedRun, RunOptions } from "../sim/compare.js";
import type { TrackerId } from "../sim/comparison.js";
import { type CostName, MissingCostError } from "../sim/cost-profile.js";
import type { SharedTrace } from "../trace/store.js";

/** What a thread is to do: one tracker's run. */
export interface TrackerTask extends Omit<RunOptions, "store"> {
  readonly tracker: TrackerId;
  readonly trace: SharedTrace;
  /** Where `engine.wasm` is. */
  readonly engineUrl: string;
}

/** How far a run is, 0 to 1. */
export interface TrackerProgress {
  readonly tracker: TrackerId;
  readonly done: number;
}

/** What a run gave, or what it threw: classes of errors do not survive the way between threads. */
export type TrackerAnswer = { readonly run: FinishedRun } | { readonly error: ThrownError };

/** An error as plain data. */
export type ThrownError =
  | { readonly kind: "memory"; readonly operation: string; readonly memoryBytes: number }
  | { readonly kind: "cost"; readonly profile: string; readonly cost: CostName }
  | { readonly kind: "other"; readonly error: unknown };

/** Makes plain data of what was thrown. */
export function describeThrown(error: unknown): ThrownError {
  if (error instanceof OutOfMemoryError) {
    return { kind: "memory", operation: error.operation, memoryBytes: error.memoryBytes };
  }
  if (error instanceof MissingCostError) return { kind: "cost", profile: error.profile, cost: error.cost };
  return { kind: "other", error };
}

/** Returns the error that plain data was made of. Those of the language itself are copied as they are. */
export function thrownError(thrown: ThrownError): unknown {
  if (thrown.kind === "memory") return new OutOfMemoryError(thrown.operation, thrown.memoryBytes);
  return thrown.kind === "cost" ? new MissingCostError({ name: thrown.profile }, thrown.cost) : thrown.error;
}
