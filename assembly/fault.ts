import {
  ACCESS_WRITE,
  COUNTER_ALLOCATE_FAULTS,
  COUNTER_ANON_PAGES,
  COUNTER_COPY_FAULTS,
  COUNTER_EXCEPTION_READ_NOT_PRESENT,
  COUNTER_EXCEPTION_WRITE_NOT_PRESENT,
  COUNTER_EXCEPTION_WRITE_PROTECTED,
  COUNTER_MARKER_FAULTS,
  COUNTER_MISSING_MESSAGES,
  COUNTER_REUSE_FAULTS,
  COUNTER_SIGBUS,
  COUNTER_SIGSEGV,
  COUNTER_WP_ASYNC_FAULTS,
  COUNTER_WP_MESSAGES,
  COUNTER_ZERO_PAGE_FAULTS,
  ENOMEM,
  OUTCOME_DONE,
  OUTCOME_MISSING,
  OUTCOME_POISONED,
  OUTCOME_SIGBUS,
  OUTCOME_SIGSEGV,
  OUTCOME_WP,
  REGION_ANON_VMA,
  REGION_FLAGS,
  REGION_READ,
  REGION_SIGBUS,
  REGION_UFFD_MISSING,
  REGION_UFFD_WP,
  REGION_USER_MODE_ONLY,
  REGION_WP_ASYNC,
  REGION_WRITE,
} from "./abi";
import {
  ACCESSED,
  isGuard,
  isPoison,
  isPresent,
  isZeroPage,
  leafEntry,
  permitsWrite,
  PRESENT,
  PROTECTION_READ,
  UFFD_WP,
  UFFD_WP_MARKER,
  withDirty,
  withoutUffdWp,
  withUffdWp,
  withWrite,
  zeroPageEntry,
} from "./entry";
import { allocateFrame } from "./frames";
import { findRegion } from "./regions";
import { addTo } from "./stats";
import { adjustCounts, ensurePteTable } from "./table";
import { slotIn } from "./walk";

/**
 * One page-fault exception of anonymous memory: `mm/memory.c:handle_pte_fault` and below, in the kernel's order of checks. It changes one
 * entry, or tells who must resolve the fault. The access is then tried again by the caller, so that a write to a marker takes two
 * exceptions: the first maps a protected page, the second meets the protection.
 */

/** Who made the access that faults: a thread of the process, or the kernel on its behalf. */
export const FROM_USER: u32 = 0;
export const FROM_KERNEL: u32 = 1;

/**
 * Handles a fault at `page`. `known` is its last-level table, where the caller has found it already. Returns OUTCOME_DONE (try again), another
 * OUTCOME_, or ENOMEM with nothing changed but new tables.
 */
export function handleFault(space: usize, page: u64, access: u32, from: u32 = FROM_USER, known: usize = 0): i32 {
  const region = findRegion(space, page);
  const flags = region != 0 ? policyOf(region, from) : 0;
  if ((flags & (access == ACCESS_WRITE ? REGION_WRITE : REGION_READ)) == 0) {
    addTo(space, COUNTER_SIGSEGV, 1);
    return OUTCOME_SIGSEGV;
  }
  const table = known != 0 ? known : ensurePteTable(space, page);
  if (table == 0) return ENOMEM;
  const slot = slotIn(table, page);
  const entry = load<u64>(slot);
  if (!isPresent(entry)) return handleNotPresent(space, region, table, slot, entry, flags, access);
  if (access == ACCESS_WRITE && !permitsWrite(entry)) return handleWriteProtected(space, region, slot, entry, flags);
  store<u64>(slot, access == ACCESS_WRITE ? withDirty(entry | ACCESSED) : entry | ACCESSED);
  return OUTCOME_DONE;
}

/** Flags of a region; a context that is for user mode only gives the kernel's own faults SIGBUS, as one with the feature does for all. */
function policyOf(region: usize, from: u32): u32 {
  const flags = load<u32>(region, REGION_FLAGS);
  return from == FROM_KERNEL && (flags & REGION_USER_MODE_ONLY) != 0 ? flags | REGION_SIGBUS : flags;
}

