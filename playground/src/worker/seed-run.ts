/**
 * The experiment of WP_UNPOPULATED: memory that nobody has touched is write-protected in one of four ways, then a guest writes to pages at
 * random. It is carried out in slices, so that it can be watched; entries and counts are the same as of whole calls.
 */
import { PAGE_SIZE } from "../../../ts/base/pages.js";
import { Random } from "../../../ts/base/random.js";
import { type Counters, subtractCounters, tableBytes } from "../../../ts/engine/counters.js";
import type { Engine } from "../../../ts/engine/engine.js";
import { AddressSpace } from "../../../ts/mm/address-space.js";
import { Machine } from "../../../ts/mm/machine.js";
import { prefaultCounts } from "../../../ts/sim/arming.js";
import { MemoryContents } from "../../../ts/sim/contents.js";
import { type CostName, faultCounts, protectCounts } from "../../../ts/sim/cost-profile.js";
import { type Layout, layoutRam } from "../../../ts/sim/layout.js";
import { type Tracker, trackerOf } from "../../../ts/sim/trackers.js";
import { ACCESS_WRITE } from "../../../ts/trace/access.js";
import { Userfaultfd } from "../../../ts/uffd/userfaultfd.js";
import type { SeedState } from "../state/seed.js";

/** What the experiment is carried out with. */
export type SeedParams = SeedState;

/** The parts of the experiment, in their order. */
export type SeedPhase = "prefault" | "arm" | "write";

/** How far it is. */
export interface SeedProgress {
  readonly phase: SeedPhase;
  /** Share of the phase that is done, 0 to 1. */
  readonly done: number;
}

/** How often each cost of a profile applies. */
export type CostCounts = Readonly<Partial<Record<CostName, number>>>;

/** What arming did. */
export interface ArmOutcome {
  /** Entries that it changed, by what they were. */
  readonly armed: { readonly none: number; readonly page: number; readonly zeroPage: number };
  /** Pages that it touched first, to make them exist. */
  readonly prefaulted: number;
  /** Page-table bytes afterwards. */
  readonly tableBytes: number;
  readonly costs: CostCounts;
}

/** What the writes afterwards did, and what the tracker knows of them. */
export interface WriteOutcome {
  readonly writes: number;
  /** Pages whose content changed, by comparing all contents; of these the messages told `reported`, and nothing told `missed`. */
  readonly dirty: number;
  readonly reported: number;
  readonly missed: number;
  /** The first of those that were missed, as page numbers. */
  readonly missedPages: readonly number[];
  readonly messages: number;
  /** Page-fault exceptions by x86 error code: 0x6 and 0x7. */
  readonly writeNotPresent: number;
  readonly writeProtected: number;
  readonly tableBytes: number;
  readonly costs: CostCounts;
}

/** What writes store: an untouched page holds 0. */
const WRITTEN = 1;
/** Pieces that a phase is carried out in. */
const SLICES = 64;
const SLICE_ALIGNMENT = 512;
const MISSED_PAGES_LISTED = 20;
const WORD = 2 ** 32;

/** One run, from an empty address space on. */
export class SeedRun {
  readonly space: AddressSpace;
  readonly params: SeedParams;
  readonly tracker: Tracker;
  readonly firstPage: number;
  readonly pageCount: number;
  /** The pages that the guest writes, in their order; some come twice. */
  readonly writes: Float64Array;
  readonly #layout: Layout;
  readonly #uffd: Userfaultfd;
  readonly #contents: MemoryContents;

  /** Maps the memory and opens a descriptor. @throws OutOfMemoryError; RangeError for a size that is too large. */
  constructor(engine: Engine, params: SeedParams) {
    this.params = params;
    this.tracker = trackerOf(params.mode);
    this.space = new AddressSpace(engine, { machine: new Machine(engine, { thp: params.thp ? "always" : "never" }) });
    this.#layout = layoutRam(params.bytes);
    const [{ firstPage, pageCount } = { firstPage: 0, pageCount: 0 }] = this.#layout.mappings;
    this.firstPage = firstPage;
    this.pageCount = pageCount;
    this.writes = writtenPages(params, firstPage, pageCount);
    this.space.mmap({ at: firstPage * PAGE_SIZE, length: pageCount * PAGE_SIZE });
    this.#contents = MemoryContents.of(this.space, this.#layout);
    const features = ["pagefault-flag-wp", ...this.tracker.features] as const;
    this.#uffd = Userfaultfd.open(this.space, { features });
  }

  /** Ends the process. */
  dispose(): void {
    this.space.dispose();
  }

  /** Makes pages exist, as the tracker wants it. */
  *prefault(): Generator<SeedProgress, void, undefined> {
    const { prefault } = this.tracker;
    if (prefault === "none") return;
    for (const { first, count, done } of this.#slices()) {
      const address = first * PAGE_SIZE;
      if (prefault === "populate") this.space.madvise(address, count * PAGE_SIZE, "populate-read");
      else this.space.start({ address, access: "read", count, stride: 1, value: 0 });
      yield { phase: "prefault", done };
    }
  }

