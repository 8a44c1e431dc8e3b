import * as abi from "../../assembly/abi.js";
import { KernelError } from "../base/errors.js";
import {
  type Address,
  ADDRESS_LIMIT,
  checkCount,
  checkName,
  hex,
  isPageAligned,
  PAGE_LIMIT,
  PAGE_SIZE,
  roundUpToPages,
  toNumber,
} from "../base/pages.js";
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
import { PagemapScanner, type PagemapScan, type PagemapScanResult } from "./pagemap-scan.js";
import { PopulateCall } from "./populate-call.js";
import { Thread, type ThreadOutcome, type ThreadPlan } from "./thread.js";
import {
  type FaultWaiter,
  type Protection,
  PROTECTIONS,
  regionFlags,
  regionOf,
  type UffdContext,
  type UserFault,
  type Vma,
  VmaList,
} from "./vma.js";

/** Where mappings go that ask for no address: each has a top-level table entry of its own. */
export const FIRST_PLACE = 0x100000000000;
export const PLACE_SPACING: number = 2 ** 39;

/** A new mapping. */
export interface MmapOptions {
  /** Bytes; rounded up to pages. */
  readonly length: Address;
  /** Where: as with MAP_FIXED_NOREPLACE, a multiple of the page size where nothing is mapped. */
  readonly at?: Address;
  /** Default "rw". */
  readonly protection?: Protection;
}

/** Options of an address space. */
export interface AddressSpaceOptions {
  /** When a woken thread goes on: before the call that wakes it returns (default), or when `runWoken` is called. */
  readonly wakes?: "at-once" | "queued";
}

/** Advice that is modelled. */
export const ADVICES = ["dontneed", "populate-read", "populate-write", "guard-install", "guard-remove"] as const;

/** What madvise(2) is asked for. */
export type Advice = (typeof ADVICES)[number];

/** Resident memory of an address space, as /proc/PID/status has it. */
export interface MemoryStatus {
  /** VmPTE in bytes: page tables at all levels but the PGD. */
  readonly tableBytes: number;
  /** RssAnon in pages. */
  readonly anonPages: number;
}

/**
 * The memory of a process: anonymous private mappings over real page tables. Calls are named after the system calls that they model and
 * throw a `KernelError` where Linux returns an errno. Addresses and lengths are in bytes.
 */
export class AddressSpace {
  readonly engine: Engine;
  /** Handle of the page tables in the engine. */
  readonly handle: Space;
  readonly #vmas = new VmaList();
  #regionsAreStale = true;
  readonly #wakes: "at-once" | "queued";
  readonly #woken: FaultWaiter[] = [];
  #places = 0;

  /** @throws OutOfMemoryError */
  constructor(engine: Engine, options: AddressSpaceOptions = {}) {
    this.engine = engine;
    this.#wakes = options.wakes ?? "at-once";
    this.handle = engine.createSpace();
  }

  /** The mappings in ascending order. */
  get vmas(): readonly Vma[] {
    return this.#vmas.all;
  }

  /** Frees everything, as the end of the process does. The address space must not be used any more. */
  dispose(): void {
    this.engine.destroySpace(this.handle);
  }

  /**
   * Maps anonymous private memory and returns its address.
   * @throws KernelError EINVAL (length 0 or a misaligned address), EEXIST (something is mapped there), ENOMEM (beyond user space).
   */
  mmap(options: MmapOptions): number {
    const length = roundUpToPages(toNumber(options.length, "length"));
    const start = options.at === undefined ? this.#freePlace(length) : toNumber(options.at, "at");
    if (length === 0) throw new KernelError("mmap", "EINVAL", "the length is 0");
    if (start + length > ADDRESS_LIMIT) throw new KernelError("mmap", "ENOMEM", "the range is beyond user space");
    if (!isPageAligned(start)) throw new KernelError("mmap", "EINVAL", `address ${hex(start)} is not at a page`);
    const [firstPage, endPage] = [start / PAGE_SIZE, (start + length) / PAGE_SIZE];
    if (this.#vmas.within(firstPage, endPage).length > 0) {
      throw new KernelError("mmap", "EEXIST", `something is mapped in ${hex(start)}-${hex(start + length)}`);
    }
    const protection = checkName(options.protection ?? "rw", PROTECTIONS, "protection");
    this.#vmas.insert({ firstPage, endPage, protection, modes: 0, context: null, anonVma: null });
    this.#regionsAreStale = true;
    return start;
  }

