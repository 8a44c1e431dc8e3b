import * as abi from "../../assembly/abi.js";
import { KernelError, OutOfMemoryError } from "../base/errors.js";
import { PAGE_SIZE } from "../base/pages.js";
import { hasChange, type KernelChange, type KernelVersion, NEWEST_KERNEL } from "../base/kernel-version.js";
import type { Engine, ObjectHandle } from "../engine/engine.js";
import { HUGE_PAGES, type MemoryKind, type MemoryObject } from "./memory-object.js";
import { clip, indexAt, type Policies, type Vma, zapFlags } from "./vma.js";

/** What the processes of one machine share. */
export interface MachineOptions {
  /** /sys/kernel/mm/transparent_hugepage/enabled. Default "never". */
  readonly thp?: Policies["thp"];
  /** /sys/kernel/mm/transparent_hugepage/shmem_enabled. Default "never". */
  readonly shmemThp?: Policies["thp"];
  /** Huge pages of 2 MiB in the pool. Default 0. */
  readonly hugetlbPages?: number;
  /** Pages of swap. Default 0. */
  readonly swapPages?: number;
  /** The version of Linux. Default: the newest that is modelled. */
  readonly kernel?: KernelVersion;
}

/** What a machine needs of the address spaces of its processes: where they map an object. */
export interface MappingSpace {
  readonly handle: number;
  readonly vmas: readonly Vma[];
  /** Notes that the mapping at a page lost its reservation. */
  loseReserve(page: number): void;
}

/** Present, or present without access. */
const ENTRY_PRESENT = 0x101n;
/** Where in memory the page is that an entry maps. */
const ADDRESS = 0x000ffffffffff000n;

/** A PROT_NONE entry stores it inverted (`protnone_mask`), and of a huge page without the bits that are 0; of one that maps nothing it is no page's. */
function addressIn(entry: bigint): bigint {
  return ((entry & 1n) === 0n ? ~entry : entry) & ADDRESS;
}

const OBJECT_KINDS: Readonly<Record<MemoryObject["kind"], number>> = {
  shmem: abi.OBJECT_SHMEM,
  file: abi.OBJECT_FILE,
  hugetlb: abi.OBJECT_HUGETLB,
};

/**
 * The machine: policies for huge pages, the pools of huge pages and of swap, files, and the address spaces that map them. An engine
 * models one machine with pools at a time.
 */
export class Machine implements Policies {
  readonly engine: Engine;
  readonly thp: Policies["thp"];
  readonly shmemThp: Policies["thp"];
  readonly kernel: KernelVersion;
  readonly #hasPools: boolean;
  readonly #spaces = new Set<MappingSpace>();
  readonly #objects: ObjectHandle[] = [];

