import * as abi from "../../assembly/abi.js";
import type { KernelChange } from "../base/kernel-version.js";
import type { ObjectHandle, Region } from "../engine/engine.js";
import type { AddressSpace } from "./address-space.js";
import { HUGE_PAGES, type MemoryKind, type MemoryObject } from "./memory-object.js";

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
  readonly kind: "missing" | "wp" | "minor";
  readonly access: "read" | "write";
  readonly waiter: FaultWaiter;
  /** Bytes to a multiple of which the message's address is rounded down: those of the mapping's pages. */
  readonly pageBytes: number;
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
  /** UFFD_FEATURE_EVENT_REMAP: a mapping that is moved stays registered. */
  readonly eventRemap: boolean;
  /** Puts the message of a fault on the queue (`handle_userfault`). */
  raise(fault: UserFault): void;
  /** Tells that madvise is about to drop a range (UFFD_EVENT_REMOVE). */
  removing(start: number, end: number): void;
  /** Tells that a range was unmapped (UFFD_EVENT_UNMAP). */
  unmapped(start: number, end: number): void;
  /** Tells that a range was moved (UFFD_EVENT_REMAP). */
  remapped(from: number, to: number, length: number): void;
  /**
   * Makes the context of a forked child's mappings, or returns null if they are not to be registered (no UFFD_FEATURE_EVENT_FORK). `announce`
   * tells of it, when the child is complete (UFFD_EVENT_FORK).
   */
  fork(child: AddressSpace): { readonly context: UffdContext; announce(): void } | null;
}

/** Identity of an `anon_vma`. One that fork has made is not shared with neighbours that have none. */
export interface AnonVma {
  readonly isForkChild: boolean;
}

/** Whether MADV_HUGEPAGE or MADV_NOHUGEPAGE was given for a mapping. */
export type ThpAdvice = "default" | "huge" | "never";

/** A run of pages with one protection and one registration (`struct vm_area_struct`). */
export interface Vma {
  readonly firstPage: number;
  readonly endPage: number;
  readonly protection: Protection;
  readonly kind: MemoryKind;
  /** VM_SHARED. */
  readonly isShared: boolean;
  /** What is mapped; null for anonymous memory. */
  readonly object: MemoryObject | null;
  /** `vm_pgoff`: the page of the object at `firstPage`; of anonymous memory the page that it had where it was mapped first. */
  readonly offset: number;
  /** MODE_ bits; not 0 exactly when there is a context. */
  readonly modes: number;
  readonly context: UffdContext | null;
  /** Identity of the `anon_vma`, which is there once a page has been allocated; mappings that differ in it do not merge. */
  readonly anonVma: AnonVma | null;
  /** VM_MAYBE_GUARD: guards were installed once. It does not keep mappings apart, and stays when they merge. */
  readonly mayGuard: boolean;
  readonly thp: ThpAdvice;
  /** VM_DONTCOPY: fork leaves the mapping out. */
  readonly dontFork: boolean;
  /** VM_WIPEONFORK: a forked child finds the mapping empty. */
  readonly wipeOnFork: boolean;
  /** Set of the reserved huge pages that a private hugetlb mapping has used up; 0 for one without a reservation. */
  readonly owner: ObjectHandle;
  /** HPAGE_RESV_UNMAPPED: the owner of the reservation has taken a huge page away. */
  readonly reserveLost: boolean;
}

/** What the machine decides: policies for huge pages, and the version of its kernel. */
export interface Policies {
  /** Tells whether the kernel has what came with a change. */
  has(change: KernelChange): boolean;
  readonly thp: "never" | "madvise" | "always";
  readonly shmemThp: "never" | "madvise" | "always";
}

/** Tells whether write-protecting leaves markers in a registered mapping (`userfaultfd_wp_use_markers`). */
export function usesMarkers(vma: Vma): boolean {
  if ((vma.modes & MODE_WP) === 0 || vma.context === null) return false;
  return vma.kind !== "anon" || vma.context.wpUnpopulated;
}

/** Tells whether PAGEMAP_SCAN may write-protect the mapping: WPALLOWED. */
export function isWpAllowed(vma: Vma): boolean {
  return usesMarkers(vma) && vma.context !== null && vma.context.wpAsync;
}

