import type { Scenario, StepResult, Step, Transcript } from "../../scenario/document.js";
import { ScenarioError } from "../../scenario/error.js";
import { DocumentNames } from "./document-names.js";
import { MAX_STEPS, type ReplyRecord } from "./protocol.js";
import { type PlannedCommand, readResults } from "./results.js";
import { type AccessReaders, planAccess, planResume, planTouch } from "./steps/accesses.js";
import {
  planClose,
  planContinue,
  planCopy,
  planMove,
  planPoison,
  planRegister,
  planUffd,
  planUnregister,
  planWake,
  planWriteprotect,
  planZeropage,
} from "./steps/descriptors.js";
import { planExit, planFork, planMadvise, planMmap, planMprotect, planMremap, planMunmap } from "./steps/mappings.js";
import { planPagemap, planScan, planStat } from "./steps/observations.js";
import type { Planned, StepOf } from "./steps/step.js";

/** A scenario as the executor gets it, and how its reply becomes a transcript. */
export class Plan {
  readonly commands: readonly PlannedCommand[];
  readonly #names = new DocumentNames();
  readonly #title: { readonly name?: string };

  /** @throws ScenarioError if the document has what a live kernel is not asked to do. */
  constructor({ name, steps }: Scenario) {
    if (steps.length > MAX_STEPS)
      throw new ScenarioError("steps", `expected at most ${MAX_STEPS} steps on a live kernel`);
    this.#title = name === undefined ? {} : { name };
    const readers: AccessReaders = new Map();
    this.commands = steps.map((step) => {
      this.#names.next();
      const process = this.#names.process(step.proc ?? "main");
      return { process, ...planStep(step, this.#names, readers) };
    });
  }

  transcript(records: readonly ReplyRecord[]): Transcript {
    return this.#transcript(readResults(this.commands, records, this.#names));
  }

  /** The transcript where the machine cannot be had. */
  unsupported(): Transcript {
    return this.#transcript(this.commands.map(() => ({ unsupported: true })));
  }

  #transcript(results: readonly StepResult[]): Transcript {
    return { scenario: 1, ...this.#title, results };
  }
}

type Planners = {
  readonly [Op in Step["op"]]: (step: StepOf<Op>, names: DocumentNames, readers: AccessReaders) => Planned;
};

const PLANNERS: Planners = {
  mmap: planMmap,
  munmap: planMunmap,
  mprotect: planMprotect,
  mremap: planMremap,
  madvise: planMadvise,
  fork: planFork,
  exit: planExit,
  uffd: planUffd,
  register: planRegister,
  unregister: planUnregister,
  close: planClose,
  writeprotect: planWriteprotect,
  copy: planCopy,
  zeropage: planZeropage,
  continue: planContinue,
  poison: planPoison,
  move: planMove,
  wake: planWake,
  read: planAccess,
  write: planAccess,
  touch: planTouch,
  resume: planResume,
  pagemap: planPagemap,
  "pagemap-scan": planScan,
  stat: planStat,
};

function planStep<Op extends Step["op"]>(step: StepOf<Op>, names: DocumentNames, readers: AccessReaders): Planned {
  const planner = (PLANNERS as Partial<Planners>)[step.op as Op];
  if (planner === undefined) throw new ScenarioError(`steps[${names.step}].op`, `expected an operation of the format`);
  return planner(step, names, readers);
}
