import {
  COUNTER_SWAP_ENTRIES,
  EAGAIN,
  EBUSY,
  ENOMEM,
  OBJECT_FILE,
  OBJECT_KIND,
  OK,
  REGION_FLAGS,
  REGION_UFFD_WP,
  RESULT_REASON,
  RESULT_VALUE,
} from "./abi";
import {
  ACCESSED,
  frameOf,
  hugeFrameOf,
  isDirty,
  isHuge,
  isNone,
  isPoison,
  isPresent,
  isSwap,
  isTable,
  isUffdWp,
  isZeroPage,
  swapEntry,
  swapEntryOfFolio,
  SWAP_EXCLUSIVE,
  SWAP_UFFD_WP,
  tableOf,
  UFFD_WP,
  UFFD_WP_MARKER,
  withoutDirty,
} from "./entry";
import {
  cachedSlotOf,
  clearCachedSlot,
  contentOf,
  dropFrame,
  FRAME_DIRTY,
  FRAME_LAZYFREE,
  FRAME_RECLAIM,
  FRAME_SHARED,
  FRAME_SWAPCACHE,
  folioHead,
  folioPages,
  FRAMES_PER_HUGE,
  isAnonymous,
  isLarge,
  joinFolio,
  mapCount,
  setFlags,
  wordOf,
  ensureWord,
} from "./frames";
import { firstPageOfEntry, nextEntryPage, PMD_SHIFT } from "./geometry";
import { splitHuge, unmapHuge } from "./huge";
import { storeCached } from "./object";
import { findRegion } from "./regions";
import { unmapFrame, unmapSlot } from "./resident";
import { result } from "./result";
import { isFolioShared, splitAnonymousFolio } from "./split-folio";
import { addTo } from "./stats";
import { allocateSwapSlot, freeSwapCache, freeSwapSlots, hasSwap, retainSlot, setFrameOfSlot, slotOf } from "./swap";
import { adjustCounts, findPmdSlot, holeShift, setTableFlags, TABLE_OTHERS } from "./table";
import { isShared } from "./uniform";
import { indexOf, objectOf } from "./userfault";
import { slotIn, WALK_AGAIN } from "./walk";

/**
 * MADV_PAGEOUT, MADV_COLD and MADV_FREE: `mm/madvise.c:madvise_cold_or_pageout_pte_range`, `madvise_free_pte_range`, and what
 * `mm/vmscan.c:shrink_folio_list` does with a page that only one entry maps.
 */

export const RECLAIM_PAGEOUT: u32 = 0;
export const RECLAIM_COLD: u32 = 1;
export const RECLAIM_FREE: u32 = 2;

/** Page at which `reclaimEntries` has stopped. */
let stoppedAt: u64 = 0;
/** A page whose huge page the host has not split; all ones for none. */
let skippedPage: u64 = u64.MAX_VALUE;

/**
 * Advises on a part of one mapping. Returns the pages done. RESULT_REASON holds OK, ENOMEM, EAGAIN where a huge page of the object has to be
 * split first, or EBUSY where other mappings have to lose it: the host does that for number RESULT_VALUE of the object and calls again; with
 * `skips` it leaves the huge page of the first page alone.
 */
export function reclaim(space: usize, firstPage: u64, pageCount: u64, kind: u32, skips: bool): u64 {
  skippedPage = skips ? firstPage : u64.MAX_VALUE;
  const end = firstPage + pageCount;
  let page = firstPage;
  let reason = OK;
  while (page < end) {
    const slot = findPmdSlot(space, page);
    const next = min(end, nextEntryPage(page, slot == 0 ? holeShift : PMD_SHIFT));
    const isWholeHuge = slot != 0 && isHuge(load<u64>(slot)) && next - page == <u64>FRAMES_PER_HUGE;
    if (slot != 0 && isHuge(load<u64>(slot))) reason = reclaimHuge(space, slot, page, next - page, kind);
    if (reason == OK && !isWholeHuge && slot != 0 && isTable(load<u64>(slot)) && !isShared(tableOf(load<u64>(slot)))) {
      reason = reclaimEntries(space, tableOf(load<u64>(slot)), page, next, kind);
      if (reason != OK) page = stoppedAt;
    }
    if (reason != OK) break;
    page = next;
  }
  store<i32>(result, reason, RESULT_REASON);
  return page - firstPage;
}

