import type { Engine } from "../engine/engine.js";
import type { AddressSpace } from "../mm/address-space.js";
import { checkCount } from "../base/pages.js";
import { checkDocument } from "./check.js";
import type { Scenario, Step, StepResult, Transcript } from "./document.js";
import { Execution, type Observer } from "./execution.js";
import { type EntryChange, PageHistory } from "./history.js";
import type { NamedMapping } from "./places.js";
import type { Plan } from "./plan.js";
import { stepReport, type StepReport } from "./run.js";

/**
 * Steps that are re-executed at most where checkpoints are ready: a step takes 2 to 15 µs (`test/scenario/timeline.test.ts` prints a measurement),
 * so that these are done within a frame of a display.
 */
export const CHECKPOINT_STEPS = 1000;
/** Executions that are kept paused. Each holds an engine, some MiB. */
const MAX_PAUSED = 8;

/** An execution that is paused between two steps, alone in an engine: so its frames have the same numbers whenever it is repeated. */
interface Paused {
  readonly execution: Execution;
  readonly engine: Engine;
  /** Steps that it has carried out. */
  position: number;
}

/**
 * A scenario under one's finger: it can be carried out step by step, forwards and backwards, and its memory can be looked at after any step.
 * Nothing can be undone; to go back, the nearest execution that is paused before the place goes on from there, or a new one begins. Every
 * execution of a document gives the same, bit for bit.
 */
export class Timeline {
  readonly #plan: Plan;
  readonly #steps: readonly Step[];
  readonly #makeEngine: () => Engine;
  /** In no order; the current one is among them. */
  #paused: Paused[] = [];
  #current: Paused;
  #spareEngines: Engine[] = [];
  /** Of every step that was ever carried out. */
  readonly #reports: StepReport[] = [];
  #isDisposed = false;

  /**
   * Checks a document and stands before its first step. `makeEngine` makes engines that nobody else uses (`engineFromModule`).
   * @throws ScenarioError that names the first place of the document that is wrong; OutOfMemoryError.
   */
  constructor(document: unknown, makeEngine: () => Engine) {
    this.#plan = checkDocument(document);
    this.#steps = (document as Scenario).steps;
    this.#makeEngine = makeEngine;
    this.#current = this.#begin();
  }

  /** Steps of the document. */
  get length(): number {
    return this.#plan.steps.length;
  }

  /** Steps that have been carried out: 0 to `length`. */
  get position(): number {
    return this.#current.position;
  }

  /** The memory of the processes by name, "main" first, as it is now. Void after the next move. */
  get spaces(): ReadonlyMap<string, AddressSpace> {
    return this.#current.execution.spaces;
  }

  /** The mappings that the steps so far have named, in that order; also those whose step failed. */
  get mappings(): readonly NamedMapping[] {
    const done = this.#plan.steps.slice(0, this.position);
    return done.flatMap(({ mapping }) => (mapping === undefined ? [] : [mapping]));
  }

  /** What the steps so far did. */
  get reports(): readonly StepReport[] {
    return this.#reports.slice(0, this.position);
  }

  /** What the steps so far gave; at the end it is what `runScenario` returns. */
  get transcript(): Transcript {
    const { name } = this.#plan;
    const results: StepResult[] = this.reports.map(({ result }) => result);
    return { scenario: 1, ...(name === undefined ? {} : { name }), results };
  }

  /** Goes to where so many steps have been carried out. @throws RangeError for less than 0 or more than `length`. */
  goTo(position: number): void {
    finish(this.going(position));
  }

  /** As `goTo`, with a pause after each step, in which everything can be looked at. Who does not want to get there any more just stops. */
  *going(position: number): Generator<void, void, undefined> {
    checkCount(position, "position", this.length);
    this.#current = this.#nearest(position) ?? this.#begin();
    yield* this.#run(this.#current, position);
  }

  /** Carries the next step out. Returns false at the end. */
  step(): boolean {
    if (this.position === this.length) return false;
    this.goTo(this.position + 1);
    return true;
  }

