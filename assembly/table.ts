import {
  COUNTER_PMD_TABLES,
  COUNTER_PTE_TABLES,
  COUNTER_PTE_TABLES_ALLOCATED,
  COUNTER_PTE_TABLES_FREED,
  COUNTER_PUD_TABLES,
  COUNTER_REAL_TABLES,
  SPACE_PGD,
} from "./abi";
import { allocateBlock, freeABlock, reserve } from "./arena";
import { isHuge, isNone, isTable, isZeroPage, PRESENT, tableEntry, tableOf, UFFD_WP_MARKER } from "./entry";
import { ENTRIES_PER_TABLE, ENTRY_BYTES, entryOffset, PGD_SHIFT, PMD_SHIFT, PUD_SHIFT, TABLE_BYTES } from "./geometry";
import { addTo, takeFrom } from "./stats";
import {
  isShared,
  KIND_HOLE,
  KIND_MARKER,
  KIND_NONE,
  kindOf,
  pmdTablesOf,
  pteTablesOf,
  templateNumber,
  templateOf,
} from "./uniform";

/**
 * Tables: descending to the last level, allocating on the way, and what is known of each table without reading it.
 *
 * For each 4 KiB block of the linear memory there are two counts and what else a pass wants to know before its loop:
 *
 *   31           16 15     13 12           0
 *   ┌──────────────┬─────────┬──────────────┐
 *   │ markers      │ TABLE_  │ not none     │   markers: uffd-wp markers; both at most 512
 *   └──────────────┴─────────┴──────────────┘
 *
 * Every pass that stores entries keeps the counts exact; a table is free to go when the first is 0. Two of the flags say that an entry of
 * a kind may be here, and are set by whoever stores one; they last as long as the table has entries.
 *
 * A table may be a template (`uniform.ts`). `find` functions read through templates; what `ensure` functions return is the space's own and
 * may be written to, and so are the tables above an own one.
 */

/** The table may hold the zero page. */
export const TABLE_ZERO_PAGES: u32 = 1 << 13;
/** It may hold entries that are neither none nor a uffd-wp marker nor readable: swap entries, other markers, PROT_NONE. */
export const TABLE_OTHERS: u32 = 1 << 14;
/** The bitmap of written entries is right (`written.ts`). */
export const TABLE_WRITTEN_KNOWN: u32 = 1 << 15;
/** With it: that none is. */
export const TABLE_NONE_WRITTEN: u32 = 1 << 12;
const OCCUPIED_MASK: u32 = 0xfff;
const MARKERS_SHIFT: u32 = 16;

const COUNTS_BYTES: usize = 1 << 22; // 2^20 blocks of 4 KiB

/** Base of the counts, a word for each block of linear memory, for loops to have in locals. */
export const tableCounts: usize = reserve(COUNTS_BYTES);

countTemplates();

/** log2 of the pages that the missing entry spans, after `findPteTable` has returned 0. */
export let holeShift: u32 = 0;
/** Of the same: the slot of the PMD entry, if that is neither none nor a table but maps a huge page (or is hugetlb's marker); else 0. */
export let hugeSlot: usize = 0;

/** After `locate`: the slot of the entry that it stopped at, and log2 of the pages that this spans. */
export let placeSlot: usize = 0;
export let placeShift: u32 = 0;

/**
 * Returns the last-level table for `page`, to be read, or 0 where there is none; `holeShift` then tells the size of the hole, and `hugeSlot`
 * whether a huge page is there.
 */
export function findPteTable(space: usize, page: u64): usize {
  const pud = load<u64>(pgdOf(space) + entryOffset(page, PGD_SHIFT));
  if (!isTable(pud)) return hole(PGD_SHIFT);
  const pmd = load<u64>(tableOf(pud) + entryOffset(page, PUD_SHIFT));
  if (!isTable(pmd)) return hole(PUD_SHIFT);
  const slot = tableOf(pmd) + entryOffset(page, PMD_SHIFT);
  const pte = load<u64>(slot);
  if (isTable(pte)) return tableOf(pte);
  holeShift = PMD_SHIFT;
  hugeSlot = pte == 0 ? 0 : slot;
  return 0;
}

