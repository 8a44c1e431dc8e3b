import { ENOMEM, OK } from "./abi";
import {
  ENTRY_BYTES,
  entryOffset,
  firstPageOfEntry,
  nextEntryPage,
  PGD_SHIFT,
  PMD_SHIFT,
  PTE_SHIFT,
  PUD_SHIFT,
} from "./geometry";
import { equalEntries, locate, locateAt, occupied, openEntry, placeShift, placeSlot, storeUniform } from "./table";
import { isShared, KIND_HOLE, KIND_MIXED, KIND_NONE, kindOf, sharesTables } from "./uniform";

/**
 * The only loop over a range of pages. It hands each last-level table to an operation as one slice, and what is uniform (a hole, or pages
 * below a template) as one piece, in ascending order. An operation is a class without fields, one copy of the loop is compiled for each, and
 * its methods take the place of the calls; so it has no base class, whose methods would be called indirectly. Its methods:
 *
 * - `slice(space, table, page, pageCount)`: handles that many entries of `table`, the first of which is for `page`.
 * - `huge(space, slot, page, pageCount)`, if it cares for huge pages: handles that many pages of the one that the PMD entry at `slot` maps.
 *   It may replace the entry by a table, or by none, and return WALK_AGAIN; then the walk goes on at the same page.
 * - `hole(space, page, pageCount, shift)`, if it cares for pages without a last-level table. `shift`: the hole is in an entry of that span.
 * - `fillsHoles()`, if there shall be no holes: tables are allocated, and the slices of them handled.
 * - `mapped(kind)`, if it can tell what all entries of a kind become: a kind, or KIND_MIXED. It may be asked in vain. Then
 *   `note(space, kind, pageCount)` is called for pages of `kind` that are done with, changed or not; it counts what the slices would have.
 * - `uniform(space, kind, page, pageCount)`, instead of these, if it only reads: handles pages of a template.
 *
 * An operation that has none of the last three gets tables of the space's own as slices. Those that return a status end the walk by one
 * that is not OK.
 */

const PTE_TABLE_MASK: u64 = (1 << PMD_SHIFT) - 1;
const PMD_TABLE_MASK: u64 = (1 << PUD_SHIFT) - 1;

/** What `huge` returns when it has split the huge page or taken it away. */
export const WALK_AGAIN: i32 = 1;
/** What `replaceUniform` returns when it is done with the pages below `replacedEnd`. */
const WALK_ON: i32 = 2;

let replacedEnd: u64 = 0;

/** Applies `Op` to every page of a range. Returns OK, what an operation returned to stop, or ENOMEM with the range done in part. */
export function walk<Op>(space: usize, firstPage: u64, pageCount: u64): i32 {
  const end = firstPage + pageCount;
  let page = firstPage;
  let shift: u32 = PGD_SHIFT;
  let slot: usize = 0;
  while (page < end) {
    // the next entry of the same PMD table needs no descent: no operation frees tables above the last level
    const isNext = shift == <u32>PMD_SHIFT && (page & PMD_TABLE_MASK) != 0 && (page & PTE_TABLE_MASK) == 0;
    const table = isNext && page != firstPage ? locateAt(slot + ENTRY_BYTES) : locate(space, page);
    slot = placeSlot;
    shift = placeShift;
    let next = min(end, nextEntryPage(page, shift));
    let status = OK;
    if (table != 0 && !isShared(table)) {
      status = slice<Op>(space, placeSlot, table, page, <u32>(next - page));
    } else if (table == 0 && load<u64>(placeSlot) != 0) {
      status = huge<Op>(space, placeSlot, page, <u32>(next - page));
    } else {
      // the hole below a template is handed out by 1 GiB, so that each piece lies in one PMD table
      if (table != 0 && kindOf(table) == KIND_HOLE) next = min(next, nextEntryPage(page, PUD_SHIFT));
      status = uniform<Op>(space, table, page, next - page, end);
    }
    if (status == OK) {
      page = next;
      continue;
    }
    if (status == WALK_ON) page = replacedEnd;
    else if (status != WALK_AGAIN) return status;
    shift = PGD_SHIFT;
  }
  return OK;
}

/** An empty table that is to be filled throughout is exchanged for a template. */
function slice<Op>(space: usize, slot: usize, table: usize, page: u64, pageCount: u32): i32 {
  if (isDefined(changetype<Op>(0).mapped)) {
    if (occupied(table) == 0 && pageCount == 1 << PMD_SHIFT && sharesTables()) {
      const after = changetype<Op>(0).mapped(KIND_NONE);
      if (after > KIND_NONE && after != KIND_MIXED) {
        storeUniform(space, slot, PMD_SHIFT, after, 1);
        changetype<Op>(0).note(space, KIND_NONE, pageCount);
        return OK;
      }
    }
  }
  return changetype<Op>(0).slice(space, table, page, pageCount);
}

function huge<Op>(space: usize, slot: usize, page: u64, pageCount: u32): i32 {
  if (isDefined(changetype<Op>(0).huge)) return changetype<Op>(0).huge(space, slot, page, pageCount);
  return OK;
}

/** Handles pages that are all alike: those of a hole (`template` is 0) or of a template. The walk goes up to `end`. */
function uniform<Op>(space: usize, template: usize, page: u64, pageCount: u64, end: u64): i32 {
  const kind = template == 0 ? KIND_HOLE : kindOf(template);
  if (isDefined(changetype<Op>(0).uniform)) {
    if (kind != KIND_HOLE) return changetype<Op>(0).uniform(space, kind, page, pageCount);
  }
  if (isDefined(changetype<Op>(0).mapped)) {
    const after = changetype<Op>(0).mapped(kind);
    if (after != kind) return replaceUniform<Op>(space, kind, after, page, pageCount, end);
    if (kind != KIND_HOLE) {
      changetype<Op>(0).note(space, kind, pageCount);
      return OK;
    }
  }
  if (isDefined(changetype<Op>(0).fillsHoles) || kind != KIND_HOLE) return open(space);
  return hole<Op>(space, page, pageCount, template == 0 ? placeShift : PMD_SHIFT);
}

/**
 * Exchanges a whole piece for a template, and with it what is the same in the entries after it; of a part of one, the table is opened so that
 * the walk can go on in it.
 */
function replaceUniform<Op>(space: usize, kind: u32, after: u32, page: u64, pageCount: u64, end: u64): i32 {
  const shift = placeShift;
  const isWhole = pageCount == (<u64>1) << shift && firstPageOfEntry(page, shift) == page;
  if (!isWhole || after == KIND_MIXED || !sharesTables()) return open(space);
  const count = equalEntries(placeSlot, (end - page) >> shift);
  storeUniform(space, placeSlot, shift, after, count);
  replacedEnd = page + ((<u64>count) << shift);
  changetype<Op>(0).note(space, kind, replacedEnd - page);
  return WALK_ON;
}

function open(space: usize): i32 {
  return openEntry(space, placeSlot, placeShift) == 0 ? ENOMEM : WALK_AGAIN;
}

function hole<Op>(space: usize, page: u64, pageCount: u64, shift: u32): i32 {
  if (isDefined(changetype<Op>(0).hole)) return changetype<Op>(0).hole(space, page, pageCount, shift);
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
