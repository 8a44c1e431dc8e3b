import * as abi from "../../assembly/abi.js";
import { KernelError } from "../base/errors.js";
import { PAGE_SIZE } from "../base/pages.js";
import type { ReclaimKind } from "../engine/engine.js";
import { collapse } from "./collapse.js";
import { HUGE_PAGES } from "./memory-object.js";
import type { Mm } from "./mm.js";
import { clip, indexAt, type Vma, zapFlags } from "./vma.js";

/** Advice of madvise(2) beside the two that populate. */
export const MAPPING_ADVICES = [
  "dontneed",
  "free",
  "remove",
  "hugepage",
  "nohugepage",
  "collapse",
  "pageout",
  "cold",
  "guard-install",
  "guard-remove",
  "dontfork",
  "dofork",
  "wipeonfork",
  "keeponfork",
] as const;

/** What madvise(2) does mapping by mapping. */
export type MappingAdvice = (typeof MAPPING_ADVICES)[number];

/** Advice for which the engine looks mappings up. The rest has to work also when there is no memory left to publish them in. */
const READS_REGIONS: ReadonlySet<MappingAdvice> = new Set(["free", "pageout", "cold", "collapse"]);

/** Pages of a mapping that advice is given for. */
interface Part {
  readonly first: number;
  readonly end: number;
}

/** The call never ends (a guard is to be installed over a uffd-wp marker of an object). */
export class EndlessCallError extends Error {
  override readonly name: string = "EndlessCallError";
}

/**
 * Applies advice to what is mapped in a range; what is not mapped is passed over and told in the end (`madvise_walk_vmas`).
 * @throws KernelError as the advice does, or ENOMEM (something is not mapped); EndlessCallError; OutOfMemoryError.
 */
export function adviseMappings(mm: Mm, firstPage: number, endPage: number, advice: MappingAdvice): void {
  let reached = firstPage;
  let hasGap = false;
  while (reached < endPage) {
    const [vma] = mm.list.within(reached, endPage);
    if (vma === undefined) break;
    hasGap ||= vma.firstPage > reached;
    const { first, end } = clip(vma, reached, endPage);
    if (READS_REGIONS.has(advice)) mm.publish();
    advise(mm, vma, { first, end }, advice);
    reached = end;
  }
  if (hasGap || reached < endPage) fail("ENOMEM", "something in the range is not mapped");
}

function advise(mm: Mm, vma: Vma, part: Part, advice: MappingAdvice): void {
  switch (advice) {
    case "dontneed":
    case "free":
      drop(mm, vma, part, advice);
      return;
    case "remove":
      punch(mm, vma, part);
      return;
    case "pageout":
    case "cold":
      if (vma.kind === "hugetlb") fail("EINVAL", "hugetlbfs is not reclaimed");
      reclaim(mm, part, advice);
      return;
    case "collapse":
      if (!mm.machine.has("collapse")) fail("EINVAL", "the kernel does not know the advice");
      collapse(mm, vma, part.first, part.end);
      return;
    case "guard-install":
    case "guard-remove":
      changeGuards(mm, vma, part, advice);
      return;
    default:
      changeFlags(mm, vma, part, advice);
  }
}

/** `madvise_dontneed_free`. */
function drop(mm: Mm, vma: Vma, part: Part, advice: "dontneed" | "free"): void {
  const end = vma.kind === "hugetlb" ? endOfHugePages(part, advice) : part.end;
  if (end === part.first) return;
  vma.context?.removing(part.first * PAGE_SIZE, end * PAGE_SIZE);
  if (advice === "dontneed") {
    mm.zap(vma, part.first, end, mm.machine.has("table-reclaim") ? abi.ZAP_RECLAIM : 0);
    return;
  }
  if (vma.kind !== "anon") fail("EINVAL", "only anonymous memory is freed lazily");
  reclaim(mm, { first: part.first, end }, "free");
}

