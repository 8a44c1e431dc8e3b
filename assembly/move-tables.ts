import { ENOMEM, MOVE_CLEAR_UFFD_WP, MOVE_TABLES, OK } from "./abi";
import { isHuge, isNone, isPresent, SWAP_UFFD_WP, UFFD_WP_MARKER, withoutUffdWp } from "./entry";
import { ENTRY_BYTES, nextEntryPage, PMD_SHIFT } from "./geometry";
import { splitHuge } from "./huge";
import {
  adjustCounts,
  ensurePmdSlot,
  ensurePteTable,
  ensurePudTable,
  findPmdSlot,
  holeShift,
  noteEntry,
  ownTable,
  storePmd,
  tableOfSlot,
} from "./table";
import { slotIn, slotsEnd } from "./walk";

/**
 * mremap(2) on entries: `mm/mremap.c:move_page_tables`. Where source and destination are aligned alike, whole tables and huge pages are hung
 * up at their new place; a table that stays behind is freed with its mapping, or not.
 */

const PAGES_PER_TABLE: u64 = 1 << PMD_SHIFT;

/** Moves entries. `flags`: MOVE_. Returns OK, or ENOMEM with the range done in part. */
export function moveTables(space: usize, firstPage: u64, newFirst: u64, pageCount: u64, flags: u32): i32 {
  const end = firstPage + pageCount;
  let page = firstPage;
  while (page < end) {
    const target = newFirst + (page - firstPage);
    const next = min(min(end, nextEntryPage(page, PMD_SHIFT)), page + (nextEntryPage(target, PMD_SHIFT) - target));
    const slot = findPmdSlot(space, page);
    if (slot == 0) {
      page = min(end, nextEntryPage(page, holeShift));
      continue;
    }
    if (load<u64>(slot) != 0) {
      const status = moveExtent(space, slot, page, target, next - page, flags);
      if (status != OK) return status;
    } else if (ensurePudTable(space, target) == 0) {
      return ENOMEM; // where the source has a PMD table, the target gets a PUD table
    }
    page = next;
  }
  return OK;
}

/** Moves what one PMD entry holds, or a part of it. */
function moveExtent(space: usize, slot: usize, page: u64, target: u64, pageCount: u64, flags: u32): i32 {
  const newSlot = ensurePmdSlot(space, target);
  if (newSlot == 0) return ENOMEM;
  const entry = load<u64>(slot);
  const isWhole = pageCount == PAGES_PER_TABLE;
  if (isHuge(entry)) {
    if (isWhole && load<u64>(newSlot) == 0) {
      storePmd(slot, 0);
      storePmd(newSlot, (flags & MOVE_CLEAR_UFFD_WP) != 0 ? withoutUffdWp(entry) : entry);
      return OK;
    }
    if (splitHuge(space, slot) != OK) return ENOMEM;
    if (load<u64>(slot) == 0) return OK; // a huge page of an object is unmapped; faults bring it back
  } else if (isWhole && (flags & MOVE_TABLES) != 0 && load<u64>(newSlot) == 0) {
    store<u64>(newSlot, entry);
    adjustCounts(tableOfSlot(newSlot), 1, 0);
    store<u64>(slot, 0);
    adjustCounts(tableOfSlot(slot), -1, 0);
    return OK;
  }
  const table = ownTable(space, slot);
  return table == 0 ? ENOMEM : moveEntries(space, table, page, target, <u32>pageCount, flags);
}

/** `move_ptes`. */
function moveEntries(space: usize, table: usize, page: u64, target: u64, pageCount: u32, flags: u32): i32 {
  const newTable = ensurePteTable(space, target);
  if (newTable == 0) return ENOMEM;
  const start = slotIn(table, page);
  const end = slotsEnd(start, pageCount);
  let newSlot = slotIn(newTable, target);
  for (let slot = start; slot < end; slot += ENTRY_BYTES) {
    const entry = load<u64>(slot);
    if (!isNone(entry)) {
      store<u64>(slot, 0);
      adjustCounts(table, -1, -i32(entry == UFFD_WP_MARKER));
      const moved = (flags & MOVE_CLEAR_UFFD_WP) != 0 ? withoutProtection(entry) : entry;
      if (moved != 0) {
        store<u64>(newSlot, moved);
        adjustCounts(newTable, 1, i32(moved == UFFD_WP_MARKER));
        noteEntry(newTable, moved);
      }
    }
    newSlot += ENTRY_BYTES;
  }
  return OK;
}

function withoutProtection(entry: u64): u64 {
  if (isPresent(entry)) return withoutUffdWp(entry);
  return entry == UFFD_WP_MARKER ? 0 : entry & ~SWAP_UFFD_WP;
}
