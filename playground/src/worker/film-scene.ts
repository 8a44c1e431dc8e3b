/** Background snapshots in the worker: the film of each tracker to its end, for the numbers, and one of them at a moment, for the map. */
import { PAGE_SIZE } from "../../../ts/base/pages.js";
import type { Engine } from "../../../ts/engine/engine.js";
import type { AddressSpace } from "../../../ts/mm/address-space.js";
import { traceEvents } from "../../../ts/report/trace-events.js";
import type { CostProfile } from "../../../ts/sim/cost-profile.js";
import { FILM_TRACKERS, type FilmOptions, type FilmTracker } from "../../../ts/sim/film/film-options.js";
import type { Frame } from "../../../ts/sim/film/film-run.js";
import type { PatternGuest } from "../../../ts/sim/film/guest.js";
import type { FilmChange } from "../../../ts/sim/film/page-watch.js";
import { type FilmSummary, SnapshotFilm } from "../../../ts/sim/film/snapshot-film.js";
import type { EntryEvent } from "../map/entry-event.js";
import { hex64 } from "./inspect.js";
import type { OpenedScene } from "./protocol.js";
import type { Scene } from "./scene.js";
import { inSlices, pause } from "./slices.js";
import { readTrace, type TraceFile } from "./trace-file.js";

/** A guest that does what a dropped trace says. */
export interface DroppedGuest {
  readonly trace: TraceFile;
  readonly accessesPerSecond: number;
}

/** What the films are made with. */
export interface FilmParams {
  readonly guest: PatternGuest | DroppedGuest;
  readonly copierBytesPerSecond: number;
  readonly handler: "own-thread" | "copier";
  readonly profile: CostProfile;
  /** The tracker whose film is made first and shown first. */
  readonly tracker: FilmTracker;
}

/** How far the film of a tracker is. */
export interface FilmReport {
  readonly tracker: FilmTracker;
  readonly frames: readonly Frame[];
  /** Pages of the guest. */
  readonly pages: number;
  /** What it came to; null until it is done. */
  readonly summary: FilmSummary | null;
}

/** The film that is shown, at a moment. */
export interface FilmMoment {
  readonly tracker: FilmTracker;
  /** The counts, of the same moment as the memory. */
  readonly frame: Frame;
  /** Pages of each of `STRIP_PARTS` parts of memory by what has become of them, as `SnapshotFilm.countParts` has them. */
  readonly strip: Uint32Array;
}

/** What the view can have the scene do. */
export interface FilmControl {
  /** Makes the films of all trackers and reports as they go on. Returns false if the scene was disposed of meanwhile. */
  run(report: (report: FilmReport) => void): Promise<boolean>;
  /** Shows the film of a tracker at a moment of modelled time; ask again only after the answer. Returns null if the scene was disposed of. */
  show(tracker: FilmTracker, timeNs: number): Promise<FilmMoment | null>;
  /** The whole film of a tracker in Chrome's trace event format, as JSON. */
  traceEvents(tracker: FilmTracker): string;
}

/** Parts of the strip that shows who has saved what. */
export const STRIP_PARTS = 512;

/** Modelled time between two looks at the clock, as a share of the time that a copier needs which saves everything. */
const STEP = 1 / 400;
const REPORT_MS = 60;
/** Faults in an exported trace; more make files that no viewer opens at once. */
const EXPORTED_FAULTS = 25_000;

/** Opens the scene: the film of the tracker stands at the snapshot. @throws RangeError, MissingCostError, TraceError, OutOfMemoryError. */
export async function open(params: FilmParams, makeEngine: () => Engine): Promise<OpenedScene<"film">> {
  const { guest } = params;
  const options: Omit<FilmOptions, "tracker"> = {
    copierBytesPerSecond: params.copierBytesPerSecond,
    handler: params.handler,
    profile: params.profile,
    guest:
      "trace" in guest
        ? { store: await readTrace(guest.trace), accessesPerSecond: guest.accessesPerSecond }
        : { ...guest },
  };
  const scene = new FilmScene(options, params.tracker, makeEngine);
  return {
    scene,
    control: {
      run: (report) => scene.run(report),
      show: (tracker, timeNs) => scene.show(tracker, timeNs),
      traceEvents: (tracker) => scene.traceEvents(tracker),
    },
  };
}

