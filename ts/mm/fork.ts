import * as abi from "../../assembly/abi.js";
import type { AddressSpace } from "./address-space.js";
import type { Mm } from "./mm.js";
import { MODE_WP, type UffdContext, type Vma } from "./vma.js";

/** What a fork makes of the contexts that hear of it. */
type Forked = ReturnType<UffdContext["fork"]>;

/**
 * Copies the mappings of a process and their entries into a new, empty address space (`kernel/fork.c:dup_mmap`). `child` is what the copied
 * contexts belong to. Returns what tells the contexts of it, to be called when the child is complete.
 * @throws OutOfMemoryError
 */
export function copyMappings(parent: Mm, target: Mm, child: AddressSpace): () => void {
  const contexts = new Map<UffdContext, Forked>();
  for (const vma of parent.list.all) {
    if (vma.dontFork) continue;
    const copy = childOf(vma, contexts, child);
    target.append(copy);
    if (needsCopy(vma, copy)) copyEntries(parent, target, vma, copy);
  }
  return () => {
    for (const forked of contexts.values()) forked?.announce();
  };
}

function childOf(vma: Vma, contexts: Map<UffdContext, Forked>, child: AddressSpace): Vma {
  const context = forkedContext(vma.context, contexts, child);
  return {
    ...vma,
    context,
    modes: context === null ? 0 : vma.modes,
    anonVma: vma.anonVma === null || vma.wipeOnFork ? null : { isForkChild: true },
    owner: 0,
    reserveLost: false,
  };
}

function forkedContext(
  context: UffdContext | null,
  contexts: Map<UffdContext, Forked>,
  child: AddressSpace,
): UffdContext | null {
  if (context === null) return null;
  let forked = contexts.get(context);
  if (forked === undefined) {
    forked = context.fork(child);
    contexts.set(context, forked);
  }
  return forked?.context ?? null;
}

/** `vma_needs_copy`. */
function needsCopy(vma: Vma, copy: Vma): boolean {
  return !vma.wipeOnFork && ((copy.modes & MODE_WP) !== 0 || vma.anonVma !== null || vma.mayGuard);
}

function copyEntries(parent: Mm, target: Mm, vma: Vma, copy: Vma): void {
  const flags =
    ((copy.modes & MODE_WP) !== 0 ? abi.COPY_UFFD_WP : 0) |
    (vma.isShared ? 0 : abi.COPY_PRIVATE) |
    (vma.kind === "anon" ? 0 : abi.COPY_OBJECT);
  const pages = vma.endPage - vma.firstPage;
  if (vma.kind === "hugetlb") parent.engine.copyHugetlb(parent.handle, target.handle, vma.firstPage, pages, flags);
  else parent.engine.copyRange(parent.handle, target.handle, vma.firstPage, pages, flags);
}
