import { PAGE_SIZE } from "../base/pages.js";
import type { AccessKind } from "../engine/engine.js";
import type { FaultWaiter } from "./vma.js";

/** How an access ended, or that it waits for a page fault to be resolved. */
export type ThreadOutcome = "ok" | "blocked" | "SIGBUS" | "SIGSEGV";

/** What a thread is to do: `count` accesses, `stride` pages apart, the first at a byte address. */
export interface ThreadPlan {
  readonly address: number;
  readonly access: "read" | "write";
  readonly count: number;
  readonly stride: number;
  /** What writes store; undefined when the byte is not part of the page's modelled content. */
  readonly value: number | undefined;
}

/** Who carries the accesses out. */
export interface ThreadRunner {
  /** Goes on with the plan of a thread until it ends or waits. */
  run(thread: Thread): void;
}

/**
 * A thread that accesses memory. It ends at once, or waits for a userfaultfd and goes on when that wakes it. A signal ends one access
 * only: the next is made all the same.
 */
export class Thread implements FaultWaiter {
  readonly #runner: ThreadRunner;
  readonly plan: ThreadPlan;
  readonly #ended: Record<ThreadOutcome, number> = { ok: 0, blocked: 0, SIGBUS: 0, SIGSEGV: 0 };
  #last: ThreadOutcome = "ok";
  #limit: number;
  /** What the last read found. */
  value = 0;
  /** Faults that the thread was charged for since it started: `ru_minflt`. */
  minflt = 0;
  /** The same for `ru_majflt`. */
  majflt = 0;
  /** How often the fault of the access that is under way has waited; 0 when none is. */
  waits = 0;
  /** Whether the access that is under way faults for ever. */
  isEndless = false;

  /** @internal Threads are made by an address space. */
  constructor(runner: ThreadRunner, plan: ThreadPlan) {
    this.#runner = runner;
    this.plan = plan;
    this.#limit = plan.count;
  }

  /** "blocked" while the thread waits, else how its last access ended. */
  get outcome(): ThreadOutcome {
    return this.waits > 0 ? "blocked" : this.#last;
  }

  /** How many accesses ended in each way; the one that waits counts as blocked. */
  get outcomes(): Readonly<Record<ThreadOutcome, number>> {
    return { ...this.#ended, blocked: this.waits > 0 ? 1 : 0 };
  }

  /** Accesses that have ended. */
  get done(): number {
    return this.#ended.ok + this.#ended.SIGBUS + this.#ended.SIGSEGV;
  }

  /** Accesses that are still to be made, the one that waits included. */
  get left(): number {
    return this.#limit - this.done;
  }

  /** Address of the access that is under way or next. */
  get address(): number {
    return this.plan.address + this.done * this.plan.stride * PAGE_SIZE;
  }

  /** What the engine is to do. */
  get kind(): AccessKind {
    return this.plan.access === "write" && this.plan.value === undefined ? "write-elsewhere" : this.plan.access;
  }

  /** Goes on with the access that waits, and with those after it. */
  goOn(): void {
    this.#runner.run(this);
  }

  /** Makes no further access after the one that is under way. */
  endAfterCurrent(): void {
    this.#limit = Math.min(this.#limit, this.done + (this.waits > 0 ? 1 : 0));
  }

  /** @internal Notes that accesses have ended. */
  end(outcome: ThreadOutcome, count: number): void {
    if (count === 0) return;
    this.#ended[outcome] += count;
    this.#last = outcome;
    this.waits = 0;
  }
}
