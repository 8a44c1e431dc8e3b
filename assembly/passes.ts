import {
  DIRTY,
  DIRTY_TO_SAVED,
  PRESENT,
  PROTNONE,
  SAVED_DIRTY,
  SPECIAL,
  SWAP_UFFD_WP,
  UFFD_WP,
  UFFD_WP_MARKER,
  withoutUffdWp,
  withUffdWp,
  withWrite,
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
/** 32 entries, which are flipped and looked at as one. */
const CHUNK: usize = 256;
const TO_SAVED: i32 = <i32>DIRTY_TO_SAVED;
const SPECIAL_BIT: i64 = 9;

/** Numbers of the constants. */
const C_PRESENT: usize = 0;
const C_NOT_WRITABLE: usize = 1;
const C_UFFD_WP: usize = 2;
const C_DIRTY: usize = 3;
const C_MARKER: usize = 4;
const C_COMPARED: usize = 5;
const C_NONE_FLIPS: usize = 6;
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
  WRITABLE | DIRTY | UFFD_WP | SAVED_DIRTY,
  SWAP_UFFD_WP ^ UFFD_WP_MARKER,
  SWAP_UFFD_WP,
  ~UFFD_WP,
  WRITABLE,
  SAVED_DIRTY,
  ~(UFFD_WP | SAVED_DIRTY),
  SPECIAL,
  PRESENT | PROTNONE,
  0,
]);

/** Where a number is stored that is to be loaded as a vector. */
const pattern: usize = memory.data(8, 8);

// @ts-ignore: decorator
@inline
function constant(index: usize): v128 {
  return v128.load64_splat(constants + (index << 3));
}

/** Write-protects a table of readable pages, none of which is the zero page. */
export function protectPages(table: usize): void {
  const first = load<u64>(table);
  const flips = first ^ withUffdWp(first);
  const rest = flipWhileAlike(table, flips);
  const kept = constant(C_NOT_WRITABLE);
  const wp = constant(C_UFFD_WP);
  const dirty = constant(C_DIRTY);
  let same = constant(C_ZERO);
  for (let slot = rest, end = table + TABLE_BYTES; slot < end; slot += STEP) {
    const a = v128.load(slot);
    const b = v128.load(slot, 16);
    const c = v128.load(slot, 32);
    const d = v128.load(slot, 48);
    const newA = withUffdWpOfTwo(a, kept, wp, dirty);
    const newB = withUffdWpOfTwo(b, kept, wp, dirty);
    const newC = withUffdWpOfTwo(c, kept, wp, dirty);
    const newD = withUffdWpOfTwo(d, kept, wp, dirty);
    v128.store(slot, newA);
    v128.store(slot, newB, 16);
    v128.store(slot, newC, 32);
    v128.store(slot, newD, 48);
    same = i64x2.add(i64x2.add(same, i64x2.eq(newA, a)), i64x2.eq(newB, b));
    same = i64x2.add(i64x2.add(same, i64x2.eq(newC, c)), i64x2.eq(newD, d));
  }
  notePages(table, rest, flips, same);
}

/** Takes the protection of a table of readable pages away and makes them writable; none is the zero page. */
export function unprotectPages(table: usize): void {
  const first = load<u64>(table);
  const flips = first ^ withWrite(withoutUffdWp(first));
  const rest = flipWhileAlike(table, flips);
  const kept = constant(C_NOT_WP_SAVED);
  const writable = constant(C_WRITABLE);
  const saved = constant(C_SAVED);
  let same = constant(C_ZERO);
  for (let slot = rest, end = table + TABLE_BYTES; slot < end; slot += STEP) {
    const a = v128.load(slot);
    const b = v128.load(slot, 16);
    const c = v128.load(slot, 32);
    const d = v128.load(slot, 48);
    const newA = withWriteOfTwo(a, kept, writable, saved);
    const newB = withWriteOfTwo(b, kept, writable, saved);
    const newC = withWriteOfTwo(c, kept, writable, saved);
    const newD = withWriteOfTwo(d, kept, writable, saved);
    v128.store(slot, newA);
    v128.store(slot, newB, 16);
    v128.store(slot, newC, 32);
    v128.store(slot, newD, 48);
    same = i64x2.add(i64x2.add(same, i64x2.eq(newA, a)), i64x2.eq(newB, b));
    same = i64x2.add(i64x2.add(same, i64x2.eq(newC, c)), i64x2.eq(newD, d));
  }
  notePages(table, rest, flips, same);
}