/**
 * Descends towards `page` as far as tables are the space's own. Returns the last-level table, or the template that the entry at `placeSlot`
 * points to, or 0 where that entry is none or maps a huge page.
 */
export function locate(space: usize, page: u64): usize {
  let shift: u32 = PGD_SHIFT;
  let slot = pgdOf(space) + entryOffset(page, PGD_SHIFT);
  let table: usize = 0;
  for (;;) {
    const entry = load<u64>(slot);
    table = isTable(entry) ? tableOf(entry) : 0;
    if (table == 0 || shift == <u32>PMD_SHIFT || isShared(table)) break;
    shift -= PMD_SHIFT;
    slot = table + entryOffset(page, shift);
  }
  placeSlot = slot;
  placeShift = shift;
  return table;
}

/** The same for the PMD entry at `slot`. */
export function locateAt(slot: usize): usize {
  const entry = load<u64>(slot);
  placeSlot = slot;
  placeShift = PMD_SHIFT;
  return isTable(entry) ? tableOf(entry) : 0;
}

/**
 * Makes the entry at `slot`, which spans `1 << shift` pages, point to a table of the space's own: a new one if the entry is none, a copy if it
 * points to a template. Returns the table, or 0 when the memory is used up.
 */
export function openEntry(space: usize, slot: usize, shift: u32): usize {
  const entry = load<u64>(slot);
  if (isTable(entry)) return ownTable(space, slot);
  return newChild(space, slot, shift);
}

/** Returns the table that `slot` points to, after copying it if it is a template; 0 when the memory is used up. */
export function ownTable(space: usize, slot: usize): usize {
  const table = tableOf(load<u64>(slot));
  if (!isShared(table)) return table;
  const own = allocateBlock();
  if (own == 0) return 0;
  if (load<u64>(table) != 0) memory.copy(own, table, TABLE_BYTES); // a new block is zero already, and fresh memory is not touched in vain
  store<u32>(countsSlot(own), load<u32>(countsSlot(table)));
  store<u64>(slot, tableEntry(own));
  addTo(space, COUNTER_REAL_TABLES, 1);
  return own;
}

/** Returns how many entries from `slot` on, at most `limit` and those of its table, are equal to the first. */
export function equalEntries(slot: usize, limit: u64): u32 {
  const inTable = (<usize>TABLE_BYTES - (slot & (TABLE_BYTES - 1))) >> 3;
  const end = slot + ((<usize>min(limit, inTable)) << 3);
  const entry = load<u64>(slot);
  let next = slot + ENTRY_BYTES;
  while (next < end && load<u64>(next) == entry) next += ENTRY_BYTES;
  return <u32>((next - slot) >> 3);
}

/**
 * Puts a template of `kind` where `count` entries from `slot` on are none or point to another one, all of them to the same, with all the tables
 * that there would be. HOLE makes entries that span 2 MiB none. The entries of an own table in place of which it goes, one, must be none.
 */
export function storeUniform(space: usize, slot: usize, shift: u32, kind: u32, count: u32): void {
  const entry = load<u64>(slot);
  const table = isTable(entry) ? tableOf(entry) : 0;
  const isOwn = table != 0 && !isShared(table);
  const before = table == 0 ? KIND_HOLE : isOwn ? KIND_NONE : kindOf(table);
  if (isOwn) dropTable(space, table);
  countPteTables(space, count * pteTablesOf(before, shift), count * pteTablesOf(kind, shift));
  const vanishes = kind == KIND_HOLE && shift == <u32>PMD_SHIFT;
  const after = vanishes ? 0 : tableEntry(templateOf(kind, shift));
  for (let i: u32 = 0; i < count; i++) store<u64>(slot + ((<usize>i) << 3), after);
  if (table == 0) {
    addTo(space, COUNTER_PMD_TABLES, count * pmdTablesOf(shift));
    addTo(space, COUNTER_PUD_TABLES, count * u64(shift == <u32>PGD_SHIFT));
  }
  const delta = i32(!vanishes) - i32(table != 0);
  if (delta != 0 && shift != <u32>PGD_SHIFT) adjustCounts(tableOfSlot(slot), delta * <i32>count, 0);
}