function reclaimHuge(space: usize, slot: usize, page: u64, pageCount: u64, kind: u32): i32 {
  const entry = load<u64>(slot);
  if (isZeroPage(entry)) return OK;
  if (isAnonymous(hugeFrameOf(entry)) && isFolioShared(hugeFrameOf(entry))) return OK;
  const head = hugeFrameOf(entry);
  if (page == skippedPage) return OK;
  if (pageCount != <u64>FRAMES_PER_HUGE) return splitForPart(space, page, head + <u32>(page & (FRAMES_PER_HUGE - 1)));
  if (kind == RECLAIM_COLD) {
    store<u64>(slot, entry & ~ACCESSED);
  } else if (kind == RECLAIM_FREE) {
    store<u64>(slot, withoutDirty(entry & ~ACCESSED));
    for (let i: u32 = 0; i < FRAMES_PER_HUGE; i++) setFlags(head + i, FRAME_LAZYFREE, FRAME_DIRTY);
  } else if (isAnonymous(head)) {
    return pageOutHuge(space, slot, page);
  } else {
    if (isFolioShared(head)) return askHost(space, page, EBUSY);
    const region = findRegion(space, page);
    unmapHuge(space, slot);
    pageOutCachedFolio(objectOf(region), indexOf(region, page), head);
  }
  return OK;
}

function reclaimEntries(space: usize, table: usize, firstPage: u64, end: u64, kind: u32): i32 {
  let page = firstPage;
  while (page < end) {
    const slot = slotIn(table, page);
    const entry = load<u64>(slot);
    if (isPresent(entry) && !isZeroPage(entry) && isLarge(frameOf(entry))) {
      const pages = folioPages(frameOf(entry));
      const batch = batchOf(slot, page, end);
      const isWhole = batch == pages;
      const status = isWhole ? reclaimWhole(space, table, page, kind) : reclaimPart(space, page, frameOf(entry));
      if (status == WALK_AGAIN) continue;
      stoppedAt = page;
      if (status != OK) return status;
      page += isWhole ? pages : 1;
    } else {
      if (!isNone(entry)) reclaimEntry(space, table, page, kind);
      page++;
    }
  }
  return OK;
}

/** Splits a huge page of which only a part is meant, unless others map it. Returns WALK_AGAIN, OK if it stays, or an errno. */
function reclaimPart(space: usize, page: u64, frame: u32): i32 {
  if (page == skippedPage) return OK;
  if (isAnonymous(frame) && isFolioShared(frame)) return OK;
  const status = splitForPart(space, page, frame);
  return status == OK ? WALK_AGAIN : status;
}

/** Splits a huge page that the range holds only a part of. */
function splitForPart(space: usize, page: u64, frame: u32): i32 {
  return isAnonymous(frame) ? splitAnonymousFolio(space, page, frame) : askHost(space, page, EAGAIN);
}

/** Leaves to the host what has to be done in other mappings of the object, too. */
function askHost(space: usize, page: u64, reason: i32): i32 {
  store<u64>(result, indexOf(findRegion(space, page), page), RESULT_VALUE);
  return reason;
}

/** Entries from `slot` on that map the consecutive parts of one huge page and are protected alike (`folio_pte_batch`). */
function batchOf(slot: usize, page: u64, end: u64): u32 {
  const first = load<u64>(slot);
  const frame = frameOf(first);
  const pages = folioPages(frame);
  if (folioHead(frame) != frame) return 1;
  let count: u32 = 1;
  while (count < pages && page + count < nextEntryPage(page, PMD_SHIFT) && page + count < end) {
    const entry = load<u64>(slot + ((<usize>count) << 3));
    if (!isPresent(entry) || isZeroPage(entry) || frameOf(entry) != frame + count) break;
    if (isUffdWp(entry) != isUffdWp(first)) break;
    count++;
  }
  return count;
}

/** A huge page that is wholly mapped by entries of its parts is reclaimed as one, unless others map it. Returns OK or EBUSY. */
function reclaimWhole(space: usize, table: usize, page: u64, kind: u32): i32 {
  const frame = frameOf(load<u64>(slotIn(table, page)));
  if (!isFolioShared(frame)) reclaimBatch(space, table, page, kind);
  else if (kind == RECLAIM_PAGEOUT && !isAnonymous(frame) && page != skippedPage) return askHost(space, page, EBUSY);
  return OK;
}

