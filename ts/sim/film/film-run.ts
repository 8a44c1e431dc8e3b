import { PAGE_SIZE } from "../../base/pages.js";
import { type Counters, subtractCounters, tableBytes } from "../../engine/counters.js";
import type { Engine } from "../../engine/engine.js";
import { ACCESS_PAGE_HIGH_MASK, ACCESS_WRITE } from "../../trace/access.js";
import type { Userfaultfd } from "../../uffd/userfaultfd.js";
import type { ModelledTime } from "../comparison.js";
import { modelledTime, protectCounts } from "../cost-profile.js";
import { arm, prefault, prefaultCounts } from "../arming.js";
import type { AccessBatch } from "./access-stream.js";
import type { AnsweredKind, FilmLog } from "./film-log.js";
import { type FaultCosts, type FilmOptions, trackerOf } from "./film-options.js";
import { type PreparedGuest, prepareGuest, VALUE_AFTER } from "./guest.js";
import { HandlerQueue } from "./handler-queue.js";
import type { PageWatch } from "./page-watch.js";
import { SavedPages } from "./saved-pages.js";
import { Stalls } from "./stalls.js";

/** What can be seen at a moment of a film. Counts are of everything up to then. */
export interface Frame {
  /** Nanoseconds of modelled time since the snapshot. */
  readonly timeNs: number;
  /** Writes of the guest; equal ones in a row of a trace count once. */
  readonly writes: number;
  /** Pages that the copier and that faults have saved. */
  readonly byCopier: number;
  readonly byFault: number;
  /** Write-protect faults. */
  readonly faults: number;
  /** Messages that wait for their answer at this moment. */
  readonly queue: number;
  /** Pages that have been written since the snapshot. */
  readonly dirty: number;
  /** Page tables at this moment, in bytes. */
  readonly tableBytes: number;
}

/** Faults of a film by what they met. */
export interface FilmFaults {
  /** Answered by the handler: on a page, on a marker, on the zero page. */
  readonly page: number;
  readonly marker: number;
  readonly zeroPage: number;
  /** Not answered by anybody, since nothing was protected: on what does not exist, and on the zero page. */
  readonly plainAllocate: number;
  readonly plainCopy: number;
}

/** Pages that are written out, and unprotected, together. */
const CHUNK_PAGES = 64;
const PAGE_HIGH = 2 ** 32;

/** Who looks on. */
export interface FilmObservers {
  readonly watch?: PageWatch;
  readonly log?: FilmLog;
}

interface Part extends AccessBatch {
  readonly isWatched: boolean;
}

interface Chunk {
  readonly firstPage: number;
  readonly count: number;
}

/** A film from its beginning to where it has been advanced. */
export class FilmRun {
  readonly guest: PreparedGuest;
  readonly saved: SavedPages;
  readonly stalls: Stalls = new Stalls();
  /** What makes pages exist before the snapshot costs, and what write-protecting costs while the guest stands still. */
  readonly prepare: ModelledTime;
  readonly arm: ModelledTime;
  readonly frames: Frame[] = [];
  readonly #options: FilmOptions;
  readonly #costs: FaultCosts;
  readonly #queue: HandlerQueue;
  readonly #uffd: Userfaultfd | null;
  readonly #watch: PageWatch | undefined;
  readonly #log: FilmLog | undefined;
  readonly #chunks: readonly Chunk[];
  readonly #pageNs: number;
  readonly #accessNs: number;
  readonly #frameNs: number;
  readonly #serviceNs: number;
  readonly #faults = { page: 0, marker: 0, zeroPage: 0, plainAllocate: 0, plainCopy: 0 };
  #nextChunk = 0;
  #nowNs = 0;
  #chunkStartNs = 0;
  /** When the chunk that is being copied will have been written out; null between two. */
  #chunkEndNs: number | null = null;
  #writes = 0;

