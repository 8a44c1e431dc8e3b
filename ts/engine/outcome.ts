/**
 * How an access ended: done, waiting for a message to be answered (missing, wp, minor), or with a signal; poisoned memory gives SIGBUS too. A
 * fault can also start again for ever (hang), or need a huge page that other processes map (unmap-others).
 */
export type Outcome = "done" | "missing" | "wp" | "sigsegv" | "sigbus" | "poisoned" | "minor" | "hang" | "unmap-others";

/** Outcomes by the OUTCOME_ numbers of the engine. */
export const OUTCOMES: readonly Outcome[] = [
  "done",
  "missing",
  "wp",
  "sigsegv",
  "sigbus",
  "poisoned",
  "minor",
  "hang",
  "unmap-others",
];

/** Tells whether an access waits for a message to be answered. */
export function isWaiting(outcome: Outcome): outcome is "missing" | "wp" | "minor" {
  return outcome === "missing" || outcome === "wp" || outcome === "minor";
}
