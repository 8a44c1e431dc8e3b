import { isTable, tableOf } from "./entry";
import { entryOffset, firstPageOfEntry, nextEntryPage, PGD_SHIFT, PMD_SHIFT } from "./geometry";
import { freeChild, openEntry, pgdOf } from "./table";
import { isShared } from "./uniform";

/**
 * Freeing the tables of a range that is not mapped any more: `mm/memory.c:free_pgtables`.
 */

/** The pages between the neighbouring mappings, of the call under way. */
let floorPage: u64 = 0;
let ceilingPage: u64 = 0;

/**
 * Frees the tables of an unmapped range. A table goes when all that it covers lies in [`floor`, `ceiling`), the pages between the
 * neighbouring mappings (`free_pgd_range`); such a table is empty by then.
 */
export function freeTables(space: usize, firstPage: u64, pageCount: u64, floor: u64, ceiling: u64): void {
  floorPage = floor;
  ceilingPage = ceiling;
  freeBelow(space, pgdOf(space), PGD_SHIFT, firstPage, firstPage + pageCount);
}

/** Frees what the entries of `table` for a range point to, each of which spans `1 << shift` pages. */
function freeBelow(space: usize, table: usize, shift: u32, firstPage: u64, end: u64): void {
  let page = firstPage;
  while (page < end) {
    const next = min(end, nextEntryPage(page, shift));
    const slot = table + entryOffset(page, shift);
    if (isTable(load<u64>(slot))) freeEntry(space, slot, shift, page, next);
    page = next;
  }
}

function freeEntry(space: usize, slot: usize, shift: u32, page: u64, end: u64): void {
  const isCovered = firstPageOfEntry(page, shift) >= floorPage && nextEntryPage(page, shift) <= ceilingPage;
  const isTemplate = isShared(tableOf(load<u64>(slot)));
  // a template goes as a whole; where a part of it stays, it is copied, and if there is no memory for that its tables are not freed
  if (shift != <u32>PMD_SHIFT && !(isTemplate && isCovered)) {
    const table = openEntry(space, slot, shift);
    if (table != 0) freeBelow(space, table, shift - PMD_SHIFT, page, end);
  }
  if (isCovered) freeChild(space, slot, shift);
}