  /** @throws RangeError for options out of range; MissingCostError; OutOfMemoryError. */
  constructor(engine: Engine, options: FilmOptions, { watch, log }: FilmObservers = {}) {
    this.#options = options;
    this.#watch = watch;
    this.#log = log;
    this.#costs = costsOf(options);
    this.#pageNs = pageTime(options.copierBytesPerSecond);
    this.#serviceNs = this.#costs.answered + this.#pageNs;
    this.#queue = new HandlerQueue(this.#serviceNs);
    this.guest = prepareGuest(engine, options.guest);
    this.#accessNs = 1e9 / this.guest.accessesPerSecond;
    const { space, layout } = this.guest;
    watch?.look(space, 0, "the guest has written it before the snapshot");
    this.saved = new SavedPages(space, layout);
    this.#chunks = chunksOf(layout.mappings);
    this.#frameNs = (this.saved.pages * this.#pageNs) / frameCount(options);
    const armed = this.#arm();
    this.prepare = armed.prepare;
    this.arm = armed.arm;
    this.#uffd = armed.uffd;
    this.frames.push(this.now);
  }

  get nowNs(): number {
    return this.#nowNs;
  }

  get isDone(): boolean {
    return this.#nextChunk === this.#chunks.length;
  }

  get faults(): FilmFaults {
    return { ...this.#faults };
  }

  /** What can be seen now, which is a frame only now and then. */
  get now(): Frame {
    const { page, marker, zeroPage } = this.#faults;
    const { byCopier, byFault, dirty } = this.saved;
    return {
      timeNs: this.#nowNs,
      writes: this.#writes,
      byCopier,
      byFault,
      faults: page + marker + zeroPage,
      queue: this.#queue.lengthAt(this.#nowNs),
      dirty,
      tableBytes: tableBytes(this.guest.space.counters()),
    };
  }

  /** Goes on until the copier is done or the time is reached. */
  advance(toNs: number): void {
    while (this.#nextChunk < this.#chunks.length && this.#nowNs < toNs) {
      this.#goOn();
      const lastNs = this.frames.at(-1)?.timeNs ?? 0;
      if (this.#nextChunk === this.#chunks.length || this.#nowNs >= lastNs + this.#frameNs) this.frames.push(this.now);
    }
  }

  /** Lets the guest write until the chunk that is being copied has been written out, or until the next frame; then the chunk is saved. */
  #goOn(): void {
    const { firstPage, count } = this.#chunks[this.#nextChunk] as Chunk;
    if (this.#chunkEndNs === null) {
      const pages = this.#options.passesOverSaved === false ? count : this.saved.unsavedIn(firstPage, count);
      this.#chunkStartNs = this.#nowNs;
      this.#chunkEndNs = this.#nowNs + pages * this.#pageNs;
    }
    this.#nowNs = Math.min(this.#chunkEndNs, this.#nowNs + this.#frameNs);
    const answered = this.#replayUntil(this.#nowNs);
    if (this.#options.handler === "copier") this.#chunkEndNs += answered * this.#serviceNs;
    if (this.#nowNs < this.#chunkEndNs) return;
    this.#saveChunk(firstPage, count);
    this.#log?.addChunk({ firstPage, pageCount: count, startNs: this.#chunkStartNs, endNs: this.#nowNs });
    this.#nextChunk++;
    this.#chunkEndNs = null;
  }

  /** Saves a chunk as it is and unprotects it. */
  #saveChunk(firstPage: number, count: number): void {
    const { space } = this.guest;
    this.saved.saveRange(space, firstPage, count, this.#nowNs);
    this.#uffd?.removeWriteProtection(firstPage * PAGE_SIZE, count * PAGE_SIZE);
    const { page } = this.#watch ?? { page: -1 };
    if (page < firstPage || page >= firstPage + count) return;
    this.#watch?.look(space, this.#nowNs, "the copier has saved it and unprotects it");
  }

  /** Replays the guest's accesses before a moment and returns how many were answered by the handler; a guest that is stopped makes none. */
  #replayUntil(ns: number): number {
    if (this.#uffd === null) return 0;
    const { accesses } = this.guest;
    const end = Math.ceil(ns / this.#accessNs);
    let answered = 0;
    for (let batch = accesses.take(end); batch !== null; batch = accesses.take(end)) answered += this.#replay(batch);
    return answered;
  }

  #arm(): { prepare: ModelledTime; arm: ModelledTime; uffd: Userfaultfd | null } {
    const { tracker: name, profile } = this.#options;
    const tracker = trackerOf(name);
    if (tracker === null) return { prepare: modelledTime(profile, {}), arm: modelledTime(profile, {}), uffd: null };
    const { space, layout } = this.guest;
    const mappings = layout.mappings.length;
    const prefaulted = prefault(tracker, space, layout);
    this.#watch?.look(space, 0, "read, so that the page exists");
    const before = space.counters();
    const uffd = arm(tracker, space, layout);
    this.#watch?.look(space, 0, "UFFDIO_WRITEPROTECT of all memory");
    this.saved.noteArmed(space);
    const protecting = protectCounts(subtractCounters(space.counters(), before));
    return {
      prepare: modelledTime(profile, prefaultCounts(tracker, prefaulted, mappings)),
      arm: modelledTime(profile, { ...protecting, call: mappings }),
      uffd,
    };
  }

  /** Replays accesses and returns how many were answered by the handler. */
  #replay(batch: AccessBatch): number {
    const watch = this.#watch;
    if (watch === undefined) return this.#replayPart(batch);
    let faults = 0;
    for (const part of partsAround(batch, watch.page)) {
      faults += part.isWatched ? this.#replayWatched(part, watch) : this.#replayPart(part);
    }
    return faults;
  }

  /** Replays one access to the page that is watched. */
  #replayWatched(part: AccessBatch, watch: PageWatch): number {
    const { space } = this.guest;
    const before = space.counters();
    const answered = this.#replayPart(part);
    const cause = writeCause(subtractCounters(space.counters(), before), answered > 0);
    watch.look(space, (part.positions[0] as number) * this.#accessNs, cause);
    return answered;
  }

  #replayPart({ words, positions }: AccessBatch): number {
    const { space } = this.guest;
    this.#noteWrites(words, positions);
    const before = this.#mapFaults();
    const answered: { page: number; ns: number }[] = [];
    for (let done = 0; 2 * done < words.length;) {
      const result = space.replay(words.subarray(2 * done), { value: VALUE_AFTER, wp: "unprotect" });
      const { faults, reason } = result;
      if (reason !== "end" && reason !== "full") throw new Error(`an access of the guest ended in ${reason}`);
      for (let i = 0; i < faults.count; i++) {
        const page = faults.pages[i] as number;
        const ns = (positions[done + (faults.indexes[i] as number)] as number) * this.#accessNs;
        this.saved.saveFaulted(page, faults.contents[i] as number, ns);
        answered.push({ page, ns });
      }
      done += result.done;
    }
    const after = this.#mapFaults();
    this.#addStalls(answered, after.allocate - before.allocate, after.copy - before.copy);
    return answered.length;
  }

  #noteWrites(words: Uint32Array, positions: Float64Array): void {
    for (let i = 0; i < positions.length; i++) {
      const high = words[2 * i + 1] as number;
      if ((high & ACCESS_WRITE) === 0) continue;
      this.#writes++;
      const page = (high & ACCESS_PAGE_HIGH_MASK) * PAGE_HIGH + (words[2 * i] as number);
      this.saved.noteWrite(page, (positions[i] as number) * this.#accessNs);
    }
  }

  #mapFaults(): { allocate: number; copy: number } {
    const { engine, handle } = this.guest.space;
    return { allocate: engine.counter(handle, "allocateFaults"), copy: engine.counter(handle, "copyFaults") };
  }

