import { ACCESS_READ, EBUSY, EINVAL, ENOENT, ENOMEM, OK, OUTCOME_DONE, REGION_FLAGS } from "./abi";
import {
  frameOf,
  hugeEntry,
  isHuge,
  isNone,
  isPresent,
  isSwap,
  isTable,
  isUffdWp,
  isZeroPage,
  leafEntry,
  orderInSwap,
  PROTECTION_READ,
} from "./entry";
import {
  allocateHugeFrames,
  contentOf,
  dropFrame,
  FRAME_CACHED,
  FRAME_LARGE,
  FRAME_SHMEM,
  folioPages,
  FRAMES_PER_HUGE,
  joinFolio,
  mapCount,
  setContent,
} from "./frames";
import { PMD_SHIFT, TABLE_BYTES } from "./geometry";
import { mapHugeFrames } from "./huge";
import { bringBack, bringBackCached, cachedEntry, storeCached } from "./object";
import { findRegion } from "./regions";
import { countNewPages, markDirty, unmapFrame } from "./resident";
import { handleSwappedOut } from "./swap-fault";
import {
  adjustCounts,
  ensurePmdSlot,
  findPmdSlot,
  freePteTable,
  keepAsDeposit,
  markers,
  occupied,
  ownTable,
  storePmd,
} from "./table";
import { beginFault, protectionOfRegion, withAllowedWrite } from "./userfault";
import { slotIn } from "./walk";

/**
 * MADV_COLLAPSE: `mm/khugepaged.c:madvise_collapse`, for the 2 MiB from `first` on. What fails with EINVAL lets the call go on with the next
 * 2 MiB; EBUSY and COLLAPSE_FAIL, which is EINVAL too, end it.
 */

/** The call fails with EINVAL at once. */
const COLLAPSE_FAIL: i32 = ENOENT;

/**
 * Replaces single anonymous pages by a huge one. `isArmed`: the mapping is registered with a userfaultfd. Returns OK or what the call fails
 * with.
 */
export function collapseAnonymous(space: usize, first: u64, isArmed: bool): i32 {
  const slot = findPmdSlot(space, first);
  if (slot == 0) return EINVAL;
  const pmd = load<u64>(slot);
  if (pmd == 0) return COLLAPSE_FAIL;
  if (isHuge(pmd)) return OK;
  const table = ownTable(space, slot);
  if (table == 0) return ENOMEM;
  const status = checkEntries(table, isArmed);
  if (status != OK) return status;
  const head = allocateHugeFrames(FRAME_LARGE);
  if (head == 0) return ENOMEM;
  const swapped = bringAllBack(space, table, first);
  if (swapped != OK) {
    for (let i: u32 = 0; i < FRAMES_PER_HUGE; i++) dropFrame(head + i);
    return swapped;
  }
  for (let i: u32 = 0; i < FRAMES_PER_HUGE; i++) takeOver(space, table, first + i, head + i);
  const flags = load<u32>(findRegion(space, first), REGION_FLAGS);
  keepAsDeposit(space, slot);
  storePmd(slot, withAllowedWrite(hugeEntry(head, protectionOfRegion(flags)), flags));
  return OK;
}

/** `hpage_collapse_scan_pmd`. */
function checkEntries(table: usize, isArmed: bool): i32 {
  for (let i: u64 = 0; i < FRAMES_PER_HUGE; i++) {
    const entry = load<u64>(slotIn(table, i));
    if (isNone(entry) || (isPresent(entry) && isZeroPage(entry))) {
      if (isArmed) return EBUSY;
    } else if (isUffdWp(entry)) return EINVAL;
  }
  return OK;
}

/** `__collapse_huge_page_swapin`: markers make it fail. */
function bringAllBack(space: usize, table: usize, first: u64): i32 {
  const region = findRegion(space, first);
  const flags = load<u32>(region, REGION_FLAGS);
  for (let i: u64 = 0; i < FRAMES_PER_HUGE; i++) {
    const slot = slotIn(table, first + i);
    const entry = load<u64>(slot);
    if (isNone(entry) || isPresent(entry)) continue;
    if (!isSwap(entry)) return COLLAPSE_FAIL;
    beginFault();
    if (handleSwappedOut(space, region, slot, flags, ACCESS_READ) != OUTCOME_DONE) return ENOMEM;
  }
  return OK;
}

