import { FIRST_FRAME_PFN } from "./abi";

/**
 * One page-table entry as a u64: its bits, its states, and the arithmetic that Linux does on it. Nothing here touches memory.
 *
 *   63 62  59 58          57 52 51                    12 11 10   9       8        7   6     5        4   3   2    1  0
 *   ┌──┬─────┬─────────────┬───┬─────────────────────────┬──┬─────┬───────┬────────┬───┬─────┬────────┬───┬───┬────┬──┬───┐
 *   │NX│ key │ saved dirty │   │ PFN                     │  │uffd │special│protnone│PSE│dirty│accessed│PCD│PWT│user│RW│ P │
 *   └──┴─────┴─────────────┴───┴─────────────────────────┴──┴─────┴───────┴────────┴───┴─────┴────────┴───┴───┴────┴──┴───┘
 *
 * An entry is in one of four states: none, present, marker, table. (`arch/x86/include/asm/pgtable_types.h`, `include/linux/swapops.h`)
 */

export const PRESENT: u64 = 1;
export const WRITABLE: u64 = 1 << 1;
export const ACCESSED: u64 = 1 << 5;
export const DIRTY: u64 = 1 << 6;
/** PSE of an entry above the last level: it maps a huge page, not a table. */
export const HUGE: u64 = 1 << 7;
export const PROTNONE: u64 = 1 << 8;
/** SOFTW1: the page has no struct page behind it; the shared zero page. */
export const SPECIAL: u64 = 1 << 9;
/** SOFTW2 of a present entry: write-protected by userfaultfd. */
export const UFFD_WP: u64 = 1 << 10;
export const PFN_MASK: u64 = 0x000ffffffffff000;
/** The same of an entry that maps 2 MiB. */
export const HUGE_PFN_MASK: u64 = 0x000fffffffe00000;
/** SOFTW5: the page was dirty when its write permission was taken away. */
export const SAVED_DIRTY: u64 = 1 << 58;

/** Flags of an entry that points to a table: present, writable, user, accessed, dirty. */
export const TABLE_FLAGS: u64 = 0x67;

/** `vm_page_prot` of a private readable mapping; write permission is added page by page. */
export const PROTECTION_READ: u64 = 0x8000000000000025;
/** `vm_page_prot` of a shared writable mapping that nobody needs to be told of writes to. */
export const PROTECTION_SHARED: u64 = 0x8000000000000027;
/** `vm_page_prot` of a PROT_NONE mapping. */
export const PROTECTION_NO_ACCESS: u64 = 0x0000000000000120;

/** A none PTE that userfaultfd write-protects: swap type 31 (PTE_MARKER), offset 1 (PTE_MARKER_UFFD_WP), stored inverted. */
export const UFFD_WP_MARKER: u64 = 0xfffffffffffffc00;

/** PTE_MARKER_POISONED, offset 2: an access ends in SIGBUS (UFFDIO_POISON). */
export const POISON_MARKER: u64 = 0xfffffffffffffa00;
/** PTE_MARKER_GUARD, offset 4: an access ends in SIGSEGV (MADV_GUARD_INSTALL). */
export const GUARD_MARKER: u64 = 0xfffffffffffff600;
/** uffd-wp of an entry in swap format. PAGEMAP_SCAN sets it on poison and guard markers too, where it means nothing. */
export const SWAP_UFFD_WP: u64 = 1 << 2;
/** Exclusive bit of a swap entry: the page was nobody else's when it was written out (`pte_swp_exclusive`). */
export const SWAP_EXCLUSIVE: u64 = 1 << 3;

export const MARKER_TYPE: u64 = 31;
export const SWAP_TYPE_SHIFT: u64 = 59;
const PAGE_SHIFT: u64 = 12;
/** What a new protection does not replace (`_PAGE_CHG_MASK`): PFN, PWT, PCD, PAT, accessed, dirty, special, uffd-wp, soft-dirty. */
const KEPT_BY_MODIFY: u64 = PFN_MASK | 0x98 | ACCESSED | DIRTY | SAVED_DIRTY | SPECIAL | UFFD_WP | 0x800;
/** From the dirty bit up to the saved-dirty bit. */
export const DIRTY_TO_SAVED: u64 = 52;
/** A swap offset is stored inverted in bits 9 to 58. */
const SWAP_OFFSET_SHIFT: u64 = 9;
const SWAP_OFFSET_MASK: u64 = (1 << 50) - 1;

