/**
 * The comparison as text for a terminal.
 *
 * Written without a table library: columns that move below each other when the terminal is narrow are not what those
 * offer, and the rest is padding.
 */
import type { Comparison } from "../sim/comparison.js";
import { type ColumnGroup, EVENT_GROUPS, RESULT_GROUPS } from "./columns.js";
import { facts } from "./facts.js";
import { type Finding, findings, profileSentence } from "./findings.js";
import { visibleText } from "./format.js";
import { MEASURED_GROUPS, type MeasuredLine, measuredLines, measuredSentences } from "./measured.js";
import { PUBLISHED_GROUPS, type PublishedRow, publishedRows } from "./published.js";
import { ansiPaint, type Grid, type GridGroup, gridLines, noPaint, type Paint, wrapText } from "./text-layout.js";

/** Where the table goes. */
export interface TableOptions {
  /** Columns of the terminal; fewer than 40 are taken as 40. */
  readonly width: number;
  readonly color: "ansi" | "none";
}

const MINIMUM_WIDTH = 40;
const MARKS: Readonly<Record<Finding["tone"], string>> = { bad: "✗", good: "✓", plain: "•" };

/**
 * Returns what a comparison found as text for a person: what was compared, a row for each tracker, what follows from
 * them, and measured and published figures where there are some. Lines end in a newline. Text of the input has no effect on the
 * terminal: control characters in it are written as their codes.
 */
export function comparisonTable(comparison: Comparison, options: TableOptions): string {
  const width = Math.max(MINIMUM_WIDTH, Math.floor(options.width));
  const paint = options.color === "ansi" ? ansiPaint : noPaint;
  const published = publishedRows(comparison);
  const measured = measuredLines(comparison);
  const lines = [
    ...headLines(comparison, width, paint),
    "",
    ...gridLines(resultGrid(comparison), width, paint),
    "",
    ...findings(comparison).flatMap((finding) => findingLines(finding, width, paint)),
    ...wrapText(visibleText(profileSentence(comparison)), width),
    ...(measured.length === 0 ? [] : ["", ...gridLines(measuredGrid(measured, comparison), width, paint)]),
    ...measuredSentences(comparison).flatMap((sentence) => wrapText(visibleText(sentence), width)),
    ...(published.length === 0 ? [] : ["", ...gridLines(publishedGrid(published, comparison), width, paint)]),
  ];
  return lines.map((line) => `${line.trimEnd()}\n`).join("");
}

function headLines(comparison: Comparison, width: number, paint: Paint): string[] {
  const title = wrapText(visibleText(comparison.title), width).map((line) => paint(line, "strong"));
  const list = facts(comparison);
  const indent = Math.max(...list.map(({ name }) => name.length)) + 2;
  const lines = list.flatMap(({ name, text }) =>
    wrapText(visibleText(text), width - indent).map(
      (line, i) => paint((i === 0 ? name : "").padEnd(indent), "faint") + line,
    ),
  );
  return [...title, ...lines];
}

function resultGrid(comparison: Comparison): Grid {
  return {
    lead: { head: "Tracker", cells: comparison.trackers.map(({ label }) => visibleText(label)) },
    groups: gridGroups([...RESULT_GROUPS, ...EVENT_GROUPS], comparison.trackers, comparison),
  };
}

function publishedGrid(rows: readonly PublishedRow[], comparison: Comparison): Grid {
  const names = rows.map(({ label, figure }) => visibleText(`${label} (${figure.source})`));
  return {
    lead: { head: "Model and publication", cells: names },
    groups: gridGroups(PUBLISHED_GROUPS, rows, comparison),
  };
}

function measuredGrid(lines: readonly MeasuredLine[], comparison: Comparison): Grid {
  return {
    lead: { head: "Model and this host", cells: lines.map(({ label }) => visibleText(label)) },
    groups: gridGroups(MEASURED_GROUPS, lines, comparison),
  };
}

function gridGroups<Row>(
  groups: readonly ColumnGroup<Row>[],
  rows: readonly Row[],
  comparison: Comparison,
): GridGroup[] {
  return groups.map(({ title, columns }) => ({
    title,
    columns: columns.map((column) => ({ ...column, cells: rows.map((row) => column.cell(row, comparison)) })),
  }));
}

function findingLines({ tone, text }: Finding, width: number, paint: Paint): string[] {
  const lines = wrapText(visibleText(text), width - 2);
  return lines.map((line, i) => paint(`${i === 0 ? MARKS[tone] : " "} ${line}`, tone));
}
