/** The pictures of the HTML report. Each of them says its numbers in words as well. */
import { formatBytes } from "../base/pages.js";
import { type Comparison, type TrackerResult, totalNs } from "../sim/comparison.js";
import { formatCompact, formatCount, formatList, formatTime, shortenText, visibleText } from "./format.js";
import { type Markup, markup } from "./markup.js";
import { prefaultNs } from "./published.js";
import { linearScale, logScale, type Scale } from "./scale.js";
import { type Axis, type Bar, barChart, type Line, lineChart, swatch } from "./svg.js";

/** A kind of thing that bars are made of. */
interface Series {
  readonly name: string;
  /** CSS class of its segments. */
  readonly style: string;
  readonly value: (result: TrackerResult) => number;
}

/** A chart with a bar for each tracker. */
interface BarFigure {
  readonly id: string;
  readonly title: string;
  readonly note: string;
  /** Takes the whole width. */
  readonly wide?: true;
  readonly series: readonly Series[];
  /** What stands at a bar's end. */
  readonly total: (result: TrackerResult) => Pick<Bar, "text" | "tone">;
  readonly format: (value: number) => string;
  /** By default from 0 to the longest bar, without ticks. */
  readonly axis?: Axis;
}

/** Which counts of a timeline. */
type Counts = (result: TrackerResult) => readonly number[];

/** How many lines can be told apart; more trackers share the last style. */
const LINE_STYLES = 5;
const LABEL_LENGTH = 22;

const PHASES: readonly Series[] = [
  { name: "arm: pre-fault", style: "s4", value: prefaultNs },
  { name: "arm: protect", style: "s0", value: (result) => result.modelled.arm.totalNs - prefaultNs(result) },
  { name: "faults", style: "s1", value: ({ modelled }) => modelled.fault.totalNs },
  { name: "collect", style: "s3", value: ({ modelled }) => modelled.collect.totalNs },
];

const TABLES: readonly Series[] = [
  { name: "before arming", style: "neutral", value: ({ tableBytes }) => tableBytes.before },
  {
    name: "added by arming",
    style: "s0",
    value: ({ tableBytes }) => Math.max(0, tableBytes.armed - tableBytes.before),
  },
  { name: "added afterwards", style: "s1", value: ({ tableBytes }) => Math.max(0, tableBytes.end - tableBytes.armed) },
];

const ARMED: readonly Series[] = [
  { name: "none, by a marker", style: "s0", value: ({ armed }) => armed.none },
  { name: "zero page", style: "s4", value: ({ armed }) => armed.zeroPage },
  { name: "page", style: "neutral", value: ({ armed }) => armed.page },
];

const FAULTS: readonly Series[] = [
  { name: "zero page", style: "s4", value: ({ faults }) => faults.zeroPage },
  { name: "new page", style: "s0", value: ({ faults }) => faults.allocate },
  { name: "copy", style: "s2", value: ({ faults }) => faults.copy },
  { name: "wp sync", style: "s1", value: ({ faults }) => faults.wpSync },
  { name: "wp async", style: "s3", value: ({ faults }) => faults.wpAsync },
];

const DIRTY: readonly Series[] = [
  { name: "found", style: "s0", value: ({ dirty }) => dirty.found - dirty.false },
  { name: "MISSED", style: "missed", value: ({ dirty }) => dirty.missed },
  { name: "false", style: "neutral", value: ({ dirty }) => dirty.false },
];

/** Pages found and missed, faults, entries armed, page tables. */
export function countCharts(comparison: Comparison): Markup {
  const figures: BarFigure[] = [
    {
      id: "missed",
      title: "Missed pages",
      note: "Dirty pages found and missed, and pages reported for nothing.",
      series: DIRTY,
      total: ({ dirty }) => missedText(dirty.missed, comparison.dirtyPages),
      format: formatCount,
    },
    countFigure(
      "faults",
      "Faults by kind",
      "After the snapshot point: what was mapped, and write-protect faults.",
      FAULTS,
    ),
    countFigure("armed", "Entries armed", "Page-table entries that arming changed, by what they were.", ARMED),
    {
      id: "tables",
      title: "Page tables",
      note: "Memory that the page tables take in the end.",
      series: TABLES,
      total: ({ tableBytes }) => ({ text: formatBytes(tableBytes.end) }),
      format: formatBytes,
    },
  ];
  return markup`<div class="charts">${figures.map((one) => barFigure(one, comparison))}</div>`;
}

/** All of the modelled time in true proportion, then its parts on one logarithmic axis. */
export function timeCharts(comparison: Comparison): Markup {
  const parts = PHASES.map((phase, index) => partFigure(phase, index, phaseAxis(comparison)));
  const whole: BarFigure = {
    id: "time",
    title: "In all",
    note: "The sum of the four parts, in true proportion.",
    wide: true,
    series: PHASES,
    total: (result) => ({ text: formatTime(totalNs(result)) }),
    format: formatTime,
  };
  return markup`<div class="charts">${[whole, ...parts].map((one) => barFigure(one, comparison))}</div>`;
}

/** Faults over the accesses, a line for each tracker. */
export function timelineCharts(comparison: Comparison): Markup {
  const wp = timeline(comparison, "wp-line", "Write-protect faults", ({ timeline: { wpFaults } }) => wpFaults);
  const map = timeline(comparison, "map-line", "Faults that map something", ({ timeline: { mapFaults } }) => mapFaults);
  return markup`<div class="charts lines">${[wp, map]}</div>`;
}