class FilmScene implements Scene {
  readonly #options: Omit<FilmOptions, "tracker">;
  readonly #makeEngine: () => Engine;
  readonly #first: FilmTracker;
  #shown: SnapshotFilm;
  /** What was asked for last; the film goes on by whole chunks of the copier and may be a little further. */
  #shownNs = 0;
  /** All changes of the page that was asked about last: while the film runs they are asked for again and again. */
  #history: { readonly of: SnapshotFilm; readonly page: number; readonly changes: readonly FilmChange[] } | null = null;
  #isDisposed = false;

  constructor(options: Omit<FilmOptions, "tracker">, first: FilmTracker, makeEngine: () => Engine) {
    this.#options = options;
    this.#first = first;
    this.#makeEngine = makeEngine;
    this.#shown = this.#film(first);
  }

  get processes(): ReadonlyMap<string, AddressSpace> {
    return new Map([["main", this.#shown.space]]);
  }

  async run(report: (report: FilmReport) => void): Promise<boolean> {
    for (const tracker of [this.#first, ...FILM_TRACKERS.filter((name) => name !== this.#first)]) {
      await pause();
      if (this.#isOver()) return false;
      const film = this.#film(tracker);
      let told = performance.now();
      await this.#advance(film, Infinity, () => {
        if (performance.now() - told < REPORT_MS) return !this.#isOver();
        report(reportOf(film));
        told = performance.now();
        return !this.#isOver();
      });
      if (!this.#isOver()) report({ ...reportOf(film), summary: film.summary() });
      film.dispose();
    }
    return !this.#isOver();
  }

  async show(tracker: FilmTracker, timeNs: number): Promise<FilmMoment | null> {
    if (this.#isOver()) return null;
    if (tracker !== this.#shown.options.tracker) {
      this.#shown.dispose();
      this.#shown = this.#film(tracker);
      this.#shownNs = 0;
    } else if (timeNs < this.#shownNs) this.#shown.restart();
    this.#shownNs = timeNs;
    const film = this.#shown;
    await this.#advance(film, timeNs, () => !this.#isOver());
    if (this.#isOver()) return null;
    return { tracker, frame: film.now, strip: film.countParts(STRIP_PARTS) };
  }

  mappingName(): string | undefined {
    return "store" in this.#options.guest ? undefined : "guest RAM";
  }

  history(_process: string, page: number): EntryEvent[] {
    if (this.#history?.of !== this.#shown || this.#history.page !== page) {
      this.#history = { of: this.#shown, page, changes: this.#shown.history(page, Infinity) };
    }
    const untilNow = this.#history.changes.filter(({ timeNs }) => timeNs <= this.#shown.nowNs);
    return untilNow.map(({ timeNs, before, after, what, cause }) => ({
      moment: timeNs,
      what: cause,
      cause: what,
      before: hex64(before.entry),
      after: hex64(after.entry),
    }));
  }

  traceEvents(tracker: FilmTracker): string {
    const film = this.#film(tracker);
    film.advance(Infinity);
    const text = JSON.stringify(
      traceEvents({ frames: film.frames, summary: film.summary(), course: film.course(EXPORTED_FAULTS) }),
    );
    film.dispose();
    return text;
  }

  dispose(): void {
    if (this.#isDisposed) return;
    this.#isDisposed = true;
    this.#shown.dispose();
  }

  /** Whether the scene was disposed of, which may be while something is waited for. */
  #isOver(): boolean {
    return this.#isDisposed;
  }

  /** Goes on to a moment with pauses in which other questions are answered, as long as it is wanted. */
  async #advance(film: SnapshotFilm, toNs: number, isWanted: () => boolean): Promise<void> {
    await inSlices(stepsTo(film, toNs), isWanted);
  }

  #film(tracker: FilmTracker): SnapshotFilm {
    return new SnapshotFilm({ ...this.#options, tracker }, this.#makeEngine);
  }
}

function* stepsTo(film: SnapshotFilm, toNs: number): Generator<void, void, undefined> {
  const stepNs = STEP * longestNs(film);
  while (!film.isDone && film.nowNs < toNs) {
    film.advance(Math.min(toNs, film.nowNs + stepNs));
    yield;
  }
}

function reportOf(film: SnapshotFilm): FilmReport {
  const { frames, options, pages } = film;
  return { tracker: options.tracker, frames, pages, summary: null };
}

/** How long a copier takes that saves everything. */
function longestNs({ pages, options }: SnapshotFilm): number {
  return ((pages * PAGE_SIZE) / options.copierBytesPerSecond) * 1e9;
}