/** Counts the exception that an access to `entry` raises, by its x86 error code. */
export function countException(space: usize, entry: u64, access: u32): void {
  const ofWrite = (entry & PRESENT) != 0 ? COUNTER_EXCEPTION_WRITE_PROTECTED : COUNTER_EXCEPTION_WRITE_NOT_PRESENT;
  addTo(space, access == ACCESS_WRITE ? ofWrite : COUNTER_EXCEPTION_READ_NOT_PRESENT, 1);
}

/** `handle_pte_marker`, and `do_anonymous_page` for a none entry and a uffd-wp marker. */
function handleNotPresent(
  space: usize,
  region: usize,
  table: usize,
  slot: usize,
  entry: u64,
  flags: u32,
  access: u32,
): i32 {
  if (isPoison(entry)) {
    addTo(space, COUNTER_SIGBUS, 1);
    return OUTCOME_POISONED;
  }
  if (isGuard(entry)) {
    addTo(space, COUNTER_SIGSEGV, 1);
    return OUTCOME_SIGSEGV;
  }
  const isMarked = entry == UFFD_WP_MARKER;
  if (isMarked && (flags & REGION_UFFD_WP) == 0) {
    // a marker that a registration left behind is cleared, and the access faults again (`do_pte_missing` after `pte_marker_clear`)
    store<u64>(slot, 0);
    adjustCounts(table, -1, -1);
    return OUTCOME_DONE;
  }
  if (access == ACCESS_WRITE) prepareAnonVma(region); // before userfaultfd is asked
  if ((flags & REGION_UFFD_MISSING) != 0) return askUserfaultfd(space, flags, OUTCOME_MISSING);
  const mapped = access == ACCESS_WRITE ? newPageEntry(space) : zeroPageEntry(PROTECTION_READ);
  if (mapped == 0) return ENOMEM;
  store<u64>(slot, isMarked ? withUffdWp(mapped) : mapped);
  adjustCounts(table, i32(!isMarked), -i32(isMarked));
  addTo(space, access == ACCESS_WRITE ? COUNTER_ALLOCATE_FAULTS : COUNTER_ZERO_PAGE_FAULTS, 1);
  if (isMarked) addTo(space, COUNTER_MARKER_FAULTS, 1);
  return OUTCOME_DONE;
}

/** `do_wp_page`: userfaultfd comes first, then the zero page is copied and an exclusive page made writable. */
function handleWriteProtected(space: usize, region: usize, slot: usize, entry: u64, flags: u32): i32 {
  const isUffds = (flags & REGION_UFFD_WP) != 0 && (entry & UFFD_WP) != 0;
  if (isUffds && (flags & REGION_WP_ASYNC) == 0) return askUserfaultfd(space, flags, OUTCOME_WP);
  if (isZeroPage(entry)) {
    prepareAnonVma(region);
    const copy = newPageEntry(space);
    if (copy == 0) return ENOMEM;
    store<u64>(slot, copy);
    addTo(space, COUNTER_COPY_FAULTS, 1);
  } else {
    // a bit that a registration left behind stays (`wp_page_reuse`)
    store<u64>(slot, withWrite(withDirty((isUffds ? withoutUffdWp(entry) : entry) | ACCESSED)));
    addTo(space, COUNTER_REUSE_FAULTS, 1);
  }
  if (isUffds) addTo(space, COUNTER_WP_ASYNC_FAULTS, 1);
  return OUTCOME_DONE;
}

/** `fs/userfaultfd.c:handle_userfault`: a message, or the signal that the context asked for. */
function askUserfaultfd(space: usize, flags: u32, outcome: i32): i32 {
  if ((flags & REGION_SIGBUS) != 0) {
    addTo(space, COUNTER_SIGBUS, 1);
    return OUTCOME_SIGBUS;
  }
  addTo(space, outcome == OUTCOME_WP ? COUNTER_WP_MESSAGES : COUNTER_MISSING_MESSAGES, 1);
  return outcome;
}

function prepareAnonVma(region: usize): void {
  store<u32>(region, load<u32>(region, REGION_FLAGS) | REGION_ANON_VMA, REGION_FLAGS);
}

/** Returns the entry of a new zeroed page that was just written to, or 0 when the memory is used up. */
function newPageEntry(space: usize): u64 {
  const frame = allocateFrame();
  if (frame == 0) return 0;
  addTo(space, COUNTER_ANON_PAGES, 1);
  return withWrite(withDirty(leafEntry(frame, PROTECTION_READ)));
}
