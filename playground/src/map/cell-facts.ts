import * as abi from "../../../assembly/abi.js";
import { indexesOf, type TableLevel, TABLE_SHIFT } from "./geometry.js";
import { type MapMapping, mappingAt } from "./mappings.js";

/**
 * What is known of a table: it takes memory of its own, it is shared with all that are alike, it does not exist, or (at the last level) the entry
 * maps a huge page instead.
 */
export type TableKind = "real" | "shared" | "missing" | "huge" | "mixed";

/** What is under the pointer, or under the cursor of the keyboard. */
export interface CellFacts {
  /** First page of the cell, and how many it has: 1 where a page is at least as large as a pixel. */
  readonly page: number;
  readonly pages: number;
  /** STATE_ numbers: of most pages, and of the most notable of the others. */
  readonly usual: number;
  readonly notable: number;
  /** Part of the pages that are in the notable state, from 0 to 1. */
  readonly share: number;
  /** The tables that an access to the page would go through; "mixed" where a cell has several. */
  readonly tables: Readonly<Record<TableLevel, TableKind>>;
  /** Indexes in the tables: PGD, PUD, PMD, PTE. */
  readonly indexes: readonly [number, number, number, number];
  readonly mapping: MapMapping | null;
}

const REAL: Readonly<Record<TableLevel, number>> = {
  pud: abi.CELL_PUD_REAL,
  pmd: abi.CELL_PMD_REAL,
  pte: abi.CELL_PTE_REAL,
};
const SHARED: Readonly<Record<TableLevel, number>> = {
  pud: abi.CELL_PUD_SHARED,
  pmd: abi.CELL_PMD_SHARED,
  pte: abi.CELL_PTE_SHARED,
};

/** Returns what a cell says of the table of a level. */
export function tableKind(cell: number, level: TableLevel): TableKind {
  const flags = cell >>> abi.CELL_FLAGS_SHIFT;
  const kinds: TableKind[] = [];
  if ((flags & REAL[level]) !== 0) kinds.push("real");
  if ((flags & SHARED[level]) !== 0) kinds.push("shared");
  if (level === "pte" && (flags & abi.CELL_PTE_MISSING) !== 0) kinds.push("missing");
  if (level === "pte" && (flags & abi.CELL_HUGE) !== 0) kinds.push("huge");
  return kinds.length > 1 ? "mixed" : (kinds[0] ?? "missing");
}

/** Describes a cell of a zoom that has a page. */
export function factsOf(cell: number, zoom: number, page: number, mappings: readonly MapMapping[]): CellFacts {
  const pages = 4 ** zoom;
  return {
    page: zoom * 2 > TABLE_SHIFT.pte ? Math.floor(page / pages) * pages : page,
    pages,
    usual: cell & 0xff,
    notable: (cell >>> abi.CELL_NOTABLE_SHIFT) & 0xff,
    share: ((cell >>> abi.CELL_SHARE_SHIFT) & 0xff) / 255,
    tables: { pud: tableKind(cell, "pud"), pmd: tableKind(cell, "pmd"), pte: tableKind(cell, "pte") },
    indexes: indexesOf(page),
    mapping: mappingAt(mappings, page),
  };
}

/** Tells whether two descriptions say the same. */
export function isSameCell(a: CellFacts | null, b: CellFacts | null): boolean {
  if (a === null || b === null) return a === b;
  return JSON.stringify(a) === JSON.stringify(b);
}
