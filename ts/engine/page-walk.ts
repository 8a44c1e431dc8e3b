import type { Engine, Space } from "./engine.js";
import { entryKind, FRAME_MASK, LEVELS, type PageEntry } from "./entry.js";

/** One step of the way that the processor takes from CR3 to a page. */
export interface WalkStep extends PageEntry {
  /** Physical address of the table, and whether it is one that all tables like it share (docs/uniform-tables.md). */
  readonly table: number;
  readonly isShared: boolean;
  readonly index: number;
}

const TABLE_ENTRIES = 512;

/** Follows the tables of a space to a page, from the PGD to the entry that ends the way. */
export function walkPage(engine: Engine, space: Space, page: number): WalkStep[] {
  const steps: WalkStep[] = [];
  let table = engine.pgdOf(space);
  for (const [depth, level] of LEVELS.entries()) {
    const index = Math.floor(page / TABLE_ENTRIES ** (LEVELS.length - 1 - depth)) % TABLE_ENTRIES;
    const entry = engine.readTable(table)[index] ?? 0n;
    steps.push({ level, table, isShared: engine.isSharedTable(table), index, entry });
    if (entryKind(entry, level) !== "table") break;
    table = Number(entry & FRAME_MASK);
  }
  return steps;
}

/** Returns the entry that decides about a page: the one at which the walk to it ends. */
export function entryOf(engine: Engine, space: Space, page: number): PageEntry {
  const last = walkPage(engine, space, page).at(-1);
  if (last === undefined) throw new RangeError(`"page" expected a page number, got ${page}`);
  return { entry: last.entry, level: last.level };
}
