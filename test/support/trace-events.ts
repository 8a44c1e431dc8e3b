import type { TraceEvent, TraceEventFile } from "../../ts/node.js";

/**
 * What is wrong with a file by the rules of the Trace Event Format: slices of a thread nest, asynchronous ones begin and end once, counters are
 * numbers, names of processes and threads are metadata.
 */
export function traceProblems({ traceEvents, displayTimeUnit }: TraceEventFile): string[] {
  const unit: string = displayTimeUnit;
  const problems: string[] = [];
  if (!["ms", "ns"].includes(unit)) problems.push(`displayTimeUnit is ${unit}`);
  traceEvents.forEach((event, index) => {
    for (const problem of problemsOf(event)) problems.push(`event ${index}: ${problem}`);
  });
  return [...problems, ...nesting(traceEvents), ...pairs(traceEvents), ...unnamed(traceEvents)].slice(0, 10);
}

function problemsOf({ name, ph, pid, tid, ts, dur, cat, id, args }: TraceEvent): string[] {
  const values = Object.values(args ?? {});
  const rules: readonly (readonly [isKept: boolean, rule: string])[] = [
    [typeof name === "string" && name !== "", "no name"],
    [["X", "b", "e", "C", "i", "M"].includes(ph), `unknown phase ${ph}`],
    [Number.isInteger(pid) && Number.isInteger(tid), "pid and tid are no integers"],
    [Number.isFinite(ts) && ts >= 0, `ts is ${ts}`],
    [ph !== "X" || (dur !== undefined && Number.isFinite(dur) && dur >= 0), `dur is ${dur}`],
    [(ph !== "b" && ph !== "e") || (id !== undefined && cat !== undefined), "an asynchronous slice without id or cat"],
    [ph !== "C" || (values.length > 0 && values.every(Number.isFinite)), "a counter without numbers"],
  ];
  return rules.filter(([isKept]) => !isKept).map(([, rule]) => rule);
}

/** Rounding of times may let slices touch by a picosecond or so. */
const TOUCH_US = 1e-5;

function nesting(events: readonly TraceEvent[]): string[] {
  const problems: string[] = [];
  const slices = events.filter(({ ph }) => ph === "X");
  for (const thread of new Set(slices.map(({ tid }) => tid))) {
    const ends: number[] = [];
    const ofThread = slices.filter(({ tid }) => tid === thread);
    for (const { name, ts, dur = 0 } of ofThread.sort((a, b) => a.ts - b.ts || (b.dur ?? 0) - (a.dur ?? 0))) {
      while ((ends.at(-1) ?? Infinity) <= ts + TOUCH_US) ends.pop();
      if (ts + dur > (ends.at(-1) ?? Infinity) + TOUCH_US) problems.push(`thread ${thread}: ${name} at ${ts} overlaps`);
      ends.push(ts + dur);
    }
  }
  return problems;
}

function pairs(events: readonly TraceEvent[]): string[] {
  const open = new Map<string, number>();
  const problems: string[] = [];
  for (const { ph, cat, id, ts } of events) {
    const key = `${cat} ${id}`;
    if (ph === "b") open.set(key, ts);
    if (ph !== "e") continue;
    if ((open.get(key) ?? Infinity) > ts) problems.push(`${key} ends before it begins`);
    open.delete(key);
  }
  return [...problems, ...[...open.keys()].map((key) => `${key} never ends`)];
}

function unnamed(events: readonly TraceEvent[]): string[] {
  const named = events.filter(({ name }) => name === "thread_name").map(({ tid }) => tid);
  const used = new Set(events.filter(({ ph }) => ph === "X").map(({ tid }) => tid));
  const process = events.some(({ name }) => name === "process_name") ? [] : ["the process has no name"];
  return [...process, ...[...used].filter((tid) => !named.includes(tid)).map((tid) => `thread ${tid} has no name`)];
}
