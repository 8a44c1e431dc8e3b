import {
  ACCESSED,
  DIRTY,
  DIRTY_TO_SAVED,
  MARKER_TYPE,
  PRESENT,
  PROTNONE,
  SAVED_DIRTY,
  SPECIAL,
  SWAP_TYPE_SHIFT,
  SWAP_UFFD_WP,
  UFFD_WP,
  UFFD_WP_MARKER,
  WRITABLE,
} from "./entry";
import { ENTRIES_PER_TABLE, TABLE_BYTES } from "./geometry";

/**
 * Passes over all 512 entries of a table, two to eight entries a step. Which one is right the caller knows from the counts and flags of the table,
 * so that no loop does more than its table needs. Constants are loaded from memory into locals before a loop: an engine that makes them anew
 * in the loop takes two to three times as long.
 *
 * Only for builds with SIMD; `protect.ts` has the loops for the others and for parts of tables.
 */

/** Entries that a pass has changed, and those of them that map the zero page. */
export let changedEntries: u32 = 0;
export let changedZeroPages: u32 = 0;

const STEP: usize = 64;
const TO_SAVED: i32 = <i32>DIRTY_TO_SAVED;
const SPECIAL_BIT: u64 = 9;

/** Numbers of the constants. */
const C_PRESENT: usize = 0;
const C_NOT_WRITABLE: usize = 1;
const C_UFFD_WP: usize = 2;
const C_DIRTY: usize = 3;
const C_MARKER: usize = 4;
const C_NOT_USED: usize = 5;
const C_MARKER_TYPE: usize = 6;
const C_SWAP_WP: usize = 7;
const C_NOT_WP: usize = 8;
const C_WRITABLE: usize = 9;
const C_SAVED: usize = 10;
const C_NOT_WP_SAVED: usize = 11;
const C_SPECIAL: usize = 12;
const C_MAPPING: usize = 13;
const C_ZERO: usize = 14;

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

/** Write-protects a table of readable pages, none of which is the zero page. */
export function protectPages(table: usize): void {
  const kept = constant(C_NOT_WRITABLE);
  const wp = constant(C_UFFD_WP);
  const dirty = constant(C_DIRTY);
  let same = constant(C_ZERO);
  for (let slot = table, end = table + TABLE_BYTES; slot < end; slot += STEP) {
    const a = v128.load(slot);
    const b = v128.load(slot, 16);
    const c = v128.load(slot, 32);
    const d = v128.load(slot, 48);
    const newA = withUffdWp(a, kept, wp, dirty);
    const newB = withUffdWp(b, kept, wp, dirty);
    const newC = withUffdWp(c, kept, wp, dirty);
    const newD = withUffdWp(d, kept, wp, dirty);
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
  const kept = constant(C_NOT_WP_SAVED);
  const writable = constant(C_WRITABLE);
  const saved = constant(C_SAVED);
  let same = constant(C_ZERO);
  for (let slot = table, end = table + TABLE_BYTES; slot < end; slot += STEP) {
    const a = v128.load(slot);
    const b = v128.load(slot, 16);
    const c = v128.load(slot, 32);
    const d = v128.load(slot, 48);
    const newA = withWrite(a, kept, writable, saved);
    const newB = withWrite(b, kept, writable, saved);
    const newC = withWrite(c, kept, writable, saved);
    const newD = withWrite(d, kept, writable, saved);
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
  const present = constant(C_PRESENT);
  const kept = constant(C_NOT_WRITABLE);
  const wp = constant(C_UFFD_WP);
  const dirty = constant(C_DIRTY);
  const marker = constant(C_MARKER);
  const special = constant(C_SPECIAL);
  const zero = constant(C_ZERO);
  let same = zero;
  let zeroPages = zero;
  for (let slot = table, end = table + TABLE_BYTES; slot < end; slot += 32) {
    const a = v128.load(slot);
    const b = v128.load(slot, 16);
    const mappedA = withUffdWp(a, kept, wp, dirty);
    const mappedB = withUffdWp(b, kept, wp, dirty);
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
  const mapping = constant(C_MAPPING);
  const kept = constant(C_NOT_WRITABLE);
  const wp = constant(C_UFFD_WP);
  const dirty = constant(C_DIRTY);
  const marker = constant(marks ? C_MARKER : C_ZERO);
  const notUsed = constant(C_NOT_USED);
  const markerType = constant(C_MARKER_TYPE);
  const swapWp = constant(C_SWAP_WP);
  const special = constant(C_SPECIAL);
  const zero = constant(C_ZERO);
  let uncounted = zero;
  let zeroPages = zero;
  for (let slot = table, end = table + TABLE_BYTES; slot < end; slot += 16) {
    const a = v128.load(slot);
    const none = i64x2.eq(v128.and(a, notUsed), zero);
    const absent = i64x2.eq(v128.and(a, mapping), zero);
    const swapFormat = v128.andnot(absent, none);
    const mapped = withUffdWp(a, kept, wp, dirty);
    const isMarker = i64x2.eq(i64x2.shr_u(a, <i32>SWAP_TYPE_SHIFT), markerType);
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
  const present = constant(C_PRESENT);
  const special = constant(C_SPECIAL);
  const notWp = constant(C_NOT_WP);
  const writable = constant(upgrades ? C_WRITABLE : C_ZERO);
  const saved = constant(upgrades ? C_SAVED : C_ZERO);
  const zero = constant(C_ZERO);
  let same = zero;
  let zeroPages = zero;
  for (let slot = table, end = table + TABLE_BYTES; slot < end; slot += 16) {
    const a = v128.load(slot);
    const bare = v128.and(a, notWp);
    const dirty = v128.and(bare, saved);
    const upgraded = v128.or(v128.andnot(v128.or(bare, writable), dirty), i64x2.shr_u(dirty, TO_SAVED));
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

/** `withUffdWp` of `entry.ts` for two entries. */
// @ts-ignore: decorator
@inline
function withUffdWp(entries: v128, kept: v128, wp: v128, dirty: v128): v128 {
  return v128.or(v128.or(v128.and(entries, kept), wp), i64x2.shl(v128.and(entries, dirty), TO_SAVED));
}

/** `withWrite` of `entry.ts` for two entries, whose uffd-wp bit goes too if it is not among the bits `kept`. */
// @ts-ignore: decorator
@inline
function withWrite(entries: v128, kept: v128, writable: v128, saved: v128): v128 {
  return v128.or(v128.or(v128.and(entries, kept), writable), i64x2.shr_u(v128.and(entries, saved), TO_SAVED));
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
