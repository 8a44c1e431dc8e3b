import {
  COUNTER_ANON_PAGES,
  COUNTER_PMD_TABLES,
  COUNTER_PUD_TABLES,
  COUNTER_ZAPPED_MARKER,
  COUNTER_ZAPPED_PAGE,
  COUNTER_ZAPPED_ZERO,
  OK,
  ZAP_RECLAIM,
} from "./abi";
import { frameOf, isPresent, isTable, isZeroPage, tableOf } from "./entry";
import { releaseFrame } from "./frames";
import {
  ENTRIES_PER_TABLE,
  ENTRY_BYTES,
  entryOffset,
  firstPageOfEntry,
  nextEntryPage,
  PGD_SHIFT,
  PMD_SHIFT,
  PUD_SHIFT,
  TABLE_BYTES,
} from "./geometry";
import { addTo, takeFrom } from "./stats";
import {
  adjustCounts,
  findPteTable,
  freeChild,
  freePteTable,
  holeShift,
  markers,
  occupied,
  pgdOf,
  pmdSlot,
} from "./table";
import { isWholeTable, slotIn, slotsEnd, walk } from "./walk";

/**
 * Removing pages, markers and tables: `mm/memory.c:zap_pte_range` for anonymous memory, where a marker goes with its page, and
 * `mm/memory.c:free_pgtables`.
 */

/** Removes everything that a range maps. `flags`: ZAP_RECLAIM frees last-level tables as MADV_DONTNEED does. Returns OK. */
export function zap(space: usize, firstPage: u64, pageCount: u64, flags: u32): i32 {
  return (flags & ZAP_RECLAIM) != 0
    ? walk<ZapAndReclaim>(space, firstPage, pageCount)
    : walk<Zap>(space, firstPage, pageCount);
}

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


@unmanaged
@final
class Zap {
  slice(space: usize, table: usize, page: u64, pageCount: u32): i32 {
    zapSlice(space, table, slotIn(table, page), pageCount);
    return OK;
  }
}

/** A table whose 2 MiB lie in the range is freed also when it was empty before (`mm/pt_reclaim.c`). */
@unmanaged
@final
class ZapAndReclaim {
  slice(space: usize, table: usize, page: u64, pageCount: u32): i32 {
    zapSlice(space, table, slotIn(table, page), pageCount);
    if (occupied(table) == 0 && isWholeTable(page, pageCount)) freePteTable(space, pmdSlot(space, page));
    return OK;
  }
}

function zapSlice(space: usize, table: usize, start: usize, pageCount: u32): void {
  if (occupied(table) == 0) return;
  const marked = zapMarkers(space, table, start, pageCount);
  if (marked == pageCount || occupied(table) == 0) return;
  const end = slotsEnd(start, pageCount);
  let pages: u32 = 0;
  let zeroPages: u32 = 0;
  for (let slot = start; slot < end; slot += ENTRY_BYTES) {
    const entry = load<u64>(slot);
    if (!isPresent(entry)) continue;
    store<u64>(slot, 0);
    if (isZeroPage(entry)) {
      zeroPages++;
    } else {
      releaseFrame(frameOf(entry));
      pages++;
    }
  }
  adjustCounts(table, -(<i32>(pages + zeroPages)), 0);
  takeFrom(space, COUNTER_ANON_PAGES, pages);
  addTo(space, COUNTER_ZAPPED_PAGE, pages);
  addTo(space, COUNTER_ZAPPED_ZERO, zeroPages);
}

function zapMarkers(space: usize, table: usize, start: usize, pageCount: u32): u32 {
  if (markers(table) == 0) return 0;
  let cleared: u32 = 0;
  if (pageCount == ENTRIES_PER_TABLE && markers(table) == ENTRIES_PER_TABLE) {
    memory.fill(table, 0, TABLE_BYTES);
    cleared = ENTRIES_PER_TABLE;
  } else {
    const end = slotsEnd(start, pageCount);
    for (let slot = start; slot < end; slot += ENTRY_BYTES) {
      const entry = load<u64>(slot);
      if (entry == 0 || isPresent(entry)) continue;
      store<u64>(slot, 0);
      cleared++;
    }
  }
  adjustCounts(table, -(<i32>cleared), -(<i32>cleared));
  addTo(space, COUNTER_ZAPPED_MARKER, cleared);
  return cleared;
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
