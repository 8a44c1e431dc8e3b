import { OutOfMemoryError } from "../base/errors.js";
import { MissingCostError } from "../sim/cost-profile.js";
import { HostError } from "../verify/host-error.js";
import { KernelUnavailableError } from "../verify/kernel/errors.js";
import { TraceError } from "../trace/trace-error.js";
import { UsageError } from "./errors.js";

/** Returns what a person needs to know of an error: its message if it is of a kind that we throw on purpose, else also where it is from. */
export function describeError(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const isExpected =
    error instanceof UsageError ||
    error instanceof HostError ||
    error instanceof KernelUnavailableError ||
    error instanceof TraceError ||
    error instanceof MissingCostError ||
    error instanceof OutOfMemoryError ||
    error instanceof RangeError ||
    isSystemError(error);
  return isExpected ? error.message : (error.stack ?? error.message);
}

function isSystemError(error: Error): boolean {
  return "syscall" in error && typeof error.syscall === "string";
}
