import {
  COUNTER_MINOR_MESSAGES,
  COUNTER_MISSING_MESSAGES,
  COUNTER_SIGBUS,
  COUNTER_SIGSEGV,
  COUNTER_WP_MESSAGES,
  OUTCOME_MINOR,
  OUTCOME_SIGBUS,
  OUTCOME_SIGSEGV,
  OUTCOME_WP,
  REGION_ANON_VMA,
  REGION_END,
  REGION_FILE,
  REGION_FIRST,
  REGION_FLAGS,
  REGION_HUGETLB,
  REGION_NO_WRITE_NOTIFY,
  REGION_OBJECT,
  REGION_OFFSET,
  REGION_READ,
  REGION_SHARED,
  REGION_SHMEM,
  REGION_SIGBUS,
  REGION_UFFD_WP,
  REGION_USER_MODE_ONLY,
  REGION_WRITE,
} from "./abi";
import { PROTECTION_NO_ACCESS, PROTECTION_READ, PROTECTION_SHARED, withDirty, withWrite } from "./entry";
import { firstPageOfEntry, PMD_SHIFT } from "./geometry";
import { addTo } from "./stats";

/**
 * What all faults have in common: who made the access, what the region says, and the question to the userfaultfd.
 */

/** Who made the access that faults: a thread of the process, or the kernel on its behalf. */
export const FROM_USER: u32 = 0;
export const FROM_KERNEL: u32 = 1;

/** A region is anonymous if it maps no object. */
const OF_OBJECT: u32 = REGION_SHMEM | REGION_FILE | REGION_HUGETLB;

/** Whether the fault under way has read a page from swap or a file (VM_FAULT_MAJOR). */
let isMajor: bool = false;

/** Forgets what the last fault did. */
export function beginFault(): void {
  isMajor = false;
}

/** Notes that the fault under way reads a page from swap or a file. */
export function noteMajor(): void {
  isMajor = true;
}

/** Tells whether the last fault has read a page from swap or a file. */
export function wasMajor(): bool {
  return isMajor;
}

/** Flags of a region; a context that is for user mode only gives the kernel's own faults SIGBUS, as one with the feature does for all. */
export function policyOf(region: usize, from: u32): u32 {
  const flags = load<u32>(region, REGION_FLAGS);
  return from == FROM_KERNEL && (flags & REGION_USER_MODE_ONLY) != 0 ? flags | REGION_SIGBUS : flags;
}

/** Tells whether a region is anonymous memory. */
export function isAnonymousRegion(flags: u32): bool {
  return (flags & OF_OBJECT) == 0;
}

/** Returns the handle of what a region maps. */
export function objectOf(region: usize): usize {
  return <usize>load<u32>(region, REGION_OBJECT);
}

/** Returns the number of `page` in the object that its region maps. */
export function indexOf(region: usize, page: u64): u64 {
  return page - load<u64>(region, REGION_FIRST) + load<u64>(region, REGION_OFFSET);
}

/** Tells whether the 2 MiB around `page` lie in its region. */
export function holdsHugePage(region: usize, page: u64): bool {
  const first = firstPageOfEntry(page, PMD_SHIFT);
  return load<u64>(region, REGION_FIRST) <= first && first + (1 << PMD_SHIFT) <= load<u64>(region, REGION_END);
}

/** Returns the `vm_page_prot` of a region with these flags; shared writable pages are read-only where somebody wants to know of writes. */
export function protectionOfRegion(flags: u32): u64 {
  if ((flags & REGION_READ) == 0) return PROTECTION_NO_ACCESS;
  const isSharedWrite = (flags & (REGION_SHARED | REGION_WRITE)) == (REGION_SHARED | REGION_WRITE);
  const notifies = (flags & REGION_NO_WRITE_NOTIFY) == 0 ? REGION_UFFD_WP | REGION_FILE : REGION_FILE;
  return isSharedWrite && (flags & notifies) == 0 ? PROTECTION_SHARED : PROTECTION_READ;
}

/** Makes an entry dirty, and writable if the region is (`maybe_mkwrite(pte_mkdirty())`). */
export function withAllowedWrite(entry: u64, flags: u32): u64 {
  const dirty = withDirty(entry);
  return (flags & REGION_WRITE) != 0 ? withWrite(dirty) : dirty;
}

/** `fs/userfaultfd.c:handle_userfault`: a message, or the signal that the context asked for. */
export function askUserfaultfd(space: usize, flags: u32, outcome: i32): i32 {
  if ((flags & REGION_SIGBUS) != 0) return endInSigbus(space);
  const ofOther = outcome == OUTCOME_MINOR ? COUNTER_MINOR_MESSAGES : COUNTER_MISSING_MESSAGES;
  addTo(space, outcome == OUTCOME_WP ? COUNTER_WP_MESSAGES : ofOther, 1);
  return outcome;
}

/** Counts a fault that ends in SIGBUS. */
export function endInSigbus(space: usize): i32 {
  addTo(space, COUNTER_SIGBUS, 1);
  return OUTCOME_SIGBUS;
}

/** Counts a fault that ends in SIGSEGV. */
export function endInSigsegv(space: usize): i32 {
  addTo(space, COUNTER_SIGSEGV, 1);
  return OUTCOME_SIGSEGV;
}

/** Tells the host that the mapping has an `anon_vma` from now on (`vmf_anon_prepare`). */
export function prepareAnonVma(region: usize): void {
  store<u32>(region, load<u32>(region, REGION_FLAGS) | REGION_ANON_VMA, REGION_FLAGS);
}
