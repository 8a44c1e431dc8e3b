import * as abi from "../../assembly/abi.js";
import { KernelError } from "../base/errors.js";
import { type Address, ADDRESS_LIMIT, checkCount, isPageAligned, PAGE_SIZE, toNumber } from "../base/pages.js";
import { SCAN_REGION_NUMBERS } from "../engine/engine.js";
import type { Mm } from "./mm.js";
import { isWpAllowed, MODE_WP, regionFlags, type Vma } from "./vma.js";

/** Categories of a page, in the order of their bits. */
export const CATEGORIES = [
  "wpallowed",
  "written",
  "file",
  "present",
  "swapped",
  "pfnzero",
  "huge",
  "soft-dirty",
  "guard",
] as const;

/** A category of PAGEMAP_SCAN: PAGE_IS_ in lower case. */
export type Category = (typeof CATEGORIES)[number];

/** `struct pm_scan_arg`. */
export interface PagemapScan {
  readonly start: Address;
  readonly end: Address;
  /** Regions that fit into the output; 0: no output. Default: what fits into `vector`, else 4096. */
  readonly vectorLength?: number;
  /**
   * Where the regions are to go, three numbers each, if the caller has an array for them: a scan of many regions otherwise takes as long to get
   * fresh memory for them as to find them. `raw` of the result is the part of it that was filled; the next scan into it replaces that.
   */
  readonly vector?: Float64Array;
  /** 0 or absent: no limit. */
  readonly maxPages?: number;
  readonly inverted?: readonly Category[];
  readonly mask?: readonly Category[];
  readonly anyOf?: readonly Category[];
  readonly return?: readonly Category[];
  /** PM_SCAN_WP_MATCHING: write-protect what is found. */
  readonly wpMatching?: boolean;
  /** PM_SCAN_CHECK_WPASYNC: fail with EPERM where that is not possible. */
  readonly checkWpAsync?: boolean;
}

/** `struct page_region`; addresses in bytes, `end` exclusive. */
export interface PageRegion {
  readonly start: number;
  readonly end: number;
  readonly categories: readonly Category[];
}

/** What PAGEMAP_SCAN returns. */
export interface PagemapScanResult {
  readonly regions: readonly PageRegion[];
  /** Address at which the walk ended. */
  readonly walkEnd: number;
  /** The same regions, three numbers each, for whoever has many: first page, page behind the last, set of categories (bits in their order). */
  readonly raw: Float64Array;
}

/** `fs/proc/task_mmu.c:do_pagemap_scan`: the walk over mappings, and the copying out between its rounds. */
export class PagemapScanner {
  readonly #mm: Mm;
  readonly #taken = new NumberList();

  constructor(mm: Mm) {
    this.#mm = mm;
  }

  /** Does one call. @throws KernelError EINVAL, EFAULT, EPERM */
  scan(scan: PagemapScan): PagemapScanResult {
    this.#checkKernel(scan);
    const { start, end } = scanRange(scan);
    const room = scan.vector === undefined ? undefined : Math.floor(scan.vector.length / SCAN_REGION_NUMBERS);
    const vectorLength = checkCount(scan.vectorLength ?? room ?? 4096, "vectorLength", room);
    const maxPages = checkCount(scan.maxPages ?? 0, "maxPages") || Infinity;
    this.#begin(scan, vectorLength, maxPages);
    this.#taken.clear(scan.vector);
    let walkEndPage = 0;
    let page = start / PAGE_SIZE;
    while (page < end / PAGE_SIZE) {
      const isStopped = !this.#walk(scan, page, end / PAGE_SIZE);
      const taken = this.#mm.engine.takeScanRegions();
      this.#taken.add(taken.regions);
      walkEndPage = taken.walkEndPage;
      if (!isStopped) break;
      page = walkEndPage;
      if (this.#taken.length === vectorLength * SCAN_REGION_NUMBERS || taken.foundPages === maxPages) break;
    }
    // where the walk ran through, the kernel leaves what an earlier round put there
    const walkEnd = walkEndPage === 0 ? end : walkEndPage * PAGE_SIZE;
    return resultOf(this.#taken.take(), walkEnd);
  }

  #checkKernel(scan: PagemapScan): void {
    const { machine } = this.#mm;
    if (!machine.has("wp-async")) throw new KernelError("PAGEMAP_SCAN", "ENOTTY", "the kernel does not have the call");
    const named = [scan.inverted, scan.mask, scan.anyOf, scan.return].flatMap((names) => names ?? []);
    if (named.includes("guard") && !machine.has("scan-guard")) {
      throw new KernelError("PAGEMAP_SCAN", "EINVAL", "the kernel does not know the category guard");
    }
  }

  #begin(scan: PagemapScan, vectorLength: number, maxPages: number): void {
    this.#mm.engine.beginScan({
      vectorLength,
      maxPages,
      inverted: categorySet(scan.inverted, "inverted"),
      mask: categorySet(scan.mask, "mask"),
      anyOf: categorySet(scan.anyOf, "anyOf"),
      returned: categorySet(scan.return, "return"),
      wpMatching: scan.wpMatching === true,
    });
  }

  /** Returns false when the output is full or enough pages are found. */
  #walk(scan: PagemapScan, firstPage: number, endPage: number): boolean {
    for (const vma of this.#mm.list.within(firstPage, endPage)) {
      if (!isWanted(scan, vma)) continue;
      const first = Math.max(firstPage, vma.firstPage);
      const count = Math.min(endPage, vma.endPage) - first;
      const own = isWpAllowed(vma) ? abi.CATEGORY_WPALLOWED : 0;
      const isWritten =
        (vma.modes & MODE_WP) !== 0 && vma.kind !== "hugetlb" && this.#mm.machine.has("scan-none-written");
      const ofHoles = isWritten ? abi.CATEGORY_WRITTEN : 0;
      const flags = regionFlags(vma, this.#mm.machine);
      if (!this.#mm.engine.scanRange(this.#mm.handle, first, count, own, ofHoles, flags)) return false;
    }
    return true;
  }
}

