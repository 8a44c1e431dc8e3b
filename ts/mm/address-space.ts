import { KernelError } from "../base/errors.js";
import {
  type Address,
  checkCount,
  checkName,
  hex,
  PAGE_LIMIT,
  PAGE_SIZE,
  roundUpToPages,
  toNumber,
} from "../base/pages.js";
import type { AccessBuffer } from "../engine/access-buffer.js";
import { type Counters, tableBytes } from "../engine/counters.js";
import {
  type AccessResult,
  type Engine,
  type Progress,
  type ReplayOptions,
  type ReplayResult,
  type Space,
} from "../engine/engine.js";
import { isWaiting, type Outcome } from "../engine/outcome.js";
import { adviseMappings, MAPPING_ADVICES } from "./advice.js";
import { copyMappings } from "./fork.js";
import { Machine } from "./machine.js";
import { mapAt, type MmapOptions, protectRange, unmapRange } from "./mapping-calls.js";
import type { MemoryObject } from "./memory-object.js";
import { callRange, Mm } from "./mm.js";
import { PagemapScanner, type PagemapScan, type PagemapScanResult } from "./pagemap-scan.js";
import { PopulateCall } from "./populate-call.js";
import { remap } from "./remap.js";
import { WakeQueue } from "./wake-queue.js";
import { Thread, type ThreadOutcome, type ThreadPlan } from "./thread.js";
import { type FaultWaiter, pageStep, type Protection, type Vma } from "./vma.js";

/** Where mappings go that ask for no address: each has a top-level table entry of its own. */
export const FIRST_PLACE = 0x100000000000;
export const PLACE_SPACING: number = 2 ** 39;

/** Options of an address space. */
export interface AddressSpaceOptions {
  /**
   * When a woken thread goes on: before the call that wakes it returns (default), or when `runWoken` is called. Several processes can share a
   * queue.
   */
  readonly wakes?: "at-once" | "queued" | WakeQueue;
  /** The machine whose files and pools the process uses. Default: one of its own, without huge pages and swap. */
  readonly machine?: Machine;
}

/** Advice that is modelled. */
export const ADVICES: readonly ["populate-read", "populate-write", ...typeof MAPPING_ADVICES] = [
  "populate-read",
  "populate-write",
  ...MAPPING_ADVICES,
];

/** What madvise(2) is asked for. */
export type Advice = (typeof ADVICES)[number];

/** Options of mremap. */
export interface MremapOptions {
  /** Bytes; rounded up to pages. */
  readonly newLength: Address;
  /** Where to (MREMAP_MAYMOVE | MREMAP_FIXED): what is mapped there is unmapped. "anywhere" takes the next free place. Default: in place. */
  readonly to?: Address | "anywhere";
  /** MREMAP_DONTUNMAP. */
  readonly keepsSource?: boolean;
}

/** Resident memory of an address space, as /proc/PID/status has it. */
export interface MemoryStatus {
  /** VmPTE in bytes: page tables at all levels but the PGD. */
  readonly tableBytes: number;
  /** RssAnon, RssFile, RssShmem and VmSwap in pages. */
  readonly anonPages: number;
  readonly filePages: number;
  readonly shmemPages: number;
  readonly swapPages: number;
}

/**
 * The memory of a process: mappings over real page tables. Calls are named after the system calls that they model and throw a `KernelError`
 * where Linux returns an errno. Addresses and lengths are in bytes.
 */
export class AddressSpace {
  readonly engine: Engine;
  readonly machine: Machine;
  /** @internal Mappings and tables. */
  readonly mm: Mm;
  readonly #wakes: "at-once" | "queued";
  readonly #woken: WakeQueue;
  #scanner: PagemapScanner | undefined;
  #places = 0;
  #isDisposed = false;

  /** @throws OutOfMemoryError */
  constructor(engine: Engine, options: AddressSpaceOptions = {}) {
    this.engine = engine;
    this.#wakes = options.wakes instanceof WakeQueue ? "queued" : (options.wakes ?? "at-once");
    this.#woken = options.wakes instanceof WakeQueue ? options.wakes : new WakeQueue();
    this.machine = options.machine ?? new Machine(engine);
    this.mm = new Mm(this.machine);
  }

