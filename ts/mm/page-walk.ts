import type { Engine, Space } from "../engine/engine.js";
import type { EntryLevel } from "./entry-bits.js";

/** One step of the way that the processor takes from CR3 to a page. */
export interface WalkStep {
  readonly level: EntryLevel;
  /** Physical address of the table, and whether it is one that all tables like it share (docs/uniform-tables.md). */
  readonly table: number;
  readonly isShared: boolean;
  readonly index: number;
  readonly entry: bigint;
}

const LEVELS: readonly EntryLevel[] = ["pgd", "pud", "pmd", "pte"];
const ENTRIES = 512;
const PRESENT = 1n;
const HUGE = 1n << 7n;
const ADDRESS = 0x000ffffffffff000n;

/** Follows the tables of a space to a page, from the PGD to the entry that ends the way. */
export function walkPage(engine: Engine, space: Space, page: number): WalkStep[] {
  const steps: WalkStep[] = [];
  let table = engine.pgdOf(space);
  for (const [depth, level] of LEVELS.entries()) {
    const index = Math.floor(page / ENTRIES ** (3 - depth)) % ENTRIES;
    const entry = engine.readTable(table)[index] ?? 0n;
    steps.push({ level, table, isShared: engine.isSharedTable(table), index, entry });
    if ((entry & PRESENT) === 0n || (entry & HUGE) !== 0n) break;
    table = Number(entry & ADDRESS);
  }
  return steps;
}