/** Tells whether nothing is here. Accessed and dirty may be set: the erratum that `pte_none` covers. */
export function isNone(entry: u64): bool {
  return (entry & ~(ACCESSED | DIRTY)) == 0;
}

/** Tells whether the entry maps a page, also one that no access may use (PROT_NONE). */
export function isPresent(entry: u64): bool {
  return (entry & (PRESENT | PROTNONE)) != 0;
}

/** Tells whether this is a poison marker. */
export function isPoison(entry: u64): bool {
  return (entry & ~SWAP_UFFD_WP) == POISON_MARKER;
}

/** Tells whether this is a guard marker. */
export function isGuard(entry: u64): bool {
  return (entry & ~SWAP_UFFD_WP) == GUARD_MARKER;
}

/** Tells whether this is a PTE marker of any kind. */
export function isMarker(entry: u64): bool {
  return !isPresent(entry) && entry >> SWAP_TYPE_SHIFT == MARKER_TYPE;
}

/** Tells whether an entry above the last level points to a table. */
export function isTable(entry: u64): bool {
  return (entry & (PRESENT | HUGE)) == PRESENT;
}

/** Tells whether an entry above the last level maps a huge page. */
export function isHuge(entry: u64): bool {
  return (entry & HUGE) != 0;
}

/** Tells whether the page is in swap. */
export function isSwap(entry: u64): bool {
  return !isPresent(entry) && !isNone(entry) && entry >> SWAP_TYPE_SHIFT != MARKER_TYPE;
}

/** Returns the swap entry for a slot of the first swap area, without further bits. */
export function swapEntry(slot: u32): u64 {
  return (~(<u64>slot) & SWAP_OFFSET_MASK) << SWAP_OFFSET_SHIFT;
}

/** Returns the swap entry of an object for a part of a folio of `1 << order` pages, which are in swap together. */
export function swapEntryOfFolio(slot: u32, order: u32): u64 {
  return swapEntry(slot) | ((<u64>order) << SWAP_TYPE_SHIFT);
}

/** Returns log2 of the pages of the folio that is in swap together with an object's swap entry. */
export function orderInSwap(entry: u64): u32 {
  return <u32>(entry >> SWAP_TYPE_SHIFT);
}

/** Returns the offset of an entry in swap format: the slot, or what kind of marker it is. */
export function swapOffset(entry: u64): u64 {
  return (~entry >> SWAP_OFFSET_SHIFT) & SWAP_OFFSET_MASK;
}

/** Returns the type of an entry in swap format. */
export function swapType(entry: u64): u64 {
  return entry >> SWAP_TYPE_SHIFT;
}

/** Tells whether an entry says that userfaultfd write-protects it: the bit of a present one, the marker, or the bit of a swap format. */
export function isUffdWp(entry: u64): bool {
  if (isPresent(entry)) return (entry & UFFD_WP) != 0;
  return entry == UFFD_WP_MARKER || (entry & SWAP_UFFD_WP) != 0;
}

/** Tells whether a present entry maps the shared zero page. */
export function isZeroPage(entry: u64): bool {
  return (entry & SPECIAL) != 0;
}

/** Tells whether a processor may read through the entry. */
export function permitsRead(entry: u64): bool {
  return (entry & PRESENT) != 0;
}

/** Tells whether a processor may write through the entry. */
export function permitsWrite(entry: u64): bool {
  return (entry & (PRESENT | WRITABLE)) == (PRESENT | WRITABLE);
}

/** Returns the entry that points to the table at linear-memory offset `table`. */
export function tableEntry(table: usize): u64 {
  return (<u64>table) | TABLE_FLAGS;
}

/** Returns the linear-memory offset of the table that `entry` points to. */
export function tableOf(entry: u64): usize {
  return <usize>(entry & PFN_MASK);
}

