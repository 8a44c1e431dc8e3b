import { allocateBlock, reserve } from "./arena";
import { isUffdWp } from "./entry";
import { ENTRIES_PER_TABLE, ENTRY_BYTES } from "./geometry";
import { setTableFlags, TABLE_NONE_WRITTEN, TABLE_OTHERS, TABLE_WRITTEN_KNOWN, tableFlags, tableOfSlot } from "./table";

/**
 * Which entries of a last-level table are written (PAGE_IS_WRITTEN: not write-protected by userfaultfd), a bit each, so that a scan need not
 * read entries. The bits are made by the first scan and are right while TABLE_WRITTEN_KNOWN is set: `adjustCounts` clears that, what takes
 * the protection of a single page away keeps the bits right (`noteWritten`), and who changes more calls `forgetWritten`.
 *
 *   directory           block of 64 bitmaps, for 64 neighbouring blocks of linear memory
 *   ┌────────┐          ┌──────────┬──────────┬─
 *   │ 0..63  │ ───────▶ │ 64 bytes │ 64 bytes │ …
 *   └────────┘          └──────────┴──────────┴─
 */

const BITMAP_BYTES: usize = 64;
const BLOCKS_SHIFT: u32 = 18; // 64 blocks of 4 KiB
const DIRECTORY_BYTES: usize = 1 << 16;
/** A uffd-wp marker has this bit too, which is how one test serves for both. */
const UFFD_WP_BIT: u64 = 10;

const directory: usize = reserve(DIRECTORY_BYTES);

/** Returns the bitmap of a table, or 0 when there is no memory for it. */
export function writtenBitmap(table: usize): usize {
  const slot = directory + ((table >> BLOCKS_SHIFT) << 2);
  if (load<u32>(slot) == 0) {
    const block = allocateBlock();
    if (block == 0) return 0;
    store<u32>(slot, <u32>block);
  }
  const bitmap = <usize>load<u32>(slot) + ((table >> 12) & 63) * BITMAP_BYTES;
  if ((tableFlags(table) & TABLE_WRITTEN_KNOWN) == 0) make(table, bitmap);
  return bitmap;
}

/** Tells whether no entry of a table is known to be written, and notes it for the next time: then its bitmap need not be read. */
export function isNoneWritten(table: usize, bitmap: usize): bool {
  const low = load<u64>(bitmap) | load<u64>(bitmap, 8) | load<u64>(bitmap, 16) | load<u64>(bitmap, 24);
  const all = low | load<u64>(bitmap, 32) | load<u64>(bitmap, 40) | load<u64>(bitmap, 48) | load<u64>(bitmap, 56);
  if (all == 0) setTableFlags(table, TABLE_NONE_WRITTEN, 0);
  return all == 0;
}

/** Notes that the protection of the entry at `slot` is gone. */
export function noteWritten(slot: usize): void {
  const table = tableOfSlot(slot);
  if ((tableFlags(table) & TABLE_WRITTEN_KNOWN) == 0) return;
  const index = (slot - table) >> 3;
  const byte = writtenBitmap(table) + (index >> 3);
  store<u8>(byte, load<u8>(byte) | (<u8>((<u32>1) << ((<u32>index) & 7))));
  setTableFlags(table, 0, TABLE_NONE_WRITTEN);
}

/** Notes that the entries from `index` to `end` of a table are protected now. */
export function noteProtected(table: usize, index: u32, end: u32): void {
  if ((tableFlags(table) & TABLE_WRITTEN_KNOWN) == 0) return;
  const bitmap = writtenBitmap(table);
  for (let i = index; i < end;) {
    const word = bitmap + (((<usize>i) >> 6) << 3);
    const next = min(end, (i | 63) + 1);
    store<u64>(word, load<u64>(word) & ~maskOf(i, next));
    i = next;
  }
}

/** Notes that all entries of a table are protected now. */
export function noteAllProtected(table: usize): void {
  if ((tableFlags(table) & TABLE_WRITTEN_KNOWN) == 0) return;
  const bitmap = writtenBitmap(table);
  for (let at = bitmap; at < bitmap + BITMAP_BYTES; at += 8) store<u64>(at, 0);
}

/** Notes that it is not known any more which entries are written. */
export function forgetWritten(table: usize): void {
  setTableFlags(table, 0, TABLE_WRITTEN_KNOWN | TABLE_NONE_WRITTEN);
}

/** Returns a word with the bits of `first` to `end` set; both are of one word. */
function maskOf(first: u32, end: u32): u64 {
  return (u64.MAX_VALUE << (first & 63)) & (u64.MAX_VALUE >> ((64 - (end & 63)) & 63));
}

function make(table: usize, bitmap: usize): void {
  const hasOthers = (tableFlags(table) & TABLE_OTHERS) != 0;
  for (let i: u32 = 0; i < <u32>ENTRIES_PER_TABLE; i += 64) {
    const start = table + <usize>i * ENTRY_BYTES;
    store<u64>(bitmap + ((<usize>i) >> 3), hasOthers ? writtenOfAny(start) : writtenOf(start));
  }
  setTableFlags(table, TABLE_WRITTEN_KNOWN, 0);
}

/** Returns the bits of 64 entries that are none, markers or readable. */
function writtenOf(start: usize): u64 {
  let protectedBits: u64 = 0;
  if (ASC_FEATURE_SIMD) {
    for (let i: usize = 0; i < 64; i += 8) {
      const a = signs(start, i);
      const b = signs(start, i + 2);
      const c = signs(start, i + 4);
      const d = signs(start, i + 6);
      protectedBits |= (<u64>(a | (b << 2) | (c << 4) | (d << 6))) << i;
    }
  } else {
    for (let i: u64 = 0; i < 64; i++) {
      protectedBits |= ((load<u64>(start + ((<usize>i) << 3)) >> UFFD_WP_BIT) & 1) << i;
    }
  }
  return ~protectedBits;
}

/** Returns the uffd-wp bits of two entries. */
// @ts-ignore: decorator
@inline
function signs(start: usize, index: usize): i32 {
  return i64x2.bitmask(i64x2.shl(v128.load(start + (index << 3)), 63 - <i32>UFFD_WP_BIT));
}

function writtenOfAny(start: usize): u64 {
  let bits: u64 = 0;
  for (let i: u64 = 0; i < 64; i++) bits |= u64(!isUffdWp(load<u64>(start + ((<usize>i) << 3)))) << i;
  return bits;
}
