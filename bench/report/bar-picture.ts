import { logScale } from "../../ts/report/scale.js";
import type { Results, RowResult, SideName } from "../results.js";
import { nsIn } from "../results.js";
import { escaped, picture } from "./picture.js";
import { figure } from "./row-text.js";

/** Sides that have a bar, with their colours. */
const BARS: readonly (readonly [side: SideName, name: string])[] = [
  ["ours", "pte-engine"],
  ["native", "C"],
  ["kernel", "Linux kernel"],
  ["js", "JavaScript, typed arrays"],
];
const WIDTH = 900;
const LABEL_WIDTH = 230;
const VALUE_WIDTH = 70;
const BAR_HEIGHT = 9;
const BAR_PITCH = 11;
const ROW_GAP = 12;
const TOP = 62;
const BOTTOM = 34;

/** Draws a group of bars for each row, on a scale of powers of ten: nanoseconds for an entry, an access, a fault or a call. */
export function barPicture(results: Results): string {
  const rows = results.rows.filter((row) => row.ours !== null);
  const values = rows.flatMap((row) => BARS.map(([side]) => nsOf(row, side) ?? 0));
  const scale = logScale(values);
  const x = (ns: number): number => LABEL_WIDTH + scale.position(ns) * (WIDTH - LABEL_WIDTH - VALUE_WIDTH);
  let top = TOP;
  const groups: string[] = [];
  for (const row of rows) {
    const drawn = rowOf(row, top, x, LABEL_WIDTH);
    groups.push(drawn.svg);
    top += drawn.height + ROW_GAP;
  }
  const grid = scale.ticks.map((tick) => tickAt(x(tick), top, tick));
  return picture({
    width: WIDTH,
    height: top + BOTTOM,
    title: "Time for one entry, access, fault or call",
    description: rows.map((row) => `${row.title}: ${wordsOf(row)}`).join("; "),
    content: [legend(), ...grid, ...groups].join("\n"),
  });
}

function nsOf(row: RowResult, side: SideName): number | null {
  const value = row[side];
  return value === null ? null : value * nsIn(row.unit);
}

function rowOf(row: RowResult, top: number, x: (ns: number) => number, start: number): { svg: string; height: number } {
  const bars = BARS.flatMap(([side], color) => {
    const ns = nsOf(row, side);
    return ns === null ? [] : [{ ns, color }];
  });
  const height = bars.length * BAR_PITCH;
  const svg = bars.map(({ ns, color }, i) => {
    const y = top + i * BAR_PITCH;
    const end = Math.max(x(ns), start + 2);
    return `<rect class="s${color}" x="${start}" y="${y}" width="${(end - start).toFixed(1)}" height="${BAR_HEIGHT}"/><text class="value" x="${(end + 4).toFixed(1)}" y="${y + BAR_HEIGHT - 1}">${time(ns)}</text>`;
  });
  const label = `<text class="name" x="${start - 8}" y="${top + height / 2 + 3}" text-anchor="end">${escaped(row.id)}</text>`;
  return { svg: [label, ...svg].join(""), height };
}

function tickAt(x: number, bottom: number, ns: number): string {
  return `<line class="grid" x1="${x.toFixed(1)}" x2="${x.toFixed(1)}" y1="${TOP - 6}" y2="${bottom}"/><text class="tick" x="${x.toFixed(1)}" y="${bottom + 14}" text-anchor="middle">${time(ns)}</text>`;
}

function legend(): string {
  const entries = BARS.map(
    ([, name], color) =>
      `<rect class="s${color}" x="${16 + color * 190}" y="34" width="12" height="12"/><text class="name" x="${33 + color * 190}" y="44">${name}</text>`,
  );
  return `<text class="title" x="16" y="22">Time for one entry, access, fault or call (shorter is faster; each line is ten times the one before)</text>${entries.join("")}`;
}

function wordsOf(row: RowResult): string {
  return BARS.flatMap(([side, name]) => {
    const ns = nsOf(row, side);
    return ns === null ? [] : [`${name} ${time(ns)}`];
  }).join(", ");
}

/** Writes a time in the unit that suits it. */
export function time(ns: number): string {
  if (ns >= 1e9) return `${figure(ns / 1e9)} s`;
  if (ns >= 1e6) return `${figure(ns / 1e6)} ms`;
  if (ns >= 1e3) return `${figure(ns / 1e3)} µs`;
  return ns < 1 ? `${Number(ns.toPrecision(3))} ns` : `${figure(ns)} ns`;
}