/** Returns a clean, read-only entry for `frame` under `protection`. PROT_NONE entries store the PFN inverted (`protnone_mask`). */
export function leafEntry(frame: u32, protection: u64): u64 {
  const address = (<u64>frame + FIRST_FRAME_PFN) << PAGE_SHIFT;
  return ((protection & PRESENT) != 0 ? address : ~address & PFN_MASK) | protection;
}

/** Returns the entry of the shared zero page under `protection`. */
export function zeroPageEntry(protection: u64): u64 {
  return leafEntry(0, protection) | SPECIAL;
}

/** Returns the entry above the last level that maps the huge page whose first frame is `frame`. */
export function hugeEntry(frame: u32, protection: u64): u64 {
  const address = (<u64>frame + FIRST_FRAME_PFN) << PAGE_SHIFT;
  return ((protection & PRESENT) != 0 ? address : ~address & HUGE_PFN_MASK) | protection | HUGE;
}

/** Returns the first frame of the huge page that an entry above the last level maps. */
export function hugeFrameOf(entry: u64): u32 {
  const address = ((entry & PRESENT) != 0 ? entry : ~entry) & HUGE_PFN_MASK;
  return <u32>((address >> PAGE_SHIFT) - FIRST_FRAME_PFN);
}

/** Replaces the protection of an entry that maps a huge page (`pmd_modify`). */
export function withHugeProtection(entry: u64, protection: u64): u64 {
  const wasPresent = (entry & PRESENT) != 0;
  const modified = withProtection(entry, protection);
  return wasPresent == ((protection & PRESENT) != 0) ? modified : modified ^ (PFN_MASK ^ HUGE_PFN_MASK);
}

/** Takes dirtiness away (`pte_mkclean`). */
export function withoutDirty(entry: u64): u64 {
  return entry & ~(DIRTY | SAVED_DIRTY);
}

/** Tells whether the page was written to through this entry (`pte_dirty`). */
export function isDirty(entry: u64): bool {
  return (entry & (DIRTY | SAVED_DIRTY)) != 0;
}

/** Returns the frame that a present entry maps; 0 is the shared zero page. */
export function frameOf(entry: u64): u32 {
  return <u32>(pfnOf(entry) - FIRST_FRAME_PFN);
}

/** Returns the page frame number of a present entry. */
export function pfnOf(entry: u64): u64 {
  return (((entry & PRESENT) != 0 ? entry : ~entry) & PFN_MASK) >> PAGE_SHIFT;
}

/** Takes write permission away; a dirty page stays dirty in the saved bit (`pte_wrprotect`). */
export function writeProtected(entry: u64): u64 {
  return (entry & ~(WRITABLE | DIRTY)) | ((entry & DIRTY) << DIRTY_TO_SAVED);
}

/** Takes write permission away and remembers that userfaultfd did it (`pte_mkuffd_wp`). `entry` must be present. */
export function withUffdWp(entry: u64): u64 {
  return writeProtected(entry) | UFFD_WP;
}

/** Forgets that userfaultfd took write permission away, without giving it back (`pte_clear_uffd_wp`). */
export function withoutUffdWp(entry: u64): u64 {
  return entry & ~UFFD_WP;
}

/** Gives write permission; a saved dirty bit becomes the dirty bit again (`pte_mkwrite`). */
export function withWrite(entry: u64): u64 {
  return (entry & ~SAVED_DIRTY) | WRITABLE | ((entry & SAVED_DIRTY) >> DIRTY_TO_SAVED);
}

/** Marks the page dirty, in the saved bit if it is not writable (`pte_mkdirty`). */
export function withDirty(entry: u64): u64 {
  return entry | ((entry & WRITABLE) != 0 ? DIRTY : SAVED_DIRTY);
}

/** Replaces the protection of a present entry and keeps what describes the page (`pte_modify`). */
export function withProtection(entry: u64, protection: u64): u64 {
  const wasPresent = (entry & PRESENT) != 0;
  let modified = (entry & KEPT_BY_MODIFY) | (protection & ~KEPT_BY_MODIFY);
  if (wasPresent != ((protection & PRESENT) != 0)) modified ^= PFN_MASK;
  const losesWrite = (entry & WRITABLE) != 0 && (protection & WRITABLE) == 0;
  return losesWrite ? (modified & ~DIRTY) | ((modified & DIRTY) << DIRTY_TO_SAVED) : modified;
}