function reclaimBatch(space: usize, table: usize, page: u64, kind: u32): void {
  const frame = frameOf(load<u64>(slotIn(table, page)));
  const pages = folioPages(frame);
  if (kind == RECLAIM_PAGEOUT && !isAnonymous(frame)) {
    const region = findRegion(space, page);
    for (let i: u32 = 0; i < pages; i++) unmapPart(space, table, page + i);
    pageOutCachedFolio(objectOf(region), indexOf(region, page), frame);
    return;
  }
  if (kind == RECLAIM_PAGEOUT && isLazilyFreed(frame)) {
    dropLazyFolio(space, table, page, frame);
    return;
  }
  const hasRoom = freeSwapSlots() >= FRAMES_PER_HUGE;
  if (kind == RECLAIM_PAGEOUT && !hasRoom) splitAnonymousFolio(space, page, frame);
  for (let i: u32 = 0; i < pages; i++) reclaimEntry(space, table, page + i, kind);
}

function reclaimEntry(space: usize, table: usize, page: u64, kind: u32): void {
  const slot = slotIn(table, page);
  const entry = load<u64>(slot);
  if (!isPresent(entry)) {
    if (kind == RECLAIM_FREE && (isSwap(entry) || isPoison(entry))) {
      if (isSwap(entry)) unmapSlot(space, slotOf(entry));
      store<u64>(slot, 0);
      adjustCounts(table, -1, 0);
    }
    return;
  }
  if (isZeroPage(entry)) return;
  const isMappedOnce = mapCount(frameOf(entry)) == 1;
  if (!isMappedOnce && (kind != RECLAIM_FREE || (wordOf(frameOf(entry)) & FRAME_SWAPCACHE) != 0)) return;
  if (kind == RECLAIM_COLD) store<u64>(slot, entry & ~ACCESSED);
  else if (kind == RECLAIM_FREE) freeLazily(slot);
  else if (isAnonymous(frameOf(entry))) pageOutAnonymous(space, table, slot);
  else pageOutCached(space, table, page);
}

function freeLazily(slot: usize): void {
  const entry = load<u64>(slot);
  const frame = frameOf(entry);
  if ((wordOf(frame) & FRAME_SWAPCACHE) != 0 && !freeSwapCache(frame)) return;
  if (!ensureWord(frame)) return;
  store<u64>(slot, withoutDirty(entry & ~ACCESSED));
  setFlags(frame, FRAME_LAZYFREE, FRAME_DIRTY);
}

/** Writes an anonymous page out, if swap has room; one that was freed lazily and not written to since is dropped. */
function pageOutAnonymous(space: usize, table: usize, slot: usize): void {
  const entry = load<u64>(slot);
  const frame = frameOf(entry);
  const word = wordOf(frame);
  if ((word & FRAME_LAZYFREE) != 0) {
    setFlags(frame, 0, FRAME_LAZYFREE | FRAME_DIRTY);
    if (isDirty(entry) || (word & FRAME_DIRTY) != 0) return;
    store<u64>(slot, 0);
    adjustCounts(table, -1, 0);
    unmapFrame(space, frame, entry);
    return;
  }
  const isCached = (word & FRAME_SWAPCACHE) != 0;
  const swapSlot = isCached ? cachedSlotOf(frame) : allocateSwapSlot(contentOf(frame));
  if (swapSlot == 0) return;
  if (isCached) retainSlot(swapSlot);
  const bits = ((word & FRAME_SHARED) == 0 ? SWAP_EXCLUSIVE : 0) | ((entry & UFFD_WP) != 0 ? SWAP_UFFD_WP : 0);
  store<u64>(slot, swapEntry(swapSlot) | bits);
  setTableFlags(table, TABLE_OTHERS, 0);
  addTo(space, COUNTER_SWAP_ENTRIES, 1);
  if (isCached) leaveCache(frame, swapSlot);
  unmapFrame(space, frame, entry);
}

/** The frame of a slot that stays in use leaves the swap cache. */
function leaveCache(frame: u32, swapSlot: u32): void {
  setFrameOfSlot(swapSlot, 0);
  clearCachedSlot(frame);
}

/** A huge page that a PMD entry maps is written out as one, or page by page where swap has no room for all of it. */
function pageOutHuge(space: usize, slot: usize, page: u64): i32 {
  const head = hugeFrameOf(load<u64>(slot));
  const first = firstPageOfEntry(page, PMD_SHIFT);
  const splits = !isLazilyFreed(head) && freeSwapSlots() < FRAMES_PER_HUGE;
  const status = splits ? splitAnonymousFolio(space, first, head) : splitHuge(space, slot);
  if (status != OK) return ENOMEM;
  const table = tableOf(load<u64>(slot));
  if (isLazilyFreed(head)) {
    dropLazyFolio(space, table, first, head);
    return OK;
  }
  for (let i: u32 = 0; i < FRAMES_PER_HUGE; i++) reclaimEntry(space, table, first + i, RECLAIM_PAGEOUT);
  return OK;
}