  /** Goes back by one step. Returns false at the start. */
  back(): boolean {
    if (this.position === 0) return false;
    this.goTo(this.position - 1);
    return true;
  }

  /**
   * Makes one checkpoint before the current step, where going back by some steps would take long without. For when there is nothing else to do: it
   * takes as long as all steps up to there.
   */
  prepare(): void {
    finish(this.preparing());
  }

  /** As `prepare`, with a pause after each step. It must not go on once anything else was asked of the timeline. */
  *preparing(): Generator<void, void, undefined> {
    const wanted = Math.floor((this.position - 1) / CHECKPOINT_STEPS) * CHECKPOINT_STEPS;
    if (wanted <= 0) return;
    const isReady = this.#paused.some(({ position }) => position >= wanted && position < this.position);
    if (!isReady) yield* this.#run(this.#begin(), wanted);
  }

  /**
   * Returns every change of the entry of a page up to now, oldest first: which step it was in, what the entry was before and after, and what
   * changed it. `process`: a name; nothing is known of one that no step has made yet.
   */
  history(process: string, page: number): readonly EntryChange[] {
    return finish(this.tellingHistory(process, page));
  }

  /** As `history`, with a pause after each step. */
  *tellingHistory(process: string, page: number): Generator<void, readonly EntryChange[], undefined> {
    const history = new PageHistory(process, page);
    const engine = this.#takeEngine();
    const execution = this.#execution(engine, (moment) => {
      history.note(execution, moment);
    });
    try {
      for (const [index, step] of this.#plan.steps.slice(0, this.position).entries()) {
        history.begin(index, this.#steps[index] as Step);
        execution.step(step);
        history.end(execution);
        yield;
      }
    } finally {
      execution.dispose();
      this.#spareEngines.push(engine);
    }
    return history.changes;
  }

  /** Frees everything. The timeline must not be used any more. */
  dispose(): void {
    if (this.#isDisposed) return;
    this.#isDisposed = true;
    for (const { execution } of this.#paused) execution.dispose();
    this.#paused = [];
    this.#spareEngines = [];
  }

  #nearest(position: number): Paused | undefined {
    let nearest: Paused | undefined;
    for (const paused of this.#paused) {
      if (paused.position <= position && paused.position > (nearest?.position ?? -1)) nearest = paused;
    }
    return nearest;
  }

  #begin(): Paused {
    if (this.#paused.length >= MAX_PAUSED) this.#dropFarthest();
    const engine = this.#takeEngine();
    const begun = { execution: this.#execution(engine), engine, position: 0 };
    this.#paused.push(begun);
    return begun;
  }

  *#run(paused: Paused, position: number): Generator<void, void, undefined> {
    while (paused.position < position) {
      const step = this.#plan.steps[paused.position];
      if (step === undefined) return;
      this.#reports[paused.position] = stepReport(paused.execution, step, paused.position);
      paused.position++;
      yield;
    }
  }

  /** Drops the paused execution that is farthest from the current one. */
  #dropFarthest(): void {
    const distance = ({ position }: Paused): number => Math.abs(position - this.position);
    const others = this.#paused.filter((paused) => paused !== this.#current);
    const farthest = others.reduce((a, b) => (distance(a) >= distance(b) ? a : b));
    farthest.execution.dispose();
    this.#paused = this.#paused.filter((paused) => paused !== farthest);
    this.#spareEngines.push(farthest.engine);
  }

  #takeEngine(): Engine {
    return this.#spareEngines.pop() ?? this.#makeEngine();
  }

  #execution(engine: Engine, observe?: Observer): Execution {
    return new Execution(engine, this.#plan.machine, observe);
  }
}

/** Carries all steps out at once. */
function finish<T>(steps: Generator<void, T, undefined>): T {
  for (;;) {
    const step = steps.next();
    if (step.done === true) return step.value;
  }
}