  /** Handle of the page tables in the engine. */
  get handle(): Space {
    return this.mm.handle;
  }

  /** The mappings in ascending order. */
  get vmas(): readonly Vma[] {
    return this.mm.vmas;
  }

  /** Whether the process has ended. */
  get isDisposed(): boolean {
    return this.#isDisposed;
  }

  /** Frees everything, as the end of the process does. The address space must not be used any more. */
  dispose(): void {
    this.#isDisposed = true;
    this.mm.dispose();
  }

  /**
   * Maps memory and returns its address.
   * @throws KernelError EINVAL (length 0 or a misaligned address), EEXIST (something is mapped there), ENOMEM (beyond user space, or the pool
   * does not have the huge pages); OutOfMemoryError.
   */
  mmap(options: MmapOptions): number {
    const start =
      options.at === undefined ? this.#freePlace(toNumber(options.length, "length")) : toNumber(options.at, "at");
    mapAt(this.mm, start, options);
    return start;
  }

  /** Returns what is mapped at an address, so that it can be mapped again; null for anonymous memory and where nothing is mapped. */
  objectAt(address: Address): MemoryObject | null {
    return this.mm.list.at(Math.floor(toNumber(address, "address") / PAGE_SIZE))?.object ?? null;
  }

  /** Unmaps a range; tables that no neighbouring mapping needs are freed. @throws KernelError EINVAL */
  munmap(start: Address, length: Address): void {
    unmapRange(this.mm, toNumber(start, "start"), toNumber(length, "length"));
  }

  /**
   * Changes the protection of a range.
   * @throws KernelError EINVAL (misaligned), ENOMEM (something in the range is not mapped; what lies before it is changed); OutOfMemoryError.
   */
  mprotect(start: Address, length: Address, protection: Protection): void {
    protectRange(this.mm, toNumber(start, "start"), toNumber(length, "length"), protection);
  }

  /**
   * Changes the size of a mapping, or moves it. Returns where it is then.
   * @throws KernelError EINVAL, EFAULT (not one mapping), ENOMEM (no room to grow); OutOfMemoryError.
   */
  mremap(start: Address, length: Address, options: MremapOptions): number {
    const newLength = toNumber(options.newLength, "newLength");
    const from = toNumber(start, "start");
    const to = options.to === "anywhere" ? this.#freePlace(newLength) : options.to;
    remap(this.mm, {
      start: from,
      length: toNumber(length, "length"),
      newLength,
      ...(to === undefined ? {} : { to: toNumber(to, "to") }),
      keepsSource: options.keepsSource === true,
    });
    return to === undefined ? from : toNumber(to, "to");
  }

  /**
   * Makes a copy of the process (fork). Descriptors with the feature event-fork get a copy for the child's memory, which a message tells.
   * @throws OutOfMemoryError
   */
  fork(): AddressSpace {
    const child = new AddressSpace(this.engine, {
      wakes: this.#wakes === "queued" ? this.#woken : "at-once",
      machine: this.machine,
    });
    child.#places = this.#places;
    const announce = copyMappings(this.mm, child.mm, child);
    announce();
    return child;
  }

  /**
   * Advises on a range. A populate that meets a fault which a userfaultfd has to resolve returns a waiter that goes on when woken; else
   * null is returned.
   * @throws KernelError EINVAL (misaligned, or not for this kind of memory), EACCES, EBUSY, ENOMEM (something is not mapped), EFAULT (a fault
   * ended in a signal), EHWPOISON (a page is poisoned); EndlessCallError; OutOfMemoryError.
   */
  madvise(start: Address, length: Address, advice: Advice): PopulateCall | null {
    checkName(advice, ADVICES, "advice");
    const { firstPage, endPage } = callRange("madvise", toNumber(start, "start"), toNumber(length, "length"));
    if (endPage === firstPage) return null;
    if (advice !== "populate-read" && advice !== "populate-write") {
      adviseMappings(this.mm, firstPage, endPage, advice);
      return null;
    }
    if (!this.machine.has("populate"))
      throw new KernelError("madvise", "EINVAL", "the kernel does not know the advice");
    const call = new PopulateCall(this, firstPage, endPage, advice === "populate-read" ? "read" : "write");
    call.goOn();
    if (call.error !== null) throw call.error;
    return call.isBlocked ? call : null;
  }

