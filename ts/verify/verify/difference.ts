import { isDeepStrictEqual } from "node:util";
import type { Scenario, Step, StepResult, Transcript } from "../../scenario/document.js";
import type { Accepted } from "../accepted.js";

/** Where two transcripts of a scenario differ first. */
export interface Difference {
  /** Number of the step. */
  readonly index: number;
  readonly step: Step;
  /** Names of the fields of the results that are not equal, sorted. */
  readonly fields: readonly string[];
  readonly kernel: StepResult;
  readonly engine: StepResult;
}

/** What comparing the transcripts of a scenario gave. */
export type Verdict =
  | { readonly kind: "equal" }
  /** The kernel here cannot do it from some step on; what came before is equal. */
  | { readonly kind: "impossible" }
  /** The engine does not model it from some step on; what came before is equal. */
  | { readonly kind: "unmodelled" }
  | { readonly kind: "accepted"; readonly accepted: Accepted }
  | { readonly kind: "different"; readonly difference: Difference };

/** Operations and fields of results that are what the engine is for: there is no excuse for a difference in them. */
const JUDGED_OPERATIONS: ReadonlySet<Step["op"]> = new Set([
  "writeprotect",
  "read",
  "write",
  "touch",
  "resume",
  "pagemap",
  "pagemap-scan",
]);
const JUDGED_FIELDS: ReadonlySet<string> = new Set(["messages", "minflt", "majflt", "outcome", "outcomes", "crash"]);

/** Compares step by step, field by field, up to the first step that settles it. */
export function compareTranscripts(
  scenario: Scenario,
  kernel: Transcript,
  engine: Transcript,
  accepted: readonly Accepted[],
): Verdict {
  for (const [index, step] of scenario.steps.entries()) {
    const [ofKernel = {}, ofEngine = {}] = [kernel.results[index], engine.results[index]];
    if (isDeepStrictEqual(ofKernel, ofEngine)) continue;
    if (ofKernel.unsupported === true) return { kind: "impossible" };
    if (ofEngine.unsupported === true) return { kind: "unmodelled" };
    const difference = { index, step, fields: unequalFields(ofKernel, ofEngine), kernel: ofKernel, engine: ofEngine };
    const excuse = isNeverAccepted(difference)
      ? undefined
      : accepted.find((entry) => entry.matches(step, ofKernel, ofEngine));
    return excuse === undefined ? { kind: "different", difference } : { kind: "accepted", accepted: excuse };
  }
  return { kind: "equal" };
}

/** Whether a difference is in what no entry of the accepted ones can be about. */
export function isNeverAccepted({ step, fields }: Difference): boolean {
  return JUDGED_OPERATIONS.has(step.op) || fields.some((field) => JUDGED_FIELDS.has(field));
}

/** Whether two differences look like one cause: the same operation, and the same fields. */
export function areAlike(a: Difference, b: Difference): boolean {
  return a.step.op === b.step.op && isDeepStrictEqual(a.fields, b.fields);
}

function unequalFields(a: StepResult, b: StepResult): string[] {
  const [left, right] = [new Map<string, unknown>(Object.entries(a)), new Map<string, unknown>(Object.entries(b))];
  const names = [...new Set([...left.keys(), ...right.keys()])].sort();
  return names.filter((name) => !isDeepStrictEqual(left.get(name), right.get(name)));
}
