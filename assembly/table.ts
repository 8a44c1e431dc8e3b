import {
  COUNTER_PMD_TABLES,
  COUNTER_PTE_TABLES,
  COUNTER_PTE_TABLES_ALLOCATED,
  COUNTER_PTE_TABLES_FREED,
  COUNTER_PUD_TABLES,
  SPACE_PGD,
} from "./abi";
import { allocateBlock, freeABlock, reserve } from "./arena";
import { isHuge, isTable, tableEntry, tableOf } from "./entry";
import { ENTRIES_PER_TABLE, entryOffset, PGD_SHIFT, PMD_SHIFT, PUD_SHIFT, TABLE_BYTES } from "./geometry";
import { addTo, takeFrom } from "./stats";

/**
 * Tables: descending to the last level, allocating on the way, and what is known of each table without reading it.
 *
 * For each 4 KiB block of the linear memory there are two counts, so that a pass knows before its loop what a table holds:
 *
 *   ┌──────────────────┬──────────────────┐
 *   │ u16 not none     │ u16 markers      │   markers: uffd-wp markers; both at most 512
 *   └──────────────────┴──────────────────┘
 *
 * Every pass that stores entries keeps them exact; a table is free to go when its first count is 0.
 */

const COUNTS_BYTES: usize = 1 << 22; // 2^20 blocks of 4 KiB

const counts: usize = reserve(COUNTS_BYTES);

/** log2 of the pages that the missing entry spans, after `findPteTable` has returned 0. */
export let holeShift: u32 = 0;
/** Of the same: the slot of the PMD entry, if that is neither none nor a table but maps a huge page (or is hugetlb's marker); else 0. */
export let hugeSlot: usize = 0;

/**
 * Returns the last-level table for `page`, or 0 where there is none; `holeShift` then tells the size of the hole, and `hugeSlot` whether
 * a huge page is there.
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
 * Returns the last-level table for `page`, allocating what is missing on the way, or 0: where a huge page is mapped (`hugeSlot` tells) or
 * when the memory is used up.
 */
export function ensurePteTable(space: usize, page: u64): usize {
  const slot = ensurePmdSlot(space, page);
  hugeSlot = 0;
  if (slot == 0) return 0;
  const entry = load<u64>(slot);
  if (isTable(entry)) return tableOf(entry);
  if (isHuge(entry)) {
    hugeSlot = slot;
    return 0;
  }
  const table = ensureChild(space, slot, tableOfSlot(slot), COUNTER_PTE_TABLES);
  if (table != 0) addTo(space, COUNTER_PTE_TABLES_ALLOCATED, 1);
  return table;
}

/** Allocates the PUD table for `page`. Returns it, or 0 when the memory is used up. */
export function ensurePudTable(space: usize, page: u64): usize {
  return ensureChild(space, pgdOf(space) + entryOffset(page, PGD_SHIFT), 0, COUNTER_PUD_TABLES);
}

/** Returns the slot of the PMD entry for `page`, allocating the tables above it, or 0 when the memory is used up. */
export function ensurePmdSlot(space: usize, page: u64): usize {
  const pud = ensurePudTable(space, page);
  if (pud == 0) return 0;
  const pmd = ensureChild(space, pud + entryOffset(page, PUD_SHIFT), pud, COUNTER_PMD_TABLES);
  return pmd == 0 ? 0 : pmd + entryOffset(page, PMD_SHIFT);
}

/** Returns the slot of the PMD entry for `page`, or 0 where there is no table for it; `holeShift` then tells the size of the hole. */
export function findPmdSlot(space: usize, page: u64): usize {
  const pud = load<u64>(pgdOf(space) + entryOffset(page, PGD_SHIFT));
  if (!isTable(pud)) return hole(PGD_SHIFT);
  const pmd = load<u64>(tableOf(pud) + entryOffset(page, PUD_SHIFT));
  return isTable(pmd) ? tableOf(pmd) + entryOffset(page, PMD_SHIFT) : hole(PUD_SHIFT);
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
export function useDeposit(slot: usize): usize {
  const table = allocateBlock();
  if (table != 0) store<u64>(slot, tableEntry(table));
  return table;
}

/** Makes the empty last-level table at `slot` a table in reserve, and the entry none. */
export function keepAsDeposit(slot: usize): void {
  const table = tableOf(load<u64>(slot));
  assert(occupied(table) == 0, "a table in reserve is empty");
  store<u32>(countsSlot(table), 0);
  freeABlock(table);
  store<u64>(slot, 0);
  adjustCounts(tableOfSlot(slot), -1, 0);
}

/** Returns the slot of the PMD entry for `page`, whose table must exist. */
export function pmdSlot(space: usize, page: u64): usize {
  const pud = load<u64>(pgdOf(space) + entryOffset(page, PGD_SHIFT));
  const pmd = load<u64>(tableOf(pud) + entryOffset(page, PUD_SHIFT));
  return tableOf(pmd) + entryOffset(page, PMD_SHIFT);
}

/** Frees the empty last-level table that the PMD entry at `slot` points to. */
export function freePteTable(space: usize, slot: usize): void {
  freeChild(space, slot, slot & ~0xfff, COUNTER_PTE_TABLES);
  addTo(space, COUNTER_PTE_TABLES_FREED, 1);
}

/** Frees the empty table that the entry at `slot` of the table `parent` (0: the PGD) points to. */
export function freeChild(space: usize, slot: usize, parent: usize, counter: u32): void {
  const table = tableOf(load<u64>(slot));
  assert(occupied(table) == 0, "freed table is not empty");
  store<u32>(countsSlot(table), 0);
  freeABlock(table);
  store<u64>(slot, 0);
  if (parent != 0) adjustCounts(parent, -1, 0);
  takeFrom(space, counter, 1);
}

/** Returns how many entries of a table are not none. */
export function occupied(table: usize): u32 {
  return load<u16>(countsSlot(table));
}

/** Returns how many entries of a table are uffd-wp markers. */
export function markers(table: usize): u32 {
  return load<u16>(countsSlot(table), 2);
}

/** Tells whether no entry of the table maps a page: each is none or a uffd-wp marker. */
export function mapsNothing(table: usize): bool {
  return occupied(table) == markers(table);
}

/** Adds to the counts of a table what a pass has changed in it. */
export function adjustCounts(table: usize, occupiedDelta: i32, markersDelta: i32): void {
  const slot = countsSlot(table);
  const newOccupied = <i32>load<u16>(slot) + occupiedDelta;
  const newMarkers = <i32>load<u16>(slot, 2) + markersDelta;
  assert(newOccupied >= newMarkers && newMarkers >= 0 && newOccupied <= ENTRIES_PER_TABLE, "counts out of range");
  store<u16>(slot, <u16>newOccupied);
  store<u16>(slot, <u16>newMarkers, 2);
}

/** Returns the PGD of an address space. */
export function pgdOf(space: usize): usize {
  return <usize>load<u32>(space, SPACE_PGD);
}

function ensureChild(space: usize, slot: usize, parent: usize, counter: u32): usize {
  const entry = load<u64>(slot);
  if (isTable(entry)) return tableOf(entry);
  const table = allocateBlock();
  if (table == 0) return 0;
  store<u64>(slot, tableEntry(table));
  if (parent != 0) adjustCounts(parent, 1, 0);
  addTo(space, counter, 1);
  return table;
}

function hole(shift: u32): usize {
  holeShift = shift;
  hugeSlot = 0;
  return 0;
}

function countsSlot(table: usize): usize {
  return counts + ((table >> 12) << 2);
}