/**
 * Flips bits of entries, 32 at a time, as long as all are like the first one in what decides about these bits: pages that were written to, or
 * such that are protected. Most tables hold nothing else, and flipping is a quarter of the work. A branch for each step would cost more than it
 * saves, so 32 are flipped first, and flipped back if they were not alike. Returns the slot of the first of those, or the end.
 */
function flipWhileAlike(table: usize, flips: u64): usize {
  store<u64>(pattern, flips);
  const like = v128.load64_splat(table);
  const flipped = v128.load64_splat(pattern);
  const compared = constant(C_COMPARED);
  const zero = constant(C_ZERO);
  let start = table;
  for (const end = table + TABLE_BYTES; start < end; start += CHUNK) {
    const differences = flip(start, flipped, like, zero);
    if (v128.any_true(v128.and(differences, compared))) {
      flip(start, flipped, like, zero);
      break;
    }
  }
  return start;
}

/** Flips bits of 32 entries. Returns the bits in which any entry was not like another one. */
// @ts-ignore: decorator
@inline
function flip(start: usize, flipped: v128, like: v128, zero: v128): v128 {
  let differences = zero;
  for (let slot = start, end = start + CHUNK; slot < end; slot += 128) {
    const a = v128.load(slot);
    const b = v128.load(slot, 16);
    const c = v128.load(slot, 32);
    const d = v128.load(slot, 48);
    v128.store(slot, v128.xor(a, flipped));
    v128.store(slot, v128.xor(b, flipped), 16);
    v128.store(slot, v128.xor(c, flipped), 32);
    v128.store(slot, v128.xor(d, flipped), 48);
    const e = v128.load(slot, 64);
    const f = v128.load(slot, 80);
    const g = v128.load(slot, 96);
    const h = v128.load(slot, 112);
    v128.store(slot, v128.xor(e, flipped), 64);
    v128.store(slot, v128.xor(f, flipped), 80);
    v128.store(slot, v128.xor(g, flipped), 96);
    v128.store(slot, v128.xor(h, flipped), 112);
    differences = v128.or(differences, v128.or(unlike(a, b, c, d, like), unlike(e, f, g, h, like)));
  }
  return differences;
}

/** Returns the bits in which any of eight entries is unlike another. */
// @ts-ignore: decorator
@inline
function unlike(a: v128, b: v128, c: v128, d: v128, like: v128): v128 {
  return v128.or(v128.or(v128.xor(a, like), v128.xor(b, like)), v128.or(v128.xor(c, like), v128.xor(d, like)));
}

/** Entries below `rest` were flipped; of those behind it, `same` has gone down by one for each that has not changed. */
function notePages(table: usize, rest: usize, flips: u64, same: v128): void {
  const flipped = <u32>((rest - table) >> 3);
  const unchanged = <u32>-(i64x2.extract_lane(same, 0) + i64x2.extract_lane(same, 1));
  changedEntries = <u32>ENTRIES_PER_TABLE - unchanged - (flips == 0 ? flipped : 0);
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
  let tally = zero;
  for (let slot = table, end = table + TABLE_BYTES; slot < end; slot += 32) {
    const a = v128.load(slot);
    const b = v128.load(slot, 16);
    const mappedA = withUffdWpOfTwo(a, kept, wp, dirty);
    const mappedB = withUffdWpOfTwo(b, kept, wp, dirty);
    const newA = v128.bitselect(marker, mappedA, i64x2.eq(v128.and(a, present), zero));
    const newB = v128.bitselect(marker, mappedB, i64x2.eq(v128.and(b, present), zero));
    v128.store(slot, newA);
    v128.store(slot, newB, 16);
    tally = i64x2.add(tally, v128.or(i64x2.eq(newA, a), v128.and(a, special)));
    tally = i64x2.add(tally, v128.or(i64x2.eq(newB, b), v128.and(b, special)));
  }
  noteTally(tally);
}

