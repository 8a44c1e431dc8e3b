/** Work that takes long, in slices: in between the worker answers what it is asked. */

/** How long the worker works before it looks for questions. */
const SLICE_MS = 12;

/** Carries steps out and returns what they come to; null once nobody wants it any more: the rest is not carried out then. */
export async function inSlices<T>(steps: Iterator<unknown, T, undefined>, isWanted: () => boolean): Promise<T | null> {
  for (;;) {
    const started = performance.now();
    do {
      const step = steps.next();
      if (step.done === true) return step.value;
    } while (performance.now() - started < SLICE_MS);
    await pause();
    if (isWanted()) continue;
    steps.return?.();
    return null;
  }
}

/** Lets the worker answer, and waits. */
export function pause(ms = 0): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
