/** What can be asked of any address space: its mappings, its tables, one entry with the way to it. */
import { PAGE_SIZE } from "../../../ts/base/pages.js";
import type { AddressSpace, MemoryStatus } from "../../../ts/mm/address-space.js";
import { walkPage, type WalkStep } from "../../../ts/engine/page-walk.js";
import { type VmFlag, vmFlags } from "../../../ts/mm/vm-flags.js";
import type { Vma } from "../../../ts/mm/vma.js";

/** A mapping. */
export interface MappingInfo {
  readonly name: string;
  readonly firstPage: number;
  readonly endPage: number;
  /** As /proc/PID/smaps has them. */
  readonly flags: readonly VmFlag[];
  /** Its pages, by STATE_ number. */
  readonly pages: Float64Array;
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
  /** STATE_ number. */
  readonly state: number;
  /** From the PGD down, as far as there are tables; the last step holds the entry. */
  readonly walk: readonly WalkStep[];
  /** The word of /proc/PID/pagemap. */
  readonly pagemap: bigint;
  /** The number that stands for the page's content. */
  readonly content: bigint;
  /** Null: nothing is mapped there. */
  readonly mapping: MappingInfo | null;
}

/** What a scene calls its mappings; by default they are called after their kind. */
export type MappingNames = (firstPage: number) => string | undefined;

/** Returns the mappings in ascending order. */
export function mappingsOf(space: AddressSpace, nameOf: MappingNames): MappingInfo[] {
  return space.vmas.map((vma) => mappingInfo(space, vma, nameOf));
}

/** Returns what page tables and pages there are. */
export function statusOf(space: AddressSpace): StatusInfo {
  const { realTables, pudTables, pmdTables, pteTables } = space.counters();
  const tables = { realTables, pudTables, pmdTables, pteTables };
  return { ...space.status(), ...tables, engineBytes: space.engine.memoryBytes };
}

/** Returns the entry of a page. */
export function entryOf(space: AddressSpace, page: number, nameOf: MappingNames): EntryInfo {
  const { engine, handle } = space;
  const vma = space.vmas.find(({ firstPage, endPage }) => page >= firstPage && page < endPage);
  return {
    page,
    state: engine.countStates(handle, page, 1).indexOf(1),
    walk: walkPage(engine, handle, page),
    pagemap: space.pagemap(page * PAGE_SIZE, 1)[0] ?? 0n,
    content: engine.readContents(handle, page, 1)[0] ?? 0n,
    mapping: vma === undefined ? null : mappingInfo(space, vma, nameOf),
  };
}

function mappingInfo({ engine, handle }: AddressSpace, vma: Vma, nameOf: MappingNames): MappingInfo {
  const { firstPage, endPage, kind } = vma;
  return {
    name: nameOf(firstPage) ?? kind,
    firstPage,
    endPage,
    flags: vmFlags(vma),
    pages: engine.countStates(handle, firstPage, endPage - firstPage),
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
