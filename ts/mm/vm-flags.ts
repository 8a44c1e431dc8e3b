import { MODE_MINOR, MODE_MISSING, MODE_WP, type Vma } from "./vma.js";

/** A flag of a mapping as the line VmFlags of /proc/PID/smaps names it, and what it stands for. */
export interface VmFlag {
  readonly name: string;
  readonly constant: string;
}

/**
 * Returns the flags of a mapping in the order of /proc/PID/smaps (`fs/proc/task_mmu.c:show_smap_vma_flags`), but for those of what is not
 * modelled, such as `ac`, accounting.
 */
export function vmFlags(vma: Vma): VmFlag[] {
  const isReadable = vma.protection !== "none";
  const flags: readonly (readonly [isSet: boolean, name: string, constant: string])[] = [
    [isReadable, "rd", "VM_READ"],
    [vma.protection === "rw", "wr", "VM_WRITE"],
    [vma.isShared, "sh", "VM_SHARED"],
    [true, "mr", "VM_MAYREAD"],
    [true, "mw", "VM_MAYWRITE"],
    [true, "me", "VM_MAYEXEC"],
    [vma.isShared, "ms", "VM_MAYSHARE"],
    [vma.dontFork, "dc", "VM_DONTCOPY"],
    [vma.kind === "hugetlb", "ht", "VM_HUGETLB"],
    [vma.wipeOnFork, "wf", "VM_WIPEONFORK"],
    [vma.thp === "huge", "hg", "VM_HUGEPAGE"],
    [vma.thp === "never", "nh", "VM_NOHUGEPAGE"],
    [(vma.modes & MODE_MISSING) !== 0, "um", "VM_UFFD_MISSING"],
    [(vma.modes & MODE_WP) !== 0, "uw", "VM_UFFD_WP"],
    [(vma.modes & MODE_MINOR) !== 0, "ui", "VM_UFFD_MINOR"],
  ];
  return flags.filter(([isSet]) => isSet).map(([, name, constant]) => ({ name, constant }));
}
