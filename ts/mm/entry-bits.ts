/**
 * What the 64 bits of a page-table entry say, with the names that Linux has for them (`arch/x86/include/asm/pgtable_types.h`,
 * `pgtable_64.h`, `include/linux/swapops.h`), and those of a word of /proc/PID/pagemap. For people; the engine has arithmetic of its own.
 */
import { entryKind, type EntryKind, type Level } from "../engine/entry.js";

/** What an entry is, as far as its bits have meanings of their own. */
export type DecodedKind =
  "none" | "table" | "page" | "zero page" | "huge page" | "huge zero page" | "marker" | "swap entry";

/** Some bits of a word that belong together. */
export interface BitField {
  /** Highest and lowest bit, from 63 to 0. */
  readonly high: number;
  readonly low: number;
  /** The kernel's name, or what the bits are. */
  readonly name: string;
  readonly value: bigint;
  /** What this value means; empty where it means nothing. */
  readonly meaning: string;
}

/** An entry, taken apart. */
export interface DecodedEntry {
  readonly kind: DecodedKind;
  /** One sentence. */
  readonly summary: string;
  /** All 64 bits, from the highest. */
  readonly fields: readonly BitField[];
}

/** Name and meaning of some bits; the meaning may depend on their value. */
interface Layout {
  readonly high: number;
  readonly low: number;
  readonly name: string;
  readonly meaning: (value: bigint) => string;
}

const MARKER_TYPE = 31n;
const OFFSET_MASK = (1n << 50n) - 1n;

/** Kinds of markers by the bits of their offset. */
const MARKERS: ReadonlyMap<bigint, readonly [name: string, meaning: string]> = new Map([
  [1n, ["PTE_MARKER_UFFD_WP", "there is no page, and its first write will be reported"]],
  [2n, ["PTE_MARKER_POISONED", "an access ends in SIGBUS"]],
  [4n, ["PTE_MARKER_GUARD", "an access ends in SIGSEGV"]],
]);

/** Takes an entry of a table of a level apart. */
export function decodeEntry(entry: bigint, level: Level): DecodedEntry {
  const kind = kindOf(entry, level);
  const layout = layoutOf(entry, kind);
  return { kind, summary: summaryOf(entry, kind), fields: layout.map((bits) => fieldOf(entry, bits)) };
}

/** Takes a word of /proc/PID/pagemap apart. */
export function decodePagemap(word: bigint): readonly BitField[] {
  const isSwapped = isSet(word, 62);
  const low = isSwapped ? PAGEMAP_SWAP : [range(54, 0, "PFN", (value) => (value === 0n ? "" : hexText(value)))];
  return [...PAGEMAP_FLAGS, ...low].map((bits) => fieldOf(word, bits));
}

const KINDS: Readonly<Record<Exclude<EntryKind, "swap">, DecodedKind>> = {
  none: "none",
  table: "table",
  page: "page",
  "zero page": "zero page",
  "uffd-wp marker": "marker",
  "poison marker": "marker",
  "guard marker": "marker",
};

function kindOf(entry: bigint, level: Level): DecodedKind {
  const kind = entryKind(entry, level);
  if (kind === "swap") return entry >> 59n === MARKER_TYPE ? "marker" : "swap entry"; // a marker that no kernel makes
  const isHuge = level !== "pte" && (kind === "page" || kind === "zero page");
  return isHuge ? `huge ${kind}` : KINDS[kind];
}

function layoutOf(entry: bigint, kind: DecodedKind): readonly Layout[] {
  if (kind === "none") return NONE;
  if (kind === "table")
    return [...HIGH_BITS, range(51, 12, "PFN", (pfn) => `table at ${hexText(pfn << 12n)}`), ...tableBits()];
  if (kind === "marker" || kind === "swap entry") return swapLayout(kind);
  const isInverted = !isSet(entry, 0); // PROT_NONE: `protnone_mask`
  return kind === "huge page" || kind === "huge zero page" ? hugeLayout(isInverted) : pageLayout(isInverted);
}

function summaryOf(entry: bigint, kind: DecodedKind): string {
  if (kind === "none") return "Nothing is mapped here: an access takes a page fault.";
  if (kind === "table") return "Points to the table of the next level.";
  if (kind === "marker") return markerSummary(offsetOf(entry));
  if (kind === "swap entry") {
    const isWp = isSet(entry, 2) ? ", and write-protected by userfaultfd when it comes back" : "";
    return `The page is in slot ${offsetOf(entry)} of swap area ${entry >> 59n}${isWp}.`;
  }
  const access = !isSet(entry, 0) ? "no access (PROT_NONE)" : isSet(entry, 1) ? "writable" : "read-only";
  const dirty = isSet(entry, 6) || isSet(entry, 58) ? ", dirty" : "";
  return `Maps a ${kind}: ${access}${dirty}${isSet(entry, 10) ? ", write-protected by userfaultfd" : ""}.`;
}

function markerSummary(offset: bigint): string {
  const [name, meaning] = MARKERS.get(offset) ?? [`unknown marker ${hexText(offset)}`, "no kernel makes it"];
  return `${name}: ${meaning}.`;
}

function offsetOf(entry: bigint): bigint {
  return (~entry >> 9n) & OFFSET_MASK;
}

const NONE: readonly Layout[] = [range(63, 0, "none", () => "")];

const HIGH_BITS: readonly Layout[] = [
  bit(63, "_PAGE_BIT_NX", "instructions may not be fetched"),
  range(62, 59, "_PAGE_BIT_PKEY_BIT3 … BIT0", (key) => (key === 0n ? "" : `protection key ${key}`)),
  bit(58, "_PAGE_BIT_SAVED_DIRTY (SOFTW5)", "was dirty when write permission was taken away"),
  bit(57, "_PAGE_BIT_SOFTW4", ""),
  range(56, 52, "available", () => ""),
];