function countFigure(id: string, title: string, note: string, series: readonly Series[]): BarFigure {
  return {
    id,
    title,
    note,
    series,
    total: (result) => ({ text: formatCount(sumOf(series, result)) }),
    format: formatCount,
  };
}

/** Bars without beginning: on a logarithmic axis the lengths of parts cannot be added, so each part has its chart. */
function partFigure(phase: Series, index: number, axis: Axis): BarFigure {
  return {
    id: `phase-${index}`,
    title: phase.name.charAt(0).toUpperCase() + phase.name.slice(1),
    note: "On a logarithmic axis.",
    series: [phase],
    total: (result) => ({ text: formatTime(phase.value(result)) }),
    format: formatTime,
    axis,
  };
}

function phaseAxis({ trackers }: Comparison): Axis {
  const scale = logScale(trackers.flatMap((result) => PHASES.map(({ value }) => value(result))));
  // three powers are one step from unit to unit; on a short axis every line has room for its number
  const every = [1, 3].find((step) => scale.ticks.length <= 4 * step + 1) ?? 6;
  return { scale, tickText: (ns) => (Math.round(Math.log10(ns)) % every === 0 ? shortTime(ns) : "") };
}

/** A power of ten in its unit: `10 µs`, and `1e3 s` where zeros would need too much room. */
function shortTime(ns: number): string {
  if (ns >= 1e12) return `${(ns / 1e9).toExponential(0).replace("+", "")} s`;
  return formatTime(ns).replace(/\.0+ /, " ");
}

function missedText(missed: number, dirtyPages: number): Pick<Bar, "text" | "tone"> {
  if (missed > 0) return { text: `✗ ${formatCount(missed)}`, tone: "bad" };
  return dirtyPages > 0 ? { text: "✓ 0", tone: "good" } : { text: "0" };
}

function barFigure(
  { id, title, note, wide, series, total, format, axis }: BarFigure,
  { trackers }: Comparison,
): Markup {
  const bars = trackers.map((result) => ({
    label: shortLabel(result),
    values: series.map(({ value }) => value(result)),
    ...total(result),
  }));
  const words = trackers.map((result, i) => {
    const parts = series.map(({ name, value }) => `${name} ${format(value(result))}`).join(", ");
    return `${shortLabel(result)}: ${bars[i]?.text ?? ""} (${parts})`;
  });
  const chart = barChart(
    { id, title, description: `${words.join("; ")}.` },
    series.map(({ style }) => style),
    bars,
    axis ?? { scale: barScale(bars), tickText: format },
  );
  const legend = series.map(({ name, style }) => markup`<li>${swatch({ segment: style })}${name}</li>`);
  const key = series.length > 1 ? markup`<ul class="legend">${legend}</ul>` : markup``;
  return markup`<figure class="${wide === true ? "wide" : ""}"><figcaption><h3>${title}</h3><p>${note}</p>${key}</figcaption>
${chart}</figure>
`;
}

/** Every bar has its number at its end: ticks would say it twice. */
function barScale(bars: readonly Bar[]): Scale {
  const longest = Math.max(0, ...bars.map(({ values }) => values.reduce((sum, value) => sum + value, 0)));
  return { ...linearScale(longest, 1), ticks: [] };
}

/** Names of rows must leave room for the numbers beside them; the tables have them in full. */
function shortLabel({ label }: TrackerResult): string {
  return shortenText(visibleText(label), LABEL_LENGTH);
}

function sumOf(series: readonly Series[], result: TrackerResult): number {
  return series.reduce((sum, { value }) => sum + value(result), 0);
}

function timeline({ trackers, accesses, snapshot }: Comparison, id: string, title: string, counts: Counts): Markup {
  const highest = Math.max(0, ...trackers.flatMap((result) => counts(result)));
  const axis = (maximum: number): Axis => ({ scale: linearScale(maximum, 4), tickText: formatCompact });
  const courses = distinctCourses(trackers, counts);
  const words = courses.map(({ text }) => text).join("; ");
  const chart = lineChart(
    { id, title, description: `Counts at the end of the ${formatCount(accesses.total)} accesses: ${words}.` },
    courses,
    { x: axis(accesses.total), y: axis(highest) },
    { at: Math.min(snapshot.at, accesses.total), text: "snapshot" },
  );
  const legend = courses.map(({ style, text }) => markup`<li>${swatch({ line: style })}${text}</li>`);
  return markup`<figure><figcaption><h3>${title}</h3><p>Cumulated over the accesses; with the count at the end.</p><ul class="legend">${legend}</ul></figcaption>
${chart}</figure>
`;
}

/** Returns a line for each course of the counts: trackers whose counts are the same at every point share one. */
function distinctCourses(trackers: readonly TrackerResult[], counts: Counts): (Line & { readonly text: string })[] {
  const courseOf = (result: TrackerResult): string => JSON.stringify([result.timeline.accesses, counts(result)]);
  const keys = trackers.map(courseOf);
  return trackers.flatMap((first, index) => {
    if (keys.indexOf(keys[index] ?? "") < index) return [];
    const same = trackers.filter((_, other) => keys[other] === keys[index]);
    return {
      style: Math.min(index, LINE_STYLES - 1),
      x: [0, ...first.timeline.accesses],
      y: [0, ...counts(first)],
      text: `${formatList(same.map(shortLabel))}: ${formatCount(counts(first).at(-1) ?? 0)}`,
    };
  });
}
