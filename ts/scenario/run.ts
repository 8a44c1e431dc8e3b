import type { Engine } from "../engine/engine.js";
import { checkDocument } from "./check.js";
import type { StepResult, Transcript } from "./document.js";
import { Execution, type PlannedStep } from "./execution.js";

/** What changed in a step. */
export interface StepReport {
  readonly index: number;
  readonly result: StepResult;
  /** By how much the page tables grew, in bytes. */
  readonly tableBytesChange: number;
  /** By how much the resident anonymous memory grew, in pages. */
  readonly anonPagesChange: number;
  /** Numbers of the steps, this one among them, whose access or call waits for the answer to a page fault after it. */
  readonly waits: readonly number[];
}

/** Options of a run. */
export interface RunOptions {
  /** Called after each step. */
  readonly onStep?: (report: StepReport) => void;
}

/**
 * Checks a scenario document and runs it on a machine of its own. A step that is not modelled gives `unsupported: true`, and so
 * does every step after it, since nothing is known of the memory then.
 * @throws ScenarioError if the document is wrong; nothing has been run then.
 */
export function runScenario(document: unknown, engine: Engine, options: RunOptions = {}): Transcript {
  const plan = checkDocument(document);
  const execution = new Execution(engine, plan.machine);
  try {
    const { onStep } = options;
    const results = plan.steps.map((step, index) => {
      if (onStep === undefined) return execution.step(step);
      const report = stepReport(execution, step, index);
      onStep(report);
      return report.result;
    });
    return { scenario: 1, ...(plan.name === undefined ? {} : { name: plan.name }), results };
  } finally {
    execution.dispose();
  }
}

/** Carries a step out and tells what changed. */
export function stepReport(execution: Execution, step: PlannedStep, index: number): StepReport {
  const before = execution.statusOf(step.proc);
  const result = execution.step(step);
  const after = execution.statusOf(step.proc);
  return {
    index,
    result,
    tableBytesChange: after.tableBytes - before.tableBytes,
    anonPagesChange: after.anonPages - before.anonPages,
    waits: execution.waits,
  };
}
