/** The experiment of the first view in the worker: carried out at a pace that can be watched, and again for the history of an entry. */
import type { Engine } from "../../../ts/engine/engine.js";
import type { AddressSpace } from "../../../ts/mm/address-space.js";
import { SEED_MODES, type SeedMode } from "../state/seed.js";
import { leafOf } from "./inspect.js";
import type { OpenedScene } from "./protocol.js";
import type { EntryEvent } from "../map/entry-event.js";
import type { Scene } from "./scene.js";
import { pause } from "./slices.js";
import { AFTER_ARMING, AFTER_PREFAULT, momentAfter, writesAt } from "./seed-moments.js";
import { type ArmOutcome, type SeedParams, type SeedProgress, SeedRun, type WriteOutcome } from "./seed-run.js";

/** What the experiment came to. */
export interface SeedOutcome {
  readonly params: SeedParams;
  readonly arm: ArmOutcome;
  readonly write: WriteOutcome;
  /** Milliseconds that the engine worked, without the pauses in which the page draws. */
  readonly engineMs: number;
}

/** What the view can have the scene do. */
export interface SeedControl {
  /**
   * Carries the experiment out, over at least `paceMs` milliseconds of each phase, so that it can be seen; 0 is as fast as it goes. `report` is
   * told how far it is. Returns null if the scene was disposed of meanwhile. @throws OutOfMemoryError
   */
  run(paceMs: number, report: (progress: SeedProgress) => void): Promise<SeedOutcome | null>;
  /** Arms in each of the four ways, with address spaces of their own. Returns null if the scene was disposed of meanwhile. */
  armEach(): Promise<Readonly<Record<SeedMode, ArmOutcome>> | null>;
  /** Makes everything as it was at a moment of an entry's history, by carrying it out again up to there. */
  goTo(moment: number): Promise<void>;
  /** The moment after the last write. */
  lastMoment(): number;
}

/** Between two reports; a display shows no more. */
const REPORT_MS = 16;
const HUGE_PAGE = 512;
/** Opens the scene; nothing is armed yet. */
export async function openSeed(params: SeedParams, newEngine: () => Promise<Engine>): Promise<OpenedScene<"seed">> {
  const scene = new SeedScene(params, await newEngine(), newEngine);
  return {
    scene,
    control: {
      run: (pace, report) => scene.run(pace, report),
      armEach: () => scene.armEach(),
      goTo: (moment) => scene.goTo(moment),
      lastMoment: () => momentAfter(params.writes),
    },
  };
}

class SeedScene implements Scene {
  readonly #params: SeedParams;
  #run: SeedRun;
  readonly #newEngine: () => Promise<Engine>;
  #isDisposed = false;
  #engineMs = 0;

  constructor(params: SeedParams, engine: Engine, newEngine: () => Promise<Engine>) {
    this.#params = params;
    this.#run = new SeedRun(engine, params);
    this.#newEngine = newEngine;
  }

  get processes(): ReadonlyMap<string, AddressSpace> {
    return new Map([["main", this.#run.space]]);
  }

  mappingName(): string {
    return "guest RAM";
  }

  async run(paceMs: number, report: (progress: SeedProgress) => void): Promise<SeedOutcome | null> {
    this.#engineMs = 0;
    const arm = await this.#watch(this.#run.arm(), paceMs, report);
    const write = arm === null ? null : await this.#watch(this.#run.write(), paceMs, report);
    if (arm === null || write === null) return null;
    return { params: this.#params, arm, write, engineMs: this.#engineMs };
  }

  async armEach(): Promise<Record<SeedMode, ArmOutcome> | null> {
    const engine = await this.#newEngine();
    const outcomes: Partial<Record<SeedMode, ArmOutcome>> = {};
    for (const mode of SEED_MODES) {
      const run = new SeedRun(engine, { ...this.#params, mode, writes: 0 });
      const outcome = await this.#watch(run.arm(), 0, () => undefined);
      run.dispose();
      if (outcome === null) return null;
      outcomes[mode] = outcome;
    }
    return outcomes as Record<SeedMode, ArmOutcome>;
  }

  /** Carries everything out again, on an engine of its own so that pages get the same frames, and looks at the entry after each step. */
  async history(_process: string, page: number): Promise<EntryEvent[]> {
    const run = new SeedRun(await this.#newEngine(), this.#params);
    const log = new EntryLog(run, page);
    const { tracker } = run;
    finish(run.prefault());
    log.note(AFTER_PREFAULT, tracker.prefault === "populate" ? "MADV_POPULATE_READ" : "a read loop touches every page");
    finish(run.protect());
    log.note(AFTER_ARMING, "UFFDIO_WRITEPROTECT of the whole range");
    run.writes.forEach((written, index) => {
      if (!isNear(written, page, this.#params.thp)) run.writeAtOnce(written);
      else
        for (const { what, cause } of run.writeSlowly(written)) log.note(momentAfter(index + 1), what, written, cause);
    });
    run.dispose();
    return log.events;
  }

  async goTo(moment: number): Promise<void> {
    const run = new SeedRun(await this.#newEngine(), this.#params);
    if (moment >= AFTER_PREFAULT) finish(run.prefault());
    if (moment >= AFTER_ARMING) finish(run.protect());
    run.writes.subarray(0, writesAt(moment)).forEach((page) => run.writeAtOnce(page));
    this.#run.dispose();
    this.#run = run;
    if (this.#isDisposed) run.dispose();
  }

  dispose(): void {
    this.#isDisposed = true;
    this.#run.dispose();
  }

  /** Runs the steps of a phase with pauses, in which other calls are answered. Returns null once the scene is disposed of. */
  async #watch<T>(
    steps: Generator<SeedProgress, T, undefined>,
    paceMs: number,
    report: (progress: SeedProgress) => void,
  ): Promise<T | null> {
    let told = performance.now();
    let phaseStart = told;
    let phase: SeedProgress["phase"] | undefined;
    while (!this.#isDisposed) {
      const started = performance.now();
      const step = steps.next();
      this.#engineMs += performance.now() - started;
      if (step.done === true) return step.value;
      if (step.value.phase !== phase) phaseStart = started;
      phase = step.value.phase;
      const early = phaseStart + paceMs * step.value.done - performance.now();
      if (early < REPORT_MS / 2 && performance.now() - told < REPORT_MS && step.value.done < 1) continue;
      report(step.value);
      told = performance.now();
      await pause(Math.max(0, early));
    }
    return null;
  }
}

/** Events of one entry; steps that left it as it was are none. */
class EntryLog {
  readonly events: EntryEvent[] = [];
  readonly #run: SeedRun;
  readonly #page: number;
  #before: string;

  constructor(run: SeedRun, page: number) {
    this.#run = run;
    this.#page = page;
    this.#before = leafOf(run.space, page);
  }

  note(moment: number, what: string, written?: number, cause?: string): void {
    const after = leafOf(this.#run.space, this.#page);
    const before = this.#before;
    this.#before = after;
    if (after === before) return;
    const where = written === undefined || written === this.#page ? "" : " (to another page of the same 2 MiB)";
    this.events.push({ moment, what: what + where, before, after, ...(cause === undefined ? {} : { cause }) });
  }
}

/** Tells whether a write to a page can change the entry of another one. */
function isNear(written: number, page: number, thp: boolean): boolean {
  return thp ? Math.floor(written / HUGE_PAGE) === Math.floor(page / HUGE_PAGE) : written === page;
}

/** Carries all steps out at once. */
function finish(steps: Iterator<unknown>): void {
  while (steps.next().done !== true);
}
