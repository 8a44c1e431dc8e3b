import { formatBytes } from "../../ts/base/pages.js";
import { logScale } from "../../ts/report/scale.js";
import type { SizeResult } from "../results.js";
import { time } from "./bar-picture.js";
import { picture } from "./picture.js";

type Call = "protectUs" | "unprotectUs" | "populateReadUs";

const CALLS: readonly (readonly [call: Call, name: string])[] = [
  ["protectUs", "protect"],
  ["unprotectUs", "unprotect"],
  ["populateReadUs", "populate-read"],
];
const WIDTH = 900;
const HEIGHT = 420;
const LEFT = 64;
const RIGHT = 36;
const TOP = 66;
const BOTTOM = 44;

/** Draws what calls cost at every size, both axes in powers. */
export function sizePicture(sizes: readonly SizeResult[]): string {
  const bytes = [...new Set(sizes.map((size) => size.bytes))].sort((a, b) => a - b);
  const scale = logScale(sizes.flatMap((size) => CALLS.map(([call]) => size[call] ?? 0)));
  const least = Math.log2(bytes[0] ?? 1);
  const span = Math.max(1, Math.log2(bytes.at(-1) ?? 2) - least);
  const x = (value: number): number => LEFT + ((Math.log2(value) - least) / span) * (WIDTH - LEFT - RIGHT);
  const y = (us: number): number => HEIGHT - BOTTOM - scale.position(us) * (HEIGHT - TOP - BOTTOM);
  const grid = scale.ticks.map(
    (us) =>
      `<line class="grid" x1="${LEFT}" x2="${WIDTH - RIGHT}" y1="${y(us).toFixed(1)}" y2="${y(us).toFixed(1)}"/><text class="tick" x="${LEFT - 6}" y="${(y(us) + 3).toFixed(1)}" text-anchor="end">${time(us * 1000)}</text>`,
  );
  const labels = bytes.map(
    (size) =>
      `<text class="tick" x="${x(size).toFixed(1)}" y="${HEIGHT - BOTTOM + 18}" text-anchor="middle">${formatBytes(size)}</text>`,
  );
  const lines = (["templates", "materialised"] as const).flatMap((tables) => {
    const of = sizes.filter((size) => size.tables === tables);
    return CALLS.map(([call], color) => curve(pointsOf(of, call, x, y), color, tables === "materialised"));
  });
  return picture({
    width: WIDTH,
    height: HEIGHT,
    title: "Time for one call on a range of which nothing was there",
    description: sizes.map((size) => `${formatBytes(size.bytes)} ${size.tables}: ${wordsOf(size)}`).join("; "),
    content: [legend(), ...grid, ...labels, ...lines].join("\n"),
  });
}

function pointsOf(
  sizes: readonly SizeResult[],
  call: Call,
  x: (bytes: number) => number,
  y: (us: number) => number,
): (readonly [x: string, y: string])[] {
  return sizes.flatMap((size) => {
    const us = size[call];
    return us === null ? [] : [[x(size.bytes).toFixed(1), y(us).toFixed(1)] as const];
  });
}

function curve(points: readonly (readonly [x: string, y: string])[], color: number, isDashed: boolean): string {
  const dots = points.map(([x, y]) => `<circle class="s${DOTS[color] ?? 0}" cx="${x}" cy="${y}" r="2.5"/>`);
  const path = points.map((point) => point.join(",")).join(" ");
  return `<polyline class="line l${color}${isDashed ? " dashed" : ""}" points="${path}"/>${dots.join("")}`;
}

/** Fills of the same colours as the strokes. */
const DOTS: readonly number[] = [0, 1, 4];

function legend(): string {
  const entries = CALLS.map(
    ([, name], color) =>
      `<line class="line l${color}" x1="${16 + color * 130}" x2="${44 + color * 130}" y1="40" y2="40"/><text class="name" x="${50 + color * 130}" y="44">${name}</text>`,
  );
  return `<text class="title" x="16" y="22">Time for one call on a range of which nothing was there</text>${entries.join("")}<line class="line l0 dashed" x1="420" x2="448" y1="40" y2="40"/><text class="name" x="454" y="44">dashed: every page table is really there</text>`;
}

function wordsOf(size: SizeResult): string {
  return CALLS.map(([call, name]) => `${name} ${usText(size[call])}`).join(", ");
}

/** Writes microseconds, or a dash. */
export function usText(us: number | null): string {
  return us === null ? "–" : time(us * 1000);
}
