import { deviation, median } from "./harness.js";
import { type Group, OWN_SIDES, type OwnSide, PROGRAMS, type ProgramSide, type Row, type Unit } from "./row.js";

/** Sides of a row in the order in which they take turns. */
export const SIDES: readonly SideName[] = [...PROGRAMS, ...OWN_SIDES];
export type SideName = ProgramSide | OwnSide;

/** A measured row as it goes into the JSON file: medians in the row's unit, null where a side does not apply. */
export type RowResult = Readonly<Record<SideName, number | null>> & {
  readonly id: string;
  readonly title: string;
  readonly group: Group;
  readonly unit: Unit;
  /** Units of one pass, for each side that was measured. */
  readonly work: number;
  readonly kernelWork: number | null;
  readonly limitIs: string | null;
  /** Median absolute deviations. */
  readonly spread: Readonly<Partial<Record<SideName, number>>>;
  /** All rounds. */
  readonly samples: Readonly<Partial<Record<SideName, readonly number[]>>>;
  /** Why there is no figure of ours. */
  readonly failure?: string;
};

/** Throughput of a reader of traces, MB/s. */
export interface ParserResult {
  readonly id: string;
  readonly title: string;
  readonly megabytes: number;
  readonly accesses: number;
  readonly ours: number;
  readonly js: number | null;
  readonly spread: { readonly ours: number; readonly js: number | null };
}

/** What calls cost at one size; null where a smaller size took too long already, or the tables do not fit into a linear memory. */
export interface SizeResult {
  readonly bytes: number;
  readonly tables: "templates" | "materialised";
  readonly protectUs: number | null;
  readonly unprotectUs: number | null;
  readonly populateReadUs: number | null;
  /** Page tables that the kernel would have after protecting, and linear memory that the engine took for them. */
  readonly tableBytes: number | null;
  readonly memoryBytes: number | null;
}

/** Linear memory for a guest. */
export interface MemoryResult {
  readonly id: string;
  readonly title: string;
  readonly touchedPages: number;
  readonly tableBytes: number;
  readonly memoryBytes: number;
}

/** The same rows in another virtual machine; figures by row, in the row's unit. */
export interface ElsewhereResult {
  readonly where: string;
  readonly rows: readonly { readonly id: string; readonly ours: number | null; readonly limit: number | null }[];
}

/** Everything that `npm run bench -- --json FILE` writes. */
export interface Results {
  readonly machine: string;
  readonly kernel: string;
  readonly node: string;
  readonly at: string;
  readonly rounds: number;
  readonly isQuick: boolean;
  /** Sides and places that could not be measured, with the reason. */
  readonly missing: readonly string[];
  readonly rows: readonly RowResult[];
  readonly parsers: readonly ParserResult[];
  readonly sizes: readonly SizeResult[];
  readonly memory: readonly MemoryResult[];
  readonly elsewhere: readonly ElsewhereResult[];
}

/** Nanoseconds in a unit. */
export function nsIn(unit: Unit): number {
  return unit === "us/call" ? 1000 : 1;
}

/** Makes the result of a row out of nanoseconds per unit. */
export function rowResult(row: Row, ns: Readonly<Record<string, readonly number[]>>, failure?: string): RowResult {
  const samples: Partial<Record<SideName, number[]>> = {};
  const spread: Partial<Record<SideName, number>> = {};
  const medians = Object.fromEntries(SIDES.map((side) => [side, null])) as Record<SideName, number | null>;
  for (const side of SIDES) {
    const found = ns[side];
    if (found === undefined) continue;
    const inUnit = found.map((value) => Number((value / nsIn(row.unit)).toPrecision(4)));
    samples[side] = inUnit;
    medians[side] = median(inUnit);
    spread[side] = Number(deviation(inUnit).toPrecision(3));
  }
  return {
    id: row.id,
    title: row.title,
    group: row.group,
    unit: row.unit,
    ...medians,
    work: row.units,
    kernelWork: row.questions.kernel?.units ?? null,
    limitIs: row.limitIs ?? null,
    spread,
    samples,
    ...(failure === undefined ? {} : { failure }),
  };
}
