import * as abi from "../../assembly/abi.js";
import { OutOfMemoryError } from "../base/errors.js";
import { checkCount, checkPage, PAGE_LIMIT, TABLE_SIZE } from "../base/pages.js";
import { COUNTER_INDEX, COUNTER_NAMES, type Counters } from "./counters.js";
import type { EngineExports } from "./exports.js";
import { type Outcome, OUTCOMES } from "./outcome.js";
import { FaultCollector, type ReplayFaults } from "./replay-faults.js";

/** Settings of an engine. */
export interface EngineOptions {
  /** Limit of the linear memory in bytes, for tables and contents together: up to 4 GiB, which is the default. */
  readonly memoryLimit?: number;
}

/** Handle of an address space in an engine. */
export type Space = number;

/** What a fault may do on a run of pages: flags are REGION_ numbers of the ABI. */
export interface Region {
  readonly firstPage: number;
  readonly endPage: number;
  readonly flags: number;
}

/** What an access does. "write-elsewhere" writes a byte that is not part of the page's modelled content. */
export type AccessKind = "read" | "write" | "write-elsewhere";

/** One access and what it took. */
export interface AccessResult {
  readonly outcome: Outcome;
  /** What a read found; 0 for a write and for an access that is not done. */
  readonly value: number;
  /** Faults charged to the thread. */
  readonly minflt: number;
  readonly majflt: number;
}

/** Pages that a range call did, and why it did not do the one after them ("done" or "ok" when it did all). */
export interface Progress<Reason> {
  readonly pages: number;
  readonly reason: Reason;
}

/** How a replay of a block ended. */
export interface ReplayResult {
  /** Accesses that were done, from the start of the block. */
  readonly done: number;
  /** Why the next one was not: "end" if there is none, "full" if the fault records were full, else what it waits for. */
  readonly reason: "end" | "full" | Outcome;
  readonly faults: ReplayFaults;
}

/** Options of a replay. */
export interface ReplayOptions {
  /** What every write of the block stores: an integer from 0 to 2^53 - 1. */
  readonly value: number;
  /** Answer write-protect messages by unprotecting the page, inside the engine (default: stop there). */
  readonly wp?: "unprotect" | "stop";
  /** Pass over accesses that end in a signal (default: stop there). */
  readonly signals?: "pass" | "stop";
  /** Whether faults are returned as records (default) or only counted. */
  readonly records?: "return" | "count";
  /** How often the fault of the first access has waited, if it has. */
  readonly waits?: number;
}

/** State of one PAGEMAP_SCAN call, carried from region to region. Masks are CATEGORY_ sets. */
export interface ScanRequest {
  readonly vectorLength: number;
  readonly inverted: number;
  readonly mask: number;
  readonly anyOf: number;
  readonly returned: number;
  readonly wpMatching: boolean;
  /** Infinity for no limit. */
  readonly maxPages: number;
}

/** A run of pages that a scan put out. */
export interface ScanRegion {
  readonly firstPage: number;
  readonly endPage: number;
  readonly categories: number;
}

const WASM_PAGE = 65536;
const MEMORY_MAX = 2 ** 32;
const WORD_HIGH = 2 ** 32;
const FAULT_RECORDS = 8192;
/** Accesses that are replayed in one call of the engine; the call itself costs nothing beside them. */
const REPLAY_CHUNK = 1 << 17;
/** Pages that are read out in one call: 8 bytes each. */
const READ_CHUNK_PAGES = 1 << 16;

/** Offsets of the host's buffers in linear memory. */
interface Buffers {
  readonly accesses: number;
  readonly faults: number;
  readonly words: number;
  readonly regions: number;
}

/**
 * The page-table engine: address spaces with real x86-64 page tables in linear memory. This class knows entries and ranges of pages; it
 * knows nothing of mappings and registrations, which `AddressSpace` and `Userfaultfd` boil down to regions. It is the only user of the
 * Wasm module, and the only one that makes views of its memory.
 */
