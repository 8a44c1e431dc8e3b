import type { RowResult, SideName } from "../results.js";
import { figure } from "./row-text.js";

type Rows = ReadonlyMap<string, RowResult>;

/** Why a goal may stay out of reach, as far as profiles of instructions and the other sides of the same rows tell. */
const REASONS: readonly (readonly [goals: readonly string[], reason: (rows: Rows) => string])[] = [
  [
    ["protect-none/js", "unprotect-markers/js", "first-protect/js"],
    () =>
      "JavaScript's side is one `fill` of a flat array, at the speed of memory: what writes the same bytes cannot be four times as fast. Its memory in `first-protect` may also be recycled, ours never is.",
  ],
  [
    ["protect-none/limit"],
    () =>
      "The limit fills bytes. A marker has eight different ones, so each table is copied from a template, which by itself takes 1.4 × of the fill: 57 to 61 ns beside 41 to 44.",
  ],
  [
    ["unprotect-markers/limit", "first-protect/limit", "protect-present/limit", "unprotect-present/limit"],
    () =>
      "A table's walk and its counts take 15 to 20 ns, beside 44 ns of filling 4 KiB or 70 ns of changing them by SIMD. Both sides take a tenth of a millisecond, so what else uses the processor's shared cache moves the ratio from run to run.",
  ],
  [
    ["protect-mixed/branchy"],
    (rows) =>
      `WebAssembly's vectors have 128 bits. C with vectors of that size is ${timesAsFast(rows, "protect-mixed", "branchy", "sse42")} × as fast as C that branches; the wider ones that C has here are out of reach.`,
  ],
  [
    ["scan-1pct/kernel"],
    (rows) =>
      `A table takes some 20 ns to get to and 15 ns to look for the edges of runs; some 10,500 regions are stored, and copied out in rounds of 512 as in the kernel. C does all of that in one loop without rounds, and is ${timesAsFast(rows, "scan-1pct", "kernel", "native")} × as fast as the kernel.`,
  ],
  [
    ["scan-clean/js", "scan-1pct/js", "scan-written/js"],
    () =>
      "JavaScript's side scans one flat array of bits and gives pairs of numbers; ours walks tables and gives regions with categories, in rounds of 512 as the kernel has them.",
  ],
  [
    ["replay-sequential/js", "replay-uniform/js", "replay-zipf/js", "replay-steady/js"],
    () =>
      "A fault changes an entry, two counts, a content, two bits of the shadow and a counter; some 150 instructions, most of them waiting for these. JavaScript's side has flat arrays for one range and no descent.",
  ],
  [
    ["replay-sequential/native", "replay-steady/null"],
    (rows) =>
      `Without a fault an access is an address, a directory, a byte and a shift. C has one range and a byte a page; sequential accesses without faults take ${timesAsFast(rows, "replay-steady-sequential", "ours", "native")} × its time here, random ones ${timesAsFast(rows, "replay-steady", "ours", "native")} ×.`,
  ],
  [
    ["replay-sequential/map", "replay-uniform/map", "replay-zipf/map"],
    (rows) =>
      `An access of a Map takes the time of a look-up in some 30 MiB, whether it faults or not: uniform ones ${timesAsFast(rows, "replay-uniform", "map", "ours")} × ours with faults, ${timesAsFast(rows, "replay-steady", "map", "ours")} × without.`,
  ],
  [
    ["touch-all-after-arm/limit"],
    () =>
      "Both write the same tables; shared ones are copied from a template first, real ones are fresh from the start. From run to run the ratio is between 0.8 and 1.4.",
  ],
];

/** Returns what stands in the way of goals that are not met, named ROW/SIDE. */
export function whyNot(missed: readonly string[], rows: Rows): string[] {
  return REASONS.flatMap(([goals, reason]) => {
    const meant = goals.filter((goal) => missed.includes(goal));
    if (meant.length === 0) return [];
    const names = [...new Set(meant.map((goal) => `\`${goal.slice(0, goal.indexOf("/"))}\``))];
    return [`- ${names.join(", ")}: ${reason(rows)}`];
  });
}

/** How many times as fast as one side another one is. */
function timesAsFast(rows: Rows, id: string, slow: SideName, fast: SideName): string {
  const row = rows.get(id);
  const [slower, faster] = [row?.[slow] ?? null, row?.[fast] ?? null];
  return slower === null || faster === null ? "–" : figure(slower / faster);
}
