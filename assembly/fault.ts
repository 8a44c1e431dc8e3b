import {
  ACCESS_WRITE,
  COUNTER_ALLOCATE_FAULTS,
  COUNTER_EXCEPTION_READ_NOT_PRESENT,
  COUNTER_EXCEPTION_WRITE_NOT_PRESENT,
  COUNTER_EXCEPTION_WRITE_PROTECTED,
  COUNTER_MARKER_FAULTS,
  COUNTER_SIGBUS,
  COUNTER_ZERO_PAGE_FAULTS,
  ENOMEM,
  OUTCOME_DONE,
  OUTCOME_MISSING,
  OUTCOME_POISONED,
  REGION_HUGETLB,
  REGION_READ,
  REGION_THP,
  REGION_UFFD_MISSING,
  REGION_UFFD_WP,
  REGION_WRITE,
} from "./abi";
import {
  ACCESSED,
  isGuard,
  isHuge,
  isNone,
  isPoison,
  isPresent,
  isTable,
  leafEntry,
  permitsWrite,
  PRESENT,
  PROTECTION_READ,
  UFFD_WP_MARKER,
  withDirty,
  withUffdWp,
  withWrite,
  zeroPageEntry,
} from "./entry";
import { allocateFrame } from "./frames";
import { FALL_BACK, handleHugeMissing, handleHugePresent } from "./huge-fault";
import { handleHugetlbFault } from "./hugetlb-fault";
import { handleObjectMissing } from "./object-fault";
import { findRegion } from "./regions";
import { countNewPages } from "./resident";
import { addTo } from "./stats";
import { handleSwappedOut } from "./swap-fault";
import { adjustCounts, adjustForPage, ensurePmdSlot, ensurePteTable, setTableFlags, TABLE_ZERO_PAGES } from "./table";
import {
  askUserfaultfd,
  beginFault,
  endInSigsegv,
  FROM_USER,
  isAnonymousRegion,
  policyOf,
  prepareAnonVma,
} from "./userfault";
import { isShared } from "./uniform";
import { slotIn } from "./walk";
import { handleWriteProtected } from "./wp-fault";

/**
 * One page-fault exception: `mm/memory.c:__handle_mm_fault` and below, in the kernel's order of checks. It changes one entry, or tells who
 * must resolve the fault. The access is then tried again by the caller, so that a write to a marker takes two exceptions: the first maps a
 * protected page, the second meets the protection.
 */

/**
 * Handles a fault at `page`. `known` is its last-level table, or 0, where the caller has found it already. Returns OUTCOME_DONE (try again), another
 * OUTCOME_, or ENOMEM with nothing changed but new tables.
 */
export function handleFault(space: usize, page: u64, access: u32, from: u32 = FROM_USER, known: usize = 0): i32 {
  beginFault();
  const region = findRegion(space, page);
  const flags = region != 0 ? policyOf(region, from) : 0;
  if ((flags & (access == ACCESS_WRITE ? REGION_WRITE : REGION_READ)) == 0) return endInSigsegv(space);
  if (known != 0 && !isShared(known)) return handleEntry(space, region, known, page, flags, access);
  if ((flags & REGION_HUGETLB) != 0) return handleHugetlbFault(space, region, page, flags, access);
  return handlePmd(space, region, page, flags, access);
}

/** Counts the exception that an access to `entry` raises, by its x86 error code. */
export function countException(space: usize, entry: u64, access: u32): void {
  const ofWrite = (entry & PRESENT) != 0 ? COUNTER_EXCEPTION_WRITE_PROTECTED : COUNTER_EXCEPTION_WRITE_NOT_PRESENT;
  addTo(space, access == ACCESS_WRITE ? ofWrite : COUNTER_EXCEPTION_READ_NOT_PRESENT, 1);
}