/** Makes the entry at `slot` none, which points to a template without any page or marker: all tables that there would be are freed. */
function removeUniform(space: usize, slot: usize, shift: u32): void {
  countPteTables(space, pteTablesOf(kindOf(tableOf(load<u64>(slot))), shift), 0);
  takeFrom(space, COUNTER_PMD_TABLES, pmdTablesOf(shift));
  takeFrom(space, COUNTER_PUD_TABLES, u64(shift == <u32>PGD_SHIFT));
  store<u64>(slot, 0);
  if (shift != <u32>PGD_SHIFT) adjustCounts(tableOfSlot(slot), -1, 0);
}

function countPteTables(space: usize, before: u64, after: u64): void {
  if (after > before) addTo(space, COUNTER_PTE_TABLES_ALLOCATED, after - before);
  else addTo(space, COUNTER_PTE_TABLES_FREED, before - after);
  addTo(space, COUNTER_PTE_TABLES, after - before); // wraps around when they become fewer
}

/**
 * Returns the last-level table for `page`, to be written to, allocating what is missing on the way, or 0: where a huge page is mapped
 * (`hugeSlot` tells) or when the memory is used up.
 */
export function ensurePteTable(space: usize, page: u64): usize {
  const slot = ensurePmdSlot(space, page);
  hugeSlot = 0;
  if (slot == 0) return 0;
  const entry = load<u64>(slot);
  if (isTable(entry)) return ownTable(space, slot);
  if (isHuge(entry)) {
    hugeSlot = slot;
    return 0;
  }
  return newChild(space, slot, PMD_SHIFT);
}

/** Allocates the PUD table for `page`. Returns it, or 0 when the memory is used up. */
export function ensurePudTable(space: usize, page: u64): usize {
  return openEntry(space, pgdOf(space) + entryOffset(page, PGD_SHIFT), PGD_SHIFT);
}

/** Returns the slot of the PMD entry for `page`, allocating the tables above it, or 0 when the memory is used up. */
export function ensurePmdSlot(space: usize, page: u64): usize {
  const pud = ensurePudTable(space, page);
  if (pud == 0) return 0;
  const pmd = openEntry(space, pud + entryOffset(page, PUD_SHIFT), PUD_SHIFT);
  return pmd == 0 ? 0 : pmd + entryOffset(page, PMD_SHIFT);
}

/**
 * Returns the slot of the PMD entry for `page`, to be written to, or 0 where there is no table for it; `holeShift` then tells the size of the
 * hole. The table that the entry points to may be a template: `ownTable`. Traps when there is no memory for copies of the upper tables.
 */
export function findPmdSlot(space: usize, page: u64): usize {
  const pudSlot = pgdOf(space) + entryOffset(page, PGD_SHIFT);
  if (!isTable(load<u64>(pudSlot))) return hole(PGD_SHIFT);
  const pmdTableSlot = needed(ownTable(space, pudSlot)) + entryOffset(page, PUD_SHIFT);
  if (!isTable(load<u64>(pmdTableSlot))) return hole(PUD_SHIFT);
  return needed(ownTable(space, pmdTableSlot)) + entryOffset(page, PMD_SHIFT);
}

/** Returns the PMD table that a slot lies in. */
export function tableOfSlot(slot: usize): usize {
  return slot & ~(<usize>TABLE_BYTES - 1);
}

