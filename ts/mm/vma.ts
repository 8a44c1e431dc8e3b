import * as abi from "../../assembly/abi.js";
import type { Region } from "../engine/engine.js";

/** Protections of a mapping. On x86 what can be written can be read. */
export const PROTECTIONS = ["rw", "r", "none"] as const;

/** Protection of a mapping. */
export type Protection = (typeof PROTECTIONS)[number];

/** VM_UFFD_MISSING and VM_UFFD_WP as UFFDIO_REGISTER names them. */
export const MODE_MISSING = 1;
export const MODE_WP = 2;
export const MODE_MINOR = 4;

/** A thread that waits for a page fault to be resolved. */
export interface FaultWaiter {
  /** Tries the fault again. The waiter ends or waits for another message before this returns. */
  goOn(): void;
}

/** A page fault that a userfaultfd has to resolve. */
export interface UserFault {
  /** Address of the access in bytes, not masked. */
  readonly address: number;
  readonly kind: "missing" | "wp";
  readonly access: "read" | "write";
  readonly waiter: FaultWaiter;
}

/** What a mapping knows of the userfaultfd that it is registered with (`struct userfaultfd_ctx`). */
export interface UffdContext {
  /** UFFD_FEATURE_WP_UNPOPULATED: markers for anonymous memory. */
  readonly wpUnpopulated: boolean;
  /** UFFD_FEATURE_WP_ASYNC. */
  readonly wpAsync: boolean;
  /** UFFD_FEATURE_SIGBUS. */
  readonly sigbus: boolean;
  /** UFFD_USER_MODE_ONLY: faults of the kernel itself fail. */
  readonly userModeOnly: boolean;
  /** Puts the message of a fault on the queue (`handle_userfault`). */
  raise(fault: UserFault): void;
  /** Tells that MADV_DONTNEED is about to drop a range (UFFD_EVENT_REMOVE). */
  removing(start: number, end: number): void;
  /** Tells that a range was unmapped (UFFD_EVENT_UNMAP). */
  unmapped(start: number, end: number): void;
}

/** A run of pages with one protection and one registration (`struct vm_area_struct`). */
export interface Vma {
  readonly firstPage: number;
  readonly endPage: number;
  readonly protection: Protection;
  /** MODE_ bits; not 0 exactly when there is a context. */
  readonly modes: number;
  readonly context: UffdContext | null;
  /** Identity of the `anon_vma`, which is there once a page has been allocated; mappings that differ in it do not merge. */
  readonly anonVma: object | null;
}

/** Tells whether write-protecting leaves markers in a registered anonymous mapping (`userfaultfd_wp_use_markers`). */
export function usesMarkers(vma: Vma): boolean {
  return (vma.modes & MODE_WP) !== 0 && vma.context !== null && vma.context.wpUnpopulated;
}

/** Tells whether PAGEMAP_SCAN may write-protect the mapping: WPALLOWED. */
export function isWpAllowed(vma: Vma): boolean {
  return usesMarkers(vma) && vma.context !== null && vma.context.wpAsync;
}

/** Returns what the engine needs to know of a mapping. */
export function regionOf(vma: Vma): Region {
  return { firstPage: vma.firstPage, endPage: vma.endPage, flags: regionFlags(vma) };
}

/** Returns the REGION_ flags of a mapping. */
export function regionFlags(vma: Vma): number {
  return (
    (vma.protection === "none" ? 0 : abi.REGION_READ) |
    (vma.protection === "rw" ? abi.REGION_WRITE : 0) |
    ((vma.modes & MODE_MISSING) !== 0 ? abi.REGION_UFFD_MISSING : 0) |
    ((vma.modes & MODE_WP) !== 0 ? abi.REGION_UFFD_WP : 0) |
    (vma.context?.wpAsync === true ? abi.REGION_WP_ASYNC : 0) |
    (vma.context?.sigbus === true ? abi.REGION_SIGBUS : 0) |
    (vma.context?.userModeOnly === true ? abi.REGION_USER_MODE_ONLY : 0)
  );
}

/** The mappings of an address space, sorted by page, without overlap. */
export class VmaList {
  #vmas: Vma[] = [];

  /** All mappings in ascending order. */
  get all(): readonly Vma[] {
    return this.#vmas;
  }

  /** Returns the mapping that holds `page`. */
  at(page: number): Vma | undefined {
    const vma = this.#vmas[this.#indexFrom(page)];
    return vma !== undefined && vma.firstPage <= page ? vma : undefined;
  }