  constructor(engine: Engine, options: MachineOptions = {}) {
    this.engine = engine;
    this.thp = options.thp ?? "never";
    this.shmemThp = options.shmemThp ?? "never";
    this.kernel = options.kernel ?? NEWEST_KERNEL;
    const { hugetlbPages = 0, swapPages = 0 } = options;
    this.#hasPools = hugetlbPages > 0 || swapPages > 0;
    if (this.#hasPools) engine.configureMachine(hugetlbPages, swapPages);
  }

  /** Tells whether the machine's kernel has what came with a change. */
  has(change: KernelChange): boolean {
    return hasChange(this.kernel, change);
  }

  /** KERNEL_ bits for the engine. */
  get kernelDifferences(): number {
    const bit = (change: KernelChange, value: number): number => (this.has(change) ? 0 : value);
    return (
      bit("vma-lock", abi.KERNEL_WAIT_IS_MAJOR) |
      bit("huge-zero-copy", abi.KERNEL_SPLITS_HUGE_ZERO) |
      bit("scan-none-written", abi.KERNEL_NONE_NOT_WRITTEN) |
      bit("fault-around-folio", abi.KERNEL_SMALL_FAULT_AROUND)
    );
  }

  /** Frees the files. The address spaces must have been disposed of. */
  dispose(): void {
    for (const handle of this.#objects) this.engine.destroyObject(handle);
    this.#objects.length = 0;
    if (this.#hasPools) this.engine.configureMachine(0, 0);
  }

  /** @internal */
  add(space: MappingSpace): void {
    this.#spaces.add(space);
  }

  /** @internal */
  remove(space: MappingSpace): void {
    this.#spaces.delete(space);
  }

  /** Makes a file of so many pages, none of which is in memory: a memfd, a regular file, or one of hugetlbfs. @throws OutOfMemoryError */
  createObject(kind: Exclude<MemoryKind, "anon">, pages: number): MemoryObject {
    const size = kind === "hugetlb" ? Math.ceil(pages / HUGE_PAGES) * HUGE_PAGES : pages;
    const handle = this.engine.createObject(OBJECT_KINDS[kind], size);
    this.#objects.push(handle);
    return { kind, pages: size, handle };
  }

  /**
   * Reserves what a new hugetlb mapping may need (`hugetlb_reserve_pages`). Returns the handle of the set of what a private mapping has used
   * up, 0 for a shared one.
   * @throws KernelError ENOMEM
   */
  reserve(object: MemoryObject, index: number, pages: number, isShared: boolean): ObjectHandle {
    const [first, count] = [index / HUGE_PAGES, pages / HUGE_PAGES];
    const reserves = this.engine.reservesOf(object.handle);
    const wanted = isShared ? count - this.engine.countInSet(reserves, first, count, "count") : count;
    if (!this.engine.reserveHugePages(wanted)) {
      throw new KernelError("mmap", "ENOMEM", `the pool does not have ${wanted} huge pages`);
    }
    if (isShared) {
      this.engine.countInSet(reserves, first, count, "add");
      return 0;
    }
    const owner = this.engine.createObject(abi.OBJECT_SET, 0);
    this.#objects.push(owner);
    return owner;
  }

  /** Makes a hugetlbfs file as large as a writable mapping of it needs it (`hugetlbfs_file_mmap`). */
  grow(object: MemoryObject, pages: number): void {
    if (pages <= object.pages) return;
    object.pages = pages;
    this.engine.setObjectPages(object.handle, pages);
  }

  /** Gives back what a private hugetlb mapping has reserved and not used (`hugetlb_vm_op_close`). */
  unreserve(vma: Vma, firstPage: number, endPage: number): void {
    if (vma.owner === 0) return;
    const { first, count } = clip(vma, firstPage, endPage);
    const pages = count / HUGE_PAGES;
    const used = this.engine.countInSet(vma.owner, indexAt(vma, first) / HUGE_PAGES, pages, "count");
    this.engine.unreserveHugePages(pages - used);
  }

  /** Every mapping of a range of an object in every process, with the pages at which it maps it. */
  *mappingsOf(object: MemoryObject, index: number, count: number): Generator<MappedPart> {
    for (const space of this.#spaces) {
      for (const vma of space.vmas) {
        if (vma.object !== object) continue;
        const first = Math.max(vma.firstPage, index - vma.offset + vma.firstPage);
        const end = Math.min(vma.endPage, index + count - vma.offset + vma.firstPage);
        if (first < end) yield { space, vma, first, count: end - first };
      }
    }
  }

  /** Unmaps a range of an object wherever it is mapped; private copies and markers stay (`unmap_mapping_range`). `flags`: ZAP_. */
  unmapEverywhere(object: MemoryObject, index: number, count: number, flags: number = abi.ZAP_SPARE_COPIES): void {
    for (const { space, vma, first, count: pages } of this.mappingsOf(object, index, count)) {
      this.engine.zap(space.handle, first, pages, zapFlags(vma) | flags);
    }
  }

  /**
   * Tells whether another process maps a part of the folio that holds a number and that `own` maps at `page` (`folio_maybe_mapped_shared`).
   */
  isMappedElsewhere(object: MemoryObject, index: number, own: MappingSpace, page: number): boolean {
    const folio = this.#folioAt(object, index);
    const size = BigInt(folio.pages * PAGE_SIZE);
    const place = this.#addressAt(own, page) / size;
    for (const { space, first, count } of this.mappingsOf(object, folio.first, folio.pages)) {
      if (space === own) continue;
      const entries = this.engine.readEntries(space.handle, first, count);
      if (entries.some((entry) => (entry & ENTRY_PRESENT) !== 0n && addressIn(entry) / size === place)) return true;
    }
    return false;
  }

  /** Splits a folio of an object into pages (`split_folio`): it is unmapped everywhere, faults bring its parts back. */
  splitFolio(object: MemoryObject, index: number): void {
    const { first, pages } = this.#folioAt(object, index);
    this.unmapEverywhere(object, first, pages, abi.ZAP_OBJECT_PAGES);
    this.engine.splitCached(object.handle, index);
  }

  /** Takes a folio of an object from all mappings but one. */
  unmapFolio(object: MemoryObject, index: number, spared: Vma): void {
    const folio = this.#folioAt(object, index);
    for (const { space, vma, first, count } of this.mappingsOf(object, folio.first, folio.pages)) {
      if (vma !== spared) this.engine.zap(space.handle, first, count, zapFlags(vma) | abi.ZAP_OBJECT_PAGES);
    }
  }

  /** Punches a hole into an object (fallocate(2), MADV_REMOVE). */
  punch(object: MemoryObject, index: number, count: number): void {
    if (object.kind === "hugetlb") {
      this.#punchHugetlb(object, index, count);
      return;
    }
    this.unmapEverywhere(object, index, count);
    const end = index + count;
    const atStart = this.#keepAtEdge(object, index, index, end);
    const atEnd = atStart < count ? this.#keepAtEdge(object, end - 1, index, end) : 0;
    this.engine.removeCached(object.handle, index + atStart, count - atStart - atEnd);
  }

  /** The folio that holds a number: folios are aligned in their object. */
  #folioAt(object: MemoryObject, index: number): { readonly first: number; readonly pages: number } {
    const pages = this.engine.folioPages(object.handle, index);
    return { first: index - (index % pages), pages };
  }

  /**
   * Splits the folio at a number where a hole from `start` to `end` begins or ends in it (`truncate_inode_partial_folio`). Returns how many
   * pages of the hole stay, cleared, since their folio cannot be split.
   */
  #keepAtEdge(object: MemoryObject, index: number, start: number, end: number): number {
    this.engine.bringBackCached(object.handle, index);
    const { first, pages } = this.#folioAt(object, index);
    if (pages === 1 || (start <= first && first + pages <= end)) return 0;
    this.unmapEverywhere(object, first, pages, abi.ZAP_OBJECT_PAGES);
    const from = Math.max(first, start);
    const to = Math.min(first + pages, end);
    if (!this.engine.maySplitCached(object.handle, from)) {
      this.engine.clearCached(object.handle, from, to - from);
      return to - from;
    }
    this.engine.splitCachedAround(object.handle, from);
    if (to < first + pages) this.engine.splitCachedAround(object.handle, to);
    return 0;
  }

  /**
   * Takes a huge page from the processes that do not own it, for an owner that cannot get a copy (`unmap_ref_private`). Linux looks for it at
   * the owner's address, so a process that has it elsewhere keeps it. Returns whether there was one: else the owner tries for ever.
   */
  unmapOthers(own: MappingSpace, vma: Vma, page: number): boolean {
    if (vma.object === null) throw new OutOfMemoryError("copy on write", this.engine.memoryBytes);
    const first = page - (page % HUGE_PAGES);
    const index = indexAt(vma, first);
    const size = BigInt(HUGE_PAGES * PAGE_SIZE);
    const place = this.#addressAt(own, first) / size;
    let isFound = false;
    for (const part of this.mappingsOf(vma.object, index, HUGE_PAGES)) {
      if ((part.space === own && part.vma === vma) || part.vma.isShared || part.vma.owner !== 0) continue;
      if (this.#addressAt(part.space, first) / size !== place) continue;
      this.engine.zapHugetlb(part.space.handle, first, HUGE_PAGES, 0, 0, 0);
      part.space.loseReserve(part.first);
      isFound = true;
    }
    return isFound;
  }

  /** Where in memory the page is that the entry at a page maps. */
  #addressAt(space: MappingSpace, page: number): bigint {
    return addressIn(this.engine.readEntries(space.handle, page, 1)[0] ?? 0n);
  }

  #punchHugetlb(object: MemoryObject, index: number, count: number): void {
    const first = Math.ceil(index / HUGE_PAGES);
    const end = Math.floor((index + count) / HUGE_PAGES);
    if (first * HUGE_PAGES !== index || end * HUGE_PAGES !== index + count) {
      this.engine.zeroHugetlb(object.handle, index, count);
    }
    if (end <= first) return;
    for (const part of this.mappingsOf(object, first * HUGE_PAGES, (end - first) * HUGE_PAGES)) {
      const firstIndex = indexAt(part.vma, part.first) / HUGE_PAGES;
      this.engine.zapHugetlb(part.space.handle, part.first, part.count, 0, part.vma.owner, firstIndex);
    }
    this.engine.punchHugetlb(object.handle, first, end - first);
  }
}

/** A part of a mapping. */
export interface MappedPart {
  readonly space: MappingSpace;
  readonly vma: Vma;
  readonly first: number;
  readonly count: number;
}
