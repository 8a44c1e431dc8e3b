import type { RowResult, SideName } from "../results.js";
import { ratioSpread, ratioTo } from "./row-text.js";

/** What a row is to reach. */
export interface Goal {
  readonly row: string;
  /** What the row is compared with. */
  readonly to: SideName | null;
  readonly text: string;
  readonly atLeast?: number;
  readonly atMost?: number;
  /** The figure that is compared; null where it was not measured. */
  readonly value: (rows: ReadonlyMap<string, RowResult>) => number | null;
  /** How far that is apart from round to round. */
  readonly spread: (rows: ReadonlyMap<string, RowResult>) => number | null;
  readonly unit: "×" | "ns";
}

const NAMES: Readonly<Record<SideName, string>> = {
  ours: "ours",
  kernel: "the kernel",
  native: "C",
  branchy: "C that branches",
  sse42: "C for SSE4.2",
  js: "typed arrays",
  map: "a Map",
  limit: "the limit",
};
const TYPED_ARRAYS = 4;
const MAP = 60;

/** Our rows that plain JavaScript is compared with. */
const AGAINST_JS: readonly string[] = [
  "protect-none",
  "unprotect-markers",
  "first-protect",
  "protect-empty-4g",
  "protect-present",
  "unprotect-present",
  "protect-mixed",
  "scan-clean",
  "scan-1pct",
  "scan-written",
  "replay-sequential",
  "replay-uniform",
  "replay-zipf",
  "replay-steady",
];

export const GOALS: readonly Goal[] = [
  faster("protect-none", "kernel", 14),
  within("protect-none", "limit", 1.3),
  faster("unprotect-markers", "kernel", 14),
  within("unprotect-markers", "limit", 1.3),
  within("first-protect", "limit", 1.2),
  faster("protect-empty-4g", "kernel", 1000),
  withinRow("protect-empty-64t", "protect-empty-4g", 4),
  faster("protect-present", "kernel", 60),
  within("protect-present", "limit", 1.4),
  faster("unprotect-present", "kernel", 40),
  within("unprotect-present", "limit", 1.8),
  faster("protect-mixed", "branchy", 6),
  within("protect-mixed", "sse42", 1),
  faster("scan-clean", "kernel", 50),
  faster("scan-1pct", "kernel", 50),
  faster("scan-written", "kernel", 10),
  within("replay-sequential", "native", 1.6),
  within("replay-uniform", "native", 1.6),
  within("replay-zipf", "native", 1.6),
  {
    row: "replay-steady",
    to: null,
    text: "at most 2 ns an access",
    atMost: 2,
    unit: "ns",
    value: oursOf("replay-steady"),
    spread: spreadOfOurs("replay-steady"),
  },
  within("touch-all-after-arm", "limit", 1.1),
  ...AGAINST_JS.map((row) => faster(row, "js", TYPED_ARRAYS)),
  ...AGAINST_JS.map((row) => faster(row, "map", MAP)),
];

/** Tells whether a goal is met; null where it was not measured. */
export function isMet({ atLeast, atMost }: Goal, value: number | null): boolean | null {
  if (value === null) return null;
  return value >= (atLeast ?? -Infinity) && value <= (atMost ?? Infinity);
}

function faster(row: string, side: SideName, times: number): Goal {
  return {
    row,
    to: side,
    text: `at least ${times.toLocaleString("en-US")} × as fast as ${NAMES[side]}`,
    atLeast: times,
    unit: "×",
    value: (rows) => {
      const found = rows.get(row);
      return found === undefined ? null : ratioTo(found, side);
    },
    spread: (rows) => roundsApart(rows.get(row), side, "ours"),
  };
}

function within(row: string, side: SideName, times: number): Goal {
  return {
    row,
    to: side,
    text: times === 1 ? `no slower than ${NAMES[side]}` : `at most ${times} × the time of ${NAMES[side]}`,
    atMost: times,
    unit: "×",
    value: (rows) => {
      const found = rows.get(row);
      const ratio = found === undefined ? null : ratioTo(found, side);
      return ratio === null ? null : 1 / ratio;
    },
    spread: (rows) => roundsApart(rows.get(row), "ours", side),
  };
}

function withinRow(row: string, other: string, times: number): Goal {
  return {
    row,
    to: null,
    text: `at most ${times} × the time of ${other}`,
    atMost: times,
    unit: "×",
    value: (rows) => {
      const ours = rows.get(row)?.ours ?? null;
      const others = rows.get(other)?.ours ?? null;
      return ours === null || others === null ? null : ours / others;
    },
    spread: () => null, // rows do not take turns with each other
  };
}

function oursOf(row: string): Goal["value"] {
  return (rows) => rows.get(row)?.ours ?? null;
}

function spreadOfOurs(row: string): Goal["spread"] {
  return (rows) => rows.get(row)?.spread.ours ?? null;
}

function roundsApart(row: RowResult | undefined, over: SideName, under: SideName): number | null {
  return row === undefined ? null : ratioSpread(row, over, under);
}
