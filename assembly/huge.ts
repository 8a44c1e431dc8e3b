import { ENOMEM, OK } from "./abi";
import { HUGE, HUGE_PFN_MASK, hugeFrameOf, isHuge, isZeroPage, leafEntry } from "./entry";
import { allocateHugeFrames, FRAMES_PER_HUGE, isAnonymous } from "./frames";
import { ENTRIES_PER_TABLE } from "./geometry";
import { mapFrame, unmapFrame } from "./resident";
import { adjustCounts, findPmdSlot, noteEntry, storePmd, useDeposit, withdrawTable } from "./table";

/**
 * Huge pages that a PMD entry maps: anonymous ones, the huge zero page, and those of a tmpfs object. (`mm/huge_memory.c`)
 */

/** First frame of the huge zero page; 0 before it is needed. */
let hugeZeroFrame: u32 = 0;

/** Returns the first frame of the huge zero page, or 0 when the memory is used up. */
export function hugeZeroPage(): u32 {
  if (hugeZeroFrame == 0) hugeZeroFrame = allocateHugeFrames(0);
  return hugeZeroFrame;
}

/** Tells whether an entry maps a huge page that is a mapping's own, or the huge zero page: one with a table in reserve. */
export function isAnonymousHuge(entry: u64): bool {
  return isZeroPage(entry) || isAnonymous(hugeFrameOf(entry));
}

/**
 * Replaces a huge page by 512 entries of its parts, in the table that was in reserve; a huge page of an object is unmapped instead.
 * Returns OK or ENOMEM. (`__split_huge_pmd`)
 */
export function splitHuge(space: usize, slot: usize): i32 {
  const entry = load<u64>(slot);
  if (!isAnonymousHuge(entry)) {
    unmapHuge(space, slot);
    return OK;
  }
  const table = useDeposit(space, slot);
  if (table == 0) return ENOMEM;
  const isZero = isZeroPage(entry);
  const frame = hugeFrameOf(entry);
  const flags = entry & ~(HUGE_PFN_MASK | HUGE);
  for (let i: u32 = 0; i < <u32>ENTRIES_PER_TABLE; i++) {
    store<u64>(table + ((<usize>i) << 3), leafEntry(isZero ? 0 : frame + i, flags));
  }
  adjustCounts(table, ENTRIES_PER_TABLE, 0);
  noteEntry(table, load<u64>(table));
  return OK;
}

/** Splits the huge page that is mapped at `page`, if there is one: a mapping ends in it from now on. Returns OK or ENOMEM. */
export function splitHugeAt(space: usize, page: u64): i32 {
  const slot = findPmdSlot(space, page);
  return slot != 0 && isHuge(load<u64>(slot)) ? splitHuge(space, slot) : OK;
}

/** Takes away what the PMD entry at `slot` maps, and the table in reserve with it. */
export function unmapHuge(space: usize, slot: usize): void {
  const entry = load<u64>(slot);
  storePmd(slot, 0);
  if (isZeroPage(entry)) {
    withdrawTable(space);
    return;
  }
  const frame = hugeFrameOf(entry);
  if (isAnonymous(frame)) withdrawTable(space);
  for (let i: u32 = 0; i < FRAMES_PER_HUGE; i++) unmapFrame(space, frame + i, entry);
}

/** Notes that a PMD entry more maps a huge page. */
export function mapHugeFrames(space: usize, frame: u32): void {
  for (let i: u32 = 0; i < FRAMES_PER_HUGE; i++) mapFrame(space, frame + i);
}

/** Returns the entry that a huge entry has for the `index`-th of its pages, as if it were split. */
export function partOfHuge(entry: u64, index: u32): u64 {
  const flags = entry & ~(HUGE_PFN_MASK | HUGE);
  return leafEntry(hugeFrameOf(entry) + index, flags);
}
