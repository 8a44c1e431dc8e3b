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
import { frameOf, isGuard, isNone, isPresent, isTable, isZeroPage, tableOf, UFFD_WP_MARKER } from "./entry";
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

/** Removes what a range maps. `flags`: ZAP_RECLAIM keeps guards and frees last-level tables, as MADV_DONTNEED does. Returns OK. */
export function zap(space: usize, firstPage: u64, pageCount: u64, flags: u32): i32 {
  return (flags & ZAP_RECLAIM) != 0
    ? walk<ZapAndReclaim>(space, firstPage, pageCount)
    : walk<Zap>(space, firstPage, pageCount);
}

/** Removes what a range maps, so that guards can be installed. Returns OK. */
export function zapForGuards(space: usize, firstPage: u64, pageCount: u64): i32 {
  return walk<ZapForGuards>(space, firstPage, pageCount);
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

/** What unmapping does: everything goes. */
@unmanaged
@final
class Zap {
  keepsGuards(): bool {
    return false;
  }

  slice(space: usize, table: usize, page: u64, pageCount: u32): i32 {
    zapSlice<Zap>(space, table, slotIn(table, page), pageCount);
    return OK;
  }
}

/**
 * What MADV_DONTNEED does: guard markers stay. A table whose 2 MiB lie in the range is freed also when it was empty before
 * (`mm/pt_reclaim.c`).
 */
@unmanaged
@final
class ZapAndReclaim {
  keepsGuards(): bool {
    return true;
  }

  slice(space: usize, table: usize, page: u64, pageCount: u32): i32 {
    zapSlice<ZapAndReclaim>(space, table, slotIn(table, page), pageCount);
    if (occupied(table) == 0 && isWholeTable(page, pageCount)) freePteTable(space, pmdSlot(space, page));
    return OK;
  }
}

/** What installing guards does first: the entries are wanted empty, but the tables are not given back. */
@unmanaged
@final
class ZapForGuards {
  keepsGuards(): bool {
    return true;
  }

  slice(space: usize, table: usize, page: u64, pageCount: u32): i32 {
    zapSlice<ZapForGuards>(space, table, slotIn(table, page), pageCount);
    return OK;
  }
}

function zapSlice<Op>(space: usize, table: usize, start: usize, pageCount: u32): void {
  if (occupied(table) == 0) return;
  if (pageCount == ENTRIES_PER_TABLE && markers(table) == ENTRIES_PER_TABLE) {
    memory.fill(table, 0, TABLE_BYTES);
    noteZapped(space, table, 0, 0, ENTRIES_PER_TABLE, 0);
    return;
  }
  const end = slotsEnd(start, pageCount);
  let pages: u32 = 0;
  let zeroPages: u32 = 0;
  let marked: u32 = 0;
  let others: u32 = 0;
  for (let slot = start; slot < end; slot += ENTRY_BYTES) {
    const entry = load<u64>(slot);
    if (isNone(entry) || (changetype<Op>(0).keepsGuards() && isGuard(entry))) continue;
    store<u64>(slot, 0);
    if (!isPresent(entry)) {
      if (entry == UFFD_WP_MARKER) marked++;
      else others++;
    } else if (isZeroPage(entry)) {
      zeroPages++;
    } else {
      releaseFrame(frameOf(entry));
      pages++;
    }
  }
  noteZapped(space, table, pages, zeroPages, marked, others);
}

function noteZapped(space: usize, table: usize, pages: u32, zeroPages: u32, marked: u32, others: u32): void {
  adjustCounts(table, -(<i32>(pages + zeroPages + marked + others)), -(<i32>marked));
  takeFrom(space, COUNTER_ANON_PAGES, pages);
  addTo(space, COUNTER_ZAPPED_PAGE, pages);
  addTo(space, COUNTER_ZAPPED_ZERO, zeroPages);
  addTo(space, COUNTER_ZAPPED_MARKER, marked + others);
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
