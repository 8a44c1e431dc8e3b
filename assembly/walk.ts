import { ENOMEM, OK } from "./abi";
import { ENTRY_BYTES, entryOffset, firstPageOfEntry, nextEntryPage, PMD_SHIFT, PTE_SHIFT } from "./geometry";
import { findPteTable, holeShift, hugeSlot } from "./table";

/**
 * The only loop over a range of pages. It hands each last-level table to an operation as one slice, and each hole (pages without such a
 * table) as one piece, in ascending order. An operation is a class without fields, one copy of the loop is compiled for each, and its
 * methods take the place of the calls; so it has no base class, whose methods would be called indirectly. Its methods:
 *
 * - `slice(space, table, page, pageCount)`: handles that many entries of `table`, the first of which is for `page`.
 * - `hole(space, page, pageCount)`, if it cares for holes.
 * - `huge(space, slot, page, pageCount)`, if it cares for huge pages: handles that many pages of the one that the PMD entry at `slot` maps.
 *   It may replace the entry by a table, or by none, and return WALK_AGAIN; then the walk goes on at the same page.
 * - `tableFor(space, page)`, if there shall be no holes: returns the table for a page, or 0 where a huge page is or the memory is used up.
 *
 * The first three return a status; one that is not OK ends the walk.
 */

/** What `huge` returns when it has split the huge page or taken it away. */
export const WALK_AGAIN: i32 = 1;

/** Applies `Op` to every page of a range. Returns OK, what an operation returned to stop, or ENOMEM with the range done in part. */
export function walk<Op>(space: usize, firstPage: u64, pageCount: u64): i32 {
  const end = firstPage + pageCount;
  let page = firstPage;
  while (page < end) {
    const table = tableFor<Op>(space, page);
    let status = OK;
    let next: u64;
    if (table != 0) {
      next = min(end, nextEntryPage(page, PMD_SHIFT));
      status = changetype<Op>(0).slice(space, table, page, <u32>(next - page));
    } else if (hugeSlot != 0) {
      next = min(end, nextEntryPage(page, PMD_SHIFT));
      status = huge<Op>(space, hugeSlot, page, <u32>(next - page));
      if (status == WALK_AGAIN) continue;
    } else {
      next = min(end, nextEntryPage(page, holeShift));
      status = hole<Op>(space, page, next - page);
    }
    if (status != OK) return status;
    page = next;
  }
  return OK;
}

function tableFor<Op>(space: usize, page: u64): usize {
  if (isDefined(changetype<Op>(0).tableFor)) return changetype<Op>(0).tableFor(space, page);
  return findPteTable(space, page);
}

function huge<Op>(space: usize, slot: usize, page: u64, pageCount: u32): i32 {
  if (isDefined(changetype<Op>(0).huge)) return changetype<Op>(0).huge(space, slot, page, pageCount);
  return OK;
}

function hole<Op>(space: usize, page: u64, pageCount: u64): i32 {
  if (isDefined(changetype<Op>(0).tableFor)) return ENOMEM;
  if (isDefined(changetype<Op>(0).hole)) return changetype<Op>(0).hole(space, page, pageCount);
  return OK;
}

/** Returns the address of the entry for `page` in its last-level table. */
export function slotIn(table: usize, page: u64): usize {
  return table + entryOffset(page, PTE_SHIFT);
}

/** Returns the address behind the last of `pageCount` entries from `slot` on. */
export function slotsEnd(slot: usize, pageCount: u32): usize {
  return slot + <usize>pageCount * ENTRY_BYTES;
}

/** Tells whether a slice is a whole table. */
export function isWholeTable(page: u64, pageCount: u32): bool {
  return pageCount == 1 << PMD_SHIFT && firstPageOfEntry(page, PMD_SHIFT) == page;
}