/** Returns what the engine needs to know of a mapping. */
export function regionOf(vma: Vma, policies: Policies): Region {
  return {
    firstPage: vma.firstPage,
    endPage: vma.endPage,
    flags: regionFlags(vma, policies),
    object: vma.object?.handle ?? 0,
    offset: vma.offset,
    owner: vma.owner,
  };
}

/** Returns the REGION_ flags of a mapping. */
export function regionFlags(vma: Vma, policies: Policies): number {
  return (
    (vma.protection === "none" ? 0 : abi.REGION_READ) |
    (vma.protection === "rw" ? abi.REGION_WRITE : 0) |
    ((vma.modes & MODE_MISSING) !== 0 ? abi.REGION_UFFD_MISSING : 0) |
    ((vma.modes & MODE_WP) !== 0 ? abi.REGION_UFFD_WP : 0) |
    ((vma.modes & MODE_MINOR) !== 0 ? abi.REGION_UFFD_MINOR : 0) |
    (vma.context?.wpAsync === true ? abi.REGION_WP_ASYNC : 0) |
    (vma.context?.sigbus === true ? abi.REGION_SIGBUS : 0) |
    (vma.context?.userModeOnly === true ? abi.REGION_USER_MODE_ONLY : 0) |
    (vma.isShared ? abi.REGION_SHARED : 0) |
    (vma.reserveLost ? abi.REGION_RESERVE_LOST : 0) |
    (policies.has("wp-notify") ? 0 : abi.REGION_NO_WRITE_NOTIFY) |
    KIND_FLAGS[vma.kind] |
    thpFlags(vma, policies)
  );
}

const KIND_FLAGS: Readonly<Record<MemoryKind, number>> = {
  anon: 0,
  shmem: abi.REGION_SHMEM,
  file: abi.REGION_FILE,
  hugetlb: abi.REGION_HUGETLB,
};

/** `thp_vma_allowable_order` and `shmem_allowable_huge_orders` for page faults. */
function thpFlags(vma: Vma, { thp, shmemThp }: Policies): number {
  const isAllowed = (policy: Policies["thp"]): boolean =>
    vma.thp !== "never" && (policy === "always" || (policy === "madvise" && vma.thp === "huge"));
  if (vma.kind === "anon") return isAllowed(thp) ? abi.REGION_THP : 0;
  if (vma.kind === "file")
    return (vma.thp === "never" ? 0 : abi.REGION_THP) | (vma.thp === "huge" ? abi.REGION_MAKES_HUGE : 0);
  if (vma.kind !== "shmem") return 0;
  return (vma.thp === "never" ? 0 : abi.REGION_THP) | (isAllowed(shmemThp) ? abi.REGION_MAKES_HUGE : 0);
}

/** PROTECTION_ flags of a mapping's `vm_page_prot`: shared pages are read-only where somebody wants to know of writes. */
export function protectionFlags(vma: Vma, policies: Policies): number {
  if (vma.protection === "none") return abi.PROTECTION_NONE;
  const notifies = vma.kind === "file" || ((vma.modes & MODE_WP) !== 0 && policies.has("wp-notify"));
  const isPlainShared = vma.isShared && vma.protection === "rw" && !notifies;
  return isPlainShared ? abi.PROTECTION_SHARED_WRITE : 0;
}

/** UPGRADE_ flags of a mapping (`vma_wants_manual_pte_write_upgrade`). */
export function upgradeFlags(vma: Vma): number {
  if (vma.protection !== "rw") return 0;
  if (vma.isShared) return vma.kind === "file" ? abi.UPGRADE_DIRTY : 0;
  return vma.kind === "hugetlb" ? 0 : abi.UPGRADE_WRITABLE;
}

/** ZAP_ flags that say what kind of mapping is zapped. */
export function zapFlags(vma: Vma): number {
  return (vma.kind === "anon" ? 0 : abi.ZAP_OBJECT) | ((vma.modes & MODE_WP) !== 0 ? abi.ZAP_UFFD_WP : 0);
}

