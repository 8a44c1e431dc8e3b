import { PAGE_SIZE } from "../base/pages.js";
import { type Counters, subtractCounters, tableBytes } from "../engine/counters.js";
import type { Engine, ReplayOptions } from "../engine/engine.js";
import { AddressSpace } from "../mm/address-space.js";
import type { AccessBlock } from "../trace/access.js";
import { PAGE_WRITTEN, PageSet } from "../trace/page-set.js";
import type { TraceStore } from "../trace/store.js";
import { arm, prefault, prefaultCounts, scanWritten } from "./arming.js";
import type { Comparison, FaultCounts, PublishedFigure, Timeline, TrackerId, TrackerResult } from "./comparison.js";
import { MemoryContents } from "./contents.js";
import { type CostProfile, faultCounts, modelledTime, protectCounts } from "./cost-profile.js";
import { type Layout, pagesOf } from "./layout.js";
import { type Tracker, TRACKERS } from "./trackers.js";

/** What one tracker's run needs to know. */
export interface RunOptions {
  readonly store: TraceStore;
  readonly layout: Layout;
  /** Accesses of the trace before the snapshot point; by default half of them. */
  readonly snapshotAt?: number;
  readonly profile: CostProfile;
  /** Rows are called as in the patch's experiment. */
  readonly labels?: "features" | "seed";
}

/** What is compared. */
export interface CompareOptions extends RunOptions {
  readonly title: string;
  readonly source: string;
  readonly accesses: { readonly reads: number; readonly writes: number; readonly skipped: number };
  readonly trackers?: readonly TrackerId[];
  readonly published?: Readonly<Partial<Record<TrackerId, readonly PublishedFigure[]>>>;
  /** Told from time to time how far the work is, 0 to 1. */
  readonly onProgress?: (done: number, tracker: string) => void;
}

/** What writes store before and after the snapshot point: any two numbers that differ from each other and from an untouched page's 0. */
const VALUE_BEFORE = 1;
const VALUE_AFTER = 2;
const TIMELINE_POINTS = 200;
const MISSED_PAGES_LISTED = 20;

/**
 * Runs the same memory accesses once for each tracker, in an address space of its own: up to the snapshot point, then the tracker arms, then
 * the rest. What was really written is learnt by comparing the contents of all pages, never from the trace.
 * @throws RangeError for a snapshot point beyond the trace; MissingCostError; OutOfMemoryError.
 */
export function compareTrackers(engine: Engine, options: CompareOptions): Comparison {
  const started = performance.now();
  const wanted = wantedTrackers(options);
  const runs = wanted.map((tracker, index) => {
    const onProgress = (done: number): void => options.onProgress?.((index + done) / wanted.length, tracker.label);
    return runTracker(engine, options, tracker, onProgress);
  });
  return comparisonOf(options, runs, performance.now() - started);
}

/** Returns the trackers that are compared, in the order of their rows. */
export function wantedTrackers(options: Pick<CompareOptions, "trackers">): readonly Tracker[] {
  return TRACKERS.filter((tracker) => options.trackers?.includes(tracker.id) ?? true);
}

/**
 * Runs one tracker. What it returns is plain data, and does not depend on what ran on the engine before.
 * @throws as `compareTrackers`
 */
export function runTracker(
  engine: Engine,
  options: RunOptions,
  tracker: Tracker,
  onProgress: (done: number) => void,
): FinishedRun {
  return new TrackerRun(engine, options, tracker, snapshotOf(options), onProgress).run();
}

/** Puts the runs of the trackers together, in the order of `wantedTrackers`. */
export function comparisonOf(options: CompareOptions, runs: readonly FinishedRun[], elapsedMs: number): Comparison {
  const [first] = runs;
  return {
    title: options.title,
    source: options.source,
    memory: {
      layout: options.layout.description,
      mappings: options.layout.mappings.length,
      pages: pagesOf(options.layout),
    },
    accesses: { total: options.store.accesses, ...options.accesses },
    snapshot: first?.snapshot ?? { at: snapshotOf(options), pages: 0, zeroPages: 0 },
    dirtyPages: first?.dirtyPages ?? 0,
    profile: { name: options.profile.name, provenance: options.profile.provenance },
    trackers: runs.map((run) => run.result),
    ...(options.published === undefined ? {} : { published: options.published }),
    elapsedMs,
  };
}

function snapshotOf({ snapshotAt, store }: RunOptions): number {
  const at = snapshotAt ?? Math.floor(store.accesses / 2);
  if (Number.isInteger(at) && at >= 0 && at <= store.accesses) return at;
  throw new RangeError(`"snapshotAt" expected 0 to ${store.accesses} accesses, got ${at}`);
}

