import { ACCESSED, DIRTY, PRESENT, SAVED_DIRTY, SWAP_UFFD_WP, UFFD_WP, UFFD_WP_MARKER, WRITABLE } from "./entry";
import { TABLE_BYTES } from "./geometry";

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
  let changed = i64x2.splat(0);
  for (let slot = table, end = table + TABLE_BYTES; slot < end; slot += 32) {
    const a = v128.load(slot);
    const b = v128.load(slot, 16);
    const newA = v128.or(v128.or(v128.and(a, kept), wp), i64x2.shl(v128.and(a, dirty), DIRTY_TO_SAVED));
    const newB = v128.or(v128.or(v128.and(b, kept), wp), i64x2.shl(v128.and(b, dirty), DIRTY_TO_SAVED));
    v128.store(slot, newA);
    v128.store(slot, newB, 16);
    changed = i64x2.add(changed, i64x2.add(i64x2.ne(newA, a), i64x2.ne(newB, b)));
  }
  changedEntries = total(changed);
  changedZeroPages = 0;
}

/** Takes the protection of a table of readable pages away and makes them writable; none is the zero page. */
export function unprotectPages(table: usize): void {
  const kept = constant(12);
  const writable = constant(10);
  const saved = constant(11);
  let changed = i64x2.splat(0);
  for (let slot = table, end = table + TABLE_BYTES; slot < end; slot += 32) {
    const a = v128.load(slot);
    const b = v128.load(slot, 16);
    const newA = v128.or(v128.or(v128.and(a, kept), writable), i64x2.shr_u(v128.and(a, saved), DIRTY_TO_SAVED));
    const newB = v128.or(v128.or(v128.and(b, kept), writable), i64x2.shr_u(v128.and(b, saved), DIRTY_TO_SAVED));
    v128.store(slot, newA);
    v128.store(slot, newB, 16);
    changed = i64x2.add(changed, i64x2.add(i64x2.ne(newA, a), i64x2.ne(newB, b)));
  }
  changedEntries = total(changed);
  changedZeroPages = 0;
}

/**
 * Write-protects a table of none entries, markers and readable pages. `marks`: none entries become markers. `changedEntries` includes those;
 * how many they are is in the counts of the table.
 */
export function protectMixed(table: usize, marks: bool): void {
  const present = constant(0);
  const kept = constant(1);
  const wp = constant(2);
  const dirty = constant(3);
  const marker = constant(4);
  const zero = i64x2.splat(0);
  let changed = zero;
  let zeroPages = zero;
  for (let slot = table, end = table + TABLE_BYTES; slot < end; slot += 16) {
    const a = v128.load(slot);
    const mapped = v128.or(v128.or(v128.and(a, kept), wp), i64x2.shl(v128.and(a, dirty), DIRTY_TO_SAVED));
    const absent = i64x2.eq(v128.and(a, present), zero);
    const after = v128.bitselect(marks ? marker : a, mapped, absent);
    v128.store(slot, after);
    const differs = i64x2.ne(after, a);
    changed = i64x2.add(changed, differs);
    zeroPages = i64x2.add(zeroPages, v128.and(differs, isZeroPage(a, absent)));
  }
  changedEntries = total(changed);
  changedZeroPages = total(zeroPages);
}

/** The same for a table that may hold entries of all kinds; what changes in a swap entry is not counted, but a new marker is. */
export function protectAny(table: usize, marks: bool): void {
  const presentOrProtnone = i64x2.splat(0x101);
  const kept = constant(1);
  const wp = constant(2);
  const dirty = constant(3);
  const marker = constant(4);
  const notUsed = constant(5);
  const markerType = constant(6);
  const swapWp = constant(7);
  const zero = i64x2.splat(0);
  let changed = zero;
  let zeroPages = zero;
  for (let slot = table, end = table + TABLE_BYTES; slot < end; slot += 16) {
    const a = v128.load(slot);
    const mapped = v128.or(v128.or(v128.and(a, kept), wp), i64x2.shl(v128.and(a, dirty), DIRTY_TO_SAVED));
    const absent = i64x2.eq(v128.and(a, presentOrProtnone), zero);
    const none = i64x2.eq(v128.and(a, notUsed), zero);
    const isMarker = i64x2.eq(i64x2.shr_u(a, 59), markerType);
    const swapped = v128.bitselect(a, v128.or(a, swapWp), v128.or(isMarker, none));
    const unmapped = marks ? v128.bitselect(marker, swapped, none) : swapped;
    const after = v128.bitselect(unmapped, mapped, absent);
    v128.store(slot, after);
    const differs = v128.andnot(i64x2.ne(after, a), v128.andnot(absent, none));
    changed = i64x2.add(changed, differs);
    zeroPages = i64x2.add(zeroPages, v128.and(differs, isZeroPage(a, absent)));
  }
  changedEntries = total(changed);
  changedZeroPages = total(zeroPages);
}

/**
 * Takes the protection of a table of none entries, markers and readable pages away. `upgrades`: pages become writable, except for the zero
 * page. `changedEntries` includes markers, which become none.
 */
export function unprotectMixed(table: usize, upgrades: bool): void {
  const present = constant(0);
  const notWp = constant(8);
  const notSaved = constant(9);
  const writable = constant(10);
  const saved = constant(11);
  const zero = i64x2.splat(0);
  let changed = zero;
  let zeroPages = zero;
  for (let slot = table, end = table + TABLE_BYTES; slot < end; slot += 16) {
    const a = v128.load(slot);
    const absent = i64x2.eq(v128.and(a, present), zero);
    const zeros = isZeroPage(a, absent);
    const bare = v128.and(a, notWp);
    const upgraded = v128.or(
      v128.or(v128.and(bare, notSaved), writable),
      i64x2.shr_u(v128.and(bare, saved), DIRTY_TO_SAVED),
    );
    const mapped = upgrades ? v128.bitselect(bare, upgraded, zeros) : bare;
    const after = v128.andnot(mapped, absent); // what maps nothing was none or a marker
    v128.store(slot, after);
    const differs = i64x2.ne(after, a);
    changed = i64x2.add(changed, differs);
    zeroPages = i64x2.add(zeroPages, v128.and(differs, zeros));
  }
  changedEntries = total(changed);
  changedZeroPages = total(zeroPages);
}

/** Returns all ones for entries that map the zero page. */
// @ts-ignore: decorator
@inline
function isZeroPage(entries: v128, absent: v128): v128 {
  return v128.andnot(i64x2.shr_s(i64x2.shl(entries, 54), 63), absent);
}

/** Adds up two counters that have gone down by one for each entry. */
function total(lanes: v128): u32 {
  return <u32>-(i64x2.extract_lane(lanes, 0) + i64x2.extract_lane(lanes, 1));
}
