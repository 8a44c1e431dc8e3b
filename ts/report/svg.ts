/**
 * Bar and line charts as SVG text.
 *
 * Written without a plotting library: those need a DOM and would be larger than all of this package, and these charts
 * do what a library's do not: positions are shares of the width, so that text keeps its size on a phone.
 */
import { type Markup, markup } from "./markup.js";
import type { Scale } from "./scale.js";

/** What a chart says to those who do not see it. */
export interface ChartText {
  /** Unique in the document. */
  readonly id: string;
  readonly title: string;
  /** The numbers of the chart, in words. */
  readonly description: string;
}

/** A bar, made of one segment for each series. */
export interface Bar {
  readonly label: string;
  readonly values: readonly number[];
  /** What stands at its end, written out. */
  readonly text: string;
  readonly tone?: "bad" | "good";
}

/** A line through points; `style` is a number from 0 to 4, for its colour, dashes and width. */
export interface Line {
  readonly style: number;
  readonly x: readonly number[];
  readonly y: readonly number[];
}

/** An axis: where values lie and how its ticks are written. Ticks without text have only a line. */
export interface Axis {
  readonly scale: Scale;
  readonly tickText: (value: number) => string;
}

const ROW_HEIGHT = 38;
const BAR_OFFSET = 19;
const BAR_HEIGHT = 11;
const AXIS_HEIGHT = 20;
const PLOT_TOP = 20;
const PLOT_HEIGHT = 220;
/** Room for a text above the end of an axis. */
const TEXT_HEIGHT = 14;
/** Bars of a share below this are drawn with the least width that is seen. */
const LEAST_SHARE = 0.004;
const LEAST_WIDTH = 2;

/**
 * Draws a row for each bar: its name, what it comes to, and below them its segments side by side. `series` are the CSS
 * classes of the segments. Only an axis with ticks gets lines.
 */
export function barChart(text: ChartText, series: readonly string[], bars: readonly Bar[], axis: Axis): Markup {
  const ticks = axis.scale.ticks;
  const height = bars.length * ROW_HEIGHT + (ticks.length > 0 ? AXIS_HEIGHT : 0);
  const bottom = bars.length * ROW_HEIGHT;
  const lines = ticks.map((value) => verticalLine("grid", axis.scale.position(value), [BAR_OFFSET - 3, bottom]));
  const labels = ticks.map((value) =>
    tickLabel(axis.scale.position(value), bottom + TEXT_HEIGHT, axis.tickText(value)),
  );
  const rows = bars.map((bar, index) => barRow(bar, index * ROW_HEIGHT, series, axis.scale));
  return figure(text, height, [...lines, ...labels, ...rows]);
}

/**
 * Draws lines over a common x axis. They may lie on each other: earlier ones are wider, so that all of them are seen.
 * `mark` is a point of the x axis with a name.
 */
export function lineChart(
  text: ChartText,
  lines: readonly Line[],
  axes: { readonly x: Axis; readonly y: Axis },
  mark: { readonly at: number; readonly text: string },
): Markup {
  const bottom = PLOT_TOP + PLOT_HEIGHT;
  const y = axes.y.scale.ticks.map((value) => horizontalTick(axes.y, value));
  const x = axes.x.scale.ticks.map((value) =>
    tickLabel(axes.x.scale.position(value), bottom + TEXT_HEIGHT, axes.x.tickText(value)),
  );
  const share = axes.x.scale.position(mark.at);
  const anchor = share > 0.5 ? { anchor: "end", dx: -5 } : { anchor: "start", dx: 5 };
  const marking = markup`${verticalLine("mark", share, [0, bottom])}<text class="mark-text" x="${percent(share)}" dx="${anchor.dx}" y="11" text-anchor="${anchor.anchor}">${mark.text}</text>`;
  const paths = lines.map((line) => linePath(line, axes));
  // the inner picture is stretched to the width; its strokes are not, by the style sheet
  const plot = markup`<svg y="${PLOT_TOP}" width="100%" height="${PLOT_HEIGHT}" viewBox="0 0 1000 1000" preserveAspectRatio="none" overflow="visible">${paths}</svg>`;
  return figure(text, bottom + AXIS_HEIGHT, [
    ...y.map(({ line }) => line),
    ...x,
    plot,
    ...y.map(({ label }) => label),
    marking,
  ]);
}

