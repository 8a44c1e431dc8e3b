/** What can be asked of any address space: its mappings, its tables, one entry with the way to it. */
import { PAGE_SIZE } from "../../../ts/base/pages.js";
import type { AddressSpace, MemoryStatus } from "../../../ts/mm/address-space.js";

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

/** One step of the way that the processor takes from CR3 to an entry. */
export interface EntryStep {
  readonly level: Level;
  /** Physical address of the table, and which of its 512 entries. */
  readonly table: number;
  readonly index: number;
  /** The entry as hexadecimal u64. */
  readonly entry: string;
}

/** Levels from the top. */
export const LEVELS = ["PGD", "PUD", "PMD", "PTE"] as const;

/** Name of a level. */
export type Level = (typeof LEVELS)[number];

/** An entry, the way to it, and what Linux tells a program about it. */
export interface EntryInfo {
  readonly page: number;
  /** From the PGD down, as far as there are tables; the last step holds the entry. */
  readonly path: readonly EntryStep[];
  /** The word of /proc/PID/pagemap, as hexadecimal u64. */
  readonly pagemap: string;
  /** The number that stands for the page's content, in decimal. */
  readonly content: string;
}

const PRESENT = 1n;
const HUGE = 1n << 7n;
const ADDRESS = 0x000ffffffffff000n;
const INDEX_BITS = 9;

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
    path: pathTo(space, page),
    pagemap: hex64(space.pagemap(address, 1)[0] ?? 0n),
    content: content.toString(),
  };
}

/** Returns the entry that decides what an access to a page does, as hexadecimal u64: of the last table on the way to it. */
export function leafOf(space: AddressSpace, page: number): string {
  return pathTo(space, page).at(-1)?.entry ?? hex64(0n);
}

/** Writes a u64. */
export function hex64(value: bigint): string {
  return `0x${value.toString(16).padStart(16, "0")}`;
}

function pathTo(space: AddressSpace, page: number): EntryStep[] {
  const steps: EntryStep[] = [];
  let table = space.engine.pgdOf(space.handle);
  for (const [depth, level] of LEVELS.entries()) {
    const index = Math.floor(page / 2 ** (INDEX_BITS * (LEVELS.length - 1 - depth))) % 2 ** INDEX_BITS;
    const entry = space.engine.readTable(table)[index] ?? 0n;
    steps.push({ level, table, index, entry: hex64(entry) });
    if ((entry & PRESENT) === 0n || (entry & HUGE) !== 0n) break;
    table = Number(entry & ADDRESS);
  }
  return steps;
}
