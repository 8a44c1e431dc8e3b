import * as abi from "../../assembly/abi.js";
import { KernelError } from "../base/errors.js";
import type { FillReason } from "../engine/engine.js";
import { HUGE_PAGES, type MemoryObject } from "./memory-object.js";
import type { Mm } from "./mm.js";
import { indexAt, MODE_MISSING, MODE_WP, type Vma, zapFlags } from "./vma.js";

/** MADV_COLLAPSE for a part of one mapping (`mm/khugepaged.c:madvise_collapse`). @throws KernelError EINVAL, EBUSY; OutOfMemoryError */
export function collapse(mm: Mm, vma: Vma, firstPage: number, endPage: number): void {
  if (!isCollapsible(vma)) throw new KernelError("madvise", "EINVAL", "the mapping cannot have huge pages");
  const first = Math.ceil(firstPage / HUGE_PAGES) * HUGE_PAGES;
  const end = Math.floor(endPage / HUGE_PAGES) * HUGE_PAGES;
  let failure: FillReason = "ok";
  for (let page = first; page < end; page += HUGE_PAGES) {
    const reason =
      vma.object === null
        ? mm.engine.collapseAnonymous(mm.handle, page, vma.context !== null)
        : collapseFile(mm, vma, vma.object, page);
    if (reason !== "ok") failure = reason === "ENOENT" ? "EINVAL" : reason; // ENOENT: EINVAL at once
    if (reason === "EBUSY" || reason === "ENOENT") break;
  }
  if (first > end) failure = "EINVAL"; // the kernel compares the count of huge pages with a negative one
  if (failure !== "ok") throw new KernelError("madvise", failure, "2 MiB in the range cannot become a huge page");
}

/** `thp_vma_allowable_order` with TVA_FORCED_COLLAPSE: what is looked at is whether 2 MiB at the end of the mapping fit. */
function isCollapsible(vma: Vma): boolean {
  if (vma.thp === "never" || (vma.kind !== "anon" && vma.kind !== "shmem")) return false;
  const last = vma.endPage - HUGE_PAGES;
  const aligned = last - (last % HUGE_PAGES);
  if (last < 0 || aligned < vma.firstPage) return false;
  if (vma.kind === "anon") return vma.anonVma !== null;
  return (vma.firstPage - vma.offset) % HUGE_PAGES === 0;
}

/** `hpage_collapse_scan_file`, `collapse_file` and `collapse_pte_mapped_thp`. */
function collapseFile(mm: Mm, vma: Vma, object: MemoryObject, page: number): FillReason {
  const index = indexAt(vma, page);
  const cached = mm.engine.countCached(object.handle, index);
  if (cached !== "huge") {
    if (cached === 0) return "ENOENT";
    const parts = [...mm.machine.mappingsOf(object, index, HUGE_PAGES)];
    for (const part of parts) {
      mm.engine.zap(part.space.handle, part.first, part.count, zapFlags(part.vma) | abi.ZAP_OBJECT_PAGES);
    }
    const isFull = cached === HUGE_PAGES;
    // the kernel looks one page too far (`vma_interval_tree_foreach` takes the last index, not the end)
    const looked = [...mm.machine.mappingsOf(object, index, HUGE_PAGES + 1)];
    if (!isFull && looked.some((part) => (part.vma.modes & MODE_MISSING) !== 0)) return "EBUSY";
    mm.engine.collapseObject(object.handle, index);
    for (const part of parts) {
      const isWhole = part.count === HUGE_PAGES && part.first % HUGE_PAGES === 0;
      if (isWhole && isRetractable(part.vma)) mm.engine.retractTable(part.space.handle, part.first);
    }
  }
  return mm.engine.mapCollapsed(
    mm.handle,
    page,
    object.handle,
    index,
    (vma.modes & MODE_WP) !== 0 ? "keep" : "replace",
  );
}

/** `file_backed_vma_is_retractable`. */
function isRetractable(vma: Vma): boolean {
  return vma.anonVma === null && (vma.modes & MODE_WP) === 0 && !vma.mayGuard;
}