/** `pagemap_scan_test_walk`. */
function isWanted(scan: PagemapScan, vma: Vma): boolean {
  if (!isWpAllowed(vma)) {
    if (scan.checkWpAsync === true)
      throw new KernelError(
        "PAGEMAP_SCAN",
        "EPERM",
        "a mapping in the range is not registered for async write-protection",
      );
    if (scan.wpMatching === true) return false;
  }
  const required = categorySet(scan.mask, "mask") & abi.CATEGORY_WPALLOWED;
  const own = (isWpAllowed(vma) ? abi.CATEGORY_WPALLOWED : 0) ^ categorySet(scan.inverted, "inverted");
  return (own & required) === required;
}

function scanRange(scan: PagemapScan): { start: number; end: number } {
  const start = toNumber(scan.start, "start");
  const end = toNumber(scan.end, "end");
  if (!isPageAligned(start)) throw new KernelError("PAGEMAP_SCAN", "EINVAL", "the start is not at a page");
  if (end < start || end > ADDRESS_LIMIT) throw new KernelError("PAGEMAP_SCAN", "EFAULT", "no range of user space");
  return { start, end: Math.ceil(end / PAGE_SIZE) * PAGE_SIZE };
}

function categorySet(names: readonly Category[] | undefined, field: string): number {
  let set = 0;
  for (const name of names ?? []) {
    const bit = CATEGORIES.indexOf(name);
    if (bit < 0) throw new TypeError(`"${field}" expected category names, got "${name}"`);
    set |= 1 << bit;
  }
  return set;
}

/** The regions are spelled out when somebody asks for them. */
function resultOf(raw: Float64Array, walkEnd: number): PagemapScanResult {
  let regions: PageRegion[] | undefined;
  return {
    get regions() {
      return (regions ??= Array.from({ length: raw.length / SCAN_REGION_NUMBERS }, (_, i) => pageRegion(raw, i)));
    },
    walkEnd,
    raw,
  };
}

function pageRegion(raw: Float64Array, index: number): PageRegion {
  const [first = 0, end = 0, set = 0] = raw.subarray(index * SCAN_REGION_NUMBERS);
  const categories = CATEGORIES.filter((_, bit) => (set & (1 << bit)) !== 0);
  return { start: first * PAGE_SIZE, end: end * PAGE_SIZE, categories };
}

/** Numbers that are collected over and over again: the memory is kept, since fresh memory costs more than what is copied into it. */
class NumberList {
  #own: Float64Array = new Float64Array(SCAN_REGION_NUMBERS * 512);
  #numbers: Float64Array = this.#own;
  length = 0;

  /** Begins anew, in an array of the caller's if there is one, which has room for all that will be added. */
  clear(target: Float64Array = this.#own): void {
    this.#numbers = target;
    this.length = 0;
  }

  add(more: Float64Array): void {
    const length = this.length + more.length;
    if (length > this.#numbers.length) this.#grow(2 * length);
    this.#numbers.set(more, this.length);
    this.length = length;
  }

  /** Returns what was added: a part of the caller's array, or a copy. */
  take(): Float64Array {
    const isOwn = this.#numbers === this.#own;
    return isOwn ? this.#own.slice(0, this.length) : this.#numbers.subarray(0, this.length);
  }

  #grow(length: number): void {
    const grown = new Float64Array(length);
    grown.set(this.#numbers.subarray(0, this.length));
    this.#own = grown;
    this.#numbers = grown;
  }
}
