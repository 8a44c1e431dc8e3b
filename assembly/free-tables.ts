import { COUNTER_PMD_TABLES, COUNTER_PUD_TABLES } from "./abi";
import { isTable, tableOf } from "./entry";
import { entryOffset, firstPageOfEntry, nextEntryPage, PGD_SHIFT, PMD_SHIFT, PUD_SHIFT } from "./geometry";
import { findPteTable, freeChild, freePteTable, holeShift, pgdOf, pmdSlot } from "./table";

/**
 * Freeing the tables of a range that is not mapped any more: `mm/memory.c:free_pgtables`.
 */

/**
 * Frees the tables of an unmapped range. A table goes when all that it covers lies in [`floor`, `ceiling`), the pages between the
 * neighbouring mappings (`free_pgd_range`); such a table is empty by then.
 */
export function freeTables(space: usize, firstPage: u64, pageCount: u64, floor: u64, ceiling: u64): void {
  const end = firstPage + pageCount;
  freePteTables(space, firstPage, end, floor, ceiling);
  freeUpperTables(space, firstPage, end, floor, ceiling, PUD_SHIFT);
  freeUpperTables(space, firstPage, end, floor, ceiling, PGD_SHIFT);
}

function freePteTables(space: usize, firstPage: u64, end: u64, floor: u64, ceiling: u64): void {
  let page = firstPage;
  while (page < end) {
    const table = findPteTable(space, page);
    const next = nextEntryPage(page, table != 0 ? PMD_SHIFT : holeShift);
    if (table != 0 && firstPageOfEntry(page, PMD_SHIFT) >= floor && next <= ceiling)
      freePteTable(space, pmdSlot(space, page));
    page = next;
  }
}

/** Frees the tables that entries of `1 << shift` pages point to: PMD tables (PUD_SHIFT) or PUD tables (PGD_SHIFT). */
function freeUpperTables(space: usize, firstPage: u64, end: u64, floor: u64, ceiling: u64, shift: u32): void {
  let page = firstPage;
  while (page < end) {
    const parent: usize = shift == PGD_SHIFT ? 0 : pudTableOf(space, page);
    const next = nextEntryPage(page, shift == PGD_SHIFT || parent != 0 ? shift : PGD_SHIFT);
    if (shift == PGD_SHIFT || parent != 0) freeUpperTable(space, page, parent, floor, ceiling, shift);
    page = next;
  }
}

function freeUpperTable(space: usize, page: u64, parent: usize, floor: u64, ceiling: u64, shift: u32): void {
  if (firstPageOfEntry(page, shift) < floor || nextEntryPage(page, shift) > ceiling) return;
  const slot = (parent == 0 ? pgdOf(space) : parent) + entryOffset(page, shift);
  if (!isTable(load<u64>(slot))) return;
  freeChild(space, slot, parent, shift == PGD_SHIFT ? COUNTER_PUD_TABLES : COUNTER_PMD_TABLES);
}

function pudTableOf(space: usize, page: u64): usize {
  const entry = load<u64>(pgdOf(space) + entryOffset(page, PGD_SHIFT));
  return isTable(entry) ? tableOf(entry) : 0;
}
