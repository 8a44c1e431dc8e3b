import { checkName, PAGE_SIZE } from "../base/pages.js";
import { type Counters, subtractCounters, tableBytes } from "../engine/counters.js";
import type { Engine } from "../engine/engine.js";
import { entryKind, type ExceptionCode, isUffdWp, type PageEntry } from "../engine/entry.js";
import { entryOf } from "../engine/page-walk.js";
import { AddressSpace } from "../mm/address-space.js";
import { Machine } from "../mm/machine.js";
import { HUGE_PAGES } from "../mm/memory-object.js";
import type { Feature } from "../uffd/features.js";
import { encodeMessage, type Message } from "../uffd/messages.js";
import { Userfaultfd } from "../uffd/userfaultfd.js";
import { type CostName, COSTS, type CostProfile, faultCounts } from "./cost-profile.js";
import { WRITE_PAGES, WRITE_TRACKERS, type WriteChoice } from "./write-choice.js";

/** Who does something. */
export type WriteActor = "thread" | "processor" | "kernel" | "page tables" | "queue" | "handler";

/** One thing that happens. */
export interface WriteEvent {
  readonly actor: WriteActor;
  readonly what: string;
  /** Error code of the page fault that begins here. */
  readonly exception?: ExceptionCode;
  /** The entry before and after, where it changes. */
  readonly change?: { readonly before: PageEntry; readonly after: PageEntry };
  /** The message, as `read` of the descriptor gives it: a `struct uffd_msg`. */
  readonly message?: Uint8Array;
}

/** A figure of the profile and the events that it covers together: what is inside of it was not measured piece by piece. */
export interface CostSpan {
  readonly cost: CostName;
  /** What the figure is of. */
  readonly of: string;
  /** Modelled nanoseconds; null where the profile has no such figure. */
  readonly ns: number | null;
  /** Numbers of the first and the last event. */
  readonly first: number;
  readonly last: number;
  /** What the figure leaves out or counts twice here; null where it fits. */
  readonly note: string | null;
}

/** A write, event by event. */
export interface OneWrite {
  readonly choice: WriteChoice;
  readonly events: readonly WriteEvent[];
  readonly spans: readonly CostSpan[];
  /** Sum of the figures; null where one is missing. A write without a fault has none: its time is not modelled. */
  readonly totalNs: number | null;
  /** How the tracker learns of the write, if it does. */
  readonly reported: "by a message" | "by a scan" | "to nobody";
  /** Faults that the thread is charged for. */
  readonly minflt: number;
  readonly profile: { readonly name: string; readonly provenance: string };
}

const FEATURES: Readonly<Record<WriteChoice["tracker"], readonly Feature[]>> = {
  none: [],
  sync: ["pagefault-flag-wp"],
  "sync-unpopulated": ["pagefault-flag-wp", "wp-unpopulated"],
  async: ["pagefault-flag-wp", "wp-async"],
};

const SPLIT = "the huge page is split, and uffd-wp of this page is cleared";
const NO_SPLIT = "measured for a small page: splitting a huge one is not in it";
const VALUE_BEFORE = 1;
const VALUE_AFTER = 2;

/**
 * Carries out one write on the engine and tells what happens in which order. `engine` must have no other address space, so that frames have the
 * same numbers each time.
 * @throws TypeError for a choice that does not exist; OutOfMemoryError.
 */
export function oneWrite(engine: Engine, choice: WriteChoice, profile: CostProfile): OneWrite {
  checkName(choice.tracker, WRITE_TRACKERS, "tracker");
  checkName(choice.page, WRITE_PAGES, "page");
  const middle = choice.tracker === "async" ? entryAfterFirstFault(engine, choice) : null;
  const stage = new Stage(engine, choice);
  try {
    return new SlowMotion(stage, middle).run(profile);
  } finally {
    stage.dispose();
  }
}

/**
 * The entry between the two faults of a write to a marker. With async the engine goes through both in one call, so it is looked at in a run
 * with sync, which differs only after it.
 */
function entryAfterFirstFault(engine: Engine, choice: WriteChoice): PageEntry {
  const stage = new Stage(engine, { ...choice, tracker: "sync-unpopulated" });
  try {
    stage.write();
    return stage.entry();
  } finally {
    stage.dispose();
  }
}

/** The memory that is written to, prepared as chosen. */
class Stage {
  readonly choice: WriteChoice;
  readonly uffd: Userfaultfd | null;
  readonly #space: AddressSpace;
  readonly #start: number;
  readonly #pages: number;