  /** Reads the number of the page at `address` on a thread of its own. */
  read(address: Address): Thread {
    return this.start({ address: toNumber(address, "address"), access: "read", count: 1, stride: 1, value: 0 });
  }

  /** Writes the number of the page at `address` on a thread of its own; `value`: an integer from 0 to 2^53 - 1. */
  write(address: Address, value: number): Thread {
    checkCount(value, "value");
    return this.start({ address: toNumber(address, "address"), access: "write", count: 1, stride: 1, value });
  }

  /** Starts a thread with a plan; it has ended or waits when this returns. */
  start(plan: ThreadPlan): Thread {
    const thread = new Thread(this, plan);
    thread.goOn();
    return thread;
  }

  /** @internal Wakes threads that wait for a fault to be resolved. */
  wake(waiters: readonly FaultWaiter[]): void {
    this.#woken.push(waiters);
    if (this.#wakes === "at-once") this.runWoken();
  }

  /** Lets the threads that were woken go on, one after the other in the order of waking. Returns whether there were any. @throws OutOfMemoryError */
  runWoken(): boolean {
    return this.#woken.run();
  }

  /** @internal Goes on with a thread until it ends or waits. */
  run(thread: Thread): void {
    if (this.#isDisposed) return;
    this.mm.publish();
    if (thread.waits > 0) this.#resume(thread, thread.waits);
    while (thread.left > 0 && thread.waits === 0 && !thread.isEndless) this.#runWithinVma(thread);
  }

  /**
   * Replays a block of access records (layout in `docs/abi.md`), of an array or of a buffer of the same engine. Faults that stop it are counted,
   * not queued.
   */
  replay(records: Uint32Array | AccessBuffer, options: ReplayOptions): ReplayResult {
    this.mm.publish();
    const result = this.engine.replay(this.handle, records, options);
    for (const vma of [...this.vmas]) this.mm.noteAnonVma(vma);
    return result;
  }

  /** Returns the words of /proc/PID/pagemap for `pages` pages from the one that holds `start`, as root reads them. */
  pagemap(start: Address, pages: number): BigUint64Array {
    const words = this.engine.readPagemap(this.handle, Math.floor(toNumber(start, "start") / PAGE_SIZE), pages);
    return this.machine.has("guard-files") ? words : words.map((word) => word & ~PAGEMAP_GUARD);
  }

  /** Does PAGEMAP_SCAN. @throws KernelError EINVAL, EFAULT, EPERM */
  pagemapScan(scan: PagemapScan): PagemapScanResult {
    this.#scanner ??= new PagemapScanner(this.mm);
    return this.#scanner.scan(scan);
  }

  /** Page tables and resident pages. */
  status(): MemoryStatus {
    const count = (name: keyof Counters): number => this.engine.counter(this.handle, name);
    return {
      tableBytes: tableBytes({
        pudTables: count("pudTables"),
        pmdTables: count("pmdTables"),
        pteTables: count("pteTables"),
      }),
      anonPages: count("anonPages"),
      filePages: count("filePages"),
      shmemPages: count("shmemPages"),
      swapPages: count("swapEntries"),
    };
  }

  /** The engine's counters of this address space. */
  counters(): Counters {
    return this.engine.counters(this.handle);
  }

  /** @internal For `PopulateCall`: the mapping at a page. */
  vmaAt(page: number): Vma | undefined {
    return this.mm.list.at(page);
  }

  /** @internal Populates a part of one mapping; what waits is put on its userfaultfd's queue. */
  populatePart(
    vma: Vma,
    firstPage: number,
    endPage: number,
    access: "read" | "write",
    waiter: FaultWaiter,
  ): Progress<Outcome> {
    this.mm.publish();
    const progress = this.engine.populate(this.handle, firstPage, endPage - firstPage, access);
    this.mm.noteAnonVma(vma);
    const page = firstPage + progress.pages;
    if (progress.reason === "unmap-others") {
      const isFound = this.machine.unmapOthers(this.mm, vma, page);
      return { pages: progress.pages, reason: isFound ? "done" : "hang" };
    }
    if (isWaiting(progress.reason)) this.#raise(vma, page * PAGE_SIZE, progress.reason, access, waiter);
    return progress;
  }

  /** Each mapping that asks for no address gets the next place at which there is room. */
  #freePlace(bytes: number): number {
    const length = roundUpToPages(bytes);
    let place: number;
    do {
      place = FIRST_PLACE + this.#places++ * PLACE_SPACING;
    } while (this.mm.list.within(place / PAGE_SIZE, (place + length) / PAGE_SIZE).length > 0);
    return place;
  }

  /** Goes on with the access that waited; `waits` is 0 for one that did not wait but could not be completed at once. */
  #resume(thread: Thread, waits: number): void {
    const page = Math.floor(thread.address / PAGE_SIZE);
    const vma = this.mm.list.at(page);
    const result = this.engine.resume(this.handle, page, thread.kind, thread.plan.value ?? 1, waits);
    const next = result.minflt + result.majflt > 0 ? 1 : waits + 1; // a fault after one that was completed is another fault
    this.#note(thread, vma, result, 1, next);
  }

