/** Which pages are chosen at random: `bench/c/pick.h` has the same functions, so that all sides choose the same pages. */

/** What an entry of the mixed row is, in the order of their numbers in C. */
export const KINDS = ["none", "marker", "zero-page", "written", "swapped"] as const;

export type Kind = (typeof KINDS)[number];

/** MurmurHash3's finalizer. */
function scrambled(page: number): number {
  const first = Math.imul(page ^ (page >>> 16), 0x85ebca6b);
  const second = Math.imul(first ^ (first >>> 13), 0xc2b2ae35);
  return (second ^ (second >>> 16)) >>> 0;
}

/** Tells whether a page, counted from the start of the range, is one of the 1 %. */
export function isOneIn100(index: number): boolean {
  return scrambled(index) % 100 === 0;
}

/** Returns what a page of the mixed row is. */
export function mixedKind(index: number): Kind {
  return KINDS[scrambled(index) % KINDS.length] as Kind;
}

/** Returns the pages below `pages` that are of a kind. */
export function pagesOfKind(pages: number, kind: Kind): number[] {
  return chosen(pages, (index) => mixedKind(index) === kind);
}

/** Returns the pages below `pages` that are chosen. */
export function chosen(pages: number, isChosen: (index: number) => boolean): number[] {
  const indexes: number[] = [];
  for (let index = 0; index < pages; index++) if (isChosen(index)) indexes.push(index);
  return indexes;
}

/** Returns the number of runs of consecutive numbers in a sorted list. */
export function runsIn(sorted: readonly number[]): number {
  return sorted.filter((value, i) => i === 0 || sorted[i - 1] !== value - 1).length;
}
