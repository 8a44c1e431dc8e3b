import { ENOMEM, OK, PAGE_LIMIT_BITS } from "./abi";
import {
  frameOf,
  isDirty,
  isHuge,
  isPresent,
  isTable,
  isUffdWp,
  isZeroPage,
  PRESENT,
  PROTECTION_NO_ACCESS,
  PROTECTION_READ,
  tableOf,
  withUffdWp,
  zeroPageEntry,
} from "./entry";
import {
  contentOf,
  FRAME_DIRTY,
  FRAME_LAZYFREE,
  folioHead,
  folioPages,
  FRAMES_PER_HUGE,
  headOf,
  isLarge,
  mapCount,
  splitLarge,
  wordOf,
} from "./frames";
import { splitHuge } from "./huge";
import { unmapFrame } from "./resident";
import { findPmdSlot, noteEntry } from "./table";
import { slotIn, walk } from "./walk";

/**
 * Splitting an anonymous huge page into pages of their own: `mm/huge_memory.c:split_folio`. Pages that hold nothing but zeros are freed, and
 * the zero page takes their place (`mm/migrate.c:try_to_map_unused_to_zeropage`).
 */

const ALL_PAGES: u64 = (<u64>1) << PAGE_LIMIT_BITS;

/** Splits the huge page that `frame`, mapped at `page`, is part of; only this space maps it. Returns OK or ENOMEM. */
export function splitAnonymousFolio(space: usize, page: u64, frame: u32): i32 {
  const head = headOf(frame);
  const slot = findPmdSlot(space, page);
  if (slot != 0 && isHuge(load<u64>(slot)) && splitHuge(space, slot) != OK) return ENOMEM;
  const first = page - (frame - head);
  const isDirtied = (wordOf(frame) & FRAME_LAZYFREE) != 0 && hasDirtyPart(space, first, head);
  for (let i: u32 = 0; i < FRAMES_PER_HUGE; i++) {
    if (isZeroPart(head + i)) replaceByZeroPage(space, first + i, head + i);
  }
  for (let i: u32 = 0; i < FRAMES_PER_HUGE; i++) {
    if (!isZeroPart(head + i)) continue;
    partsHead = head;
    walk<ReplaceMovedParts>(space, 0, ALL_PAGES);
    break;
  }
  splitLarge(head, isDirtied ? FRAME_DIRTY : 0);
  return OK;
}

/** Tells whether an entry from page `first` on, where the huge page is mapped, says that its part was written to. */
function hasDirtyPart(space: usize, first: u64, head: u32): bool {
  for (let i: u32 = 0; i < FRAMES_PER_HUGE; i++) {
    const pmd = findPmdSlot(space, first + i);
    if (pmd == 0 || !isTable(load<u64>(pmd))) continue;
    const entry = load<u64>(slotIn(tableOf(load<u64>(pmd)), first + i));
    if (isPresent(entry) && !isZeroPage(entry) && frameOf(entry) == head + i && isDirty(entry)) return true;
  }
  return false;
}

/** Tells whether a frame is a mapped part of an unsplit huge page and holds nothing but zeros. */
function isZeroPart(frame: u32): bool {
  return isLarge(frame) && mapCount(frame) != 0 && contentOf(frame) == 0;
}

/** First frame of the huge page whose parts are looked for. */
let partsHead: u32 = 0;

/** Replaces the parts that mremap has moved away from the others. */
@unmanaged
@final
class ReplaceMovedParts {
  uniform(space: usize, kind: u32, page: u64, pageCount: u64): i32 {
    return OK; // a template maps no frame but the zero page
  }

  slice(space: usize, table: usize, page: u64, pageCount: u32): i32 {
    for (let at = page; at < page + pageCount; at++) {
      const entry = load<u64>(slotIn(table, at));
      if (!isPresent(entry) || isZeroPage(entry) || !isZeroPart(frameOf(entry))) continue;
      if (headOf(frameOf(entry)) == partsHead) replaceByZeroPage(space, at, frameOf(entry));
    }
    return OK;
  }
}

/** Tells whether a part of the folio of `frame` is mapped more than once; of an anonymous one that is another process. */
export function isFolioShared(frame: u32): bool {
  const head = folioHead(frame);
  const pages = folioPages(frame);
  for (let i: u32 = 0; i < pages; i++) {
    if (isLarge(head + i) && mapCount(head + i) > 1) return true;
  }
  return false;
}

function replaceByZeroPage(space: usize, page: u64, frame: u32): void {
  const pmd = findPmdSlot(space, page);
  if (pmd == 0 || !isTable(load<u64>(pmd))) return;
  const slot = slotIn(tableOf(load<u64>(pmd)), page);
  const entry = load<u64>(slot);
  if (!isPresent(entry) || isZeroPage(entry) || frameOf(entry) != frame) return;
  unmapFrame(space, frame, entry);
  const zero = zeroPageEntry((entry & PRESENT) != 0 ? PROTECTION_READ : PROTECTION_NO_ACCESS);
  store<u64>(slot, isUffdWp(entry) ? withUffdWp(zero) : zero);
  noteEntry(tableOf(load<u64>(pmd)), zero);
}