/** Stores a PMD entry that is no table in place of one that is none either: a huge page, a marker of hugetlb, or nothing. */
export function storePmd(slot: usize, entry: u64): void {
  const before = load<u64>(slot);
  if ((before == 0) != (entry == 0)) adjustCounts(tableOfSlot(slot), entry == 0 ? -1 : 1, 0);
  store<u64>(slot, entry);
}

/** Counts a last-level table that is kept in reserve for a huge page that may be split (`pgtable_trans_huge_deposit`). */
export function depositTable(space: usize): void {
  addTo(space, COUNTER_PTE_TABLES, 1);
  addTo(space, COUNTER_PTE_TABLES_ALLOCATED, 1);
}

/** Gives a table in reserve back. */
export function withdrawTable(space: usize): void {
  takeFrom(space, COUNTER_PTE_TABLES, 1);
  addTo(space, COUNTER_PTE_TABLES_FREED, 1);
}

/** Makes a table in reserve the last-level table at `slot`, in place of a huge page. Returns 0 when the memory is used up. */
export function useDeposit(space: usize, slot: usize): usize {
  const table = allocateBlock();
  if (table == 0) return 0;
  store<u64>(slot, tableEntry(table));
  addTo(space, COUNTER_REAL_TABLES, 1);
  return table;
}

/** Makes the empty last-level table at `slot` a table in reserve, and the entry none. */
export function keepAsDeposit(space: usize, slot: usize): void {
  dropTable(space, tableOf(load<u64>(slot)));
  store<u64>(slot, 0);
  adjustCounts(tableOfSlot(slot), -1, 0);
}

/** Returns the slot of the PMD entry for `page`, of which there is an own last-level table. */
export function pmdSlot(space: usize, page: u64): usize {
  const pud = load<u64>(pgdOf(space) + entryOffset(page, PGD_SHIFT));
  const pmd = load<u64>(tableOf(pud) + entryOffset(page, PUD_SHIFT));
  return tableOf(pmd) + entryOffset(page, PMD_SHIFT);
}

/** Frees the empty last-level table that the PMD entry at `slot` points to. */
export function freePteTable(space: usize, slot: usize): void {
  freeChild(space, slot, PMD_SHIFT);
}

/** Frees the empty table, or the template without any page or marker, that the entry at `slot` points to, which spans `1 << shift` pages. */
export function freeChild(space: usize, slot: usize, shift: u32): void {
  const table = tableOf(load<u64>(slot));
  if (isShared(table)) {
    assert(kindOf(table) < KIND_MARKER, "freed table is not empty");
    removeUniform(space, slot, shift);
    return;
  }
  dropTable(space, table);
  store<u64>(slot, 0);
  if (shift != <u32>PGD_SHIFT) adjustCounts(tableOfSlot(slot), -1, 0);
  takeFrom(space, tablesCounter(shift), 1);
  if (shift == <u32>PMD_SHIFT) addTo(space, COUNTER_PTE_TABLES_FREED, 1);
}

/** Returns how many entries of a table are not none. */
export function occupied(table: usize): u32 {
  return load<u32>(countsSlot(table)) & OCCUPIED_MASK;
}

/** Returns how many entries of a table are uffd-wp markers. */
export function markers(table: usize): u32 {
  return load<u32>(countsSlot(table)) >> MARKERS_SHIFT;
}

/** Tells whether no entry of the table maps a page: each is none or a uffd-wp marker. */
export function mapsNothing(table: usize): bool {
  return occupied(table) == markers(table);
}

/** Returns the TABLE_ flags of a table. */
export function tableFlags(table: usize): u32 {
  return load<u32>(countsSlot(table)) & (TABLE_ZERO_PAGES | TABLE_OTHERS | TABLE_WRITTEN_KNOWN | TABLE_NONE_WRITTEN);
}

/** Sets and clears TABLE_ flags. */
export function setTableFlags(table: usize, set: u32, clear: u32): void {
  const slot = countsSlot(table);
  store<u32>(slot, (load<u32>(slot) & ~clear) | set);
}