/** Draws a short piece of a line or segment for a legend. */
export function swatch(kind: { readonly line: number } | { readonly segment: string }): Markup {
  const shape =
    "line" in kind
      ? markup`<line class="line line-${kind.line}" x1="0" x2="30" y1="6" y2="6"/>`
      : markup`<rect class="${kind.segment}" width="12" height="12"/>`;
  return markup`<svg class="swatch" width="${"line" in kind ? 30 : 12}" height="12" aria-hidden="true">${shape}</svg>`;
}

function figure({ id, title, description }: ChartText, height: number, content: readonly Markup[]): Markup {
  return markup`<svg class="chart" role="img" aria-labelledby="${id}-title ${id}-desc" width="100%" height="${height}">
<title id="${id}-title">${title}</title><desc id="${id}-desc">${description}</desc>
${content}
</svg>`;
}

function barRow({ label, values, text, tone }: Bar, top: number, series: readonly string[], scale: Scale): Markup {
  let start = 0;
  const segments = values.flatMap((value, index) => {
    const share = scale.position(value);
    const from = start;
    start += share;
    if (value <= 0) return [];
    const width = share < LEAST_SHARE ? String(LEAST_WIDTH) : percent(share);
    const x = share < LEAST_SHARE ? Math.min(from, 1 - LEAST_SHARE) : from;
    return [
      markup`<rect class="${series[index] ?? ""}" x="${percent(x)}" y="${BAR_OFFSET}" width="${width}" height="${BAR_HEIGHT}"/>`,
    ];
  });
  const at = top === 0 ? markup`<g>` : markup`<g transform="translate(0 ${top})">`;
  return markup`${at}<text class="name" y="${TEXT_HEIGHT}">${label}</text><text class="value ${tone ?? ""}" x="100%" y="${TEXT_HEIGHT}" text-anchor="end">${text}</text><rect class="track" y="${BAR_OFFSET}" width="100%" height="${BAR_HEIGHT}"/>${segments}</g>
`;
}

function horizontalTick({ scale, tickText }: Axis, value: number): { line: Markup; label: Markup } {
  const y = rounded(PLOT_TOP + (1 - scale.position(value)) * PLOT_HEIGHT);
  return {
    line: markup`<line class="grid" x1="0" x2="100%" y1="${y}" y2="${y}"/>`,
    label: markup`<text class="tick" x="0" y="${rounded(y - 3)}">${value === 0 ? "" : tickText(value)}</text>`,
  };
}

function linePath({ style, x, y }: Line, axes: { readonly x: Axis; readonly y: Axis }): Markup {
  const points = x.map((value, index) => {
    const px = rounded(axes.x.scale.position(value) * 1000);
    return `${px},${rounded((1 - axes.y.scale.position(y[index] ?? 0)) * 1000)}`;
  });
  return markup`<polyline class="line line-${style}" points="${points.join(" ")}"/>`;
}

function verticalLine(name: string, share: number, [top, bottom]: readonly [number, number]): Markup {
  return markup`<line class="${name}" x1="${percent(share)}" x2="${percent(share)}" y1="${top}" y2="${bottom}"/>`;
}

/** A text below an axis; at its ends it stays inside. */
function tickLabel(share: number, y: number, text: string): Markup {
  const anchor = share < 0.08 ? "start" : share > 0.92 ? "end" : "middle";
  return markup`<text class="tick" x="${percent(share)}" y="${y}" text-anchor="${anchor}">${text}</text>`;
}

function percent(share: number): string {
  return `${rounded(share * 100)}%`;
}

function rounded(value: number): number {
  return Math.round(value * 100) / 100;
}
