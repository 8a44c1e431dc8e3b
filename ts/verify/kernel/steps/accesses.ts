import { isPageAligned, PAGE_SIZE } from "../../../base/pages.js";
import type { ThreadOutcome } from "../../../mm/thread.js";
import type { StepResult } from "../../../scenario/document.js";
import { ScenarioError } from "../../../scenario/error.js";
import type { DocumentNames } from "../document-names.js";
import type { Words } from "../protocol.js";
import { failure, type ResultReader } from "../results.js";
import type { Planned, StepOf } from "./step.js";

/** `enum outcome`: the words 1 to 4 of a result say how often. */
export const OUTCOMES: readonly ThreadOutcome[] = ["ok", "blocked", "SIGBUS", "SIGSEGV"];
const VALUE_WORD = 5;
const MINFLT_WORD = 6;
const MAJFLT_WORD = 7;

/** How results of accesses are read that later steps can ask for, by the number of the step that starts them. */
export type AccessReaders = Map<number, ResultReader>;

export function planAccess(step: StepOf<"read" | "write">, names: DocumentNames, readers: AccessReaders): Planned {
  const at = names.place("at", step.at);
  const value = step.op === "write" ? (step.value ?? 1) : 0;
  const hasValue = step.op === "read" && isPageAligned(at);
  const read: ResultReader = (words) => singleResult(words, hasValue);
  if (step.as !== undefined) {
    names.nameAccess(step.as);
    readers.set(names.step, read);
  }
  return { operation: "access", args: [at, 1, PAGE_SIZE, Number(step.op === "write"), value], read };
}

export function planTouch(step: StepOf<"touch">, names: DocumentNames): Planned {
  const { start, length } = names.range(step.range);
  const { access, value = 1, stride = 1 } = step;
  const strideBytes = stride * PAGE_SIZE;
  if (!Number.isSafeInteger(strideBytes) || stride < 1) {
    throw new ScenarioError(`steps[${names.step}].stride`, "expected at least one page, and no more than there can be");
  }
  const count = Math.ceil(length / strideBytes);
  const args = [start, count, strideBytes, Number(access === "write"), value];
  return { operation: "access", args, read: (words) => failure(words) ?? totals(words) };
}

export function planResume(step: StepOf<"resume">, names: DocumentNames, readers: AccessReaders): Planned {
  const number = names.access(step.thread);
  const read: ResultReader = (words, places) => readers.get(number)?.(words, places) ?? {};
  return { operation: "resume", args: [number], read };
}

function singleResult(words: Words, hasValue: boolean): StepResult {
  const failed = failure(words);
  if (failed !== null) return failed;
  const outcome = OUTCOMES.find((_, i) => words.number(1 + i) > 0) ?? "ok";
  const value = hasValue && outcome === "ok" ? { value: words.number(VALUE_WORD) } : {};
  return { outcome, ...value, messages: [], ...faults(words) };
}

function totals(words: Words): StepResult {
  const counts = OUTCOMES.map((outcome, i) => [outcome, words.number(1 + i)] as const);
  return { outcomes: Object.fromEntries(counts.filter(([, count]) => count > 0)), messages: [], ...faults(words) };
}

function faults(words: Words): { minflt: number; majflt: number } {
  return { minflt: words.number(MINFLT_WORD), majflt: words.number(MAJFLT_WORD) };
}
