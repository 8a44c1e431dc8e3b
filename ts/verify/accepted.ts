import type { Step, StepResult } from "../scenario/document.js";

/** A way in which the engine may differ from a kernel, and why that is no fault. */
export interface Accepted {
  /** Short, for reports. */
  readonly id: string;
  readonly why: string;
  readonly matches: (step: Step, kernel: StepResult, engine: StepResult) => boolean;
}

/**
 * All of them. A scenario is compared up to the first. None can be about what the engine is for: see `isNeverAccepted` in
 * verify/difference.ts, which does not even ask.
 */
export const ACCEPTED: readonly Accepted[] = [];