/** `__handle_mm_fault`: huge pages come first. */
function handlePmd(space: usize, region: usize, page: u64, flags: u32, access: u32): i32 {
  const slot = ensurePmdSlot(space, page);
  if (slot == 0) return ENOMEM;
  const isAnonymous = isAnonymousRegion(flags);
  const pmd = load<u64>(slot);
  let outcome = FALL_BACK;
  if (isHuge(pmd)) outcome = handleHugePresent(space, region, slot, page, flags, access);
  else if (pmd == 0 && isAnonymous && (flags & REGION_THP) != 0)
    outcome = handleHugeMissing(space, region, slot, page, flags, access);
  if (outcome != FALL_BACK) return outcome;
  const table = isAnonymous || isTable(load<u64>(slot)) ? ensurePteTable(space, page) : 0;
  if (table != 0) return handleEntry(space, region, table, page, flags, access);
  return isAnonymous ? ENOMEM : handleObjectMissing(space, region, page, 0, flags, access);
}

/** `handle_pte_fault`. */
function handleEntry(space: usize, region: usize, table: usize, page: u64, flags: u32, access: u32): i32 {
  const slot = slotIn(table, page);
  const entry = load<u64>(slot);
  if (!isPresent(entry)) return handleNotPresent(space, region, table, page, entry, flags, access);
  if (access == ACCESS_WRITE && !permitsWrite(entry)) return handleWriteProtected(space, region, slot, flags);
  store<u64>(slot, access == ACCESS_WRITE ? withDirty(entry | ACCESSED) : entry | ACCESSED);
  return OUTCOME_DONE;
}

/** `handle_pte_marker` and the rest of `do_swap_page`, and `do_pte_missing` for a none entry and a uffd-wp marker. */
function handleNotPresent(
  space: usize,
  region: usize,
  table: usize,
  page: u64,
  entry: u64,
  flags: u32,
  access: u32,
): i32 {
  if (isPoison(entry)) {
    addTo(space, COUNTER_SIGBUS, 1);
    return OUTCOME_POISONED;
  }
  if (isGuard(entry)) return endInSigsegv(space);
  const isMarked = entry == UFFD_WP_MARKER;
  if (isMarked && (flags & REGION_UFFD_WP) == 0) {
    // a marker that a registration left behind is cleared, and the access faults again (`pte_marker_clear`)
    store<u64>(slotIn(table, page), 0);
    adjustCounts(table, -1, -1);
    return OUTCOME_DONE;
  }
  if (!isMarked && !isNone(entry)) return handleSwappedOut(space, region, slotIn(table, page), flags, access);
  if (!isAnonymousRegion(flags)) return handleObjectMissing(space, region, page, table, flags, access);
  return handleAnonymousMissing(space, region, table, slotIn(table, page), isMarked, flags, access);
}

/** `do_anonymous_page`. */
function handleAnonymousMissing(
  space: usize,
  region: usize,
  table: usize,
  slot: usize,
  isMarked: bool,
  flags: u32,
  access: u32,
): i32 {
  if (access == ACCESS_WRITE) prepareAnonVma(region); // before userfaultfd is asked
  if ((flags & REGION_UFFD_MISSING) != 0) return askUserfaultfd(space, flags, OUTCOME_MISSING);
  const mapped = access == ACCESS_WRITE ? newPageEntry(space) : zeroPageEntry(PROTECTION_READ);
  if (mapped == 0) return ENOMEM;
  store<u64>(slot, isMarked ? withUffdWp(mapped) : mapped);
  adjustForPage(table, isMarked);
  if (access != ACCESS_WRITE) setTableFlags(table, TABLE_ZERO_PAGES, 0);
  addTo(space, access == ACCESS_WRITE ? COUNTER_ALLOCATE_FAULTS : COUNTER_ZERO_PAGE_FAULTS, 1);
  if (isMarked) addTo(space, COUNTER_MARKER_FAULTS, 1);
  return OUTCOME_DONE;
}

/** Returns the entry of a new zeroed page that was just written to, or 0 when the memory is used up. */
function newPageEntry(space: usize): u64 {
  const frame = allocateFrame();
  if (frame == 0) return 0;
  countNewPages(space, 1);
  return withWrite(withDirty(leafEntry(frame, PROTECTION_READ)));
}