  /** Makes the thread's next accesses, as far as the mapping of the first of them goes. */
  #runWithinVma(thread: Thread): void {
    const { stride } = thread.plan;
    const value = thread.plan.value ?? 1;
    const page = Math.floor(thread.address / PAGE_SIZE);
    if (page >= PAGE_LIMIT) {
      thread.end("SIGSEGV", thread.left); // not a user address: a protection fault without a mapping
      return;
    }
    const vma = this.mm.list.at(page);
    const accesses = vma === undefined ? 1 : Math.min(thread.left, Math.ceil((vma.endPage - page) / stride));
    if (accesses === 1) {
      const result = this.engine.access(this.handle, page, thread.kind, value);
      this.#note(thread, vma, result, 1, 1);
      return;
    }
    const pageCount = (accesses - 1) * stride + 1;
    const result = this.engine.touch(this.handle, page, pageCount, stride, thread.kind, value);
    thread.end("ok", result.accesses);
    this.#note(thread, vma, result, result.outcome === "done" ? 0 : 1, 1);
  }

  #note(thread: Thread, vma: Vma | undefined, result: AccessResult, ended: number, waits: number): void {
    thread.minflt += result.minflt;
    thread.majflt += result.majflt;
    thread.value = result.value;
    if (vma !== undefined) this.mm.noteAnonVma(vma);
    if (result.outcome === "hang") {
      thread.isEndless = true;
    } else if (result.outcome === "unmap-others") {
      const page = Math.floor(thread.address / PAGE_SIZE);
      thread.isEndless = vma === undefined || !this.machine.unmapOthers(this.mm, vma, page);
      this.mm.publish();
      if (!thread.isEndless) this.#resume(thread, 0);
    } else if (isWaiting(result.outcome)) {
      thread.waits = waits + (result.tried ? 1 : 0);
      if (vma !== undefined) this.#raise(vma, thread.address, result.outcome, thread.plan.access, thread);
    } else {
      thread.end(ENDINGS[result.outcome], ended);
    }
  }

  #raise(
    vma: Vma,
    address: number,
    kind: "missing" | "wp" | "minor",
    access: "read" | "write",
    waiter: FaultWaiter,
  ): void {
    if (vma.context === null) throw new KernelError("page fault", "EFAULT", `nobody answers at ${hex(address)}`);
    vma.context.raise({ address, kind, access, waiter, pageBytes: pageStep(vma) * PAGE_SIZE });
  }
}

/** Bit 58 of a pagemap word, which older kernels do not have. */
const PAGEMAP_GUARD = 1n << 58n;

const ENDINGS: Readonly<Record<"done" | "sigsegv" | "sigbus" | "poisoned", ThreadOutcome>> = {
  done: "ok",
  sigsegv: "SIGSEGV",
  sigbus: "SIGBUS",
  poisoned: "SIGBUS",
};
