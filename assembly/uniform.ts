import { reserve } from "./arena";
import { tableEntry, UFFD_WP_MARKER, PROTECTION_READ, withUffdWp, zeroPageEntry } from "./entry";
import { ENTRIES_PER_TABLE, ENTRY_BYTES, PMD_SHIFT, PUD_SHIFT, TABLE_BYTES } from "./geometry";

/**
 * Uniform tables: a table all of whose entries are equal is not there more than once. There is one template for each kind of entry and each
 * level, any number of entries point to it, and nobody writes to it; who has to change an entry below it copies the table first (`table.ts`).
 * What is read through a template is what real tables would hold. `docs/uniform-tables.md` draws it.
 *
 *   kind      last level       PMD level                          PUD level
 *   HOLE      –                512 × none                         512 × the one to its left
 *   NONE      512 × none       512 × pointer to the one on left   …
 *   MARKER    512 × marker     …
 *   ZERO      512 × zero page
 *   ZERO_WP   512 × the same, write-protected
 */

/** No last-level table is here; at the upper levels, tables that lead to none. */
export const KIND_HOLE: u32 = 0;
export const KIND_NONE: u32 = 1;
export const KIND_MARKER: u32 = 2;
export const KIND_ZERO: u32 = 3;
export const KIND_ZERO_WP: u32 = 4;
/** What a pass answers that makes entries of a kind into something that has no template. */
export const KIND_MIXED: u32 = 5;
const KINDS: u32 = 5;

const LEVELS: u32 = 3;
const TEMPLATES_BYTES: usize = <usize>KINDS * LEVELS * TABLE_BYTES;

const templates: usize = reserve(TEMPLATES_BYTES);
makeTemplates();

/** Whether passes may put templates in place of tables. */
let sharing: bool = true;

/** Says whether tables may be shared; no table may exist yet. */
export function setSharing(shares: bool): void {
  sharing = shares;
}

/** Tells whether tables may be shared. */
export function sharesTables(): bool {
  return sharing;
}

/** Tells whether a table is a template, which nobody may write to. */
export function isShared(table: usize): bool {
  return table - templates < TEMPLATES_BYTES;
}

/** Returns the kind of a template. */
export function kindOf(template: usize): u32 {
  return ((<u32>(template - templates)) >> 12) % KINDS;
}

/** Returns the template of a kind to which an entry that spans `1 << shift` pages points. There is none for HOLE at PMD_SHIFT. */
export function templateOf(kind: u32, shift: u32): usize {
  return templateAt(kind, levelBelow(shift));
}

/** Returns the last-level entry that tables of a kind consist of. */
export function entryOfKind(kind: u32): u64 {
  if (kind == KIND_MARKER) return UFFD_WP_MARKER;
  if (kind < KIND_MARKER) return 0;
  const zero = zeroPageEntry(PROTECTION_READ);
  return kind == KIND_ZERO ? zero : withUffdWp(zero);
}

/** Returns how many last-level tables there would be below an entry that spans `1 << shift` pages. */
export function pteTablesOf(kind: u32, shift: u32): u64 {
  return kind == KIND_HOLE ? 0 : (<u64>1) << (shift - PMD_SHIFT);
}

/** Returns how many PMD tables there would be. */
export function pmdTablesOf(shift: u32): u64 {
  return shift < <u32>PUD_SHIFT ? 0 : (<u64>1) << (shift - PUD_SHIFT);
}

/** Returns every template in turn, for whoever keeps records of tables; 0 after the last. */
export function templateNumber(index: u32): usize {
  return index < KINDS * LEVELS ? templates + <usize>index * TABLE_BYTES : 0;
}

function makeTemplates(): void {
  for (let kind: u32 = 0; kind < KINDS; kind++) {
    fill(templateAt(kind, 0), entryOfKind(kind));
    fill(templateAt(kind, 1), kind == KIND_HOLE ? 0 : tableEntry(templateAt(kind, 0)));
    fill(templateAt(kind, 2), tableEntry(templateAt(kind, 1)));
  }
}

function fill(template: usize, entry: u64): void {
  for (let i: usize = 0; i < <usize>ENTRIES_PER_TABLE; i++) store<u64>(template + i * ENTRY_BYTES, entry);
}

/** Level 0 has the last-level tables. */
function templateAt(kind: u32, level: u32): usize {
  return templates + <usize>(level * KINDS + kind) * TABLE_BYTES;
}

function levelBelow(shift: u32): u32 {
  return (shift - PMD_SHIFT) / PMD_SHIFT;
}
