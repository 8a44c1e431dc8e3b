import {
  ACCESSED,
  DIRTY,
  PRESENT,
  PROTNONE,
  SAVED_DIRTY,
  SPECIAL,
  SWAP_UFFD_WP,
  UFFD_WP,
  UFFD_WP_MARKER,
  WRITABLE,
} from "./entry";
import { ENTRIES_PER_TABLE, TABLE_BYTES } from "./geometry";

/**
 * Passes over all 512 entries of a table, eight entries a step. Which one is right the caller knows from the counts and flags of the table,
 * so that no loop does more than its table needs. Constants are loaded from memory into locals before a loop: an engine that makes them anew
 * in the loop takes two to three times as long.
 *
 * Only for builds with SIMD; `protect.ts` has the loops for the others and for parts of tables.
 */

/** Entries that a pass has changed, and those of them that map the zero page. */
export let changedEntries: u32 = 0;
export let changedZeroPages: u32 = 0;

const STEP: usize = 64;
const DIRTY_TO_SAVED: i32 = 52;
const MARKER_TYPE: u64 = 31;
const MARKER_TYPE_SHIFT: i32 = 59;
const SPECIAL_BIT: u64 = 9;

const constants: usize = memory.data<u64>([
  PRESENT,
  ~(WRITABLE | DIRTY),
  UFFD_WP,
  DIRTY,
  UFFD_WP_MARKER,
  ~(ACCESSED | DIRTY),
  MARKER_TYPE,
  SWAP_UFFD_WP,
  ~UFFD_WP,
  ~SAVED_DIRTY,
  WRITABLE,
  SAVED_DIRTY,
  ~(UFFD_WP | SAVED_DIRTY),
  SPECIAL,
  PRESENT | PROTNONE,
  0,
]);

// @ts-ignore: decorator
@inline
function constant(index: usize): v128 {
  return v128.load64_splat(constants + (index << 3));
}

/** Makes every entry of a table a uffd-wp marker. Nothing of the table is read. */
export function storeMarkers(table: usize): void {
  const marker = constant(4);
  for (let slot = table, end = table + TABLE_BYTES; slot < end; slot += STEP) {
    v128.store(slot, marker);
    v128.store(slot, marker, 16);
    v128.store(slot, marker, 32);
    v128.store(slot, marker, 48);
  }
}

/** Write-protects a table of readable pages, none of which is the zero page. */
export function protectPages(table: usize): void {
  const kept = constant(1);
  const wp = constant(2);
  const dirty = constant(3);
  let same = constant(15);
  for (let slot = table, end = table + TABLE_BYTES; slot < end; slot += STEP) {
    const a = v128.load(slot);
    const b = v128.load(slot, 16);
    const c = v128.load(slot, 32);
    const d = v128.load(slot, 48);
    const newA = v128.or(v128.or(v128.and(a, kept), wp), i64x2.shl(v128.and(a, dirty), DIRTY_TO_SAVED));
    const newB = v128.or(v128.or(v128.and(b, kept), wp), i64x2.shl(v128.and(b, dirty), DIRTY_TO_SAVED));
    const newC = v128.or(v128.or(v128.and(c, kept), wp), i64x2.shl(v128.and(c, dirty), DIRTY_TO_SAVED));
    const newD = v128.or(v128.or(v128.and(d, kept), wp), i64x2.shl(v128.and(d, dirty), DIRTY_TO_SAVED));
    v128.store(slot, newA);
    v128.store(slot, newB, 16);
    v128.store(slot, newC, 32);
    v128.store(slot, newD, 48);
    same = i64x2.add(i64x2.add(same, i64x2.eq(newA, a)), i64x2.eq(newB, b));
    same = i64x2.add(i64x2.add(same, i64x2.eq(newC, c)), i64x2.eq(newD, d));
  }
  changedEntries = <u32>ENTRIES_PER_TABLE - total(same);
  changedZeroPages = 0;
}

/** Takes the protection of a table of readable pages away and makes them writable; none is the zero page. */
export function unprotectPages(table: usize): void {
  const kept = constant(12);
  const writable = constant(10);
  const saved = constant(11);
  let same = constant(15);
  for (let slot = table, end = table + TABLE_BYTES; slot < end; slot += STEP) {
    const a = v128.load(slot);
    const b = v128.load(slot, 16);
    const c = v128.load(slot, 32);
    const d = v128.load(slot, 48);
    const newA = v128.or(v128.or(v128.and(a, kept), writable), i64x2.shr_u(v128.and(a, saved), DIRTY_TO_SAVED));
    const newB = v128.or(v128.or(v128.and(b, kept), writable), i64x2.shr_u(v128.and(b, saved), DIRTY_TO_SAVED));
    const newC = v128.or(v128.or(v128.and(c, kept), writable), i64x2.shr_u(v128.and(c, saved), DIRTY_TO_SAVED));
    const newD = v128.or(v128.or(v128.and(d, kept), writable), i64x2.shr_u(v128.and(d, saved), DIRTY_TO_SAVED));
    v128.store(slot, newA);
    v128.store(slot, newB, 16);
    v128.store(slot, newC, 32);
    v128.store(slot, newD, 48);
    same = i64x2.add(i64x2.add(same, i64x2.eq(newA, a)), i64x2.eq(newB, b));
    same = i64x2.add(i64x2.add(same, i64x2.eq(newC, c)), i64x2.eq(newD, d));
  }
  changedEntries = <u32>ENTRIES_PER_TABLE - total(same);
  changedZeroPages = 0;
}

/**
 * Write-protects a table of none entries, markers and readable pages; none entries become markers. `changedEntries` includes those; how many
 * they are is in the counts of the table.
 */
