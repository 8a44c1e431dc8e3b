/**
 * A scenario as a file in the Trace Event Format, as `traceEvents` writes films: steps and messages as slices, threads that wait as asynchronous ones,
 * faults as counters. A scenario has no time: each step is given a millisecond.
 */
import { describeReport, describeRequest } from "../scenario/account.js";
import type { Scenario, Step } from "../scenario/document.js";
import type { StepReport } from "../scenario/run.js";
import type { TraceEvent, TraceEventFile } from "./trace-events.js";

/** Microseconds that a step is drawn long. */
const STEP_US = 1000;

/** A row of slices: a process, or a descriptor. */
interface Track {
  readonly pid: number;
  readonly tid: number;
}

/** Returns the events of the steps that have reports, the first ones of the scenario. */
export function stepEvents({ name = "scenario", steps }: Scenario, reports: readonly StepReport[]): TraceEventFile {
  const done = reports.map((report, index) => ({ step: steps[index] as Step, report }));
  const processes = tracksOf(
    done.map(({ step }) => step.proc ?? "main"),
    1,
  );
  const messages = done.flatMap(({ report }) => report.result.messages ?? []);
  const descriptors = tracksOf(
    messages.map(({ uffd }) => uffd),
    1 + processes.size,
  );
  const trackOf = (index: number): Track => processes.get(steps[index]?.proc ?? "main") ?? { pid: 0, tid: 0 };
  return {
    traceEvents: [
      ...names(processes, "process"),
      ...names(descriptors, "userfaultfd"),
      ...done.map(({ step, report }) => stepSlice(step, report, trackOf(report.index))),
      ...reports.flatMap((report) => messageSlices(report, descriptors)),
      ...waits(steps, reports, trackOf),
      ...faults(reports),
    ],
    displayTimeUnit: "ns",
    otherData: { scenario: name, time: "none: step n is drawn as the millisecond from n to n + 1" },
  };
}

/** Gives every name a process and a thread, in the order in which they come first. */
function tracksOf(names: readonly string[], first: number): ReadonlyMap<string, Track> {
  return new Map([...new Set(names)].map((name, index) => [name, { pid: first + index, tid: first + index }]));
}

function names(tracks: ReadonlyMap<string, Track>, kind: string): TraceEvent[] {
  return [...tracks].flatMap(([name, track]): TraceEvent[] => [
    { ...track, name: "process_name", ph: "M", ts: 0, args: { name: `${kind} ${name}` } },
    { ...track, name: "process_sort_index", ph: "M", ts: 0, args: { sort_index: track.pid } },
    { ...track, name: "thread_name", ph: "M", ts: 0, args: { name: kind === "process" ? "steps" : "messages" } },
  ]);
}

function stepSlice(step: Step, report: StepReport, track: Track): TraceEvent {
  const args = { step: report.index, did: describeReport(report).join("; ") };
  return {
    ...track,
    name: describeRequest(step),
    cat: "step",
    ph: "X",
    ts: report.index * STEP_US,
    dur: STEP_US,
    args,
  };
}

/** The messages of a step share its time. */
function messageSlices({ index, result }: StepReport, descriptors: ReadonlyMap<string, Track>): TraceEvent[] {
  const { messages = [] } = result;
  const dur = STEP_US / messages.length;
  return messages.map((message, number): TraceEvent => {
    const { uffd, event, flags = [] } = message;
    const track = descriptors.get(uffd) ?? { pid: 0, tid: 0 };
    const name = [event, ...flags].join(" ");
    const args = { step: index, message: JSON.stringify(message) };
    return { ...track, name, cat: "message", ph: "X", ts: index * STEP_US + number * dur, dur, args };
  });
}

/** From the step that begins to wait to the one that wakes it, or to the last. */
function waits(
  steps: readonly Step[],
  reports: readonly StepReport[],
  trackOf: (index: number) => Track,
): TraceEvent[] {
  const last = new Map<number, number>();
  for (const { index, waits: waiting } of reports) for (const step of waiting) last.set(step, index + 1);
  return [...last].flatMap(([step, woken]): TraceEvent[] => {
    const name = `waits: ${describeRequest(steps[step] as Step)}`;
    const about = { ...trackOf(step), name, cat: "wait", id: `0x${step.toString(16)}` };
    const end = Math.min(woken + 1, reports.length);
    return [
      { ...about, ph: "b", ts: step * STEP_US },
      { ...about, ph: "e", ts: end * STEP_US },
    ];
  });
}

/** All faults so far, which a step has when it has ended. */
function faults(reports: readonly StepReport[]): TraceEvent[] {
  const sum = { minor: 0, major: 0 };
  return reports.map(({ index, result }): TraceEvent => {
    sum.minor += result.minflt ?? 0;
    sum.major += result.majflt ?? 0;
    return { name: "faults", ph: "C", pid: 1, tid: 0, ts: (index + 1) * STEP_US, args: { ...sum } };
  });
}
