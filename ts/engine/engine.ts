import * as abi from "../../assembly/abi.js";
import { type ErrnoName, OutOfMemoryError } from "../base/errors.js";
import { checkCount, checkPage, PAGE_LIMIT, TABLE_SIZE } from "../base/pages.js";
import { AccessBuffer } from "./access-buffer.js";
import { COUNTER_INDEX, COUNTER_NAMES, type Counters } from "./counters.js";
import type { EngineExports } from "./exports.js";
import { type Outcome, OUTCOMES } from "./outcome.js";
import { FaultCollector, type ReplayFaults } from "./replay-faults.js";

/** Settings of an engine. */
export interface EngineOptions {
  /** Limit of the linear memory in bytes, for tables and contents together: up to 4 GiB, which is the default. */
  readonly memoryLimit?: number;
  /**
   * Whether every page table takes memory of its own. By default tables whose entries are all equal are shared, which nothing but
   * `realTables` and the time shows (docs/uniform-tables.md).
   */
  readonly materialize?: boolean;
}

/** Handle of an address space in an engine. */
export type Space = number;

/** What a fault may do on a run of pages: flags are REGION_ numbers of the ABI. */
export interface Region {
  readonly firstPage: number;
  readonly endPage: number;
  readonly flags: number;
  /** Handle of what is mapped, and the number of its page at `firstPage`; 0 for anonymous memory. */
  readonly object?: number;
  readonly offset?: number;
  /** Handle of the set of reserved huge pages that a private hugetlb mapping has used up; 0 if it has none. */
  readonly owner?: number;
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
  /** Whether the fault that waits has read a page from swap or a file. */
  readonly tried: boolean;
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
  /**
   * Answer write-protect messages by unprotecting the page, inside the engine (default: stop there). The records say what each page held, so
   * that who saves pages before they change has them.
   */
  readonly wp?: "unprotect" | "stop";
  /** Pages that "unprotect" unprotects at once, aligned to as many, within the mapping: a power of 2 up to 2^20 (default: 1). */
  readonly cluster?: number;
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

/** Numbers of a run of pages that a scan put out: its first page, the page behind its last, its CATEGORY_ set. */
export const SCAN_REGION_NUMBERS = 3;

/** Handle of an object: what shared mappings and mappings of files map. */
export type ObjectHandle = number;

/** What `reclaim` does: MADV_PAGEOUT, MADV_COLD, MADV_FREE. */
export type ReclaimKind = "pageout" | "cold" | "free";

const RECLAIM_KINDS: readonly ReclaimKind[] = ["pageout", "cold", "free"];

/** Why filling stopped. */
export type FillReason = "ok" | ErrnoName;

const FILL_REASONS: ReadonlyMap<number, ErrnoName> = new Map([
  [abi.EEXIST, "EEXIST"],
  [abi.EFAULT, "EFAULT"],
  [abi.ENOENT, "ENOENT"],
  [abi.EBUSY, "EBUSY"],
  [abi.EINVAL, "EINVAL"],
]);

const WASM_PAGE = 65536;
const MEMORY_MAX = 2 ** 32;
const WORD_HIGH = 2 ** 32;
const FAULT_RECORDS = 8192;
/** Accesses that are replayed in one call of the engine: 128 KiB, so that what was copied in is still in the cache when it is read. */
const REPLAY_CHUNK = 1 << 14;
/** Records of 2 GiB. */
const MAX_BUFFER_RECORDS = 2 ** 28;
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
  readonly #accessBuffers = new Set<AccessBuffer>();

  /** @internal Use `createEngine` of the package. */
  constructor(exports: EngineExports, options: EngineOptions) {
    this.#wasm = exports;
    this.#result = exports.resultBlock() >>> 2;
    this.#scan = exports.scanState() >>> 2;
    this.#words = new Uint32Array(exports.memory.buffer);
    const limit = checkCount(options.memoryLimit ?? MEMORY_MAX, "memoryLimit", MEMORY_MAX);
    exports.limitMemory(Math.floor(limit / WASM_PAGE));
    exports.setSharing(options.materialize === true ? 0 : 1);
    this.#buffers = this.#reserveBuffers();
  }

  /** Bytes of linear memory that the engine has taken from its host: tables, contents, buffers. */
  get memoryBytes(): number {
    return this.#wasm.memory.buffer.byteLength;
  }

