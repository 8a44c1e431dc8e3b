/** Text for a terminal of a given width: wrapped lines, and grids whose column groups move below each other. */
import type { Cell } from "./columns.js";

/** How a piece of text is painted; without colours it is returned as it is. */
export type Paint = (text: string, style: Style) => string;

/** What a piece of text is. */
export type Style = "strong" | "faint" | "bad" | "good" | "plain";

/** A column of cells, aligned at the right. */
export interface GridColumn {
  readonly head: string;
  readonly emphasis?: true;
  readonly cells: readonly Cell[];
}

/** Columns that are never torn apart, under one title. */
export interface GridGroup {
  readonly title: string;
  readonly columns: readonly GridColumn[];
}

/** A table whose first column names the rows. */
export interface Grid {
  readonly lead: { readonly head: string; readonly cells: readonly string[] };
  readonly groups: readonly GridGroup[];
}

const COLUMN_GAP = "  ";
const GROUP_GAP = "   ";
/** Part of the width that the names of the rows may take before they wrap. */
const LEAD_SHARE = 0.24;
const LEAD_MINIMUM = 14;

/** SGR parameters of ECMA-48. */
const SGR: Readonly<Record<Style, string>> = { strong: "1", faint: "2", bad: "1;31", good: "32", plain: "" };

/** Paints with ANSI escape sequences. */
export const ansiPaint: Paint = (text, style) => (SGR[style] === "" ? text : `\u001b[${SGR[style]}m${text}\u001b[0m`);

/** Paints nothing. */
export const noPaint: Paint = (text) => text;

/** Breaks text at spaces into lines of at most `width` characters; a word that is longer is cut. At least one line. */
export function wrapText(text: string, width: number): string[] {
  const lines = [""];
  for (const word of text.split(" ").flatMap((whole) => cutWord(whole, width))) {
    const line = lines.at(-1) ?? "";
    const longer = line === "" ? word : `${line} ${word}`;
    if (textWidth(longer) <= width) lines[lines.length - 1] = longer;
    else lines.push(word);
  }
  return lines;
}

/**
 * Lays out a grid. Groups stand beside each other as far as `width` allows and continue below, where the names of the
 * rows are repeated; a group wider than `width` stands alone and keeps its width.
 */
export function gridLines(grid: Grid, width: number, paint: Paint): string[] {
  const groups = grid.groups.map(measureGroup);
  const lead = grid.lead.cells.map((name) => wrapText(name, leadLimit(groups, width)));
  const leadWidth = Math.max(textWidth(grid.lead.head), ...lead.flat().map(textWidth));
  const panels = packGroups(groups, width - leadWidth);
  return panels.flatMap((panel, index) => {
    const heads = [titleLine(panel, leadWidth), headLine(panel, grid.lead.head.padEnd(leadWidth), paint)];
    const rows = lead.flatMap((names, row) => rowLines(panel, names, row, leadWidth, paint));
    return [...(index === 0 ? [] : [""]), paint(heads[0] ?? "", "faint"), heads[1] ?? "", ...rows];
  });
}

interface MeasuredGroup {
  readonly title: string;
  readonly columns: readonly (GridColumn & { readonly width: number })[];
  readonly width: number;
}

function measureGroup({ title, columns }: GridGroup): MeasuredGroup {
  const widths = columns.map(({ head, cells }) =>
    Math.max(textWidth(head), ...cells.map(({ text }) => textWidth(text))),
  );
  const inner = widths.reduce((sum, width) => sum + width, COLUMN_GAP.length * (columns.length - 1));
  const width = Math.max(inner, textWidth(title));
  // what a long title needs beyond its columns goes to the first of them
  const measured = columns.map((column, i) => ({ ...column, width: (widths[i] ?? 0) + (i === 0 ? width - inner : 0) }));
  return { title, columns: measured, width };
}

/** Names take a share of the width; all that is left, when no group has to move below. */
function leadLimit(groups: readonly MeasuredGroup[], width: number): number {
  const needed = groups.reduce((sum, group) => sum + GROUP_GAP.length + group.width, 0);
  return Math.max(LEAD_MINIMUM, Math.floor(width * LEAD_SHARE), width - needed);
}

function packGroups(groups: readonly MeasuredGroup[], width: number): MeasuredGroup[][] {
  const panels: MeasuredGroup[][] = [];
  let left = 0;
  for (const group of groups) {
    const needed = GROUP_GAP.length + group.width;
    if (panels.length === 0 || needed > left) {
      panels.push([]);
      left = width;
    }
    panels.at(-1)?.push(group);
    left -= needed;
  }
  return panels;
}

function titleLine(panel: readonly MeasuredGroup[], leadWidth: number): string {
  const titles = panel.map(({ title, width }) => {
    const rule = width - textWidth(title) - 1;
    return rule > 0 ? `${title} ${"─".repeat(rule)}` : title.padEnd(width);
  });
  return [" ".repeat(leadWidth), ...titles].join(GROUP_GAP);
}

function headLine(panel: readonly MeasuredGroup[], lead: string, paint: Paint): string {
  const groups = panel.map(({ columns }) =>
    columns
      .map(({ head, width, emphasis }) => paint(padStart(head, width), emphasis === true ? "strong" : "faint"))
      .join(COLUMN_GAP),
  );
  return [paint(lead, "faint"), ...groups].join(GROUP_GAP);
}

/** The lines of one row: as many as its name has, with the cells in the first. */
function rowLines(
  panel: readonly MeasuredGroup[],
  names: readonly string[],
  row: number,
  leadWidth: number,
  paint: Paint,
): string[] {
  const groups = panel.map(({ columns }) =>
    columns.map(({ cells, width }) => paintCell(cells[row], width, paint)).join(COLUMN_GAP),
  );
  return names.map((name, line) => (line === 0 ? [padEnd(name, leadWidth), ...groups].join(GROUP_GAP) : name));
}

function paintCell(cell: Cell | undefined, width: number, paint: Paint): string {
  const { text, tone } = cell ?? { text: "", tone: "plain" };
  const quiet = tone === "plain" && (text === "0" || text === "–");
  return paint(padStart(text, width), quiet ? "faint" : tone);
}

function cutWord(word: string, width: number): string[] {
  const characters = Array.from(word);
  const pieces = Math.max(1, Math.ceil(characters.length / width));
  return Array.from({ length: pieces }, (_, i) => characters.slice(i * width, (i + 1) * width).join(""));
}

/** Columns that a text takes, with one for each character: our own words need no more, and names only wrap by it. */
function textWidth(text: string): number {
  return Array.from(text).length;
}

function padStart(text: string, width: number): string {
  return " ".repeat(Math.max(0, width - textWidth(text))) + text;
}

function padEnd(text: string, width: number): string {
  return text + " ".repeat(Math.max(0, width - textWidth(text)));
}