  constructor(engine: Engine, choice: WriteChoice) {
    this.choice = choice;
    const isHuge = choice.page === "huge-page";
    const machine = new Machine(engine, { thp: isHuge ? "always" : "never" });
    this.#space = new AddressSpace(engine, { machine, wakes: "queued" });
    this.#pages = isHuge ? HUGE_PAGES : 1;
    const length = this.#pages * PAGE_SIZE;
    this.#start = this.#space.mmap({ length });
    if (choice.page === "zero-page") this.#space.read(this.#start);
    else if (choice.page !== "none") this.#space.write(this.#start, VALUE_BEFORE);
    this.uffd = this.#track(length);
  }

  dispose(): void {
    this.#space.dispose();
  }

  entry(): PageEntry {
    return entryOf(this.#space.engine, this.#space.handle, this.#start / PAGE_SIZE);
  }

  counters(): Counters {
    return this.#space.counters();
  }

  /** Starts the write; it may wait. */
  write(): { readonly outcome: string; readonly minflt: number } {
    return this.#space.write(this.#start, VALUE_AFTER);
  }

  /** Answers a message without letting anybody go on yet. */
  unprotect(): void {
    this.uffd?.removeWriteProtection(this.#start, PAGE_SIZE);
  }

  goOn(): void {
    this.#space.runWoken();
  }

  /** Tells whether PAGEMAP_SCAN reports the page as written. */
  isFoundByScan(): boolean {
    const range = { start: this.#start, end: this.#start + PAGE_SIZE };
    const { regions } = this.#space.pagemapScan({ ...range, mask: ["written"], return: ["written"], vectorLength: 1 });
    return regions.length > 0;
  }

  #track(length: number): Userfaultfd | null {
    const { tracker, armed } = this.choice;
    if (tracker === "none") return null;
    const uffd = Userfaultfd.open(this.#space, { features: FEATURES[tracker] });
    uffd.register(this.#start, length, ["wp"]);
    if (armed) uffd.writeProtect(this.#start, length);
    return uffd;
  }
}

/** Follows the write. */
class SlowMotion {
  readonly #stage: Stage;
  readonly #middle: PageEntry | null;
  readonly #events: WriteEvent[] = [];
  readonly #spans: Omit<CostSpan, "of" | "ns">[] = [];
  #entry: PageEntry;
  #message: Message | undefined;

  constructor(stage: Stage, middle: PageEntry | null) {
    this.#stage = stage;
    this.#middle = middle;
    this.#entry = stage.entry();
  }

  run(profile: CostProfile): OneWrite {
    const stage = this.#stage;
    const start = stage.counters();
    this.#add("thread", "writes to the page");
    const thread = stage.write();
    const taken = subtractCounters(stage.counters(), start);
    if (taken.writeNotPresent > 0) this.#firstFault(taken);
    if (taken.writeProtected > 0) this.#protectionFault(taken);
    this.#finish();
    const counts = faultCounts(subtractCounters(stage.counters(), start));
    return {
      choice: stage.choice,
      events: this.#events,
      ...this.#modelled(profile, counts),
      reported: this.#reported(),
      minflt: thread.minflt,
      profile: { name: profile.name, provenance: profile.provenance },
    };
  }

  /** A write to what is not present. */
  #firstFault(taken: Counters): void {
    const isMarker = entryKind(this.#entry.entry, this.#entry.level) === "uffd-wp marker";
    const first = this.#add("processor", "finds no page in the entry: page fault, error code 0x6", { exception: 0x6 });
    const tables = tableBytes(taken) / PAGE_SIZE;
    if (tables > 0) this.#add("kernel", `allocates ${tables} page table${tables === 1 ? "" : "s"}`);
    this.#add(
      "kernel",
      `takes a page and fills it with zeros${isMarker ? "; the marker says to keep the protection" : ""}`,
    );
    const isPassed = taken.writeProtected > 0 && this.#middle !== null;
    const kept = isMarker ? "the page is mapped read-only, with uffd-wp in place of the marker" : "the page is mapped";
    this.#change("page tables", kept, isPassed ? this.#middle : this.#stage.entry());
    this.#add("kernel", "returns from the exception");
    this.#span("writeFault", first, tables > 0 ? "of page tables it has the share of one page" : null);
    if (taken.writeProtected > 0) this.#add("thread", "writes again, to the page that is there now");
  }

  /** A write to what is read-only. */
  #protectionFault(taken: Counters): void {
    const first = this.#add("processor", "finds the entry read-only: page fault, error code 0x7", { exception: 0x7 });
    this.#message = this.#stage.uffd?.read();
    if (this.#message !== undefined) this.#answer(this.#message, first);
    else if (isUffdWp(this.#entry)) this.#resolveAsync(taken, first);
    else this.#copy(first);
  }

  /** The kernel takes the protection away by itself. */
  #resolveAsync(taken: Counters, first: number): void {
    const isCopied = taken.copyFaults > 0;
    const copied = isCopied ? "; the zero page is copied" : "";
    const now = this.#stage.entry();
    const isSplit = now.level !== this.#entry.level;
    this.#add("kernel", `sees uffd-wp, and that the tracker is async: nobody is asked${copied}`);
    this.#change("page tables", isSplit ? SPLIT : "uffd-wp is cleared, the entry becomes writable", now);
    this.#add("kernel", "returns from the exception");
    this.#span(isCopied ? "copyFault" : "wpAsyncFault", first, isSplit ? NO_SPLIT : null);
  }

  #copy(first: number): void {
    this.#add("kernel", "takes a new page and copies the zero page");
    this.#change("page tables", "the new page is mapped, writable", this.#stage.entry());
    this.#add("kernel", "returns from the exception");
    this.#span("copyFault", first);
  }

  /** The message, its answer, and the rest of the fault. */
  #answer(message: Message, first: number): void {
    const before = this.#stage.counters();
    this.#add("kernel", "sees uffd-wp: puts a message into the descriptor's queue");
    this.#add("thread", "sleeps in the exception");
    this.#add("queue", "32 bytes: page fault, the address, the flags write and wp", {
      message: encodeMessage(message),
    });
    this.#add("handler", "reads the message; this is the moment to save the page");
    this.#add("handler", "UFFDIO_WRITEPROTECT without MODE_WP, for this page");
    this.#stage.unprotect();
    const now = this.#stage.entry();
    const isSplit = now.level !== this.#entry.level;
    this.#change("page tables", isSplit ? SPLIT : "uffd-wp is cleared", now);
    this.#add("kernel", "wakes the thread, before the ioctl returns");
    const woken = this.#add("thread", "goes on in the same exception");
    this.#stage.goOn();
    const after = subtractCounters(this.#stage.counters(), before);
    if (after.copyFaults > 0) {
      this.#add("kernel", "takes a new page and copies the zero page");
      this.#change("page tables", "the new page is mapped, writable", this.#stage.entry());
      this.#span("copyFault", woken, "measured as a fault of its own, so that there are two exceptions in the sum");
    }
    this.#add("kernel", "returns from the exception");
    this.#span("wpSyncFault", first, isSplit ? NO_SPLIT : null);
  }

  /** The write itself, which may set bits of the entry. */
  #finish(): void {
    const now = this.#stage.entry();
    const isSame = now.entry === this.#entry.entry;
    const what =
      this.#events.length === 1 ? "finds the entry writable: no fault, the write is done" : "the write is done";
    if (isSame) this.#add("processor", what);
    else this.#change("processor", `${what}, and the entry becomes dirty`, now);
  }

  #reported(): OneWrite["reported"] {
    if (this.#message !== undefined) return "by a message";
    return this.#stage.choice.tracker === "async" && this.#stage.isFoundByScan() ? "by a scan" : "to nobody";
  }

  #modelled(
    profile: CostProfile,
    counts: Readonly<Partial<Record<CostName, number>>>,
  ): Pick<OneWrite, "spans" | "totalNs"> {
    const counted = this.#spans.filter(({ cost }) => (counts[cost] ?? 0) > 0);
    const spans = counted.map((span) => ({ ...span, of: COSTS[span.cost], ns: profile.costs[span.cost]?.ns ?? null }));
    const ordered = spans.sort((a, b) => a.first - b.first || b.last - a.last);
    const isComplete = ordered.every(({ ns }) => ns !== null);
    return { spans: ordered, totalNs: isComplete ? ordered.reduce((sum, { ns }) => sum + (ns ?? 0), 0) : null };
  }

  #add(actor: WriteActor, what: string, more: Partial<WriteEvent> = {}): number {
    this.#events.push({ actor, what, ...more });
    return this.#events.length - 1;
  }

  #change(actor: WriteActor, what: string, after: PageEntry): void {
    this.#add(actor, what, { change: { before: this.#entry, after } });
    this.#entry = after;
  }

  #span(cost: CostName, first: number, note: string | null = null): void {
    this.#spans.push({ cost, first, last: this.#events.length - 1, note });
  }
}
