/** How an access ended: done, waiting for a message to be answered (missing, wp), or with a signal; poisoned memory gives SIGBUS too. */
export type Outcome = "done" | "missing" | "wp" | "sigsegv" | "sigbus" | "poisoned";

/** Outcomes by the OUTCOME_ numbers of the engine. */
export const OUTCOMES: readonly Outcome[] = ["done", "missing", "wp", "sigsegv", "sigbus", "poisoned"];

/** Tells whether an access waits for a message to be answered. */
export function isWaiting(outcome: Outcome): outcome is "missing" | "wp" {
  return outcome === "missing" || outcome === "wp";
}
