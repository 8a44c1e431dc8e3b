import * as abi from "../../assembly/abi.js";
import { KernelError } from "../base/errors.js";
import { ADDRESS_LIMIT, hex, isPageAligned, PAGE_SIZE, roundUpToPages } from "../base/pages.js";
import { HUGE_PAGES } from "./memory-object.js";
import type { Mm } from "./mm.js";
import { indexAt, type UffdContext, type Vma } from "./vma.js";

/** mremap(2). Bytes; lengths are rounded up to pages. */
export interface RemapOptions {
  readonly start: number;
  readonly length: number;
  readonly newLength: number;
  /** Where to (MREMAP_FIXED); without it, the mapping stays where it is. */
  readonly to?: number;
  /** MREMAP_DONTUNMAP: the source stays mapped, and empty. */
  readonly keepsSource?: boolean;
}

/** Changes the size of a mapping or moves it. @throws KernelError EINVAL, EFAULT, ENOMEM (no room to grow in place). */
export function remap(mm: Mm, options: RemapOptions): void {
  const plan = checkArguments(options);
  if (plan.to === undefined) resize(mm, plan);
  else if (plan.pages === plan.newPages && mm.machine.has("mremap-several")) moveAll(mm, plan, plan.to);
  else moveOne(mm, plan, plan.to);
}

interface Plan {
  readonly firstPage: number;
  readonly pages: number;
  readonly newPages: number;
  readonly to: number | undefined;
  readonly keepsSource: boolean;
}

/** `check_mremap_params`. */
function checkArguments(options: RemapOptions): Plan {
  const { start, to, keepsSource = false } = options;
  const length = roundUpToPages(options.length);
  const newLength = roundUpToPages(options.newLength);
  if (!isPageAligned(start)) fail("EINVAL", `address ${hex(start)} is not at a page`);
  if (newLength === 0) fail("EINVAL", "the new length is 0");
  if (newLength > ADDRESS_LIMIT) fail("EINVAL", "the new length is beyond user space");
  if (keepsSource && to === undefined) fail("EINVAL", "the source can only be kept by a move");
  if (to !== undefined) {
    if (to > ADDRESS_LIMIT - newLength) fail("EINVAL", "the new range is beyond user space");
    if (!isPageAligned(to)) fail("EINVAL", `address ${hex(to)} is not at a page`);
    if (keepsSource && length !== newLength) fail("EINVAL", "a mapping that stays cannot change its size");
    if (start + length > to && to + newLength > start) fail("EINVAL", "the new range overlaps the old one");
  }
  return {
    firstPage: start / PAGE_SIZE,
    pages: length / PAGE_SIZE,
    newPages: newLength / PAGE_SIZE,
    to: to === undefined ? undefined : to / PAGE_SIZE,
    keepsSource,
  };
}

/** `mremap_at`. */
function resize(mm: Mm, given: Plan): void {
  const vma = mm.list.at(given.firstPage);
  if (vma === undefined) fail("EFAULT", "nothing is mapped there");
  const plan = checkMapping(vma, given);
  const { firstPage, pages, newPages } = plan;
  if (newPages === pages) return;
  if (newPages < pages) {
    unmapAndTell(mm, firstPage + newPages, firstPage + pages);
    return;
  }
  const end = firstPage + pages;
  const isAtEnd = end === vma.endPage;
  const newEnd = firstPage + newPages;
  if (!isAtEnd || newEnd * PAGE_SIZE > ADDRESS_LIMIT || mm.list.within(end, newEnd).length > 0) {
    fail("ENOMEM", "there is no room to grow");
  }
  mm.insert({ ...vma, firstPage: end, endPage: newEnd, offset: indexAt(vma, end) });
}

/** `remap_move`: a move without a change of size may concern several mappings. */
function moveAll(mm: Mm, plan: Plan, to: number): void {
  const endPage = plan.firstPage + plan.pages;
  const vmas = mm.list.within(plan.firstPage, endPage);
  const [first] = vmas;
  if (first === undefined || first.firstPage > plan.firstPage) fail("EFAULT", "nothing is mapped there");
  vmas.forEach((vma, i) => {
    const from = Math.max(vma.firstPage, plan.firstPage);
    const pages = Math.min(vma.endPage, endPage) - from;
    // the lock would have to be dropped for messages (`vma_multi_allowed`)
    if (vma.context !== null && (i > 0 || vma.endPage < endPage)) fail("EFAULT", "the range has several mappings");
    const part = { ...plan, firstPage: from, pages, newPages: pages };
    moveOne(mm, part, to + (from - plan.firstPage));
  });
}

const NOBODY: ReadonlySet<UffdContext> = new Set();

