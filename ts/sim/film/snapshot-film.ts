import type { Engine } from "../../engine/engine.js";
import type { AddressSpace } from "../../mm/address-space.js";
import type { ModelledTime } from "../comparison.js";
import { type FilmFaults, type FilmObservers, FilmRun, type Frame } from "./film-run.js";
import { type FilmCourse, FilmLog } from "./film-log.js";
import type { FilmOptions, FilmTracker } from "./film-options.js";
import { type FilmChange, PageWatch } from "./page-watch.js";
import type { SavedBy, Verdict } from "./saved-pages.js";
import type { StallSummary } from "./stalls.js";

/** What a film has come to. Times are modelled: counts of the engine times the figures of the profile that is named. */
export interface FilmSummary {
  readonly tracker: FilmTracker;
  /** What making pages exist costs before the guest is paused. */
  readonly prepare: ModelledTime;
  /** How long the guest stands still: for write-protecting, or for all of the copying. */
  readonly pauseNs: number;
  readonly arm: ModelledTime;
  /** From the snapshot to where the film is; at the end, how long the copier took. */
  readonly durationNs: number;
  readonly faults: FilmFaults;
  /** Stalls of the writes that faulted: exceptions, waiting for the handler, and its answer, in which the page is written out. */
  readonly stalls: StallSummary;
  readonly verdict: Verdict;
  readonly profile: { readonly name: string; readonly provenance: string };
}

/**
 * A background snapshot in modelled time: a guest writes, a copier sweeps over its memory, and a tracker keeps what has not been copied from
 * changing. All entries, faults and contents are the engine's; only time is modelled. The same options give the same film.
 *
 * The guest's writes come at their rate, whatever is stalled: a guest that is faster than the handler makes the queue longer and longer. A write
 * to a page whose answer is still under way counts as one without a fault, and a message that waits is answered also if the copier comes to
 * its page before.
 */
export class SnapshotFilm {
  readonly options: FilmOptions;
  readonly #makeEngine: () => Engine;
  readonly #engine: Engine;
  #historyEngine: Engine | null = null;
  #run: FilmRun;
  #given = 0;

  /**
   * Sets the guest up and arms the tracker: the film stands at the snapshot. `makeEngine` makes engines that nobody else uses.
   * @throws RangeError for options out of range; MissingCostError for a profile that lacks a figure; OutOfMemoryError.
   */
  constructor(options: FilmOptions, makeEngine: () => Engine) {
    this.options = options;
    this.#makeEngine = makeEngine;
    this.#engine = makeEngine();
    this.#run = new FilmRun(this.#engine, options);
  }

  /** The guest's memory as it is now. Void after `restart`. */
  get space(): AddressSpace {
    return this.#run.guest.space;
  }

  /** Pages of the guest. */
  get pages(): number {
    return this.#run.saved.pages;
  }

  /** Nanoseconds of modelled time since the snapshot. */
  get nowNs(): number {
    return this.#run.nowNs;
  }

  /** Whether everything has been saved. */
  get isDone(): boolean {
    return this.#run.isDone;
  }

  /** What can be seen now, which is a frame only now and then. */
  get now(): Frame {
    return this.#run.now;
  }

  /** All frames so far. */
  get frames(): readonly Frame[] {
    return this.#run.frames;
  }

  /** Goes on to the first moment, chunk by chunk of the copier, that is not before `toNs`, or to the end. Returns the frames that are new. */
  advance(toNs: number): readonly Frame[] {
    this.#run.advance(toNs);
    const fresh = this.#run.frames.slice(this.#given);
    this.#given = this.#run.frames.length;
    return fresh;
  }

  /** Goes back to the snapshot. */
  restart(): void {
    this.space.dispose();
    this.#run = new FilmRun(this.#engine, this.options);
    this.#given = 0;
  }

  /** What the film has come to so far. */
  summary(): FilmSummary {
    const { prepare, arm, faults, stalls, nowNs, saved } = this.#run;
    const { tracker, profile } = this.options;
    return {
      tracker,
      prepare,
      pauseNs: tracker === "stop" ? nowNs : arm.totalNs,
      arm,
      durationNs: nowNs,
      faults,
      stalls: stalls.summary(),
      verdict: saved.verdict,
      profile: { name: profile.name, provenance: profile.provenance },
    };
  }

  /** Tells who has saved a page, or null if nobody has yet. @throws RangeError if it is no page of the guest. */
  savedBy(page: number): SavedBy | null {
    return this.#run.saved.savedBy(page);
  }

  /** Returns every change of the entry of a page up to a moment, now by default, oldest first. Repeats the film up to there in an engine of its own. */
  history(page: number, untilNs: number = this.nowNs): readonly FilmChange[] {
    const watch = new PageWatch(page);
    this.#repeat({ watch }, untilNs);
    return watch.changes;
  }

  /** Returns what has happened up to now, with at most `limit` faults. Repeats the film up to there in an engine of its own. */
  course(limit: number): FilmCourse {
    const log = new FilmLog(limit);
    this.#repeat({ log }, this.nowNs);
    return log.course;
  }

  /**
   * Counts the guest's pages in `parts` of equal length by what has become of them: one number for each of SAVED_STATES, part after part.
   */
  countParts(parts: number): Uint32Array {
    return this.#run.saved.countParts(parts);
  }

  #repeat(observers: FilmObservers, untilNs: number): void {
    this.#historyEngine ??= this.#makeEngine();
    const repeated = new FilmRun(this.#historyEngine, this.options, observers);
    repeated.advance(untilNs);
    repeated.guest.space.dispose();
  }

  /** Frees the guest's memory. The film must not be used any more. */
  dispose(): void {
    this.space.dispose();
  }
}