function lowBits(seventh: Layout, isInverted: boolean): readonly Layout[] {
  return [
    bit(11, "_PAGE_BIT_SOFT_DIRTY (SOFTW3)", "written since soft-dirty bits were cleared"),
    bit(10, "_PAGE_BIT_UFFD_WP (SOFTW2)", "userfaultfd write-protects the page"),
    bit(9, "_PAGE_BIT_SPECIAL (SOFTW1)", "no struct page: the shared zero page"),
    isInverted
      ? bit(8, "_PAGE_BIT_PROTNONE (GLOBAL)", "PROT_NONE: the page is kept, no access may use it")
      : bit(8, "_PAGE_BIT_GLOBAL", "stays in the TLB"),
    seventh,
    ...flagBits(),
  ];
}

function flagBits(): readonly Layout[] {
  return [
    bit(6, "_PAGE_BIT_DIRTY", "the processor has written through it"),
    bit(5, "_PAGE_BIT_ACCESSED", "the processor has used it"),
    bit(4, "_PAGE_BIT_PCD", "cache disabled"),
    bit(3, "_PAGE_BIT_PWT", "write-through"),
    bit(2, "_PAGE_BIT_USER", "user space may use it"),
    bit(1, "_PAGE_BIT_RW", "writes are allowed"),
    bit(0, "_PAGE_BIT_PRESENT", "the processor may use it"),
  ];
}

function tableBits(): readonly Layout[] {
  return [range(11, 8, "available", () => ""), bit(7, "_PAGE_BIT_PSE", "maps a huge page"), ...flagBits()];
}

function pageLayout(isInverted: boolean): readonly Layout[] {
  const pfn = range(51, 12, "PFN", (value) => pfnText(value, isInverted, 0xffffffffffn));
  return [...HIGH_BITS, pfn, ...lowBits(bit(7, "_PAGE_BIT_PAT", "memory type from the PAT"), isInverted)];
}

function hugeLayout(isInverted: boolean): readonly Layout[] {
  return [
    ...HIGH_BITS,
    range(51, 21, "PFN >> 9", (value) => `frames from ${pfnText(value, isInverted, 0x7fffffffn, 9n)}`),
    range(20, 13, "reserved", () => ""),
    bit(12, "_PAGE_BIT_PAT_LARGE", "memory type from the PAT"),
    ...lowBits(bit(7, "_PAGE_BIT_PSE", "maps 2 MiB itself"), isInverted),
  ];
}

function pfnText(value: bigint, isInverted: boolean, mask: bigint, shift = 0n): string {
  return isInverted ? `${hexText((~value & mask) << shift)}, stored inverted` : hexText(value << shift);
}

function swapLayout(kind: "marker" | "swap entry"): readonly Layout[] {
  const offset = (stored: bigint): string => {
    const value = ~stored & OFFSET_MASK;
    const name = kind === "marker" ? MARKERS.get(value)?.[0] : undefined;
    return `${name ?? `slot ${value}`}, stored inverted`;
  };
  return [
    range(63, 59, "swap type", (type) => (type === MARKER_TYPE ? "SWP_PTE_MARKER" : `swap area ${type}`)),
    range(58, 9, "swap offset", offset),
    bit(8, "_PAGE_BIT_PROTNONE", "must be 0 here"),
    bit(7, "_PAGE_BIT_PSE", "must be 0 here"),
    range(6, 5, "unused", () => "kept free: processors with an erratum set these two"),
    bit(4, "unused", ""),
    bit(3, "_PAGE_SWP_EXCLUSIVE", "the page was nobody else's"),
    bit(
      2,
      "_PAGE_SWP_UFFD_WP",
      kind === "marker" ? "left by PAGEMAP_SCAN; means nothing here" : "write-protected by userfaultfd",
    ),
    bit(1, "_PAGE_SWP_SOFT_DIRTY", "soft-dirty"),
    bit(0, "_PAGE_BIT_PRESENT", ""),
  ];
}

const PAGEMAP_FLAGS: readonly Layout[] = [
  bit(63, "present", "a page is mapped"),
  bit(62, "swapped", "in swap, or a marker"),
  bit(61, "file", "page of a file or of shared memory"),
  range(60, 59, "0", () => ""),
  bit(58, "guard", "guard region"),
  bit(57, "uffd-wp", "write-protected by userfaultfd"),
  bit(56, "exclusive", "mapped once"),
  bit(55, "soft-dirty", "written since soft-dirty bits were cleared"),
];

const PAGEMAP_SWAP: readonly Layout[] = [
  range(54, 5, "swap offset", (value) => `${value}`),
  range(4, 0, "swap type", (type) => (type === MARKER_TYPE ? "SWP_PTE_MARKER" : `swap area ${type}`)),
];

function bit(number: number, name: string, meaning: string): Layout {
  return { high: number, low: number, name, meaning: (value) => (value === 1n ? meaning : "") };
}

function range(high: number, low: number, name: string, meaning: (value: bigint) => string): Layout {
  return { high, low, name, meaning };
}

function fieldOf(word: bigint, { high, low, name, meaning }: Layout): BitField {
  const value = (word >> BigInt(low)) & ((1n << BigInt(high - low + 1)) - 1n);
  return { high, low, name, value, meaning: meaning(value) };
}

function isSet(word: bigint, number: number): boolean {
  return ((word >> BigInt(number)) & 1n) === 1n;
}

function hexText(value: bigint): string {
  return `0x${value.toString(16)}`;
}