/** What a tracker's run gave: its row, and what all of them find alike. */
export interface FinishedRun {
  readonly result: TrackerResult;
  readonly snapshot: Comparison["snapshot"];
  readonly dirtyPages: number;
}

/** Counters at the moments that matter. */
interface Moments {
  readonly before: Counters;
  readonly populated: Counters;
  readonly armed: Counters;
}

/** What arming left to be looked at later. */
interface Armed {
  readonly moments: Moments;
  readonly contents: MemoryContents;
  readonly prefaulted: number;
}

/** One tracker's run from an empty address space to its result. */
class TrackerRun {
  readonly #space: AddressSpace;
  readonly #options: RunOptions;
  readonly #tracker: Tracker;
  readonly #snapshotAt: number;
  readonly #onProgress: (done: number) => void;
  readonly #timeline: { accesses: number[]; mapFaults: number[]; wpFaults: number[] };
  readonly #reported = new PageSet();
  #replayed = 0;
  /** Faults of making pages exist, which are no faults of the program. */
  #prefaultFaults = 0;

  constructor(
    engine: Engine,
    options: RunOptions,
    tracker: Tracker,
    snapshotAt: number,
    onProgress: (done: number) => void,
  ) {
    this.#space = new AddressSpace(engine);
    this.#options = options;
    this.#tracker = tracker;
    this.#snapshotAt = snapshotAt;
    this.#onProgress = onProgress;
    this.#timeline = { accesses: [], mapFaults: [], wpFaults: [] };
  }

  run(): FinishedRun {
    try {
      for (const { firstPage, pageCount, protection } of this.#options.layout.mappings) {
        this.#space.mmap({ at: firstPage * PAGE_SIZE, length: pageCount * PAGE_SIZE, protection });
      }
      const armed = this.#replay();
      return this.#finish(armed);
    } finally {
      this.#space.dispose();
    }
  }

  /** Replays the trace and arms on the way. A record that stands for several equal accesses belongs to where its first one is. */
  #replay(): Armed {
    const records = this.#tracker.collect === "messages" ? "return" : "count";
    let armed: Armed | undefined;
    let position = 0;
    for (const block of this.#options.store.blocks()) {
      const split = recordAt(block, this.#snapshotAt - position);
      this.#replayPart(block, 0, split, { value: VALUE_BEFORE, records: "count" });
      if (split < block.length) armed ??= this.#arm();
      this.#replayPart(block, split, block.length, { value: VALUE_AFTER, wp: "unprotect", records });
      position += block.accesses;
    }
    armed ??= this.#arm();
    this.#notePoint();
    return armed;
  }

  #arm(): Armed {
    const space = this.#space;
    this.#notePoint();
    const contents = MemoryContents.of(space, this.#options.layout);
    const before = space.counters();
    const prefaulted = prefault(this.#tracker, space, this.#options.layout);
    const populated = space.counters();
    this.#prefaultFaults = mapFaultsOf(populated) - mapFaultsOf(before);
    arm(this.#tracker, space, this.#options.layout);
    return { moments: { before, populated, armed: space.counters() }, contents, prefaulted };
  }

  #finish({ moments, contents, prefaulted }: Armed): FinishedRun {
    const end = this.#space.counters();
    const scanCalls = this.#tracker.collect === "scan" ? this.#scan() : 0;
    const dirty = this.#compareContents(contents);
    const result = this.#result({ ...moments, end }, prefaulted, scanCalls, dirty);
    return { result, snapshot: this.#snapshot(moments.before), dirtyPages: dirty.truth };
  }

  /** Replays the records [first, end) of a block in pieces, between which the timeline gets its points. */
  #replayPart(block: AccessBlock, first: number, end: number, options: ReplayOptions): void {
    const { records, accesses } = this.#options.store;
    const piece = Math.ceil(records / TIMELINE_POINTS);
    for (let from = first; from < end; from += piece) {
      const to = Math.min(end, from + piece);
      this.#replayRecords(block.words.subarray(2 * from, 2 * to), options);
      for (let i = from; i < to; i++) this.#replayed += block.counts[i] as number;
      if (this.#replayed - (this.#timeline.accesses.at(-1) ?? 0) >= accesses / TIMELINE_POINTS) this.#notePoint();
    }
  }

  #replayRecords(words: Uint32Array, options: ReplayOptions): void {
    for (let rest = words; rest.length > 0;) {
      const { done, faults, reason } = this.#space.replay(rest, options);
      if (reason !== "end" && reason !== "full") throw new Error(`an access that no mapping allows ended in ${reason}`);
      for (let i = 0; i < faults.count; i++) this.#reported.add(faults.pages[i] as number, PAGE_WRITTEN);
      rest = rest.subarray(2 * done);
    }
  }

  #notePoint(): void {
    const counters = this.#space.counters();
    this.#timeline.accesses.push(this.#replayed);
    this.#timeline.mapFaults.push(mapFaultsOf(counters) - this.#prefaultFaults);
    this.#timeline.wpFaults.push(counters.wpMessages + counters.wpAsyncFaults);
    this.#onProgress(this.#options.store.accesses === 0 ? 1 : this.#replayed / this.#options.store.accesses);
  }