/**
 * Write-protects a table that may hold entries of all kinds. `marks`: none entries become markers; those are in `changedEntries`, what changes
 * in a swap entry is not. What is in swap format is a marker if its highest bit is set: swap areas have low types. A none entry gets the bit
 * of a swap entry first, and is then flipped to what it shall be.
 */
export function protectAny(table: usize, marks: bool): void {
  const mapping = constant(C_MAPPING);
  const kept = constant(C_NOT_WRITABLE);
  const wp = constant(C_UFFD_WP);
  const dirty = constant(C_DIRTY);
  const swapWp = constant(C_SWAP_WP);
  const noneFlips = constant(marks ? C_NONE_FLIPS : C_SWAP_WP);
  const special = constant(C_SPECIAL);
  const zero = constant(C_ZERO);
  let tally = zero;
  for (let slot = table, end = table + TABLE_BYTES; slot < end; slot += 16) {
    const a = v128.load(slot);
    const none = i64x2.eq(a, zero);
    const absent = i64x2.eq(v128.and(a, mapping), zero);
    const isMarker = i64x2.gt_s(zero, a);
    const mapped = withUffdWpOfTwo(a, kept, wp, dirty);
    const unmapped = v128.or(a, v128.xor(v128.andnot(swapWp, isMarker), v128.and(noneFlips, none)));
    const after = v128.bitselect(unmapped, mapped, absent);
    v128.store(slot, after);
    const uncounted = v128.or(i64x2.eq(after, a), v128.andnot(absent, none));
    tally = i64x2.add(tally, v128.or(uncounted, v128.and(a, special)));
  }
  noteTally(tally);
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
  let tally = zero;
  for (let slot = table, end = table + TABLE_BYTES; slot < end; slot += 16) {
    const a = v128.load(slot);
    const bare = v128.and(a, notWp);
    const dirty = v128.and(bare, saved);
    const upgraded = v128.or(v128.andnot(v128.or(bare, writable), dirty), i64x2.shr_u(dirty, TO_SAVED));
    const isPage = i64x2.eq(v128.and(a, special), zero);
    const mapped = v128.bitselect(upgraded, bare, isPage);
    const after = v128.andnot(mapped, i64x2.eq(v128.and(a, present), zero)); // what maps nothing was none or a marker
    v128.store(slot, after);
    tally = i64x2.add(tally, v128.or(i64x2.eq(after, a), v128.and(a, special)));
  }
  noteTally(tally);
}

/** `withUffdWp` of `entry.ts` for two entries. */
// @ts-ignore: decorator
@inline
function withUffdWpOfTwo(entries: v128, kept: v128, wp: v128, dirty: v128): v128 {
  return v128.or(v128.or(v128.and(entries, kept), wp), i64x2.shl(v128.and(entries, dirty), TO_SAVED));
}

/** `withWrite` of `entry.ts` for two entries, whose uffd-wp bit goes too if it is not among the bits `kept`. */
// @ts-ignore: decorator
@inline
function withWriteOfTwo(entries: v128, kept: v128, writable: v128, saved: v128): v128 {
  return v128.or(v128.or(v128.and(entries, kept), writable), i64x2.shr_u(v128.and(entries, saved), TO_SAVED));
}

/**
 * Reads two tallies, to each of which every entry has added -1 if it has not changed, else its special bit: of what has changed, only zero
 * pages have that. A lane has 256 entries, fewer than the bit is worth, so the two numbers do not mix.
 */
function noteTally(tally: v128): void {
  const low = i64x2.extract_lane(tally, 0);
  const high = i64x2.extract_lane(tally, 1);
  changedZeroPages = zeroPagesOf(low) + zeroPagesOf(high);
  changedEntries = <u32>(<i64>ENTRIES_PER_TABLE + low + high - ((<i64>changedZeroPages) << SPECIAL_BIT));
}

/** Rounds up: a tally is 512 for each zero page, less up to 256. */
function zeroPagesOf(tally: i64): u32 {
  return <u32>((tally + <i64>(SPECIAL - 1)) >> SPECIAL_BIT);
}