/** Notes that an entry was stored in a last-level table, if it is of a kind that flags tell of. */
export function noteEntry(table: usize, entry: u64): void {
  if ((entry & PRESENT) == 0) {
    if (!isNone(entry) && entry != UFFD_WP_MARKER) setTableFlags(table, TABLE_OTHERS, 0);
  } else if (isZeroPage(entry)) {
    setTableFlags(table, TABLE_ZERO_PAGES, 0);
  }
}

/** Adds to the counts of a table what a pass has changed in it. What was known of written entries is not known any more. */
export function adjustCounts(table: usize, occupiedDelta: i32, markersDelta: i32): void {
  adjustOnly(table, occupiedDelta, markersDelta, TABLE_WRITTEN_KNOWN | TABLE_NONE_WRITTEN);
}

/** The same for one entry that was none and maps a page now, or was a marker and maps a protected one: whether it is written stays. */
export function adjustForPage(table: usize, wasMarker: bool): void {
  adjustOnly(table, i32(!wasMarker), -i32(wasMarker), 0);
}

function adjustOnly(table: usize, occupiedDelta: i32, markersDelta: i32, clear: u32): void {
  const slot = countsSlot(table);
  const before = load<u32>(slot) & ~clear;
  const after = before + occupiedDelta + (markersDelta << MARKERS_SHIFT);
  assert(after >> MARKERS_SHIFT <= (after & OCCUPIED_MASK), "more markers than entries");
  assert((after & OCCUPIED_MASK) <= <u32>ENTRIES_PER_TABLE, "counts out of range");
  store<u32>(slot, (after & OCCUPIED_MASK) == 0 ? 0 : after);
}

/** Returns the PGD of an address space. */
export function pgdOf(space: usize): usize {
  return <usize>load<u32>(space, SPACE_PGD);
}

/** Allocates the table that the entry at `slot`, which is none, shall point to. */
function newChild(space: usize, slot: usize, shift: u32): usize {
  const table = allocateBlock();
  if (table == 0) return 0;
  store<u64>(slot, tableEntry(table));
  if (shift != <u32>PGD_SHIFT) adjustCounts(tableOfSlot(slot), 1, 0);
  addTo(space, COUNTER_REAL_TABLES, 1);
  addTo(space, tablesCounter(shift), 1);
  if (shift == <u32>PMD_SHIFT) addTo(space, COUNTER_PTE_TABLES_ALLOCATED, 1);
  return table;
}

/** Gives an empty table of the space's own back. */
function dropTable(space: usize, table: usize): void {
  assert(occupied(table) == 0, "freed table is not empty");
  store<u32>(countsSlot(table), 0);
  freeABlock(table);
  takeFrom(space, COUNTER_REAL_TABLES, 1);
}

/** Returns the counter of the tables that entries of `1 << shift` pages point to. */
function tablesCounter(shift: u32): u32 {
  if (shift == <u32>PMD_SHIFT) return COUNTER_PTE_TABLES;
  return shift == <u32>PUD_SHIFT ? COUNTER_PMD_TABLES : COUNTER_PUD_TABLES;
}

/** There is no way to give up in the middle of a look-up: a trap says that the memory is used up. */
function needed(table: usize): usize {
  if (table == 0) unreachable();
  return table;
}

function countTemplates(): void {
  for (let i: u32 = 0; templateNumber(i) != 0; i++) {
    const template = templateNumber(i);
    const entry = load<u64>(template);
    if (entry == 0) continue;
    store<u32>(countsSlot(template), ENTRIES_PER_TABLE);
    if (entry == UFFD_WP_MARKER) adjustOnly(template, 0, ENTRIES_PER_TABLE, 0);
    noteEntry(template, entry);
  }
}

function hole(shift: u32): usize {
  holeShift = shift;
  hugeSlot = 0;
  return 0;
}

function countsSlot(table: usize): usize {
  return tableCounts + ((table >> 12) << 2);
}