function takeOver(space: usize, table: usize, page: u64, frame: u32): void {
  const slot = slotIn(table, page);
  const entry = load<u64>(slot);
  countNewPages(space, 1);
  if (isNone(entry)) return;
  if (!isZeroPage(entry)) {
    setContent(frame, contentOf(frameOf(entry)));
    unmapFrame(space, frameOf(entry), entry);
  }
  store<u64>(slot, 0);
  adjustCounts(table, -1, 0);
}

/**
 * Pages that a tmpfs object has in the 2 MiB from `index` on, in memory or in swap; 513 if they are a huge page already, which comes back from
 * swap for that.
 */
export function countCached(object: usize, index: u64): u32 {
  if (orderInSwap(cachedEntry(object, index)) == PMD_SHIFT) bringBackCached(object, index);
  let count: u32 = 0;
  for (let i: u64 = 0; i < FRAMES_PER_HUGE; i++) {
    const entry = cachedEntry(object, index + i);
    if (isNone(entry)) continue;
    if (i == 0 && isPresent(entry) && folioPages(frameOf(entry)) == FRAMES_PER_HUGE) return FRAMES_PER_HUGE + 1;
    count++;
  }
  return count;
}

/** Replaces the pages of a tmpfs object, which nothing maps any more, by a huge page (`collapse_file`). Returns OK, EINVAL or ENOMEM. */
export function collapseObject(object: usize, index: u64): i32 {
  const head = allocateHugeFrames(FRAME_CACHED | FRAME_SHMEM);
  if (head == 0) return ENOMEM;
  joinFolio(head, PMD_SHIFT);
  for (let i: u32 = 0; i < FRAMES_PER_HUGE; i++) {
    const cached = cachedEntry(object, index + i);
    const frame = isNone(cached)
      ? 0
      : isPresent(cached)
        ? frameOf(cached)
        : bringBack(object, index + i, cached, false);
    if (frame != 0) {
      assert(mapCount(frame) == 0, "a page that is replaced is mapped");
      setContent(head + i, contentOf(frame));
    }
    if (!storeCached(object, index + i, leafEntry(head + i, PROTECTION_READ))) return ENOMEM;
    if (frame != 0) dropFrame(frame);
  }
  markDirty(head);
  return OK;
}

/** Frees the last-level table for the 2 MiB from `first` on, and markers of poison with it, which are lost (`retract_page_tables`). */
export function retractTable(space: usize, first: u64): void {
  const slot = findPmdSlot(space, first);
  if (slot == 0 || !isTable(load<u64>(slot))) return;
  const table = ownTable(space, slot);
  if (table == 0) return;
  memory.fill(table, 0, TABLE_BYTES);
  adjustCounts(table, -i32(occupied(table)), -i32(markers(table)));
  freePteTable(space, slot);
}

/**
 * Maps a huge page of an object by one PMD entry in place of entries of its parts (`collapse_pte_mapped_thp`), unless the mapping `keepsTable`
 * for markers. Returns OK, EINVAL or ENOMEM.
 */
export function mapCollapsed(space: usize, first: u64, object: usize, index: u64, keepsTable: bool): i32 {
  const found = findPmdSlot(space, first);
  if (found != 0 && isHuge(load<u64>(found))) return OK;
  if (keepsTable) return EINVAL;
  const slot = ensurePmdSlot(space, first);
  if (slot == 0) return ENOMEM;
  const head = frameOf(cachedEntry(object, index));
  if (isTable(load<u64>(slot))) {
    const table = ownTable(space, slot);
    if (table == 0) return ENOMEM;
    for (let i: u32 = 0; i < FRAMES_PER_HUGE; i++) {
      const entry = load<u64>(slotIn(table, first + i));
      if (isNone(entry)) continue;
      if (!isPresent(entry)) return EINVAL;
      if (frameOf(entry) != head + i) return COLLAPSE_FAIL;
    }
    for (let i: u32 = 0; i < FRAMES_PER_HUGE; i++) {
      const part = slotIn(table, first + i);
      const entry = load<u64>(part);
      if (isNone(entry)) continue;
      store<u64>(part, 0);
      adjustCounts(table, -1, 0);
      unmapFrame(space, head + i, entry);
    }
    freePteTable(space, slot);
  }
  mapHugeFrames(space, head);
  storePmd(slot, hugeEntry(head, protectionOfRegion(load<u32>(findRegion(space, first), REGION_FLAGS))));
  return OK;
}
