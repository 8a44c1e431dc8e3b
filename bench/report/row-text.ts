import { deviation } from "../harness.js";
import type { RowResult, SideName } from "../results.js";

/** What the sides are called where there is little room. */
const SHORT: Readonly<Record<SideName, string>> = {
  ours: "ours",
  kernel: "kernel",
  native: "C",
  branchy: "branchy C",
  sse42: "SSE4.2 C",
  js: "JS",
  map: "Map",
  limit: "limit",
};
const OTHERS: readonly SideName[] = ["kernel", "native", "branchy", "sse42", "limit", "js", "map"];

/** Writes a number with three digits that count, and no exponent. */
export function figure(value: number): string {
  if (value === 0) return "0";
  const digits = Math.floor(Math.log10(Math.abs(value)));
  const text = value.toFixed(Math.min(5, Math.max(0, 2 - digits)));
  return value >= 10000 ? Math.round(value).toLocaleString("en-US") : text;
}

/** How many times as long as ours another side takes; null where one of them was not measured. */
export function ratioTo(row: RowResult, side: SideName): number | null {
  const ours = row.ours;
  const other = row[side];
  return ours === null || other === null || ours === 0 ? null : other / ours;
}

/** How far the ratios of the single rounds are apart: the median absolute deviation of one side's time over another's. */
export function ratioSpread(row: RowResult, over: SideName, under: SideName): number | null {
  const upper = row.samples[over];
  const lower = row.samples[under];
  if (upper === undefined || lower === undefined) return null;
  // the first samples are those of rounds in which both took part
  const rounds = Math.min(upper.length, lower.length);
  return deviation(upper.slice(0, rounds).map((value, round) => value / (lower[round] ?? NaN)));
}

/** Writes a line for the terminal. */
export function rowLine(row: RowResult): string {
  const start = row.id.padEnd(26);
  if (row.failure !== undefined) return `${start} not measured: ${row.failure}`;
  const ours = `${figure(row.ours ?? NaN)} ± ${figure(row.spread.ours ?? NaN)}`.padStart(18);
  const others = OTHERS.flatMap((side) => {
    const value = row[side];
    const ratio = ratioTo(row, side);
    return value === null ? [] : [`${SHORT[side]} ${figure(value)} (${ratio === null ? "–" : figure(ratio)}x)`];
  });
  return `${start} ${ours} ${row.unit.padEnd(9)} ${others.join(", ")}`;
}
