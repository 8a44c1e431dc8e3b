import { KernelError } from "../base/errors.js";
import {
  type Address,
  ADDRESS_LIMIT,
  checkCount,
  checkName,
  hex,
  isPageAligned,
  PAGE_SIZE,
  roundUpToPages,
  toNumber,
} from "../base/pages.js";
import { HUGE_PAGES, MEMORY_KINDS, type MemoryKind, type MemoryObject } from "./memory-object.js";
import { callRange, type Mm } from "./mm.js";
import { type Protection, protectionFlags, PROTECTIONS, upgradeFlags, type Vma, MODE_WP } from "./vma.js";
import * as abi from "../../assembly/abi.js";

/** A new mapping. */
export interface MmapOptions {
  /** Bytes; rounded up to pages. */
  readonly length: Address;
  /** Where: as with MAP_FIXED_NOREPLACE, a multiple of the page size where nothing is mapped. */
  readonly at?: Address;
  /** Default "rw". */
  readonly protection?: Protection;
  /** Default "anon". Other kinds get a new object of their own unless one is given. */
  readonly kind?: MemoryKind;
  /** Default "private". Shared anonymous memory is tmpfs. */
  readonly sharing?: "private" | "shared";
  /** What to map, made by `Machine.createObject` or mapped before; `kind` is that of the object then. */
  readonly object?: MemoryObject;
  /** Page of the object at the start of the mapping. Default 0. */
  readonly offset?: number;
}

/** mmap(2) at an address that is known. @throws KernelError EINVAL, EEXIST, ENOMEM */
export function mapAt(mm: Mm, start: number, options: MmapOptions): MemoryObject | null {
  const asked = roundUpToPages(toNumber(options.length, "length"));
  const protection = checkName(options.protection ?? "rw", PROTECTIONS, "protection");
  const isShared = checkName(options.sharing ?? "private", ["private", "shared"], "sharing") === "shared";
  const offset = checkCount(options.offset ?? 0, "offset");
  const object = objectFor(mm, options, asked, isShared);
  const unit = object?.kind === "hugetlb" ? HUGE_PAGES * PAGE_SIZE : PAGE_SIZE;
  const length = Math.ceil(asked / unit) * unit;
  if (length === 0) throw new KernelError("mmap", "EINVAL", "the length is 0");
  if (length > ADDRESS_LIMIT) throw new KernelError("mmap", "ENOMEM", "the range is beyond user space");
  checkPlace(mm, start, length, unit);
  const [firstPage, pages] = [start / PAGE_SIZE, length / PAGE_SIZE];
  if (object?.kind === "hugetlb" && offset % HUGE_PAGES !== 0) {
    throw new KernelError("mmap", "EINVAL", "the offset is not at a huge page");
  }
  const owner = object?.kind === "hugetlb" ? mm.machine.reserve(object, offset, pages, isShared) : 0;
  if (object?.kind === "hugetlb" && protection === "rw") mm.machine.grow(object, offset + pages);
  mm.insert({
    ...NEW_VMA,
    firstPage,
    endPage: firstPage + pages,
    protection,
    kind: object?.kind ?? "anon",
    isShared: isShared,
    object,
    offset: object === null ? firstPage : offset,
    owner,
  });
  return object;
}

/** What a mapping is before anything was said about it. */
export const NEW_VMA = {
  modes: 0,
  context: null,
  anonVma: null,
  mayGuard: false,
  thp: "default",
  dontFork: false,
  wipeOnFork: false,
  owner: 0,
  reserveLost: false,
} as const;

/** munmap(2). @throws KernelError EINVAL */
export function unmapRange(mm: Mm, start: number, length: number): void {
  if (!isPageAligned(start)) throw new KernelError("munmap", "EINVAL", `address ${hex(start)} is not at a page`);
  const bytes = roundUpToPages(length);
  if (bytes === 0 || start + bytes > ADDRESS_LIMIT) throw new KernelError("munmap", "EINVAL", "no range of user space");
  for (const context of mm.unmap(start / PAGE_SIZE, (start + bytes) / PAGE_SIZE))
    context.unmapped(start, start + bytes);
}

/** mprotect(2). @throws KernelError EINVAL, ENOMEM */
export function protectRange(mm: Mm, start: number, length: number, protection: Protection): void {
  checkName(protection, PROTECTIONS, "protection");
  const { firstPage, endPage } = callRange("mprotect", start, length);
  if (firstPage === endPage) return;
  let reached = firstPage;
  for (const vma of mm.list.within(firstPage, endPage)) {
    if (vma.firstPage > reached) break;
    const end = Math.min(vma.endPage, endPage);
    if (vma.protection !== protection) changeProtection(mm, vma, reached, end, protection);
    reached = end;
  }
  if (reached < endPage) {
    throw new KernelError("mprotect", "ENOMEM", `nothing is mapped at ${hex(reached * PAGE_SIZE)}`);
  }
}

/** `mprotect_fixup`. */
function changeProtection(mm: Mm, vma: Vma, firstPage: number, endPage: number, protection: Protection): void {
  mm.cutHugetlb("mprotect", firstPage);
  mm.cutHugetlb("mprotect", endPage);
  const after = { ...vma, protection };
  mm.change(firstPage, endPage, { protection });
  const flags =
    protectionFlags(after, mm.machine) |
    upgradeFlags(after) |
    ((vma.modes & MODE_WP) !== 0 ? abi.UPGRADE_NOT_UFFD_WP : 0);
  if (vma.kind === "hugetlb") mm.engine.changeHugetlb(mm.handle, firstPage, endPage - firstPage, flags, "keep");
  else mm.engine.changeProtection(mm.handle, firstPage, endPage - firstPage, flags);
}

function objectFor(mm: Mm, options: MmapOptions, length: number, isShared: boolean): MemoryObject | null {
  if (options.object !== undefined) return options.object;
  const kind = checkName(options.kind ?? "anon", MEMORY_KINDS, "kind");
  if (kind !== "anon") return mm.machine.createObject(kind, length / PAGE_SIZE);
  return isShared ? mm.machine.createObject("shmem", length / PAGE_SIZE) : null;
}

/** `unit`: bytes of a page of what is mapped. */
function checkPlace(mm: Mm, start: number, length: number, unit: number): void {
  if (start + length > ADDRESS_LIMIT) throw new KernelError("mmap", "ENOMEM", "the range is beyond user space");
  if (start % unit !== 0) throw new KernelError("mmap", "EINVAL", `address ${hex(start)} is not at a page`);
  if (mm.list.within(start / PAGE_SIZE, (start + length) / PAGE_SIZE).length > 0) {
    throw new KernelError("mmap", "EEXIST", `something is mapped in ${hex(start)}-${hex(start + length)}`);
  }
}