  /**
   * Makes an empty address space. `kernel`: KERNEL_ bits for what its kernel does differently from the newest one.
   * @throws OutOfMemoryError
   */
  createSpace(kernel = 0): Space {
    const space = this.#need(this.#wasm.createSpace(), "createSpace");
    this.#wasm.setKernel(space, kernel);
    return space;
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
      words[at + abi.REGION_OBJECT / 4] = region.object ?? 0;
      words[at + abi.REGION_OWNER / 4] = region.owner ?? 0;
      writeWord(words, at + abi.REGION_OFFSET / 4, region.offset ?? 0);
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
  protect(space: Space, firstPage: number, pageCount: number, mode: "populated" | "unpopulated" | "object"): void {
    checkRange(firstPage, pageCount);
    const flags = (mode === "populated" ? 0 : abi.PROTECT_UNPOPULATED) | (mode === "object" ? abi.PROTECT_OBJECT : 0);
    this.#check(this.#wasm.protect(space, firstPage, pageCount, flags), "protect");
  }

  /** Removes write protection. `flags`: UPGRADE_ and PROTECTION_ as the mapping is. @throws OutOfMemoryError */
  unprotect(space: Space, firstPage: number, pageCount: number, flags: number): void {
    checkRange(firstPage, pageCount);
    this.#check(this.#wasm.unprotect(space, firstPage, pageCount, flags), "unprotect");
  }

  /** Gives present entries a new protection (mprotect). `flags`: UPGRADE_ and PROTECTION_. @throws OutOfMemoryError */
  changeProtection(space: Space, firstPage: number, pageCount: number, flags: number): void {
    checkRange(firstPage, pageCount);
    this.#check(this.#wasm.changeProtection(space, firstPage, pageCount, flags), "changeProtection");
  }

  /** Removes pages and markers of one mapping. `flags`: ZAP_. @throws OutOfMemoryError (a huge page had to be split) */
  zap(space: Space, firstPage: number, pageCount: number, flags: number): void {
    checkRange(firstPage, pageCount);
    this.#check(this.#wasm.zap(space, firstPage, pageCount, flags), "zap");
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

  /** Fills entries with new pages of content `value`, `value + step`, … (UFFDIO_COPY). `flags`: FILL_WP or 0. @throws OutOfMemoryError */
  fillCopy(
    space: Space,
    firstPage: number,
    pageCount: number,
    flags: number,
    value: number,
    step: number,
  ): Progress<FillReason> {
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

  /** Fills entries with the shared zero page, or with new pages of a shared object (UFFDIO_ZEROPAGE). @throws OutOfMemoryError */
  fillZero(space: Space, firstPage: number, pageCount: number): Progress<FillReason> {
    checkRange(firstPage, pageCount);
    const pages = this.#wasm.fillZero(space, firstPage, pageCount);
    return this.#filled(pages, "fillZero");
  }

  /** Fills entries with pages that the object has (UFFDIO_CONTINUE). `flags`: FILL_WP or 0. @throws OutOfMemoryError */
  fillContinue(space: Space, firstPage: number, pageCount: number, flags: number): Progress<FillReason> {
    checkRange(firstPage, pageCount);
    const pages = this.#wasm.fillContinue(space, firstPage, pageCount, flags);
    return this.#filled(pages, "fillContinue");
  }

  /** Moves pages to another mapping (UFFDIO_MOVE). `flags`: MOVE_ALLOW_HOLES or 0. @throws OutOfMemoryError */
  movePages(space: Space, target: number, source: number, pageCount: number, flags: number): Progress<FillReason> {
    checkRange(target, pageCount);
    checkRange(source, pageCount);
    const pages = this.#wasm.movePages(space, target, source, pageCount, flags);
    return this.#filled(pages, "movePages");
  }

  /** Fills entries with poison markers (UFFDIO_POISON). @throws OutOfMemoryError */
  fillPoison(space: Space, firstPage: number, pageCount: number): Progress<FillReason> {
    checkRange(firstPage, pageCount);
    const pages = this.#wasm.fillPoison(space, firstPage, pageCount);
    return this.#filled(pages, "fillPoison");
  }

  /**
   * Makes every entry of a range a guard marker (MADV_GUARD_INSTALL). `zapFlags`: ZAP_OBJECT and ZAP_UFFD_WP as the mapping is. Returns false
   * where that never ends. @throws OutOfMemoryError
   */
  installGuards(space: Space, firstPage: number, pageCount: number, zapFlags: number): boolean {
    checkRange(firstPage, pageCount);
    const status = this.#wasm.installGuards(space, firstPage, pageCount, zapFlags);
    return this.#check(status, "installGuards") !== abi.OUTCOME_HANG;
  }

  /** Makes the guard markers of a range none (MADV_GUARD_REMOVE). */
  removeGuards(space: Space, firstPage: number, pageCount: number): void {
    checkRange(firstPage, pageCount);
    this.#wasm.removeGuards(space, firstPage, pageCount);
  }

  /** Sets the machine's pools: huge pages of 2 MiB, and pages of swap. Nothing may be in use. */
  configureMachine(hugePages: number, swapPages: number): void {
    this.#wasm.configureMachine(hugePages, swapPages);
  }

  /** Makes an object of so many pages, all of them holes. `kind`: OBJECT_. @throws OutOfMemoryError */
  createObject(kind: number, pages: number): ObjectHandle {
    return this.#need(this.#wasm.createObject(kind, pages), "createObject");
  }

  /** Moves the end of an object's file to so many pages. */
  setObjectPages(object: ObjectHandle, pages: number): void {
    this.#wasm.setObjectPages(object, pages);
  }

  /** Frees an object, which nothing may map any more. */
  destroyObject(object: ObjectHandle): void {
    this.#wasm.destroyObject(object);
  }

  /** Takes pages out of an object (not of hugetlbfs), which nothing may map any more. */
  removeCached(object: ObjectHandle, index: number, count: number): void {
    this.#wasm.removeCached(object, index, count);
  }

  /** Reads what a tmpfs object has at `index` back from swap, if it is there. */
  bringBackCached(object: ObjectHandle, index: number): void {
    this.#wasm.bringBackCached(object, index);
  }

  /** Fills pages of an object with zeros. */
  clearCached(object: ObjectHandle, index: number, count: number): void {
    this.#wasm.clearCached(object, index, count);
  }

  /** Tells whether the folio of an object that holds `index` may be split: not a dirty one of a regular file. */
  maySplitCached(object: ObjectHandle, index: number): boolean {
    return this.#wasm.maySplitCached(object, index) !== 0;
  }

  /** Splits the huge page of a tmpfs object that holds `index`, if it is one; nothing may map it any more. */
  splitCached(object: ObjectHandle, index: number): void {
    this.#wasm.splitCached(object, index);
  }

  /** Splits the folio of an object that holds `index` so that this page is alone and the rest stays in halves; nothing may map it any more. */
  splitCachedAround(object: ObjectHandle, index: number): void {
    this.#wasm.splitCachedAround(object, index);
  }

  /** Returns the pages of the folio that an object has at `index`: a power of 2, 1 also where it has none. */
  folioPages(object: ObjectHandle, index: number): number {
    return 2 ** this.#wasm.folioOrder(object, index);
  }

  /** Splits the huge page that is mapped at `page`, if there is one, since a mapping ends there from now on. @throws OutOfMemoryError */
  splitHugeAt(space: Space, page: number): void {
    this.#check(this.#wasm.splitHugeAt(space, page), "splitHugeAt");
  }

  /** Copies the entries of one mapping into a child's space (fork). `flags`: COPY_. @throws OutOfMemoryError */
  copyRange(parent: Space, child: Space, firstPage: number, pageCount: number, flags: number): void {
    checkRange(firstPage, pageCount);
    this.#check(this.#wasm.copyRange(parent, child, firstPage, pageCount, flags), "copyRange");
  }

  /** Moves entries to another address (mremap). `flags`: MOVE_. @throws OutOfMemoryError */
  moveTables(space: Space, firstPage: number, newFirst: number, pageCount: number, flags: number): void {
    checkRange(firstPage, pageCount);
    checkRange(newFirst, pageCount);
    this.#check(this.#wasm.moveTables(space, firstPage, newFirst, pageCount, flags), "moveTables");
  }

  /**
   * Pages out, ages or frees lazily. Returns the pages done and, where the object's huge page has to be split or unmapped by others first, its
   * number there; with "skip" the one of the first page is left alone.
   * @throws OutOfMemoryError
   */
  reclaim(
    space: Space,
    firstPage: number,
    pageCount: number,
    kind: ReclaimKind,
    onPart: "skip" | "ask",
  ): { pages: number; wants?: "split" | "unmap"; index?: number } {
    checkRange(firstPage, pageCount);
    const skips = onPart === "skip" ? 1 : 0;
    const pages = this.#wasm.reclaim(space, firstPage, pageCount, RECLAIM_KINDS.indexOf(kind), skips);
    const reason = this.#check(this.#reason(), "reclaim");
    if (reason === abi.OK) return { pages };
    const index = readWord(this.#memory(), this.#result + abi.RESULT_VALUE / 4);
    return { pages, wants: reason === abi.EBUSY ? "unmap" : "split", index };
  }

  /** Makes a huge page of 2 MiB of anonymous memory (MADV_COLLAPSE). Returns "ok" or what it fails with. @throws OutOfMemoryError */
  collapseAnonymous(space: Space, firstPage: number, isArmed: boolean): FillReason {
    return this.#collapsed(this.#wasm.collapseAnonymous(space, firstPage, isArmed ? 1 : 0), "collapseAnonymous");
  }

  /** Pages that an object has in the 2 MiB from `index` on, in memory or in swap; "huge" if they are one huge page. */
  countCached(object: ObjectHandle, index: number): number | "huge" {
    const count = this.#wasm.countCached(object, index);
    return count > 512 ? "huge" : count;
  }

  /** Makes a huge page of 2 MiB of a tmpfs object, which nothing may map. @throws OutOfMemoryError */
  collapseObject(object: ObjectHandle, index: number): void {
    this.#check(this.#wasm.collapseObject(object, index), "collapseObject");
  }

  /** Frees the last-level table of 2 MiB if it is empty. */
  retractTable(space: Space, firstPage: number): void {
    this.#wasm.retractTable(space, firstPage);
  }

  /** Maps a huge page of an object by one entry (MADV_COLLAPSE). @throws OutOfMemoryError */
  mapCollapsed(
    space: Space,
    firstPage: number,
    object: ObjectHandle,
    index: number,
    table: "keep" | "replace",
  ): FillReason {
    const status = this.#wasm.mapCollapsed(space, firstPage, object, index, table === "keep" ? 1 : 0);
    return this.#collapsed(status, "mapCollapsed");
  }

  /** Write-protects a range of hugetlb memory. @throws OutOfMemoryError */
  protectHugetlb(space: Space, firstPage: number, pageCount: number): void {
    this.#check(this.#wasm.protectHugetlb(space, firstPage, pageCount), "protectHugetlb");
  }

  /** Gives a range of hugetlb memory a new protection, and with "resolve" takes uffd-wp away. `flags`: PROTECTION_. */
  changeHugetlb(space: Space, firstPage: number, pageCount: number, flags: number, mode: "keep" | "resolve"): void {
    this.#wasm.changeHugetlb(space, firstPage, pageCount, flags, mode === "resolve" ? 1 : 0);
  }

  /** Removes what a range of hugetlb memory maps. `flags`: ZAP_DROP_MARKERS or 0; `index`: of the first huge page in the object. */
  zapHugetlb(space: Space, firstPage: number, pageCount: number, flags: number, owner: number, index: number): void {
    this.#wasm.zapHugetlb(space, firstPage, pageCount, flags, owner, index);
  }

  /** Copies the entries of a range of hugetlb memory into a child's space. `flags`: COPY_. @throws OutOfMemoryError */
  copyHugetlb(parent: Space, child: Space, firstPage: number, pageCount: number, flags: number): void {
    this.#check(this.#wasm.copyHugetlb(parent, child, firstPage, pageCount, flags), "copyHugetlb");
  }

  /** Moves the entries of a range of hugetlb memory. `flags`: MOVE_CLEAR_UFFD_WP or 0. @throws OutOfMemoryError */
  moveHugetlb(space: Space, firstPage: number, newFirst: number, pageCount: number, flags: number): void {
    this.#check(this.#wasm.moveHugetlb(space, firstPage, newFirst, pageCount, flags), "moveHugetlb");
  }

  /** Takes huge pages that nothing maps, and their reservations, out of a hugetlbfs object. `index` counts huge pages. */
  punchHugetlb(object: ObjectHandle, index: number, count: number): void {
    this.#wasm.punchHugetlb(object, index, count);
  }

  /** Fills pages of a hugetlbfs object with zeros; `index` counts pages of 4 KiB. */
  zeroHugetlb(object: ObjectHandle, index: number, count: number): void {
    this.#wasm.zeroHugetlb(object, index, count);
  }

  /** Reserves huge pages of the pool. Returns false when there are not as many. */
  reserveHugePages(count: number): boolean {
    return this.#wasm.reserveHugePages(count) !== 0;
  }

  /** Gives reserved huge pages back. */
  unreserveHugePages(count: number): void {
    this.#wasm.unreserveHugePages(count);
  }

  /** Counts the numbers of a range that are in a set; with "add", the others are added. */
  countInSet(set: ObjectHandle, index: number, length: number, mode: "count" | "add"): number {
    return this.#wasm.countInSet(set, index, length, mode === "add" ? 1 : 0);
  }

  /** The set of huge pages of a hugetlbfs object that are reserved. */
  reservesOf(object: ObjectHandle): ObjectHandle {
    return this.#memory()[(object + abi.OBJECT_RESERVES) >>> 2] ?? 0;
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

  /** Makes room for access records in linear memory, all of them zero. @throws OutOfMemoryError */
  createAccessBuffer(records: number): AccessBuffer {
    checkCount(records, "records", MAX_BUFFER_RECORDS);
    const address = this.#need(this.#wasm.reserve(bufferBytes(records)), "createAccessBuffer");
    const buffer = new AccessBuffer(this.#wasm.memory, address, records);
    buffer.words.fill(0);
    this.#accessBuffers.add(buffer);
    return buffer;
  }

  /**
   * Gives the memory of a buffer back; nobody may use it any more, nor what `from` made of it.
   * @throws TypeError if `createAccessBuffer` of this engine has not made it, or it was freed before
   */
  freeAccessBuffer(buffer: AccessBuffer): void {
    if (!this.#accessBuffers.delete(buffer)) throw new TypeError('"buffer" expected one that this engine has made');
    this.#wasm.release(buffer.address, bufferBytes(buffer.length));
  }

  /**
   * Replays a block of access records (two words each, layout in `docs/abi.md`).
   * @throws OutOfMemoryError; the accesses before the one that needed memory are done.
   */
  replay(space: Space, records: Uint32Array | AccessBuffer, options: ReplayOptions): ReplayResult {
    checkCount(options.value, "value");
    const count = records instanceof AccessBuffer ? records.length : records.length >>> 1;
    const faults = new FaultCollector();
    let done = 0;
    let reason: ReplayResult["reason"] = "end";
    while (done < count && reason === "end") {
      const chunk = Math.min(count - done, REPLAY_CHUNK);
      const address = this.#placeRecords(records, done, chunk);
      const replayed = this.#replayChunk(space, address, chunk, options, done === 0 ? (options.waits ?? 0) : 0);
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
    regionFlags: number,
  ): boolean {
    checkRange(firstPage, pageCount);
    const words = this.#memory();
    words[this.#scan + abi.SCAN_REGION_CATEGORIES / 4] = regionCategories;
    words[this.#scan + abi.SCAN_HOLE_CATEGORIES / 4] = holeCategories;
    words[this.#scan + abi.SCAN_REGION_FLAGS / 4] = regionFlags;
    return this.#check(this.#wasm.scan(space, firstPage, pageCount), "scanRange") === abi.OK;
  }

  /**
   * Takes the regions that are in the kernel's bounce buffer now, SCAN_REGION_NUMBERS each, and tells where the walk stopped (0: it has not) and
   * what was found. The regions are a view of the engine's memory, good until its next call.
   */
  takeScanRegions(): { regions: Float64Array; walkEndPage: number; foundPages: number } {
    const words = this.#memory();
    const count = words[this.#scan + abi.SCAN_BUFFERED / 4] ?? 0;
    const vector = words[this.#scan + abi.SCAN_VECTOR / 4] ?? 0;
    const regions = new Float64Array(this.#wasm.memory.buffer, vector, count * SCAN_REGION_NUMBERS);
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

  /**
   * Returns a tile of the picture of a space: TILE_CELLS × TILE_CELLS cells of 2^`zoom` × 2^`zoom` pages, row by row, layout in `docs/abi.md`.
   * `zoom`: 0 to 12; `column`, `row`: which tile of that zoom. Cells beyond user space are 0.
   * @throws RangeError
   */
  readTile(space: Space, zoom: number, column: number, row: number): Uint32Array {
    checkCount(zoom, "zoom", abi.TILE_ZOOM_LIMIT - 1);
    checkCount(column, "column", 2 ** 18 / abi.TILE_CELLS - 1);
    checkCount(row, "row", 2 ** 17 / abi.TILE_CELLS - 1);
    this.#wasm.drawTile(space, zoom, column, row, this.#buffers.words);
    const cells = abi.TILE_CELLS * abi.TILE_CELLS;
    return new Uint32Array(this.#wasm.memory.buffer, this.#buffers.words, cells).slice();
  }

  /** Returns how many pages of a range are in each state, by STATE_ number. */
  countStates(space: Space, firstPage: number, pageCount: number): Float64Array {
    checkRange(firstPage, pageCount);
    this.#wasm.countStates(space, firstPage, pageCount, this.#buffers.words);
    const at = this.#buffers.words >>> 2;
    return Float64Array.from({ length: abi.STATE_COUNT }, (_, state) => readWord(this.#memory(), at + 2 * state));
  }

  /** Returns the 512 raw entries of the table at physical address `table`, which is its offset in linear memory. */
  readTable(table: number): BigUint64Array {
    if (table % TABLE_SIZE !== 0 || table <= 0 || table >= this.memoryBytes) {
      throw new RangeError(`"table" expected the physical address of a table, got ${table}`);
    }
    return new BigUint64Array(this.#wasm.memory.buffer, table, 512).slice();
  }

  /** Tells whether the table at physical address `table` is one that all tables like it share (docs/uniform-tables.md). */
  isSharedTable(table: number): boolean {
    return this.#wasm.isSharedTable(table) !== 0;
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

  /** Returns where `count` records are in linear memory, from number `first` on; those of an array are copied there. */
  #placeRecords(records: Uint32Array | AccessBuffer, first: number, count: number): number {
    if (records instanceof AccessBuffer) {
      if (!records.isIn(this.#wasm.memory)) throw new TypeError('"records" expected a buffer of this engine');
      return records.address + first * abi.ACCESS_RECORD_BYTES;
    }
    this.#memory().set(records.subarray(2 * first, 2 * (first + count)), this.#buffers.accesses >>> 2);
    return this.#buffers.accesses;
  }

  #replayChunk(
    space: Space,
    address: number,
    count: number,
    options: ReplayOptions,
    waits: number,
  ): { done: number; reason: ReplayResult["reason"] } {
    const done = this.#wasm.replay(space, address, count, options.value, replayPolicy(options), waits) >>> 0;
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
      contents: new Float64Array(count),
    };
    for (let i = 0; i < count; i++) {
      const at = (address + i * abi.FAULT_RECORD_BYTES) >>> 2;
      faults.pages[i] = readWord(words, at + abi.FAULT_RECORD_PAGE / 4);
      faults.indexes[i] = words[at + abi.FAULT_RECORD_INDEX / 4] ?? 0;
      faults.kinds[i] = words[at + abi.FAULT_RECORD_KIND / 4] ?? 0;
      faults.contents[i] = readWord(words, at + abi.FAULT_RECORD_CONTENT / 4);
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
      tried: outcome !== "done" && words[this.#result + abi.RESULT_TRIED / 4] === 1,
    };
  }

  #filled(pages: number, operation: string): Progress<FillReason> {
    const status = this.#check(this.#reason(), operation);
    return { pages, reason: FILL_REASONS.get(status) ?? "ok" };
  }

  #collapsed(status: number, operation: string): FillReason {
    return FILL_REASONS.get(this.#check(status, operation)) ?? "ok";
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

/** A piece of memory has at least one byte. */
function bufferBytes(records: number): number {
  return Math.max(1, records * abi.ACCESS_RECORD_BYTES);
}

function accessKind(access: AccessKind): number {
  if (access === "read") return abi.ACCESS_READ;
  return access === "write" ? abi.ACCESS_WRITE : abi.ACCESS_WRITE_ELSEWHERE;
}

function replayPolicy(options: ReplayOptions): number {
  return (
    (options.wp === "unprotect" ? abi.REPLAY_UNPROTECT : 0) |
    (options.signals === "pass" ? abi.REPLAY_PASS_SIGNALS : 0) |
    (options.records === "count" ? abi.REPLAY_QUIET : 0) |
    (clusterShift(options.cluster ?? 1) << abi.REPLAY_CLUSTER_SHIFT)
  );
}

function clusterShift(pages: number): number {
  const shift = Math.log2(checkCount(pages, "cluster", 2 ** 20));
  if (!Number.isInteger(shift)) throw new RangeError(`"cluster" expected a power of 2, got ${pages}`);
  return shift;
}

function readWord(words: Uint32Array, at: number): number {
  return (words[at] ?? 0) + (words[at + 1] ?? 0) * WORD_HIGH;
}

function writeWord(words: Uint32Array, at: number, value: number): void {
  words[at] = value >>> 0;
  words[at + 1] = Math.floor(value / WORD_HIGH);
}
