/**
 * Geometry of x86-64 4-level page tables. A page number is a virtual address without its 12 offset bits.
 *
 *   page number    34      27 26      18 17       9 8        0
 *                  ┌─────────┬──────────┬──────────┬──────────┐
 *   index in the   │ PGD     │ PUD      │ PMD      │ PTE      │  table (PGD: 256 of 512 entries are user space)
 *                  └─────────┴──────────┴──────────┴──────────┘
 *   an entry spans   512 GiB   1 GiB      2 MiB      4 KiB
 */

export const TABLE_BYTES = 4096;
export const ENTRIES_PER_TABLE = 512;
export const ENTRY_BYTES = 8;

/** log2 of the pages that one entry spans, by the level of its table. */
export const PTE_SHIFT = 0;
export const PMD_SHIFT = 9;
export const PUD_SHIFT = 18;
export const PGD_SHIFT = 27;

/** Returns the byte offset in its table of the entry for `page`, at the level whose entries span `1 << shift` pages. */
export function entryOffset(page: u64, shift: u32): usize {
  return ((<usize>(page >> shift)) & (ENTRIES_PER_TABLE - 1)) << 3;
}

/** Returns the first page after `page` at which another entry of the level begins. */
export function nextEntryPage(page: u64, shift: u32): u64 {
  return ((page >> shift) + 1) << shift;
}

/** Returns the first page of the entry of the level that spans `page`. */
export function firstPageOfEntry(page: u64, shift: u32): u64 {
  return (page >> shift) << shift;
}