  /** Registers and write-protects everything. */
  *protect(): Generator<SeedProgress, void, undefined> {
    this.#uffd.register(this.firstPage * PAGE_SIZE, this.pageCount * PAGE_SIZE, ["wp"]);
    for (const { first, count, done } of this.#slices()) {
      this.#uffd.writeProtect(first * PAGE_SIZE, count * PAGE_SIZE);
      yield { phase: "arm", done };
    }
  }

  /** Does both. */
  *arm(): Generator<SeedProgress, ArmOutcome, undefined> {
    yield* this.prefault();
    const populated = this.space.counters();
    yield* this.protect();
    const armed = this.space.counters();
    const done = subtractCounters(armed, populated);
    const prefaulted = this.tracker.prefault === "none" ? 0 : this.pageCount;
    const prefaulting = prefaultCounts(this.tracker, prefaulted, 1);
    return {
      armed: { none: done.armedNone, page: done.armedPage, zeroPage: done.armedZeroPage },
      prefaulted,
      tableBytes: tableBytes(armed),
      // the whole range is one ioctl, whatever the slices
      costs: { ...protectCounts(done), ...prefaulting, call: (prefaulting.call ?? 0) + 1 },
    };
  }

  /** Lets the guest write; a handler removes the protection of each page that it hears of. */
  *write(): Generator<SeedProgress, WriteOutcome, undefined> {
    const before = this.space.counters();
    const reported = new Set<number>();
    const step = Math.max(1, Math.ceil(this.writes.length / SLICES));
    for (let from = 0; from < this.writes.length; from += step) {
      const pages = this.writes.subarray(from, from + step);
      const { faults } = this.space.replay(writeRecords(pages), { value: WRITTEN, wp: "unprotect" });
      for (let i = 0; i < faults.count; i++) reported.add(faults.pages[i] ?? 0);
      yield { phase: "write", done: Math.min(1, (from + step) / this.writes.length) };
    }
    return this.#written(subtractCounters(this.space.counters(), before), reported);
  }

  /** Makes one write, handler and all, as `write` does. */
  writeAtOnce(page: number): void {
    this.space.replay(writeRecords(Float64Array.of(page)), { value: WRITTEN, wp: "unprotect", records: "count" });
  }

  /** Makes one write as a thread would, and tells after each step what has happened: the fault, the handler's call, the end. */
  *writeSlowly(page: number): Generator<{ readonly what: string; readonly cause?: string }, void, undefined> {
    const exceptions = this.space.counters();
    const thread = this.space.write(page * PAGE_SIZE, WRITTEN);
    const raised = subtractCounters(this.space.counters(), exceptions);
    const codes = [raised.writeNotPresent > 0 ? "0x6" : "", raised.writeProtected > 0 ? "0x7" : ""].filter(Boolean);
    const cause = codes.length === 0 ? undefined : `exception ${codes.join(", then ")}`;
    const what = thread.outcome === "blocked" ? "write faults; the thread waits" : "write";
    yield { what, ...(cause === undefined ? {} : { cause }) };
    for (let message = this.#uffd.read(); message !== undefined; message = this.#uffd.read()) {
      if (message.event !== "pagefault") continue;
      this.#uffd.removeWriteProtection(message.address, PAGE_SIZE);
      yield { what: "handler removes the protection; the write is done", cause: `message ${message.kind}` };
    }
  }

  *#slices(): Generator<{ first: number; count: number; done: number }, void, undefined> {
    const rough = Math.ceil(this.pageCount / SLICES);
    const step = Math.ceil(rough / SLICE_ALIGNMENT) * SLICE_ALIGNMENT;
    for (let offset = 0; offset < this.pageCount; offset += step) {
      const count = Math.min(step, this.pageCount - offset);
      yield { first: this.firstPage + offset, count, done: (offset + count) / this.pageCount };
    }
  }

  #written(done: Counters, reported: ReadonlySet<number>): WriteOutcome {
    const after = MemoryContents.of(this.space, this.#layout);
    const dirty = [...after.changedSince(this.#contents)];
    const missed = dirty.filter((page) => !reported.has(page));
    return {
      writes: this.writes.length,
      dirty: dirty.length,
      reported: dirty.length - missed.length,
      missed: missed.length,
      missedPages: missed.slice(0, MISSED_PAGES_LISTED),
      messages: done.wpMessages,
      writeNotPresent: done.writeNotPresent,
      writeProtected: done.writeProtected,
      tableBytes: tableBytes(this.space.counters()),
      costs: faultCounts(done),
    };
  }
}

/** Chooses the pages that the guest writes. */
function writtenPages({ writes, seed }: SeedParams, firstPage: number, pageCount: number): Float64Array {
  const random = new Random(seed);
  return Float64Array.from({ length: writes }, () => firstPage + random.below(pageCount));
}

/** Access records for `replay`, two words each. */
function writeRecords(pages: Float64Array): Uint32Array {
  const words = new Uint32Array(2 * pages.length);
  pages.forEach((page, i) => {
    words[2 * i] = page % WORD;
    words[2 * i + 1] = Math.floor(page / WORD) | ACCESS_WRITE;
  });
  return words;
}
