import * as abi from "../../assembly/abi.js";
import { KernelError } from "../base/errors.js";
import { ADDRESS_LIMIT, hex, isPageAligned, PAGE_LIMIT, PAGE_SIZE, roundUpToPages } from "../base/pages.js";
import type { Engine, Space } from "../engine/engine.js";
import type { Machine, MappingSpace } from "./machine.js";
import { HUGE_PAGES } from "./memory-object.js";
import {
  clip,
  indexAt,
  protectionFlags,
  regionOf,
  type UffdContext,
  upgradeFlags,
  type Vma,
  VmaList,
  zapFlags,
} from "./vma.js";

/**
 * The mappings of an address space and its page tables (`struct mm_struct`): what the calls on an address space have in common. Every
 * change of a mapping goes through here, so that the engine knows of it before the next fault.
 */
export class Mm implements MappingSpace {
  readonly machine: Machine;
  readonly engine: Engine;
  /** Handle of the page tables in the engine. */
  readonly handle: Space;
  readonly list: VmaList = new VmaList();
  #regionsAreStale = true;

  /** @throws OutOfMemoryError */
  constructor(machine: Machine) {
    this.machine = machine;
    this.engine = machine.engine;
    this.handle = this.engine.createSpace(machine.kernelDifferences);
    machine.add(this);
  }

  /** Frees everything, as the end of the process does. */
  dispose(): void {
    for (const vma of this.list.all) {
      if (vma.kind === "hugetlb") this.#releaseHugetlb(vma, vma.firstPage, vma.endPage);
    }
    this.list.remove(0, PAGE_LIMIT);
    this.machine.remove(this);
    this.engine.destroySpace(this.handle);
  }

  get vmas(): readonly Vma[] {
    return this.list.all;
  }

  /** Publishes the mappings to the engine if they have changed. @throws OutOfMemoryError */
  publish(): void {
    if (!this.#regionsAreStale) return;
    this.engine.setRegions(
      this.handle,
      this.list.all.map((vma) => regionOf(vma, this.machine)),
    );
    this.#regionsAreStale = false;
  }

  /** Adds a mapping. */
  insert(vma: Vma): void {
    this.list.insert(vma);
    this.#regionsAreStale = true;
  }

  /** Adds a mapping behind all others, without merging it. */
  append(vma: Vma): void {
    this.list.append(vma);
    this.#regionsAreStale = true;
  }

  /** Changes the mappings in a range. */
  change(firstPage: number, endPage: number, changes: Partial<Vma>): void {
    this.#prepareSplit(firstPage);
    this.#prepareSplit(endPage);
    this.list.change(firstPage, endPage, changes);
    this.#regionsAreStale = true;
  }

  /** Replaces one mapping. */
  replace(vma: Vma, changes: Partial<Vma>): Vma {
    this.#regionsAreStale = true;
    return this.list.replace(vma, changes);
  }

  loseReserve(page: number): void {
    const vma = this.list.at(page);
    if (vma !== undefined) this.replace(vma, { reserveLost: true });
  }

  /** Learns from the engine which mappings faults have given an `anon_vma`. */
  noteAnonVma(vma: Vma): void {
    if (vma.anonVma !== null || this.#regionsAreStale) return;
    const flags = this.engine.regionFlags(this.handle, this.list.indexOf(vma));
    if ((flags & abi.REGION_ANON_VMA) !== 0) this.list.prepareAnonVma(vma.firstPage);
  }

  /** Gives the mapping of a page an `anon_vma`. */
  prepareAnonVma(page: number): void {
    this.list.prepareAnonVma(page);
  }

  /** Removes the write protection of a part of a mapping. */
  unprotect(vma: Vma, firstPage: number, count: number): void {
    const flags = protectionFlags(vma, this.machine);
    if (vma.kind === "hugetlb") this.engine.changeHugetlb(this.handle, firstPage, count, flags, "resolve");
    else {
      const upgrade = this.machine.has("wp-restores-write") ? upgradeFlags(vma) : 0;
      this.engine.unprotect(this.handle, firstPage, count, flags | upgrade);
    }
  }

  /**
   * Unmaps a range (`do_vmi_munmap`); tables that no neighbouring mapping needs are freed. Returns whose mappings were in it.
   * @throws KernelError EINVAL: a mapping of hugetlb would be cut in the middle of a huge page.
   */
  unmap(firstPage: number, endPage: number): Set<UffdContext> {
    for (const page of [firstPage, endPage]) {
      this.cutHugetlb("munmap", page);
      this.#prepareSplit(page);
      this.list.splitAt(page);
      this.#regionsAreStale = true;
    }
    const removed = this.list.within(firstPage, endPage);
    this.list.remove(firstPage, endPage);
    this.#regionsAreStale = true;
    for (const vma of removed) {
      if (vma.kind === "hugetlb") this.#releaseHugetlb(vma, firstPage, endPage);
      else this.zap(vma, firstPage, endPage, abi.ZAP_DROP_MARKERS);
    }
    const { floor, ceiling } = this.list.gapAround(firstPage, endPage, PAGE_LIMIT + 1);
    if (removed.length > 0) this.engine.freeTables(this.handle, firstPage, endPage - firstPage, floor, ceiling);
    return new Set(removed.flatMap((vma) => (vma.context === null ? [] : [vma.context])));
  }

  /**
   * Splits a mapping of hugetlb apart at a page (`split_vma`). That stays so, whatever comes of the call.
   * @throws KernelError EINVAL in the middle of a huge page.
   */
  cutHugetlb(call: string, page: number): void {
    if (!this.list.canSplitAt(page)) throw new KernelError(call, "EINVAL", "a huge page would be cut in two");
    if (this.list.at(page)?.kind !== "hugetlb") return;
    this.list.splitAt(page);
    this.#regionsAreStale = true;
  }

  /** Zaps the part of a mapping that lies in a range. `flags`: ZAP_ beside those that the mapping's kind gives. */
  zap(vma: Vma, firstPage: number, endPage: number, flags: number): void {
    const { first, count } = clip(vma, firstPage, endPage);
    if (vma.kind !== "hugetlb") {
      this.engine.zap(this.handle, first, count, flags | zapFlags(vma));
      return;
    }
    const index = indexAt(vma, first) / HUGE_PAGES;
    this.engine.zapHugetlb(this.handle, first, count, flags & abi.ZAP_DROP_MARKERS, vma.owner, index);
  }

  /** A huge page does not lie in two mappings (`vma_adjust_trans_huge`). */
  #prepareSplit(page: number): void {
    if (page % HUGE_PAGES === 0) return;
    const vma = this.list.at(page);
    if (vma === undefined || vma.firstPage === page || vma.kind === "hugetlb") return;
    this.engine.splitHugeAt(this.handle, page);
  }

  #releaseHugetlb(vma: Vma, firstPage: number, endPage: number): void {
    this.zap(vma, firstPage, endPage, abi.ZAP_DROP_MARKERS);
    this.machine.unreserve(vma, firstPage, endPage);
  }
}

/** The pages of a call's byte range, its length rounded up. @throws KernelError EINVAL if it does not start at a page. */
export function callRange(call: string, start: number, length: number): { firstPage: number; endPage: number } {
  if (!isPageAligned(start)) throw new KernelError(call, "EINVAL", `address ${hex(start)} is not at a page`);
  const end = start + roundUpToPages(length);
  return { firstPage: start / PAGE_SIZE, endPage: end / PAGE_SIZE };
}

/** Tells whether a byte range lies in user space. */
export function isUserRange(start: number, length: number): boolean {
  return start + length <= ADDRESS_LIMIT;
}