export class Engine {
  readonly #wasm: EngineExports;
  readonly #result: number;
  readonly #scan: number;
  #words: Uint32Array;
  readonly #buffers: Buffers;

  /** @internal Use `createEngine` of the package. */
  constructor(exports: EngineExports, options: EngineOptions) {
    this.#wasm = exports;
    this.#result = exports.resultBlock() >>> 2;
    this.#scan = exports.scanState() >>> 2;
    this.#words = new Uint32Array(exports.memory.buffer);
    const limit = checkCount(options.memoryLimit ?? MEMORY_MAX, "memoryLimit", MEMORY_MAX);
    exports.limitMemory(Math.floor(limit / WASM_PAGE));
    this.#buffers = this.#reserveBuffers();
  }

  /** Bytes of linear memory that the engine has taken from its host: tables, contents, buffers. */
  get memoryBytes(): number {
    return this.#wasm.memory.buffer.byteLength;
  }

  /** Makes an empty address space. @throws OutOfMemoryError */
  createSpace(): Space {
    return this.#need(this.#wasm.createSpace(), "createSpace");
  }

  /** Frees an address space and all it holds. Its handle is void. */
  destroySpace(space: Space): void {
    this.#wasm.destroySpace(space);
  }

  /** Replaces the region table of a space; `regions` are sorted and do not overlap. @throws OutOfMemoryError */
  setRegions(space: Space, regions: readonly Region[]): void {
    const buffer = regions.length === 0 ? 0 : this.#need(this.#wasm.regionBuffer(space, regions.length), "setRegions");
    const words = this.#memory();
    regions.forEach((region, i) => {
      const at = (buffer + i * abi.REGION_BYTES) >>> 2;
      writeWord(words, at + abi.REGION_FIRST / 4, region.firstPage);
      writeWord(words, at + abi.REGION_END / 4, region.endPage);
      words[at + abi.REGION_FLAGS / 4] = region.flags;
      words[at + abi.REGION_TAG / 4] = i;
    });
    this.#wasm.publishRegions(space, regions.length);
  }

  /** Returns the flags of the region with that number in the table; the engine sets REGION_ANON_VMA. */
  regionFlags(space: Space, index: number): number {
    const words = this.#memory();
    const regions = words[(space + abi.SPACE_REGIONS) >>> 2] ?? 0;
    return words[(regions + index * abi.REGION_BYTES + abi.REGION_FLAGS) >>> 2] ?? 0;
  }

  /** Write-protects a range; with "unpopulated", entries that are none get markers and tables are allocated. @throws OutOfMemoryError */
  protect(space: Space, firstPage: number, pageCount: number, mode: "populated" | "unpopulated"): void {
    checkRange(firstPage, pageCount);
    const flags = mode === "unpopulated" ? abi.PROTECT_UNPOPULATED : 0;
    this.#check(this.#wasm.protect(space, firstPage, pageCount, flags), "protect");
  }

  /** Removes write protection; in a writable region, pages become writable at once where the kernel does so. */
  unprotect(space: Space, firstPage: number, pageCount: number, region: "writable" | "read-only"): void {
    checkRange(firstPage, pageCount);
    this.#wasm.unprotect(space, firstPage, pageCount, region === "writable" ? abi.UPGRADE_WRITABLE : 0);
  }

  /** Gives present entries the protection of a region with these flags (mprotect). */
  changeProtection(space: Space, firstPage: number, pageCount: number, regionFlags: number): void {
    checkRange(firstPage, pageCount);
    const flags =
      ((regionFlags & abi.REGION_WRITE) !== 0 ? abi.UPGRADE_WRITABLE : 0) |
      ((regionFlags & abi.REGION_UFFD_WP) !== 0 ? abi.UPGRADE_NOT_UFFD_WP : 0) |
      ((regionFlags & abi.REGION_READ) === 0 ? abi.PROTECTION_NONE : 0);
    this.#wasm.changeProtection(space, firstPage, pageCount, flags);
  }

