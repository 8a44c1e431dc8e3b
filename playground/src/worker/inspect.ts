/** What can be asked of any address space: its mappings, its tables, one entry with the way to it. */
import { PAGE_SIZE } from "../../../ts/base/pages.js";
import type { AddressSpace, MemoryStatus } from "../../../ts/mm/address-space.js";
import { walkPage, type WalkStep } from "../../../ts/mm/page-walk.js";

/** A mapping, in bytes. */
export interface MappingInfo {
  readonly start: number;
  readonly end: number;
  readonly kind: string;
  readonly protection: string;
}

/** Page tables and resident memory. */
export interface StatusInfo extends MemoryStatus {
  /** Tables that take memory of the engine's own; the others are shared templates. */
  readonly realTables: number;
  /** Tables as Linux would have them, by level. */
  readonly pudTables: number;
  readonly pmdTables: number;
  readonly pteTables: number;
  /** Bytes of the engine's memory. */
  readonly engineBytes: number;
}

/** An entry, the way to it, and what Linux tells a program about it. */
export interface EntryInfo {
  readonly page: number;
  /** From the PGD down, as far as there are tables; the last step holds the entry. */
  readonly path: readonly WalkStep[];
  /** The word of /proc/PID/pagemap. */
  readonly pagemap: bigint;
  /** The number that stands for the page's content. */
  readonly content: bigint;
}

/** Returns the mappings in ascending order. */
export function mappingsOf(space: AddressSpace): MappingInfo[] {
  return space.vmas.map((vma) => ({
    start: vma.firstPage * PAGE_SIZE,
    end: vma.endPage * PAGE_SIZE,
    kind: vma.kind,
    protection: vma.protection,
  }));
}

/** Returns what page tables and pages there are. */
export function statusOf(space: AddressSpace): StatusInfo {
  const { realTables, pudTables, pmdTables, pteTables } = space.counters();
  const tables = { realTables, pudTables, pmdTables, pteTables };
  return { ...space.status(), ...tables, engineBytes: space.engine.memoryBytes };
}

/** Returns the entry of a page. */
export function entryOf(space: AddressSpace, page: number): EntryInfo {
  const address = page * PAGE_SIZE;
  const [content = 0n] = space.engine.readContents(space.handle, page, 1);
  return {
    page,
    path: walkPage(space.engine, space.handle, page),
    pagemap: space.pagemap(address, 1)[0] ?? 0n,
    content,
  };
}

/** Returns the entry that decides what an access to a page does, as hexadecimal u64: of the last table on the way to it. */
export function leafOf(space: AddressSpace, page: number): string {
  return hex64(walkPage(space.engine, space.handle, page).at(-1)?.entry ?? 0n);
}

/** Writes a u64. */
export function hex64(value: bigint): string {
  return `0x${value.toString(16).padStart(16, "0")}`;
}