export function protectMixed(table: usize): void {
  const present = constant(0);
  const kept = constant(1);
  const wp = constant(2);
  const dirty = constant(3);
  const marker = constant(4);
  const special = constant(13);
  const zero = constant(15);
  let same = zero;
  let zeroPages = zero;
  for (let slot = table, end = table + TABLE_BYTES; slot < end; slot += 32) {
    const a = v128.load(slot);
    const b = v128.load(slot, 16);
    const mappedA = v128.or(v128.or(v128.and(a, kept), wp), i64x2.shl(v128.and(a, dirty), DIRTY_TO_SAVED));
    const mappedB = v128.or(v128.or(v128.and(b, kept), wp), i64x2.shl(v128.and(b, dirty), DIRTY_TO_SAVED));
    const newA = v128.bitselect(marker, mappedA, i64x2.eq(v128.and(a, present), zero));
    const newB = v128.bitselect(marker, mappedB, i64x2.eq(v128.and(b, present), zero));
    v128.store(slot, newA);
    v128.store(slot, newB, 16);
    const sameA = i64x2.eq(newA, a);
    const sameB = i64x2.eq(newB, b);
    same = i64x2.add(i64x2.add(same, sameA), sameB);
    zeroPages = i64x2.add(i64x2.add(zeroPages, changedOf(a, special, sameA)), changedOf(b, special, sameB));
  }
  changedEntries = <u32>ENTRIES_PER_TABLE - total(same);
  changedZeroPages = totalBits(zeroPages);
}

/**
 * Write-protects a table that may hold entries of all kinds. `marks`: none entries become markers; those are in `changedEntries`, what changes
 * in a swap entry is not.
 */
export function protectAny(table: usize, marks: bool): void {
  const mapping = constant(14);
  const kept = constant(1);
  const wp = constant(2);
  const dirty = constant(3);
  const marker = constant(marks ? 4 : 15);
  const notUsed = constant(5);
  const markerType = constant(6);
  const swapWp = constant(7);
  const special = constant(13);
  const zero = constant(15);
  let uncounted = zero;
  let zeroPages = zero;
  for (let slot = table, end = table + TABLE_BYTES; slot < end; slot += 16) {
    const a = v128.load(slot);
    const none = i64x2.eq(v128.and(a, notUsed), zero);
    const absent = i64x2.eq(v128.and(a, mapping), zero);
    const swapFormat = v128.andnot(absent, none);
    const mapped = v128.or(v128.or(v128.and(a, kept), wp), i64x2.shl(v128.and(a, dirty), DIRTY_TO_SAVED));
    const isMarker = i64x2.eq(i64x2.shr_u(a, MARKER_TYPE_SHIFT), markerType);
    const swapped = v128.or(v128.and(a, swapFormat), v128.andnot(v128.and(swapWp, swapFormat), isMarker));
    const after = v128.or(v128.or(v128.andnot(mapped, absent), swapped), v128.and(marker, none));
    v128.store(slot, after);
    const same = v128.or(i64x2.eq(after, a), swapFormat);
    uncounted = i64x2.add(uncounted, same);
    zeroPages = i64x2.add(zeroPages, changedOf(a, special, same));
  }
  changedEntries = <u32>ENTRIES_PER_TABLE - total(uncounted);
  changedZeroPages = totalBits(zeroPages);
}

/**
 * Takes the protection of a table of none entries, markers and readable pages away. `upgrades`: pages become writable, except for the zero
 * page. `changedEntries` includes markers, which become none.
 */
export function unprotectMixed(table: usize, upgrades: bool): void {
  const present = constant(0);
  const special = constant(13);
  const notWp = constant(8);
  const writable = constant(upgrades ? 10 : 15);
  const saved = constant(upgrades ? 11 : 15);
  const zero = constant(15);
  let same = zero;
  let zeroPages = zero;
  for (let slot = table, end = table + TABLE_BYTES; slot < end; slot += 16) {
    const a = v128.load(slot);
    const bare = v128.and(a, notWp);
    const dirty = v128.and(bare, saved);
    const upgraded = v128.or(v128.andnot(v128.or(bare, writable), dirty), i64x2.shr_u(dirty, DIRTY_TO_SAVED));
    const isPage = i64x2.eq(v128.and(a, special), zero);
    const mapped = v128.bitselect(upgraded, bare, isPage);
    const after = v128.andnot(mapped, i64x2.eq(v128.and(a, present), zero)); // what maps nothing was none or a marker
    v128.store(slot, after);
    const unchanged = i64x2.eq(after, a);
    same = i64x2.add(same, unchanged);
    zeroPages = i64x2.add(zeroPages, changedOf(a, special, unchanged));
  }
  changedEntries = <u32>ENTRIES_PER_TABLE - total(same);
  changedZeroPages = totalBits(zeroPages);
}

/** Returns the special bit of entries that map the zero page and have changed; no other entry has it but in swap format. */
// @ts-ignore: decorator
@inline
function changedOf(entries: v128, special: v128, same: v128): v128 {
  return v128.andnot(v128.and(entries, special), same);
}

/** Adds up two counters that have gone down by one for each entry. */
function total(lanes: v128): u32 {
  return <u32>-(i64x2.extract_lane(lanes, 0) + i64x2.extract_lane(lanes, 1));
}

/** Adds up two counters that have gone up by the special bit for each entry. */
function totalBits(lanes: v128): u32 {
  return <u32>((i64x2.extract_lane(lanes, 0) + i64x2.extract_lane(lanes, 1)) >> SPECIAL_BIT);
}