  /** Removes pages and markers; with "reclaim", last-level tables that lie in the range and are empty afterwards are freed. */
  zap(space: Space, firstPage: number, pageCount: number, tables: "keep" | "reclaim"): void {
    checkRange(firstPage, pageCount);
    this.#wasm.zap(space, firstPage, pageCount, tables === "reclaim" ? abi.ZAP_RECLAIM : 0);
  }

  /** Frees the tables of an unmapped range that cover nothing outside [`floor`, `ceiling`), the gap between the remaining mappings. */
  freeTables(space: Space, firstPage: number, pageCount: number, floor: number, ceiling: number): void {
    checkRange(firstPage, pageCount);
    this.#wasm.freeTables(space, firstPage, pageCount, floor, ceiling);
  }

  /** Faults a range in, as MADV_POPULATE_READ and _WRITE do. @throws OutOfMemoryError */
  populate(space: Space, firstPage: number, pageCount: number, access: "read" | "write"): Progress<Outcome> {
    checkRange(firstPage, pageCount);
    const pages = this.#wasm.populate(space, firstPage, pageCount, accessKind(access));
    return { pages, reason: this.#outcome(this.#reason(), "populate") };
  }

  /** Fills entries with new pages of content `value`, `value + step`, … (UFFDIO_COPY). `flags`: FILL_. @throws OutOfMemoryError */
  fillCopy(
    space: Space,
    firstPage: number,
    pageCount: number,
    flags: number,
    value: number,
    step: number,
  ): Progress<"ok" | "exists"> {
    checkRange(firstPage, pageCount);
    const pages = this.#wasm.fillCopy(
      space,
      firstPage,
      pageCount,
      flags,
      checkCount(value, "value"),
      checkCount(step, "step"),
    );
    return this.#filled(pages, "fillCopy");
  }

  /** Fills entries with the shared zero page (UFFDIO_ZEROPAGE). `flags`: FILL_. @throws OutOfMemoryError */
  fillZero(space: Space, firstPage: number, pageCount: number, flags: number): Progress<"ok" | "exists"> {
    checkRange(firstPage, pageCount);
    const pages = this.#wasm.fillZero(space, firstPage, pageCount, flags);
    return this.#filled(pages, "fillZero");
  }

  /** Fills entries with poison markers (UFFDIO_POISON). @throws OutOfMemoryError */
  fillPoison(space: Space, firstPage: number, pageCount: number): Progress<"ok" | "exists"> {
    checkRange(firstPage, pageCount);
    const pages = this.#wasm.fillPoison(space, firstPage, pageCount);
    return this.#filled(pages, "fillPoison");
  }

  /** Makes every entry of a range a guard marker (MADV_GUARD_INSTALL). @throws OutOfMemoryError */
  installGuards(space: Space, firstPage: number, pageCount: number): void {
    checkRange(firstPage, pageCount);
    this.#check(this.#wasm.installGuards(space, firstPage, pageCount), "installGuards");
  }

  /** Makes the guard markers of a range none (MADV_GUARD_REMOVE). */
  removeGuards(space: Space, firstPage: number, pageCount: number): void {
    checkRange(firstPage, pageCount);
    this.#wasm.removeGuards(space, firstPage, pageCount);
  }

  /** Reads or writes one page. @throws OutOfMemoryError */
  access(space: Space, page: number, access: AccessKind, value: number): AccessResult {
    checkRange(page, 1);
    return this.#accessResult(this.#wasm.access(space, page, accessKind(access), checkCount(value, "value")), access);
  }

  /** Goes on with an access whose fault has waited `waits` times. @throws OutOfMemoryError */
  resume(space: Space, page: number, access: AccessKind, value: number, waits: number): AccessResult {
    checkRange(page, 1);
    return this.#accessResult(this.#wasm.resume(space, page, accessKind(access), value, waits), access);
  }

