import type { RangeText, Step } from "../../scenario/document.js";
import { Layout, type Span } from "../generate/layout.js";

/** Names that the steps so far gave. */
interface Known {
  readonly memory: Layout;
  readonly procs: Set<string>;
  readonly uffds: Set<string>;
  readonly threads: Set<string>;
}

/** Returns the steps without those that use a name which no step before gives. Steps that stay are the same objects, where they can be. */
export function repair(steps: readonly Step[]): Step[] {
  const known: Known = { memory: new Layout(), procs: new Set(["main"]), uffds: new Set(), threads: new Set() };
  const kept: Step[] = [];
  for (const step of steps) {
    const repaired = step.op === "mmap" ? withoutLostSource(step, known) : step;
    if (!isPossible(repaired, known)) continue;
    learn(repaired, known);
    kept.push(repaired);
  }
  return kept;
}

/** A mapping can do without its place and its source: it then has an object of its own. */
function withoutLostSource(step: Extract<Step, { op: "mmap" }>, known: Known): Step {
  const isLost = step.source !== undefined && !hasObject(step.source, known);
  const isHomeless = step.at !== undefined && !hasPlace(step.at, known);
  if (!isLost && !isHomeless) return step;
  const { source, offset, at, ...rest } = step;
  return {
    ...rest,
    ...(isHomeless || at === undefined ? {} : { at }),
    ...(isLost || source === undefined ? {} : { source }),
    ...(isLost || offset === undefined ? {} : { offset }),
  };
}

function isPossible(step: Step, known: Known): boolean {
  if (!known.procs.has(step.proc ?? "main")) return false;
  if ("range" in step && !hasRange(step.range, known)) return false;
  if ("uffd" in step && !known.uffds.has(step.uffd.split(".")[0] ?? "")) return false;
  if ("from" in step && !hasPlace(step.from, known)) return false;
  if ((step.op === "read" || step.op === "write") && !hasPlace(step.at, known)) return false;
  return step.op !== "resume" || known.threads.has(step.thread);
}

function hasRange(range: RangeText, known: Known): boolean {
  return hasPlace(typeof range === "string" ? range : range.start, known);
}

function hasPlace(place: string, known: Known): boolean {
  return place.startsWith("0x") || spanOf(place.split("[")[0], known) !== undefined;
}

/** Memory that is not anonymous has an object that can be mapped again. */
function hasObject(name: string, known: Known): boolean {
  return (spanOf(name, known)?.kind ?? "anon") !== "anon";
}

function spanOf(name: string | undefined, known: Known): Span | undefined {
  return known.memory.spans.find((span) => span.name === name);
}

function learn(step: Step, known: Known): void {
  known.memory.add(step);
  switch (step.op) {
    case "fork":
      known.procs.add(step.as);
      break;
    case "uffd":
      known.uffds.add(step.as);
      break;
    case "read":
    case "write":
      if (step.as !== undefined) known.threads.add(step.as);
      break;
  }
}
