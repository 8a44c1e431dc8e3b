/** Levels of the page tables, the highest first. */
export const LEVELS = ["pgd", "pud", "pmd", "pte"] as const;

/** Level of a page table. */
export type Level = (typeof LEVELS)[number];

/** The entry that decides about a page: the one of the last level, or the one above at which the walk ends. */
export interface PageEntry {
  /** As the processor reads it. */
  readonly entry: bigint;
  readonly level: Level;
}

/** Error codes of the page-fault exceptions that are told apart: a read and a write of what is not present, a write to what is read-only. */
export type ExceptionCode = 0x4 | 0x6 | 0x7;

/** What an entry is, in the words that the documentation uses. */
export type EntryKind =
  "none" | "page" | "zero page" | "table" | "uffd-wp marker" | "poison marker" | "guard marker" | "swap";

/** Name of a bit of an entry that maps something. */
export type EntryBit =
  "present" | "writable" | "accessed" | "dirty" | "huge" | "protnone" | "special" | "uffdWp" | "savedDirty";

/** Bits of an entry (`arch/x86/include/asm/pgtable_types.h`). */
export const ENTRY_BITS: Readonly<Record<EntryBit, bigint>> = {
  present: 1n << 0n,
  writable: 1n << 1n,
  accessed: 1n << 5n,
  dirty: 1n << 6n,
  huge: 1n << 7n,
  protnone: 1n << 8n,
  special: 1n << 9n,
  uffdWp: 1n << 10n,
  savedDirty: 1n << 58n,
};

/** uffd-wp of an entry in swap format. */
const SWAP_UFFD_WP = 1n << 2n;
/** Where in memory the page or the table is. */
export const FRAME_MASK: bigint = 0x000ffffffffff000n;
const SWAP_TYPE_SHIFT = 59n;
const MARKER_TYPE = 31n;
/** Markers without the uffd-wp bit, as `make_pte_marker` builds them. */
const MARKERS: Readonly<Record<string, EntryKind>> = {
  fffffffffffffc00: "uffd-wp marker",
  fffffffffffffa00: "poison marker",
  fffffffffffff600: "guard marker",
};

/** Tells what an entry of a level is. */
export function entryKind(entry: bigint, level: Level): EntryKind {
  const { present, protnone, huge, special, accessed, dirty } = ENTRY_BITS;
  const presentBits = level === "pte" ? present | protnone : present | protnone | huge; // `pte_present`, `pmd_present`
  if ((entry & presentBits) !== 0n) {
    if (level !== "pte" && (entry & huge) === 0n) return "table";
    return (entry & special) !== 0n ? "zero page" : "page";
  }
  if ((entry & ~(accessed | dirty)) === 0n) return "none";
  if (entry >> SWAP_TYPE_SHIFT !== MARKER_TYPE) return "swap";
  return MARKERS[(entry & ~SWAP_UFFD_WP).toString(16)] ?? "swap";
}

/** Tells whether userfaultfd write-protects what the entry stands for. */
export function isUffdWp({ entry, level }: PageEntry): boolean {
  const kind = entryKind(entry, level);
  if (kind === "page" || kind === "zero page") return (entry & ENTRY_BITS.uffdWp) !== 0n;
  return kind === "uffd-wp marker" || (kind !== "none" && kind !== "table" && (entry & SWAP_UFFD_WP) !== 0n);
}

/** Says in a few words what an entry is: `page, dirty, read-only, uffd-wp`. */
export function describeEntry(found: PageEntry): string {
  const { entry, level } = found;
  const kind = entryKind(entry, level);
  const size = level === "pte" || kind === "none" || kind === "table" ? "" : "huge ";
  if (kind !== "page" && kind !== "zero page") {
    return size + kind + (kind !== "uffd-wp marker" && isUffdWp(found) ? ", uffd-wp" : "");
  }
  const { present, writable, dirty, savedDirty, uffdWp } = ENTRY_BITS;
  const isDirty = (entry & (dirty | savedDirty)) !== 0n;
  const access = (entry & writable) !== 0n ? "writable" : "read-only";
  return [
    size + kind,
    ...(kind === "zero page" ? [] : [isDirty ? "dirty" : "clean"]),
    (entry & present) === 0n ? "no access" : access,
    ...((entry & uffdWp) !== 0n ? ["uffd-wp"] : []),
  ].join(", ");
}