/** `mremap_to` and `move_vma`. */
function moveOne(mm: Mm, given: Plan, to: number): void {
  const vma = mm.list.at(given.firstPage);
  if (vma === undefined) fail("EFAULT", "nothing is mapped there");
  const { firstPage, newPages, keepsSource, pages: askedPages } = checkMapping(vma, given);
  const early = mm.unmap(to, to + newPages);
  tell(early, to, to + newPages);
  const tail = newPages < askedPages ? mm.unmap(firstPage + newPages, firstPage + askedPages) : NOBODY;
  const pages = Math.min(askedPages, newPages);
  const source = mm.list.at(firstPage) ?? fail("EFAULT", "nothing is mapped there");
  if (![firstPage, firstPage + pages].every((page) => mm.list.canSplitAt(page))) {
    fail("EINVAL", "a huge page would be cut in two");
  }
  const moved = place(mm, source, firstPage, to, newPages);
  moveEntries(mm, source, firstPage, to, pages);
  leaveSource(mm, source, { firstPage, pages, keepsSource });
  const { context } = moved;
  const removed = keepsSource || pages === 0 ? NOBODY : mm.unmap(firstPage, firstPage + pages);
  if (context !== null) context.remapped(firstPage * PAGE_SIZE, to * PAGE_SIZE, pages * PAGE_SIZE);
  tell(tail, firstPage + newPages, firstPage + askedPages);
  tell(removed, firstPage, firstPage + pages);
}

/** `copy_vma` and `mremap_userfaultfd_prep`: the new mapping stays registered only if its descriptor hears of the move. */
function place(mm: Mm, source: Vma, firstPage: number, to: number, newPages: number): Vma {
  const stays = source.context?.eventRemap === true;
  const isUntouched = source.kind === "anon" && source.anonVma === null;
  const moved: Vma = {
    ...source,
    firstPage: to,
    endPage: to + newPages,
    offset: isUntouched ? to : indexAt(source, firstPage),
    ...(stays ? {} : { context: null, modes: 0 }),
  };
  mm.insert(moved);
  return moved;
}

function moveEntries(mm: Mm, source: Vma, firstPage: number, to: number, pages: number): void {
  const loses = source.context !== null && !source.context.eventRemap;
  const clears = loses && mm.machine.has("mremap-clears-wp");
  const flags = clears ? abi.MOVE_CLEAR_UFFD_WP : abi.MOVE_TABLES;
  if (source.kind === "hugetlb") {
    mm.engine.moveHugetlb(mm.handle, firstPage, to, pages, flags & abi.MOVE_CLEAR_UFFD_WP);
    return;
  }
  const back = realigned(mm, source, firstPage, to, pages);
  mm.engine.moveTables(mm.handle, firstPage - back, to - back, pages + back, flags);
}

/** `try_realign_addr`: pages before the range that are moved with it, since nothing is mapped there, so that whole tables can be moved. */
function realigned(mm: Mm, source: Vma, firstPage: number, to: number, pages: number): number {
  const back = firstPage % HUGE_PAGES;
  if (back === 0 || to % HUGE_PAGES !== back || pages < HUGE_PAGES - back) return 0;
  if (source.firstPage !== firstPage) return 0;
  const isFree = (end: number): boolean => mm.list.within(end - back, end).length === 0;
  return isFree(firstPage) && isFree(to) ? back : 0;
}

/** `dontunmap_complete`, and what hugetlb forgets of its reservation. */
function leaveSource(mm: Mm, source: Vma, range: { firstPage: number; pages: number; keepsSource: boolean }): void {
  const { firstPage, pages, keepsSource } = range;
  if (source.kind === "hugetlb") mm.change(firstPage, firstPage + pages, { owner: 0 });
  const isWhole = source.firstPage === firstPage && source.endPage === firstPage + pages;
  const left = mm.list.at(firstPage);
  if (keepsSource && isWhole && left !== undefined) mm.replace(left, { anonVma: null });
}

/** `check_prep_vma`. */
function checkMapping(vma: Vma, given: Plan): Plan {
  const plan = vma.kind === "hugetlb" ? alignedToHugePages(given) : given;
  const { firstPage, pages, newPages, to, keepsSource } = plan;
  if (newPages <= pages && to === undefined) return plan;
  if (pages === 0 && !vma.isShared) fail("EINVAL", "a private mapping cannot be duplicated");
  if (keepsSource && vma.kind === "hugetlb") fail("EINVAL", "huge pages of hugetlbfs cannot stay");
  const moved = Math.min(pages, newPages);
  if (moved > vma.endPage - firstPage) fail("EFAULT", "the range has several mappings");
  if (newPages > pages && vma.kind === "hugetlb") fail("EFAULT", "huge pages of hugetlbfs cannot grow");
  return plan;
}

/** `align_hugetlb`. */
function alignedToHugePages(plan: Plan): Plan {
  const { firstPage, to } = plan;
  const up = (pages: number): number => Math.ceil(pages / HUGE_PAGES) * HUGE_PAGES;
  if (firstPage % HUGE_PAGES !== 0 || (to ?? 0) % HUGE_PAGES !== 0) fail("EINVAL", "not at a huge page");
  const aligned = { ...plan, pages: up(plan.pages), newPages: up(plan.newPages) };
  if (aligned.newPages > aligned.pages) fail("EINVAL", "huge pages of hugetlbfs cannot grow");
  return aligned;
}

function unmapAndTell(mm: Mm, firstPage: number, endPage: number): void {
  tell(mm.unmap(firstPage, endPage), firstPage, endPage);
}

function tell(contexts: ReadonlySet<UffdContext>, firstPage: number, endPage: number): void {
  for (const context of contexts) context.unmapped(firstPage * PAGE_SIZE, endPage * PAGE_SIZE);
}

function fail(code: "EINVAL" | "EFAULT" | "ENOMEM", detail: string): never {
  throw new KernelError("mremap", code, detail);
}