/** The part of a mapping within a range, which must intersect it. */
export function clip(vma: Vma, firstPage: number, endPage: number): { first: number; end: number; count: number } {
  const first = Math.max(vma.firstPage, firstPage);
  const end = Math.min(vma.endPage, endPage);
  return { first, end, count: end - first };
}

/** The page of the object, or of the mapping's first place, at a page. */
export function indexAt(vma: Vma, page: number): number {
  return page - vma.firstPage + vma.offset;
}

/** Pages of what the mapping is made of: 512 for hugetlb, else 1. */
export function pageStep(vma: Vma): number {
  return vma.kind === "hugetlb" ? HUGE_PAGES : 1;
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

  /** Adds a mapping behind all others, and leaves it apart from them: fork copies mappings as they are. */
  append(vma: Vma): void {
    this.#vmas.push(vma);
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
    this.#vmas[i] = {
      ...vma,
      anonVma: after ?? shareableAnonVma(this.#vmas[i - 1], vma, "left") ?? { isForkChild: false },
    };
  }

  /** Replaces a mapping by one of the same range. */
  replace(vma: Vma, changes: Partial<Vma>): Vma {
    const changed = { ...vma, ...changes };
    this.#vmas[this.#indexFrom(vma.firstPage)] = changed;
    return changed;
  }

  /** Tells whether a range can be cut out: a mapping of hugetlb is cut at huge pages only (`may_split`). */
  canSplitAt(page: number): boolean {
    const vma = this.at(page);
    return vma === undefined || vma.firstPage === page || vma.kind !== "hugetlb" || page % HUGE_PAGES === 0;
  }

  /** Splits the mapping that holds `page` and the one before it apart. */
  splitAt(page: number): void {
    this.#splitAt(page);
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
    this.#vmas.splice(i, 1, { ...vma, endPage: page }, { ...vma, firstPage: page, offset: indexAt(vma, page) });
  }

  #mergeAround(firstPage: number, endPage: number): void {
    let i = Math.max(1, this.#indexFrom(firstPage));
    for (let right = this.#vmas[i]; right !== undefined && right.firstPage <= endPage; right = this.#vmas[i]) {
      const left = this.#vmas[i - 1];
      if (left !== undefined && canMerge(left, right)) {
        this.#vmas.splice(i - 1, 2, merged(left, right));
      } else {
        i++;
      }
    }
  }
}

function merged(left: Vma, right: Vma): Vma {
  return {
    ...left,
    endPage: right.endPage,
    anonVma: left.anonVma ?? right.anonVma,
    mayGuard: left.mayGuard || right.mayGuard,
  };
}

/** `mm/vma.c:can_vma_merge_before` and `_after`. */
function canMerge(left: Vma, right: Vma): boolean {
  return areAlike(left, right) && left.protection === right.protection && canShareAnonVma(left.anonVma, right.anonVma);
}

/** Tells whether neighbours differ in nothing but what may be accessed. */
function areAlike(left: Vma, right: Vma): boolean {
  return (
    left.endPage === right.firstPage &&
    left.kind !== "hugetlb" &&
    left.kind === right.kind &&
    left.isShared === right.isShared &&
    left.object === right.object &&
    indexAt(left, left.endPage) === right.offset &&
    left.modes === right.modes &&
    left.context === right.context &&
    left.thp === right.thp &&
    left.dontFork === right.dontFork &&
    left.wipeOnFork === right.wipeOnFork
  );
}

/** `is_mergeable_anon_vma`. */
function canShareAnonVma(left: AnonVma | null, right: AnonVma | null): boolean {
  if (left === right) return true;
  return (left === null || right === null) && (left ?? right)?.isForkChild === false;
}

/** `mm/vma.c:anon_vma_compatible`: neighbours that differ only in what may be accessed share one. */
function shareableAnonVma(
  left: Vma | undefined,
  right: Vma | undefined,
  from: "left" | "right" = "right",
): AnonVma | null {
  if (left === undefined || right === undefined || !areAlike(left, right)) return null;
  const anonVma = from === "right" ? right.anonVma : left.anonVma;
  return anonVma?.isForkChild === false ? anonVma : null;
}
