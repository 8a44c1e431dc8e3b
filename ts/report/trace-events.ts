/**
 * A film as a file in the Trace Event Format (chrome://tracing, https://ui.perfetto.dev), with modelled time for time: what the kernel, the copier
 * and the handler do as slices, writes that wait as asynchronous slices, since several wait at once, and counts as counters.
 */
import { hex, PAGE_SIZE } from "../base/pages.js";
import type { FilmCourse } from "../sim/film/film-log.js";
import { filmTrackerLabel } from "../sim/film/film-options.js";
import type { Frame } from "../sim/film/film-run.js";
import type { FilmSummary } from "../sim/film/snapshot-film.js";
import { formatCount } from "./format.js";

/** One event. Times are microseconds. */
export interface TraceEvent {
  readonly name: string;
  /** A slice, the beginning and end of an asynchronous one, a counter, an instant, or something about a process or thread. */
  readonly ph: "X" | "b" | "e" | "C" | "i" | "M";
  readonly pid: number;
  readonly tid: number;
  readonly ts: number;
  readonly dur?: number;
  readonly cat?: string;
  /** Brings the beginning and the end of an asynchronous slice together. */
  readonly id?: string;
  /** What an instant concerns: the process. */
  readonly s?: "p";
  readonly args?: Readonly<Record<string, string | number>>;
}

/** A whole file: `JSON.stringify` it. */
export interface TraceEventFile {
  readonly traceEvents: readonly TraceEvent[];
  readonly displayTimeUnit: "ns";
  readonly otherData: Readonly<Record<string, string>>;
}

/** A film that is over. */
export interface FilmRecord {
  readonly frames: readonly Frame[];
  readonly summary: FilmSummary;
  readonly course: FilmCourse;
}

const PID = 1;
/** Threads, in the order in which they are shown. */
const THREADS = ["guest", "kernel: prepare and protect", "copier", "fault handler"] as const;
const [GUEST, KERNEL, COPIER, HANDLER] = [1, 2, 3, 4];
const FAULT_NAMES = { page: "page", marker: "marker", zeroPage: "zero page" } as const;

/** Returns the events of a film. It begins with what is done before the snapshot, so that no time is negative. */
export function traceEvents({ frames, summary, course }: FilmRecord): TraceEventFile {
  const { prepare, arm, profile, tracker } = summary;
  const snapshotNs = prepare.totalNs + arm.totalNs;
  const at = (ns: number): number => micros(snapshotNs + ns);
  return {
    traceEvents: [
      ...names(`background snapshot: ${filmTrackerLabel(tracker)}`),
      ...preparation(summary),
      { name: "snapshot", ph: "i", s: "p", pid: PID, tid: GUEST, ts: at(0) },
      ...copying(course, at),
      ...answers(course, at),
      ...counters(frames, at),
    ],
    displayTimeUnit: "ns",
    otherData: {
      tracker: filmTrackerLabel(tracker),
      time: "modelled: counts of the engine times the figures of the cost profile",
      profile: `${profile.name}: ${profile.provenance}`,
      faults: `${formatCount(course.faults.length)} answered faults; ${formatCount(course.leftOut)} later ones are left out`,
    },
  };
}

function names(process: string): TraceEvent[] {
  const about = { ph: "M", pid: PID, ts: 0 } as const;
  return [
    { ...about, name: "process_name", tid: 0, args: { name: process } },
    ...THREADS.flatMap((name, index): TraceEvent[] => [
      { ...about, name: "thread_name", tid: index + 1, args: { name } },
      { ...about, name: "thread_sort_index", tid: index + 1, args: { sort_index: index } },
    ]),
  ];
}

function preparation({ prepare, arm, durationNs, tracker }: FilmSummary): TraceEvent[] {
  const events: TraceEvent[] = [];
  const add = (tid: number, name: string, fromNs: number, ns: number): void => {
    if (ns > 0) events.push({ name, ph: "X", cat: "kernel", pid: PID, tid, ts: micros(fromNs), dur: micros(ns) });
  };
  const pauseNs = tracker === "stop" ? durationNs : arm.totalNs;
  add(GUEST, "guest stands still", prepare.totalNs, pauseNs);
  add(KERNEL, tracker === "wp-populate-read" ? "MADV_POPULATE_READ" : "read every page", 0, prepare.totalNs);
  add(KERNEL, "UFFDIO_WRITEPROTECT", prepare.totalNs, arm.totalNs);
  return events;
}

function copying({ chunks }: FilmCourse, at: (ns: number) => number): TraceEvent[] {
  return chunks.map(({ firstPage, pageCount, startNs, endNs }) => ({
    name: "copy",
    ph: "X",
    cat: "copier",
    pid: PID,
    tid: COPIER,
    ts: at(startNs),
    dur: micros(endNs - startNs),
    args: { from: hex(firstPage * PAGE_SIZE), pages: pageCount },
  }));
}

function answers({ faults }: FilmCourse, at: (ns: number) => number): TraceEvent[] {
  return faults.flatMap(({ page, kind, writtenNs, takenNs, answeredNs, doneNs }, index): TraceEvent[] => {
    const about = { pid: PID, cat: "fault", args: { address: hex(page * PAGE_SIZE) } };
    const stall = { ...about, name: `write waits (${FAULT_NAMES[kind]})`, id: `0x${index.toString(16)}`, tid: GUEST };
    return [
      { ...stall, ph: "b", ts: at(writtenNs) },
      { ...stall, ph: "e", ts: at(doneNs) },
      { ...about, name: "save, unprotect", ph: "X", tid: HANDLER, ts: at(takenNs), dur: micros(answeredNs - takenNs) },
    ];
  });
}

function counters(frames: readonly Frame[], at: (ns: number) => number): TraceEvent[] {
  return frames.flatMap(({ timeNs, byCopier, byFault, dirty, queue, tableBytes }) => {
    const count = (name: string, args: Readonly<Record<string, number>>): TraceEvent => {
      return { name, ph: "C", pid: PID, tid: 0, ts: at(timeNs), args };
    };
    return [
      count("saved pages", { copier: byCopier, faults: byFault }),
      count("dirty pages", { pages: dirty }),
      count("queue of messages", { messages: queue }),
      count("page tables", { bytes: tableBytes }),
    ];
  });
}

/** To the nearest picosecond, which is finer than any figure. */
function micros(ns: number): number {
  return Math.round(ns * 1e3) / 1e6;
}
