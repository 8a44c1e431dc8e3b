/** The columns of the comparison, told once: the terminal table and the HTML tables show the same cells. */
import { formatBytes } from "../base/pages.js";
import { type Comparison, type TrackerResult, totalNs } from "../sim/comparison.js";
import { formatCount, formatTime } from "./format.js";

/** `good` and `bad` carry a mark in their text, so that no meaning hangs on a colour alone. */
export interface Cell {
  readonly text: string;
  readonly tone: "plain" | "good" | "bad";
}

/** One column: its head and its cell in a row. */
export interface Column<Row> {
  readonly head: string;
  /** The column a reader must see. */
  readonly emphasis?: true;
  readonly cell: (row: Row, comparison: Comparison) => Cell;
}

/** Columns that stand together under one head. */
export interface ColumnGroup<Row> {
  readonly title: string;
  readonly columns: readonly Column<Row>[];
}

/** What the trackers found and what they cost. */
export const RESULT_GROUPS: readonly ColumnGroup<TrackerResult>[] = [
  {
    title: "dirty pages",
    columns: [
      count("found", ({ dirty }) => dirty.found),
      { head: "MISSED", emphasis: true, cell: missedCell },
      count("false", ({ dirty }) => dirty.false),
    ],
  },
  {
    title: "modelled time",
    columns: [
      time("arm", ({ modelled }) => modelled.arm.totalNs),
      time("faults", ({ modelled }) => modelled.fault.totalNs),
      time("collect", ({ modelled }) => modelled.collect.totalNs),
      time("total", totalNs),
    ],
  },
  {
    title: "page tables",
    columns: [
      bytes("before", ({ tableBytes }) => tableBytes.before),
      bytes("→ armed", ({ tableBytes }) => tableBytes.armed),
      count("new PTE", ({ pteTables }) => pteTables.armed - pteTables.before),
    ],
  },
];

/** What happened on the way: arming, then the faults after the snapshot point. */
export const EVENT_GROUPS: readonly ColumnGroup<TrackerResult>[] = [
  {
    title: "entries armed",
    columns: [
      count("none", ({ armed }) => armed.none),
      count("page", ({ armed }) => armed.page),
      count("zero", ({ armed }) => armed.zeroPage),
      count("pre-faulted", ({ prefaulted }) => prefaulted),
    ],
  },
  {
    title: "mapping faults",
    columns: [
      count("zero", ({ faults }) => faults.zeroPage),
      count("new", ({ faults }) => faults.allocate),
      count("copy", ({ faults }) => faults.copy),
    ],
  },
  {
    title: "wp faults",
    columns: [
      count("sync", ({ faults }) => faults.wpSync),
      count("async", ({ faults }) => faults.wpAsync),
      count("messages", ({ messages }) => messages),
    ],
  },
];

/** More of the results, for which a terminal has no room. */
export const RESULT_DETAIL_GROUPS: readonly ColumnGroup<TrackerResult>[] = [
  { title: "in the end", columns: [bytes("page tables", ({ tableBytes }) => tableBytes.end)] },
];

/** More of what happened, for which a terminal has no room. */
export const EVENT_DETAIL_GROUPS: readonly ColumnGroup<TrackerResult>[] = [
  {
    title: "exceptions",
    columns: [
      count("0x4 read", ({ faults }) => faults.exceptions.readNotPresent),
      count("0x6 write", ({ faults }) => faults.exceptions.writeNotPresent),
      count("0x7 wp", ({ faults }) => faults.exceptions.writeProtected),
    ],
  },
  { title: "on a marker", columns: [count("faults", ({ faults }) => faults.marker)] },
];

function plainColumn(head: string, text: (result: TrackerResult) => string): Column<TrackerResult> {
  return { head, cell: (result) => ({ text: text(result), tone: "plain" }) };
}

function count(head: string, value: (result: TrackerResult) => number): Column<TrackerResult> {
  return plainColumn(head, (result) => formatCount(value(result)));
}

function time(head: string, ns: (result: TrackerResult) => number): Column<TrackerResult> {
  return plainColumn(head, (result) => formatTime(ns(result)));
}

function bytes(head: string, value: (result: TrackerResult) => number): Column<TrackerResult> {
  return plainColumn(head, (result) => formatBytes(value(result)));
}

/** To miss none of none is no merit: without dirty pages the cell praises nobody. */
function missedCell({ dirty }: TrackerResult, { dirtyPages }: Comparison): Cell {
  if (dirty.missed > 0) return { text: `✗ ${formatCount(dirty.missed)}`, tone: "bad" };
  return dirtyPages > 0 ? { text: "✓ 0", tone: "good" } : { text: "0", tone: "plain" };
}
