import { ENOMEM, OK } from "./abi";
import {
  frameOf,
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
import { contentOf, folioHead, folioPages, FRAMES_PER_HUGE, headOf, isLarge, mapCount, splitLarge } from "./frames";
import { splitHuge } from "./huge";
import { unmapFrame } from "./resident";
import { findPmdSlot, noteEntry } from "./table";
import { slotIn } from "./walk";

/**
 * Splitting an anonymous huge page into pages of their own: `mm/huge_memory.c:split_folio`. Pages that hold nothing but zeros are freed, and
 * the zero page takes their place (`mm/migrate.c:try_to_map_unused_to_zeropage`).
 */

/** Splits the huge page that `frame`, mapped at `page`, is part of; only this space maps it. Returns OK or ENOMEM. */
export function splitAnonymousFolio(space: usize, page: u64, frame: u32): i32 {
  const head = headOf(frame);
  const first = page - (frame - head);
  for (let i: u32 = 0; i < FRAMES_PER_HUGE; i++) {
    const slot = findPmdSlot(space, first + i);
    if (slot != 0 && isHuge(load<u64>(slot)) && splitHuge(space, slot) != OK) return ENOMEM;
  }
  for (let i: u32 = 0; i < FRAMES_PER_HUGE; i++) {
    if (isLarge(head + i) && contentOf(head + i) == 0) replaceByZeroPage(space, first + i, head + i);
  }
  splitLarge(head);
  return OK;
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