  /** Returns the mappings that intersect a range, in ascending order. */
  within(firstPage: number, endPage: number): Vma[] {
    const found: Vma[] = [];
    for (let i = this.#indexFrom(firstPage); i < this.#vmas.length; i++) {
      const vma = this.#vmas[i];
      if (vma === undefined || vma.firstPage >= endPage) break;
      found.push(vma);
    }
    return found;
  }

  /** Returns the pages between which a range can grow without meeting a mapping: the end of the one before, the start of the next. */
  gapAround(firstPage: number, endPage: number, limit: number): { floor: number; ceiling: number } {
    const next = this.#indexFrom(endPage);
    const before = this.#vmas[this.#indexFrom(firstPage) - 1];
    return { floor: before?.endPage ?? 0, ceiling: this.#vmas[next]?.firstPage ?? limit };
  }

  /** Adds a mapping where there is none and merges it with its neighbours. */
  insert(vma: Vma): void {
    this.#vmas.splice(this.#indexFrom(vma.firstPage), 0, vma);
    this.#mergeAround(vma.firstPage, vma.endPage);
  }

  /** Removes what lies in a range, splitting mappings at its edges. */
  remove(firstPage: number, endPage: number): void {
    this.#splitAt(firstPage);
    this.#splitAt(endPage);
    const from = this.#indexFrom(firstPage);
    this.#vmas.splice(from, this.#indexFrom(endPage) - from);
  }

  /** Changes the mappings in a range, splitting them at its edges and merging what has become alike. */
  change(firstPage: number, endPage: number, changes: Partial<Vma>): void {
    this.#splitAt(firstPage);
    this.#splitAt(endPage);
    for (let i = this.#indexFrom(firstPage); i < this.#vmas.length; i++) {
      const vma = this.#vmas[i];
      if (vma === undefined || vma.firstPage >= endPage) break;
      this.#vmas[i] = { ...vma, ...changes };
    }
    this.#mergeAround(firstPage, endPage);
  }

  /** Number of a mapping in ascending order. */
  indexOf(vma: Vma): number {
    return this.#indexFrom(vma.firstPage);
  }

  /** Gives the mapping that holds `page` an `anon_vma`, its neighbour's where that can be shared (`find_mergeable_anon_vma`). */
  prepareAnonVma(page: number): void {
    const i = this.#indexFrom(page);
    const vma = this.#vmas[i];
    if (vma === undefined || vma.anonVma !== null) return;
    const after = shareableAnonVma(vma, this.#vmas[i + 1]);
    this.#vmas[i] = { ...vma, anonVma: after ?? shareableAnonVma(this.#vmas[i - 1], vma, "left") ?? {} };
  }

  /** Index of the first mapping that ends after `page`. */
  #indexFrom(page: number): number {
    let low = 0;
    let high = this.#vmas.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#vmas[middle]?.endPage ?? Infinity) <= page) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  #splitAt(page: number): void {
    const i = this.#indexFrom(page);
    const vma = this.#vmas[i];
    if (vma === undefined || vma.firstPage >= page) return;
    this.#vmas.splice(i, 1, { ...vma, endPage: page }, { ...vma, firstPage: page });
  }

  #mergeAround(firstPage: number, endPage: number): void {
    let i = Math.max(1, this.#indexFrom(firstPage));
    for (let right = this.#vmas[i]; right !== undefined && right.firstPage <= endPage; right = this.#vmas[i]) {
      const left = this.#vmas[i - 1];
      if (left !== undefined && canMerge(left, right)) {
        this.#vmas.splice(i - 1, 2, { ...left, endPage: right.endPage, anonVma: left.anonVma ?? right.anonVma });
      } else {
        i++;
      }
    }
  }
}

/** `mm/vma.c:can_vma_merge_before` and `_after` for anonymous memory. */
function canMerge(left: Vma, right: Vma): boolean {
  return (
    left.endPage === right.firstPage &&
    left.protection === right.protection &&
    left.modes === right.modes &&
    left.context === right.context &&
    (left.anonVma === right.anonVma || left.anonVma === null || right.anonVma === null)
  );
}

/** `mm/vma.c:anon_vma_compatible`: neighbours that differ only in what may be accessed share one. */
function shareableAnonVma(
  left: Vma | undefined,
  right: Vma | undefined,
  from: "left" | "right" = "right",
): object | null {
  if (left === undefined || right === undefined) return null;
  if (left.endPage !== right.firstPage || left.modes !== right.modes) return null;
  return from === "right" ? right.anonVma : left.anonVma;
}
