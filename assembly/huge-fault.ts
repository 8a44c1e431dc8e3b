import {
  ACCESS_WRITE,
  COUNTER_ALLOCATE_FAULTS,
  COUNTER_REUSE_FAULTS,
  COUNTER_ZERO_PAGE_FAULTS,
  ENOMEM,
  KERNEL_SPLITS_HUGE_ZERO,
  OK,
  OUTCOME_DONE,
  OUTCOME_MISSING,
  OUTCOME_WP,
  REGION_UFFD_MISSING,
  REGION_UFFD_WP,
  REGION_WP_ASYNC,
  SPACE_KERNEL,
} from "./abi";
import { ACCESSED, hugeEntry, hugeFrameOf, isZeroPage, permitsWrite, SPECIAL, UFFD_WP, withDirty } from "./entry";
import {
  allocateHugeFrames,
  FRAME_LARGE,
  FRAME_SHARED,
  FRAMES_PER_HUGE,
  isExclusive,
  mapCount,
  setFlags,
} from "./frames";
import { hugeZeroPage, isAnonymousHuge, splitHuge } from "./huge";
import { countNewPages } from "./resident";
import { addTo } from "./stats";
import { depositTable, storePmd } from "./table";
import { askUserfaultfd, holdsHugePage, prepareAnonVma, protectionOfRegion, withAllowedWrite } from "./userfault";

/**
 * Faults that huge pages of anonymous memory and of tmpfs take part in: `mm/huge_memory.c:do_huge_pmd_anonymous_page`,
 * `mm/memory.c:wp_huge_pmd`.
 */

/** What the functions here return when the fault is to go on with single pages (VM_FAULT_FALLBACK). */
export const FALL_BACK: i32 = -1001;

/** Handles a fault where the PMD entry is none and a huge page is allowed. */
export function handleHugeMissing(space: usize, region: usize, slot: usize, page: u64, flags: u32, access: u32): i32 {
  if (!holdsHugePage(region, page)) return FALL_BACK;
  prepareAnonVma(region);
  if ((flags & REGION_UFFD_MISSING) != 0) return askUserfaultfd(space, flags, OUTCOME_MISSING);
  if (access == ACCESS_WRITE) return mapNewHugePage(space, slot, flags);
  const frame = hugeZeroPage();
  if (frame == 0) return ENOMEM;
  storePmd(slot, hugeEntry(frame, protectionOfRegion(flags)) | SPECIAL);
  depositTable(space);
  addTo(space, COUNTER_ZERO_PAGE_FAULTS, 1);
  return OUTCOME_DONE;
}

/** Handles a fault where the PMD entry maps a huge page. */
export function handleHugePresent(space: usize, region: usize, slot: usize, page: u64, flags: u32, access: u32): i32 {
  const entry = load<u64>(slot);
  if (access != ACCESS_WRITE || permitsWrite(entry)) {
    store<u64>(slot, access == ACCESS_WRITE ? withDirty(entry | ACCESSED) : entry | ACCESSED);
    return OUTCOME_DONE;
  }
  if (!isAnonymousHuge(entry)) return fallBack(space, slot);
  if ((flags & REGION_UFFD_WP) != 0 && (entry & UFFD_WP) != 0) {
    return (flags & REGION_WP_ASYNC) != 0 ? fallBack(space, slot) : askUserfaultfd(space, flags, OUTCOME_WP);
  }
  if (isZeroPage(entry)) {
    const splits = (load<u32>(space, SPACE_KERNEL) & KERNEL_SPLITS_HUGE_ZERO) != 0;
    return splits ? fallBack(space, slot) : replaceZeroPage(space, region, slot, flags);
  }
  const head = hugeFrameOf(entry);
  if (!isExclusive(head)) {
    if (!isAlone(head)) return fallBack(space, slot);
    for (let i: u32 = 0; i < FRAMES_PER_HUGE; i++) setFlags(head + i, 0, FRAME_SHARED);
  }
  store<u64>(slot, withAllowedWrite(entry | ACCESSED, flags));
  addTo(space, COUNTER_REUSE_FAULTS, 1);
  return OUTCOME_DONE;
}

/** `do_huge_zero_wp_pmd`. */
function replaceZeroPage(space: usize, region: usize, slot: usize, flags: u32): i32 {
  prepareAnonVma(region);
  const head = allocateHugeFrames(FRAME_LARGE);
  if (head == 0) return ENOMEM;
  countNewPages(space, FRAMES_PER_HUGE);
  store<u64>(slot, withAllowedWrite(hugeEntry(head, protectionOfRegion(flags)), flags));
  addTo(space, COUNTER_ALLOCATE_FAULTS, 1);
  return OUTCOME_DONE;
}

function mapNewHugePage(space: usize, slot: usize, flags: u32): i32 {
  const head = allocateHugeFrames(FRAME_LARGE);
  if (head == 0) return ENOMEM;
  countNewPages(space, FRAMES_PER_HUGE);
  storePmd(slot, withAllowedWrite(hugeEntry(head, protectionOfRegion(flags)), flags));
  depositTable(space);
  addTo(space, COUNTER_ALLOCATE_FAULTS, 1);
  return OUTCOME_DONE;
}

/** Tells whether a single PMD entry is all that maps a huge page. */
function isAlone(head: u32): bool {
  for (let i: u32 = 0; i < FRAMES_PER_HUGE; i++) {
    if (mapCount(head + i) != 1) return false;
  }
  return true;
}

function fallBack(space: usize, slot: usize): i32 {
  return splitHuge(space, slot) == OK ? FALL_BACK : ENOMEM;
}