  #scan(): number {
    let calls = 0;
    for (const page of scanWritten(this.#space, this.#options.layout, () => calls++))
      this.#reported.add(page, PAGE_WRITTEN);
    return calls;
  }

  #compareContents(before: MemoryContents): { truth: number; missed: number[]; false: number } {
    const after = MemoryContents.of(this.#space, this.#options.layout);
    const reported = this.#reported.sorted(PAGE_WRITTEN).pages;
    const missed: number[] = [];
    let truth = 0;
    let next = 0;
    for (const page of after.changedSince(before)) {
      truth++;
      while ((reported[next] ?? Infinity) < page) next++;
      if (reported[next] !== page) missed.push(page);
    }
    return { truth, missed, false: reported.length - (truth - missed.length) };
  }

  #result(
    at: Moments & { end: Counters },
    prefaulted: number,
    scanCalls: number,
    dirty: { truth: number; missed: number[]; false: number },
  ): TrackerResult {
    const { profile, layout, labels } = this.#options;
    const mappings = layout.mappings.length;
    const protecting = subtractCounters(at.armed, at.populated);
    const running = subtractCounters(at.end, at.armed);
    const prefaulting = prefaultCounts(this.#tracker, prefaulted, mappings);
    const arming = { ...prefaulting, ...protectCounts(protecting), call: (prefaulting.call ?? 0) + mappings };
    const scanned = this.#tracker.collect === "scan" ? pagesOf(layout) : 0;
    return {
      tracker: this.#tracker.id,
      label: labels === "seed" ? this.#tracker.seedLabel : this.#tracker.label,
      armed: { none: protecting.armedNone, page: protecting.armedPage, zeroPage: protecting.armedZeroPage },
      prefaulted,
      tableBytes: { before: tableBytes(at.before), armed: tableBytes(at.armed), end: tableBytes(at.end) },
      pteTables: { before: at.before.pteTables, armed: at.armed.pteTables, end: at.end.pteTables },
      faults: faultsOf(running),
      messages: running.wpMessages + running.missingMessages,
      dirty: {
        found: this.#reported.size,
        missed: dirty.missed.length,
        false: dirty.false,
        missedPages: dirty.missed.slice(0, MISSED_PAGES_LISTED),
      },
      modelled: {
        arm: modelledTime(profile, arming),
        fault: modelledTime(profile, faultCounts(running)),
        collect: modelledTime(profile, { scanPage: scanned, call: scanCalls }),
      },
      timeline: this.#timeline satisfies Timeline,
    };
  }

  #snapshot(before: Counters): Comparison["snapshot"] {
    const zeroPages = before.zeroPageFaults - before.copyFaults - before.zappedZeroPage;
    return { at: this.#snapshotAt, pages: before.anonPages, zeroPages };
  }
}

/** Index of the first record that begins at or after an access of the block; `access` may lie outside of it. */
function recordAt(block: AccessBlock, access: number): number {
  if (access >= block.accesses) return block.length;
  let index = 0;
  for (let position = 0; position < access; index++) position += block.counts[index] as number;
  return index;
}

function mapFaultsOf(counters: Counters): number {
  return counters.zeroPageFaults + counters.allocateFaults + counters.copyFaults;
}

function faultsOf(running: Counters): FaultCounts {
  return {
    exceptions: {
      readNotPresent: running.readNotPresent,
      writeNotPresent: running.writeNotPresent,
      writeProtected: running.writeProtected,
    },
    zeroPage: running.zeroPageFaults,
    allocate: running.allocateFaults,
    copy: running.copyFaults,
    marker: running.markerFaults,
    wpSync: running.wpMessages,
    wpAsync: running.wpAsyncFaults,
  };
}