function isLazilyFreed(frame: u32): bool {
  return (wordOf(frame) & FRAME_LAZYFREE) != 0;
}

/**
 * Drops a huge page that was freed lazily, wholly mapped from `page` on; what was written to since makes it an ordinary one again. Its entries
 * are taken all at once, but one by one where they may be write-protected (`folio_unmap_pte_batch`).
 */
function dropLazyFolio(space: usize, table: usize, page: u64, head: u32): void {
  const isMarked = (wordOf(head) & FRAME_DIRTY) != 0;
  let clean: u32 = 0;
  while (!isMarked && clean < FRAMES_PER_HUGE && !isDirty(load<u64>(slotIn(table, page + clean)))) clean++;
  const isWhole = clean == FRAMES_PER_HUGE;
  if (!isWhole && (regionFlags(space, page) & REGION_UFFD_WP) == 0) clean = 0;
  for (let i: u32 = 0; i < clean; i++) reclaimEntry(space, table, page + i, RECLAIM_PAGEOUT);
  for (let i: u32 = clean; i < FRAMES_PER_HUGE; i++) setFlags(head + i, 0, FRAME_LAZYFREE | FRAME_DIRTY);
}

/** A page of an object is unmapped, and then written out if it is dirty and there is room (tmpfs), or dropped if it is clean. */
function pageOutCached(space: usize, table: usize, page: u64): void {
  const region = findRegion(space, page);
  const frame = frameOf(load<u64>(slotIn(table, page)));
  unmapPart(space, table, page);
  const object = objectOf(region);
  const isDirtyPage = (wordOf(frame) & FRAME_DIRTY) != 0;
  if (isDirtyPage && load<u32>(object, OBJECT_KIND) == OBJECT_FILE) {
    setFlags(frame, FRAME_RECLAIM); // only kswapd writes files
    return;
  }
  const swapSlot = isDirtyPage ? allocateSwapSlot(contentOf(frame)) : 0;
  if (isDirtyPage && swapSlot == 0) return;
  storeCached(object, indexOf(region, page), isDirtyPage ? swapEntry(swapSlot) : 0);
  dropFrame(frame);
}

/** The same for all of a folio, which nothing maps any more. It is split where swap has no room for all of it. */
function pageOutCachedFolio(object: usize, index: u64, head: u32): void {
  const pages = folioPages(head);
  const isDirtyFolio = (wordOf(head) & FRAME_DIRTY) != 0;
  if (isDirtyFolio && load<u32>(object, OBJECT_KIND) == OBJECT_FILE) {
    for (let i: u32 = 0; i < pages; i++) setFlags(head + i, FRAME_RECLAIM);
    return;
  }
  if (isDirtyFolio && !hasSwap()) return;
  const isSplit = isDirtyFolio && freeSwapSlots() < pages;
  const order: u32 = isSplit ? 0 : ctz(pages);
  if (isSplit) {
    for (let i: u32 = 0; i < pages; i++) joinFolio(head + i, 0);
  }
  for (let i: u32 = 0; i < pages; i++) {
    const swapSlot = isDirtyFolio ? allocateSwapSlot(contentOf(head + i)) : 0;
    if (isDirtyFolio && swapSlot == 0) continue;
    storeCached(object, index + i, isDirtyFolio ? swapEntryOfFolio(swapSlot, order) : 0);
    dropFrame(head + i);
  }
}

/** `try_to_unmap_one` for a page of an object: what was protected leaves a marker. */
function unmapPart(space: usize, table: usize, page: u64): void {
  const slot = slotIn(table, page);
  const entry = load<u64>(slot);
  const isProtected = isUffdWp(entry) && (regionFlags(space, page) & REGION_UFFD_WP) != 0;
  store<u64>(slot, isProtected ? UFFD_WP_MARKER : 0);
  adjustCounts(table, -i32(!isProtected), i32(isProtected));
  unmapFrame(space, frameOf(entry), entry);
}

function regionFlags(space: usize, page: u64): u32 {
  return load<u32>(findRegion(space, page), REGION_FLAGS);
}
