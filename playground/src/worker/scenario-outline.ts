/** What a scenario came to, step by step, as the page shows it. */
import { describeReport, describeRequest } from "../../../ts/scenario/account.js";
import type { Scenario, Step, StepResult, Transcript } from "../../../ts/scenario/document.js";
import { unmetExpectations } from "../../../ts/scenario/expectations.js";
import type { NamedMapping } from "../../../ts/scenario/places.js";
import type { StepReport } from "../../../ts/scenario/run.js";
import type { Span, TextPlaces } from "../../../ts/scenario/text-places.js";

/** How a step ended: as a call that succeeds, with messages, in waiting, with an errno or a signal, or in what is not modelled. */
export const OUTCOMES = ["ok", "message", "blocked", "failed", "unknown"] as const;

/** One of them. */
export type Outcome = (typeof OUTCOMES)[number];

/** A step, and what it did. */
export interface StepOutline {
  /** What it asked for, in words. */
  readonly request: string;
  readonly process: string;
  readonly outcome: Outcome;
  /** What it did: the outcome, then messages, details and changes of tables, a line each. */
  readonly lines: readonly string[];
  /** What it was expected to do and did not. */
  readonly unmet: readonly string[];
  /** Where it is in the text. */
  readonly span: Span;
}

/** A scenario that has been carried out to its end. */
export interface Outline {
  readonly name: string;
  readonly about: string;
  readonly steps: readonly StepOutline[];
  /** All mappings that are ever named. */
  readonly mappings: readonly NamedMapping[];
  /** All processes that there ever are, "main" first. */
  readonly processes: readonly string[];
}

/** What an outline is made of. */
interface Carried {
  readonly document: Scenario;
  readonly reports: readonly StepReport[];
  readonly transcript: Transcript;
  readonly mappings: readonly NamedMapping[];
  readonly processes: readonly string[];
  readonly places: TextPlaces;
}

/** Puts an outline together. */
export function outlineOf({ document, reports, transcript, mappings, processes, places }: Carried): Outline {
  const unmet = unmetByStep(unmetExpectations(document, transcript));
  return {
    name: document.name ?? "",
    about: document.about ?? "",
    mappings,
    processes,
    steps: reports.map((report, index) => ({
      ...stepOf(document.steps[index] as Step, report),
      unmet: unmet.get(index) ?? [],
      span: places.find(`steps[${index}]`),
    })),
  };
}

function stepOf(step: Step, report: StepReport): Pick<StepOutline, "request" | "process" | "outcome" | "lines"> {
  return {
    request: describeRequest(step),
    process: step.proc ?? "main",
    outcome: outcomeOf(report.result),
    lines: describeReport(report),
  };
}

/** Returns the most notable of the things that a step gave. */
export function outcomeOf(result: StepResult): Outcome {
  const { outcome, outcomes = {}, messages = [] } = result;
  const ends = outcome === undefined ? outcomes : { [outcome]: 1 };
  if (result.unsupported === true || result.skipped === true) return "unknown";
  if (result.errno !== undefined || ends.SIGBUS !== undefined || ends.SIGSEGV !== undefined) return "failed";
  if (result.hang === true || ends.blocked !== undefined) return "blocked";
  return messages.length > 0 ? "message" : "ok";
}

/** Takes the lines of `unmetExpectations` apart, which begin with the step's place. */
function unmetByStep(lines: readonly string[]): Map<number, string[]> {
  const byStep = new Map<number, string[]>();
  for (const line of lines) {
    const [, index, text] = /^steps\[(\d+)\]: ([^]*)$/.exec(line) ?? [];
    const found = byStep.get(Number(index)) ?? [];
    byStep.set(Number(index), [...found, text ?? line]);
  }
  return byStep;
}
