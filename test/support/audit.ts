import type { AddressSpace } from "../../ts/node.js";

const ENTRIES = 512;
const PFN_MASK = 0x000ffffffffff000n;
const TABLE_FLAGS = 0x67n;
const MARKER = 0xfffffffffffffc00n;
const ZERO_PAGE = 1n << 9n;

/** What a walk over all tables of a space finds. Page numbers are in ascending order. */
export interface Audit {
  readonly pudTables: number;
  readonly pmdTables: number;
  readonly pteTables: number;
  readonly anonPages: number;
  /** Entries of last-level tables that are not 0, by page. */
  readonly entries: ReadonlyMap<number, bigint>;
}

interface Walk {
  readonly tables: [number, number, number];
  readonly seen: Set<number>;
  readonly frames: Set<bigint>;
  readonly entries: Map<number, bigint>;
}

/**
 * Walks the page tables of a space from the PGD, as the processor would, and recounts them.
 * @throws Error where a table is used twice although its entries are not all equal, its entry has other flags than Linux gives it, or two pages share a frame.
 */
export function auditTables(space: AddressSpace): Audit {
  const walk: Walk = { tables: [0, 0, 0], seen: new Set(), frames: new Set(), entries: new Map() };
  walkTable(space, space.engine.pgdOf(space.handle), 0, 0, walk);
  const [pudTables, pmdTables, pteTables] = walk.tables;
  return { pudTables, pmdTables, pteTables, anonPages: walk.frames.size, entries: walk.entries };
}

function walkTable(space: AddressSpace, table: number, level: number, firstPage: number, walk: Walk): void {
  const content = space.engine.readTable(table);
  const isUniform = content.every((entry) => entry === content[0]);
  if (walk.seen.has(table) && !isUniform) throw new Error(`the table at ${table} is used twice`);
  walk.seen.add(table);
  const pagesEach = ENTRIES ** (3 - level);
  content.forEach((entry, index) => {
    if (entry === 0n) return;
    const page = firstPage + index * pagesEach;
    if (level === 3) {
      noteLeaf(page, entry, walk);
      return;
    }
    if ((entry & ~PFN_MASK) !== TABLE_FLAGS) throw new Error(`entry ${entry.toString(16)} points to no table`);
    walk.tables[level as 0 | 1 | 2]++;
    walkTable(space, Number(entry & PFN_MASK), level + 1, page, walk);
  });
}

function noteLeaf(page: number, entry: bigint, walk: Walk): void {
  walk.entries.set(page, entry);
  if (entry === MARKER || (entry & ZERO_PAGE) !== 0n) return;
  const frame = ((entry & 1n) !== 0n ? entry : ~entry) & PFN_MASK;
  if (walk.frames.has(frame)) throw new Error(`two pages share the frame ${frame.toString(16)}`);
  walk.frames.add(frame);
}