/** `madvise_dontneed_free_valid_vma`: the end is rounded down to huge pages. */
function endOfHugePages(part: Part, advice: "dontneed" | "free"): number {
  if (advice === "free") fail("EINVAL", "hugetlbfs is not freed lazily");
  if (part.first % HUGE_PAGES !== 0) fail("EINVAL", "not at a huge page");
  return part.end - (part.end % HUGE_PAGES);
}

/** `madvise_remove`. */
function punch(mm: Mm, vma: Vma, part: Part): void {
  if (vma.object === null) fail("EINVAL", "anonymous memory has no file");
  if (!vma.isShared) fail("EACCES", "the mapping is private");
  vma.context?.removing(part.first * PAGE_SIZE, part.end * PAGE_SIZE);
  mm.machine.punch(vma.object, indexAt(vma, part.first), part.end - part.first);
}

function reclaim(mm: Mm, part: Part, kind: ReclaimKind): void {
  let page = part.first;
  let onPart: "skip" | "ask" = "ask";
  while (page < part.end) {
    const { pages, wants, index } = mm.engine.reclaim(mm.handle, page, part.end - page, kind, onPart);
    page += pages;
    if (wants === undefined || index === undefined) continue;
    const vma = mm.list.at(page);
    if (vma?.object === null || vma === undefined) return;
    const { machine } = mm;
    const isKept = wants === "split" && !mm.engine.maySplitCached(vma.object.handle, index);
    onPart = isKept || machine.isMappedElsewhere(vma.object, index, mm, page) ? "skip" : "ask";
    if (onPart === "skip") continue;
    if (wants === "split") machine.splitFolio(vma.object, index);
    else machine.unmapFolio(vma.object, index, vma);
  }
}

/** `madvise_guard_install` and `madvise_guard_remove`. */
function changeGuards(mm: Mm, vma: Vma, part: Part, advice: "guard-install" | "guard-remove"): void {
  if (!mm.machine.has("guard")) fail("EINVAL", "the kernel has no guards");
  if (vma.kind === "hugetlb") fail("EINVAL", "hugetlbfs has no guards");
  const isWritableAnonymous = vma.kind === "anon" && vma.protection === "rw";
  if (!isWritableAnonymous && !mm.machine.has("guard-files")) fail("EINVAL", "the kernel has no guards for files");
  const pages = part.end - part.first;
  if (advice === "guard-remove") {
    mm.engine.removeGuards(mm.handle, part.first, pages);
    return;
  }
  if (mm.machine.has("guard-flag")) mm.list.replace(vma, { mayGuard: true });
  if (vma.kind === "anon" || !mm.machine.has("guard-flag")) mm.prepareAnonVma(vma.firstPage);
  const ends = mm.engine.installGuards(mm.handle, part.first, pages, zapFlags(vma));
  if (!ends) throw new EndlessCallError("madvise: a uffd-wp marker of an object comes back however often it is zapped");
}

/** `madvise_vma_behavior` for advice that is kept with the mapping. */
function changeFlags(
  mm: Mm,
  vma: Vma,
  part: Part,
  advice: "hugepage" | "nohugepage" | "dontfork" | "dofork" | "wipeonfork" | "keeponfork",
): void {
  if (advice === "wipeonfork" && vma.object !== null) fail("EINVAL", "only private anonymous memory is wiped");
  const changes = FLAG_CHANGES[advice];
  const isSame = Object.entries(changes).every(([key, value]) => vma[key as keyof Vma] === value);
  if (isSame) return;
  mm.cutHugetlb("madvise", part.first);
  mm.cutHugetlb("madvise", part.end);
  mm.change(part.first, part.end, changes);
}

const FLAG_CHANGES = {
  hugepage: { thp: "huge" },
  nohugepage: { thp: "never" },
  dontfork: { dontFork: true },
  dofork: { dontFork: false },
  wipeonfork: { wipeOnFork: true },
  keeponfork: { wipeOnFork: false },
} as const satisfies Record<string, Partial<Vma>>;

function fail(code: "EINVAL" | "EACCES" | "ENOMEM", detail: string): never {
  throw new KernelError("madvise", code, detail);
}