  /**
   * Adds what the faults cost that the engine counted: `allocated` pages were made, `copied` ones replaced the zero page. Which of the answered
   * ones did that follows from what was there; where reads of a trace have changed that meanwhile, only the sums are sure.
   */
  #addStalls(answered: readonly { page: number; ns: number }[], allocated: number, copied: number): void {
    const { allocate, copy } = this.#costs;
    let [allocations, copies] = [allocated, copied];
    for (const { page, ns } of answered) {
      const isHole = !this.saved.existed(page);
      const isMarker = isHole && allocations > 0;
      const isZeroPage = isHole && !isMarker && copies > 0;
      const arrivalNs = ns + (isMarker ? allocate : 0);
      const answeredNs = this.#queue.add(arrivalNs, this.#readyAt(arrivalNs));
      const doneNs = answeredNs + (isZeroPage ? copy : 0);
      this.stalls.add(doneNs - ns);
      if (isMarker) allocations--;
      if (isZeroPage) copies--;
      const kind: AnsweredKind = isMarker ? "marker" : isZeroPage ? "zeroPage" : "page";
      this.#faults[kind]++;
      this.#log?.addFault({ page, kind, writtenNs: ns, takenNs: answeredNs - this.#serviceNs, answeredNs, doneNs });
    }
    this.stalls.add(allocate, allocations);
    this.stalls.add(copy, copies);
    this.#faults.plainAllocate += allocations;
    this.#faults.plainCopy += copies;
  }

  /** When the handler can begin with a message if no other waits: the copier finishes its page first. */
  #readyAt(arrivalNs: number): number {
    if (this.#options.handler !== "copier") return arrivalNs;
    const pages = Math.ceil((arrivalNs - this.#chunkStartNs) / this.#pageNs);
    return Math.max(arrivalNs, this.#chunkStartNs + pages * this.#pageNs);
  }
}

function costsOf({ profile }: FilmOptions): FaultCosts {
  const ns = (cost: "wpSyncFault" | "writeFault" | "copyFault"): number => modelledTime(profile, { [cost]: 1 }).totalNs;
  return { answered: ns("wpSyncFault"), allocate: ns("writeFault"), copy: ns("copyFault") };
}

function frameCount({ frames = 200 }: FilmOptions): number {
  if (Number.isInteger(frames) && frames > 0) return frames;
  throw new RangeError(`"frames" expected at least 1, got ${frames}`);
}

function pageTime(bytesPerSecond: number): number {
  if (bytesPerSecond > 0 && bytesPerSecond < Infinity) return (PAGE_SIZE / bytesPerSecond) * 1e9;
  throw new RangeError(`"copierBytesPerSecond" expected more than 0, got ${bytesPerSecond}`);
}

function chunksOf(mappings: readonly { readonly firstPage: number; readonly pageCount: number }[]): Chunk[] {
  const chunks: Chunk[] = [];
  for (const { firstPage, pageCount } of mappings) {
    for (let at = 0; at < pageCount; at += CHUNK_PAGES) {
      chunks.push({ firstPage: firstPage + at, count: Math.min(CHUNK_PAGES, pageCount - at) });
    }
  }
  return chunks;
}

/** Cuts a batch so that each access to the page stands alone. */
function* partsAround({ words, positions }: AccessBatch, page: number): Generator<Part, void, undefined> {
  const [low, high] = [page % PAGE_HIGH, Math.floor(page / PAGE_HIGH)];
  const part = (from: number, to: number, isWatched = false): Part => ({
    words: words.subarray(2 * from, 2 * to),
    positions: positions.subarray(from, to),
    isWatched,
  });
  let from = 0;
  for (let i = 0; i < positions.length; i++) {
    if (words[2 * i] !== low || ((words[2 * i + 1] as number) & ACCESS_PAGE_HIGH_MASK) !== high) continue;
    if (i > from) yield part(from, i);
    yield part(i, i + 1, true);
    from = i + 1;
  }
  if (from < positions.length) yield part(from, positions.length);
}

/** What an access of the guest took, from what was counted. */
function writeCause(grown: Counters, isAnswered: boolean): string {
  const exceptions = [
    ...(grown.readNotPresent > 0 ? ["0x4"] : []),
    ...(grown.writeNotPresent > 0 ? ["0x6"] : []),
    ...(grown.writeProtected > 0 ? ["0x7"] : []),
  ];
  const took = exceptions.length === 0 ? "without an exception" : `exception ${exceptions.join(" and ")}`;
  return `the guest accesses it: ${took}${isAnswered ? ", message; the handler saves the page and unprotects it" : ""}`;
}