  /** Reads or writes every `stride`-th page until one access is not done. @throws OutOfMemoryError */
  touch(
    space: Space,
    firstPage: number,
    pageCount: number,
    stride: number,
    access: AccessKind,
    value: number,
  ): AccessResult & { readonly accesses: number } {
    checkRange(firstPage, pageCount);
    if (!(stride > 0)) throw new RangeError(`"stride" expected at least 1, got ${stride}`);
    const accesses = this.#wasm.touch(space, firstPage, pageCount, stride, accessKind(access), value);
    return { ...this.#accessResult(this.#reason(), access), value: 0, accesses };
  }

  /**
   * Replays a block of access records (two words each, layout in `docs/abi.md`).
   * @throws OutOfMemoryError; the accesses before the one that needed memory are done.
   */
  replay(space: Space, records: Uint32Array, options: ReplayOptions): ReplayResult {
    checkCount(options.value, "value");
    const count = records.length >>> 1;
    const faults = new FaultCollector();
    let done = 0;
    let reason: ReplayResult["reason"] = "end";
    while (done < count && reason === "end") {
      const chunk = records.subarray(2 * done, 2 * (done + REPLAY_CHUNK));
      const replayed = this.#replayChunk(space, chunk, options, done === 0 ? (options.waits ?? 0) : 0);
      faults.add(this.#faultRecords(), done);
      done += replayed.done;
      reason = replayed.reason;
    }
    return { done, reason, faults: faults.all() };
  }

  /** Begins a scan; `scanRange` and `takeScanRegions` go on with it. @throws OutOfMemoryError */
  beginScan(request: ScanRequest): void {
    const vector = request.vectorLength === 0 ? 0 : this.#buffers.regions;
    const words = this.#memory();
    const limit = Math.min(request.maxPages, Number.MAX_SAFE_INTEGER);
    words[this.#scan + abi.SCAN_VECTOR / 4] = vector;
    words[this.#scan + abi.SCAN_VECTOR_LEFT / 4] = Math.min(request.vectorLength, WORD_HIGH - 1);
    words[this.#scan + abi.SCAN_BUFFERED / 4] = 0;
    words[this.#scan + abi.SCAN_INVERTED / 4] = request.inverted;
    words[this.#scan + abi.SCAN_MASK / 4] = request.mask;
    words[this.#scan + abi.SCAN_ANYOF / 4] = request.anyOf;
    words[this.#scan + abi.SCAN_RETURN / 4] = request.returned;
    words[this.#scan + abi.SCAN_FLAGS / 4] = request.wpMatching ? abi.SCAN_WP_MATCHING : 0;
    writeWord(words, this.#scan + abi.SCAN_MAX_PAGES / 4, limit);
    writeWord(words, this.#scan + abi.SCAN_FOUND_PAGES / 4, 0);
    writeWord(words, this.#scan + abi.SCAN_WALK_END / 4, 0);
  }

  /** Scans a range of one region. Returns false when the output is full or `maxPages` are found. @throws OutOfMemoryError */
  scanRange(
    space: Space,
    firstPage: number,
    pageCount: number,
    regionCategories: number,
    holeCategories: number,
  ): boolean {
    checkRange(firstPage, pageCount);
    const words = this.#memory();
    words[this.#scan + abi.SCAN_REGION_CATEGORIES / 4] = regionCategories;
    words[this.#scan + abi.SCAN_HOLE_CATEGORIES / 4] = holeCategories;
    return this.#check(this.#wasm.scan(space, firstPage, pageCount), "scanRange") === abi.OK;
  }

  /** Takes the regions that are in the kernel's bounce buffer now, and tells where the walk stopped (0: it has not) and what was found. */
  takeScanRegions(): { regions: ScanRegion[]; walkEndPage: number; foundPages: number } {
    const words = this.#memory();
    const count = words[this.#scan + abi.SCAN_BUFFERED / 4] ?? 0;
    const vector = (words[this.#scan + abi.SCAN_VECTOR / 4] ?? 0) >>> 2;
    const regions = Array.from({ length: count }, (_, i) => {
      const at = vector + i * (abi.SCAN_REGION_BYTES / 4);
      const categories = words[at + abi.SCAN_REGION_CATEGORY_SET / 4] ?? 0;
      return { firstPage: readWord(words, at), endPage: readWord(words, at + abi.SCAN_REGION_END / 4), categories };
    });
    words[this.#scan + abi.SCAN_VECTOR_LEFT / 4] = (words[this.#scan + abi.SCAN_VECTOR_LEFT / 4] ?? 0) - count;
    words[this.#scan + abi.SCAN_BUFFERED / 4] = 0;
    const walkEndPage = readWord(words, this.#scan + abi.SCAN_WALK_END / 4);
    return { regions, walkEndPage, foundPages: readWord(words, this.#scan + abi.SCAN_FOUND_PAGES / 4) };
  }

  /** Returns the words of /proc/PID/pagemap for a range, as root reads them. */
  readPagemap(space: Space, firstPage: number, pageCount: number): BigUint64Array {
    return this.#read("readPagemap", space, firstPage, pageCount);
  }

  /** Returns the raw last-level entries of a range, 0 where there is no table. */
  readEntries(space: Space, firstPage: number, pageCount: number): BigUint64Array {
    return this.#read("readEntries", space, firstPage, pageCount);
  }

  /** Returns the contents of the pages of a range, 0 where nothing is mapped. */
  readContents(space: Space, firstPage: number, pageCount: number): BigUint64Array {
    return this.#read("readContents", space, firstPage, pageCount);
  }

  /** Returns the 512 raw entries of the table at physical address `table`, which is its offset in linear memory. */
  readTable(table: number): BigUint64Array {
    if (table % TABLE_SIZE !== 0 || table <= 0 || table >= this.memoryBytes) {
      throw new RangeError(`"table" expected the physical address of a table, got ${table}`);
    }
    return new BigUint64Array(this.#wasm.memory.buffer, table, 512).slice();
  }

  /** Returns the physical address of the PGD (CR3) of a space. */
  pgdOf(space: Space): number {
    return this.#memory()[(space + abi.SPACE_PGD) >>> 2] ?? 0;
  }

  /** Returns all counters of a space. */
  counters(space: Space): Counters {
    const counters: Partial<Record<keyof Counters, number>> = {};
    for (const name of COUNTER_NAMES) counters[name] = this.counter(space, name);
    return counters as Counters;
  }

  /** Returns one counter of a space. */
  counter(space: Space, name: keyof Counters): number {
    return readWord(this.#memory(), ((space + abi.SPACE_COUNTERS) >>> 2) + COUNTER_INDEX[name] * 2);
  }

  /** Reserved at once, so that memory that runs out later leaves every call usable that allocates no tables. */
  #reserveBuffers(): Buffers {
    const reserve = (bytes: number): number => this.#need(this.#wasm.reserve(bytes), "createEngine");
    const buffers = {
      accesses: reserve(REPLAY_CHUNK * abi.ACCESS_RECORD_BYTES),
      faults: reserve(FAULT_RECORDS * abi.FAULT_RECORD_BYTES),
      words: reserve(READ_CHUNK_PAGES * 8),
      regions: reserve(abi.SCAN_BOUNCE_REGIONS * abi.SCAN_REGION_BYTES),
    };
    this.#wasm.setFaultRecords(buffers.faults, FAULT_RECORDS);
    return buffers;
  }

  #read(
    what: "readPagemap" | "readEntries" | "readContents",
    space: Space,
    firstPage: number,
    pageCount: number,
  ): BigUint64Array {
    checkRange(firstPage, pageCount);
    const all = new BigUint64Array(pageCount);
    for (let done = 0; done < pageCount; done += READ_CHUNK_PAGES) {
      const count = Math.min(READ_CHUNK_PAGES, pageCount - done);
      this.#wasm[what](space, firstPage + done, count, this.#buffers.words);
      all.set(new BigUint64Array(this.#wasm.memory.buffer, this.#buffers.words, count), done);
    }
    return all;
  }

  #replayChunk(
    space: Space,
    records: Uint32Array,
    options: ReplayOptions,
    waits: number,
  ): { done: number; reason: ReplayResult["reason"] } {
    this.#memory().set(records, this.#buffers.accesses >>> 2);
    const count = records.length >>> 1;
    const { value } = options;
    const policy = replayPolicy(options);
    const done = this.#wasm.replay(space, this.#buffers.accesses, count, value, policy, waits) >>> 0;
    return { done, reason: this.#replayReason(this.#reason(), done === count) };
  }

  #faultRecords(): ReplayFaults {
    const words = this.#memory();
    const address = this.#buffers.faults;
    const count = words[this.#result + abi.RESULT_RECORDS / 4] ?? 0;
    const faults = {
      count,
      pages: new Float64Array(count),
      indexes: new Uint32Array(count),
      kinds: new Uint32Array(count),
    };
    for (let i = 0; i < count; i++) {
      const at = (address + i * abi.FAULT_RECORD_BYTES) >>> 2;
      faults.pages[i] = readWord(words, at + abi.FAULT_RECORD_PAGE / 4);
      faults.indexes[i] = words[at + abi.FAULT_RECORD_INDEX / 4] ?? 0;
      faults.kinds[i] = words[at + abi.FAULT_RECORD_KIND / 4] ?? 0;
    }
    return faults;
  }

  #accessResult(status: number, access: AccessKind): AccessResult {
    const outcome = this.#outcome(status, "access");
    const words = this.#memory();
    return {
      outcome,
      value: outcome === "done" && access === "read" ? readWord(words, this.#result + abi.RESULT_VALUE / 4) : 0,
      minflt: words[this.#result + abi.RESULT_MINFLT / 4] ?? 0,
      majflt: words[this.#result + abi.RESULT_MAJFLT / 4] ?? 0,
    };
  }

  #filled(pages: number, operation: string): Progress<"ok" | "exists"> {
    return { pages, reason: this.#check(this.#reason(), operation) === abi.EEXIST ? "exists" : "ok" };
  }

  #outcome(status: number, operation: string): Outcome {
    return OUTCOMES[this.#check(status, operation)] ?? "done";
  }

  #replayReason(status: number, atEnd: boolean): ReplayResult["reason"] {
    if (status === abi.ENOSPC) return "full";
    return atEnd ? "end" : this.#outcome(status, "replay");
  }

  #reason(): number {
    return (this.#memory()[this.#result + abi.RESULT_REASON / 4] ?? 0) | 0;
  }

  #check(status: number, operation: string): number {
    if (status === abi.ENOMEM) throw new OutOfMemoryError(operation, this.memoryBytes);
    return status;
  }

  #need(address: number, operation: string): number {
    if (address === 0) throw new OutOfMemoryError(operation, this.memoryBytes);
    return address >>> 0;
  }

  /** The memory as 32-bit words. Views die when the memory grows, so nobody keeps one across a call. */
  #memory(): Uint32Array {
    if (this.#words.length === 0) this.#words = new Uint32Array(this.#wasm.memory.buffer);
    return this.#words;
  }
}

function checkRange(firstPage: number, pageCount: number): void {
  checkPage(firstPage, "firstPage");
  checkCount(pageCount, "pageCount", PAGE_LIMIT - firstPage);
}

function accessKind(access: AccessKind): number {
  if (access === "read") return abi.ACCESS_READ;
  return access === "write" ? abi.ACCESS_WRITE : abi.ACCESS_WRITE_ELSEWHERE;
}

function replayPolicy(options: ReplayOptions): number {
  return (
    (options.wp === "unprotect" ? abi.REPLAY_UNPROTECT : 0) |
    (options.signals === "pass" ? abi.REPLAY_PASS_SIGNALS : 0) |
    (options.records === "count" ? abi.REPLAY_QUIET : 0)
  );
}

function readWord(words: Uint32Array, at: number): number {
  return (words[at] ?? 0) + (words[at + 1] ?? 0) * WORD_HIGH;
}

function writeWord(words: Uint32Array, at: number, value: number): void {
  words[at] = value >>> 0;
  words[at + 1] = Math.floor(value / WORD_HIGH);
}