  /** Unmaps a range; tables that no neighbouring mapping needs are freed. @throws KernelError EINVAL */
  munmap(start: Address, length: Address): void {
    const { firstPage, endPage } = this.#unmapRange(
      toNumber(start, "start"),
      roundUpToPages(toNumber(length, "length")),
    );
    const removed = this.#vmas.within(firstPage, endPage);
    if (removed.length === 0) return;
    this.#vmas.remove(firstPage, endPage);
    this.#regionsAreStale = true;
    for (const vma of removed) this.#zapWithin(vma, firstPage, endPage, "keep");
    const { floor, ceiling } = this.#vmas.gapAround(firstPage, endPage, PAGE_LIMIT + 1);
    this.engine.freeTables(this.handle, firstPage, endPage - firstPage, floor, ceiling);
    const contexts = new Set(removed.map((vma) => vma.context));
    for (const context of contexts) context?.unmapped(firstPage * PAGE_SIZE, endPage * PAGE_SIZE);
  }

  /**
   * Changes the protection of a range.
   * @throws KernelError EINVAL (misaligned), ENOMEM (something in the range is not mapped; what lies before it is changed).
   */
  mprotect(start: Address, length: Address, protection: Protection): void {
    checkName(protection, PROTECTIONS, "protection");
    const from = toNumber(start, "start");
    if (!isPageAligned(from)) throw new KernelError("mprotect", "EINVAL", `address ${hex(from)} is not at a page`);
    const end = from + roundUpToPages(toNumber(length, "length"));
    if (end === from) return;
    let reached = from / PAGE_SIZE;
    for (const vma of this.#vmas.within(reached, end / PAGE_SIZE)) {
      if (vma.firstPage > reached) break;
      const endPage = Math.min(vma.endPage, end / PAGE_SIZE);
      if (vma.protection !== protection) this.#protectPart(vma, reached, endPage, protection);
      reached = endPage;
    }
    if (reached * PAGE_SIZE < end)
      throw new KernelError("mprotect", "ENOMEM", `nothing is mapped at ${hex(reached * PAGE_SIZE)}`);
  }

  /**
   * Advises on a range. A populate that meets a fault which a userfaultfd has to resolve returns a waiter that goes on when woken; else
   * null is returned.
   * @throws KernelError EINVAL (misaligned, or not accessible), ENOMEM (something is not mapped), EFAULT (a fault ended in a signal),
   * EHWPOISON (a page is poisoned); OutOfMemoryError.
   */
  madvise(start: Address, length: Address, advice: Advice): PopulateCall | null {
    checkName(advice, ADVICES, "advice");
    const from = toNumber(start, "start");
    if (!isPageAligned(from)) throw new KernelError("madvise", "EINVAL", `address ${hex(from)} is not at a page`);
    const end = from + roundUpToPages(toNumber(length, "length"));
    if (end === from) return null;
    if (advice !== "populate-read" && advice !== "populate-write") {
      this.#adviseMappings(from / PAGE_SIZE, end / PAGE_SIZE, advice);
      return null;
    }
    const call = new PopulateCall(
      this,
      from / PAGE_SIZE,
      end / PAGE_SIZE,
      advice === "populate-read" ? "read" : "write",
    );
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
    this.#woken.push(...waiters);
    if (this.#wakes === "at-once") this.runWoken();
  }

  /** Lets the threads that were woken go on, one after the other in the order of waking. Returns whether there were any. @throws OutOfMemoryError */
  runWoken(): boolean {
    let count = 0;
    try {
      for (const waiter of this.#woken) {
        waiter.goOn();
        count++;
      }
    } finally {
      this.#woken.splice(0, count); // one for which there was no memory stays, as do those after it
    }
    return count > 0;
  }

  /** @internal Goes on with a thread until it ends or waits. */
  run(thread: Thread): void {
    this.publishRegions();
    if (thread.waits > 0) this.#resume(thread);
    while (thread.left > 0 && thread.waits === 0) this.#runWithinVma(thread);
  }

  /** Replays a block of access records (layout in `docs/abi.md`). Faults that stop it are counted, not queued. */
  replay(records: Uint32Array, options: ReplayOptions): ReplayResult {
    this.publishRegions();
    const result = this.engine.replay(this.handle, records, options);
    for (const vma of [...this.#vmas.all]) this.#noteAnonVma(vma);
    return result;
  }

  /** Returns the words of /proc/PID/pagemap for `pages` pages from the one that holds `start`, as root reads them. */
  pagemap(start: Address, pages: number): BigUint64Array {
    return this.engine.readPagemap(this.handle, Math.floor(toNumber(start, "start") / PAGE_SIZE), pages);
  }

  /** Does PAGEMAP_SCAN. @throws KernelError EINVAL, EFAULT, EPERM */
  pagemapScan(scan: PagemapScan): PagemapScanResult {
    return new PagemapScanner(this.engine, this.handle, this.#vmas).scan(scan);
  }

  /** Page tables and resident pages. */
  status(): MemoryStatus {
    const pudTables = this.#counter("pudTables");
    const pmdTables = this.#counter("pmdTables");
    const pteTables = this.#counter("pteTables");
    return { tableBytes: tableBytes({ pudTables, pmdTables, pteTables }), anonPages: this.#counter("anonPages") };
  }

  /** The engine's counters of this address space. */
  counters(): Counters {
    return this.engine.counters(this.handle);
  }

  /** @internal For `Userfaultfd`: the mappings that intersect a range. */
  vmasWithin(firstPage: number, endPage: number): Vma[] {
    return this.#vmas.within(firstPage, endPage);
  }

  /** @internal For `Userfaultfd`: the mapping at a page. */
  vmaAt(page: number): Vma | undefined {
    return this.#vmas.at(page);
  }

  /** @internal For `Userfaultfd`: changes registrations in a range. */
  changeVmas(firstPage: number, endPage: number, context: UffdContext | null, modes: number): void {
    this.#vmas.change(firstPage, endPage, { context, modes });
    this.#regionsAreStale = true;
  }

  /** @internal Gives the mapping of a page an `anon_vma`. */
  prepareAnonVma(page: number): void {
    this.#vmas.prepareAnonVma(page);
  }

  /** @internal Populates a part of one mapping; what waits is put on its userfaultfd's queue. */
  populatePart(
    vma: Vma,
    firstPage: number,
    endPage: number,
    access: "read" | "write",
    waiter: FaultWaiter,
  ): Progress<Outcome> {
    this.publishRegions();
    const progress = this.engine.populate(this.handle, firstPage, endPage - firstPage, access);
    this.#noteAnonVma(vma);
    if (isWaiting(progress.reason)) {
      this.#raise(vma, (firstPage + progress.pages) * PAGE_SIZE, progress.reason, access, waiter);
    }
    return progress;
  }

  /** Publishes the mappings to the engine if they have changed. */
  publishRegions(): void {
    if (!this.#regionsAreStale) return;
    this.engine.setRegions(this.handle, this.#vmas.all.map(regionOf));
    this.#regionsAreStale = false;
  }

  /** Each mapping that asks for no address gets the next place at which there is room. */
  #freePlace(length: number): number {
    let place: number;
    do {
      place = FIRST_PLACE + this.#places++ * PLACE_SPACING;
    } while (this.#vmas.within(place / PAGE_SIZE, (place + length) / PAGE_SIZE).length > 0);
    return place;
  }

  #unmapRange(start: number, length: number): { firstPage: number; endPage: number } {
    if (!isPageAligned(start)) throw new KernelError("munmap", "EINVAL", `address ${hex(start)} is not at a page`);
    if (length === 0 || start + length > ADDRESS_LIMIT)
      throw new KernelError("munmap", "EINVAL", "no range of user space");
    return { firstPage: start / PAGE_SIZE, endPage: (start + length) / PAGE_SIZE };
  }

  #protectPart(vma: Vma, firstPage: number, endPage: number, protection: Protection): void {
    this.#vmas.change(firstPage, endPage, { protection });
    this.#regionsAreStale = true;
    this.engine.changeProtection(this.handle, firstPage, endPage - firstPage, regionFlags({ ...vma, protection }));
  }

  /** Applies advice to what is mapped in a range; what is not mapped is passed over and told in the end. */
  #adviseMappings(firstPage: number, endPage: number, advice: "dontneed" | "guard-install" | "guard-remove"): void {
    let reached = firstPage;
    let hasGap = false;
    for (const vma of this.#vmas.within(firstPage, endPage)) {
      hasGap ||= vma.firstPage > reached;
      reached = vma.endPage;
      this.#adviseWithin(vma, Math.max(vma.firstPage, firstPage), Math.min(vma.endPage, endPage), advice);
    }
    if (hasGap || reached < endPage) throw new KernelError("madvise", "ENOMEM", "something in the range is not mapped");
  }

  #adviseWithin(
    vma: Vma,
    firstPage: number,
    endPage: number,
    advice: "dontneed" | "guard-install" | "guard-remove",
  ): void {
    if (advice === "dontneed") {
      vma.context?.removing(firstPage * PAGE_SIZE, endPage * PAGE_SIZE);
      this.engine.zap(this.handle, firstPage, endPage - firstPage, "reclaim");
    } else if (advice === "guard-install") {
      this.#vmas.prepareAnonVma(vma.firstPage);
      this.engine.installGuards(this.handle, firstPage, endPage - firstPage);
    } else {
      this.engine.removeGuards(this.handle, firstPage, endPage - firstPage);
    }
  }

  #zapWithin(vma: Vma, firstPage: number, endPage: number, tables: "keep" | "reclaim"): void {
    const first = Math.max(vma.firstPage, firstPage);
    this.engine.zap(this.handle, first, Math.min(vma.endPage, endPage) - first, tables);
  }

  /** Goes on with the access that waited. */
  #resume(thread: Thread): void {
    const page = Math.floor(thread.address / PAGE_SIZE);
    const vma = this.#vmas.at(page);
    const result = this.engine.resume(this.handle, page, thread.kind, thread.plan.value ?? 0, thread.waits);
    const waits = result.minflt + result.majflt > 0 ? 1 : thread.waits + 1; // a fault after one that was completed is another fault
    this.#note(thread, vma, result, 1, waits);
  }

  /** Makes the thread's next accesses, as far as the mapping of the first of them goes. */
  #runWithinVma(thread: Thread): void {
    const { stride, value } = thread.plan;
    const page = Math.floor(thread.address / PAGE_SIZE);
    if (page >= PAGE_LIMIT) {
      thread.end("SIGSEGV", thread.left); // not a user address: a protection fault without a mapping
      return;
    }
    const vma = this.#vmas.at(page);
    const accesses = vma === undefined ? 1 : Math.min(thread.left, Math.ceil((vma.endPage - page) / stride));
    if (accesses === 1) {
      const result = this.engine.access(this.handle, page, thread.kind, value ?? 0);
      this.#note(thread, vma, result, 1, 1);
      return;
    }
    const pageCount = (accesses - 1) * stride + 1;
    const result = this.engine.touch(this.handle, page, pageCount, stride, thread.kind, value ?? 0);
    thread.end("ok", result.accesses);
    this.#note(thread, vma, result, result.outcome === "done" ? 0 : 1, 1);
  }

  #note(thread: Thread, vma: Vma | undefined, result: AccessResult, ended: number, waits: number): void {
    thread.minflt += result.minflt;
    thread.majflt += result.majflt;
    thread.value = result.value;
    if (vma !== undefined) this.#noteAnonVma(vma);
    if (!isWaiting(result.outcome)) {
      thread.end(ENDINGS[result.outcome], ended);
      return;
    }
    thread.waits = waits;
    if (vma !== undefined) this.#raise(vma, thread.address, result.outcome, thread.plan.access, thread);
  }

  /** Learns from the engine whether a fault has given the mapping an `anon_vma`. */
  #noteAnonVma(vma: Vma): void {
    if (vma.anonVma !== null) return;
    const flags = this.engine.regionFlags(this.handle, this.#vmas.indexOf(vma));
    if ((flags & abi.REGION_ANON_VMA) !== 0) this.#vmas.prepareAnonVma(vma.firstPage);
  }

  #counter(name: keyof Counters): number {
    return this.engine.counter(this.handle, name);
  }

  #raise(vma: Vma, address: number, outcome: "missing" | "wp", access: "read" | "write", waiter: FaultWaiter): void {
    const fault: UserFault = { address, kind: outcome, access, waiter };
    vma.context?.raise(fault);
  }
}

const ENDINGS: Readonly<Record<"done" | "sigsegv" | "sigbus" | "poisoned", ThreadOutcome>> = {
  done: "ok",
  sigsegv: "SIGSEGV",
  sigbus: "SIGBUS",
  poisoned: "SIGBUS",
};
