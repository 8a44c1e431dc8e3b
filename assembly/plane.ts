/**
 * The user half as a plane, so that it can be drawn: every table, at every level, is a rectangle. A last-level table has its entries row by
 * row; above it, bits of the page number belong to y and to x in turn.
 *
 *   bit of the page number   34 33 … 13  12 11  10 9  8  7  6  5  4  3  2  1  0
 *   bit of x                 17    …     6      5                 4  3  2  1  0
 *   bit of y                    16 … 6      5      4  3  2  1  0
 *
 *   pages of one entry       2^0    2^9      2^18       2^27          all
 *   its rectangle            1×1    32×16    512×512    16384×8192    262144×131072
 *
 * A square whose sides are a power of two, from 32 on, is a run of pages.
 */

const ROW_BITS: u64 = 5;
const ROWS_BITS: u64 = 4;
const TABLE_BITS: u64 = ROW_BITS + ROWS_BITS;
const ROW_MASK: u32 = (1 << 5) - 1;
const ROWS_MASK: u32 = (1 << 4) - 1;

/** Returns the column of a page. */
export function columnOf(page: u64): u32 {
  return ((<u32>page) & ROW_MASK) | (evenBits(page >> (TABLE_BITS + 1)) << (<u32>ROW_BITS));
}

/** Returns the row of a page. */
export function rowOf(page: u64): u32 {
  return ((<u32>(page >> ROW_BITS)) & ROWS_MASK) | (evenBits(page >> TABLE_BITS) << (<u32>ROWS_BITS));
}

/** Returns the page at a place. */
export function pageAt(column: u32, row: u32): u64 {
  const table = spread(row >> (<u32>ROWS_BITS)) | (spread(column >> (<u32>ROW_BITS)) << 1);
  return (table << TABLE_BITS) | ((<u64>(row & ROWS_MASK)) << ROW_BITS) | (column & ROW_MASK);
}

/** Gathers bits 0, 2, 4, … of 32. */
function evenBits(bits: u64): u32 {
  let x = (<u32>bits) & 0x55555555;
  x = (x | (x >> 1)) & 0x33333333;
  x = (x | (x >> 2)) & 0x0f0f0f0f;
  x = (x | (x >> 4)) & 0x00ff00ff;
  return (x | (x >> 8)) & 0x0000ffff;
}

/** Puts bits 0 to 15 where `evenBits` gathers them from. */
function spread(bits: u32): u64 {
  let x = bits & 0x0000ffff;
  x = (x | (x << 8)) & 0x00ff00ff;
  x = (x | (x << 4)) & 0x0f0f0f0f;
  x = (x | (x << 2)) & 0x33333333;
  return (x | (x << 1)) & 0x55555555;
}
