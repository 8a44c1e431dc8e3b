/** How the moments of the experiment are counted: nothing is done, pages exist, all is armed, then one after each write. */

export const AFTER_PREFAULT = 1;
export const AFTER_ARMING = 2;

/** Returns how many writes have been made at a moment. */
export function writesAt(moment: number): number {
  return Math.max(0, moment - AFTER_ARMING);
}

/** Returns the moment after so many writes. */
export function momentAfter(writes: number): number {
  return AFTER_ARMING + writes;
}
