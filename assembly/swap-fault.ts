import {
  ACCESS_WRITE,
  COUNTER_ANON_PAGES,
  COUNTER_SWAP_ENTRIES,
  ENOMEM,
  OUTCOME_DONE,
  REGION_UFFD_WP,
  REGION_WRITE,
} from "./abi";
import { leafEntry, permitsWrite, SWAP_EXCLUSIVE, SWAP_UFFD_WP, withDirty, withUffdWp, withWrite } from "./entry";
import {
  addMap,
  allocateFrame,
  allocateFrameWith,
  FRAME_SHARED,
  FRAME_SWAPCACHE,
  FRAME_UNMAPPED,
  isExclusive,
  mapCount,
  setCachedSlot,
  setContent,
  setFlags,
  wordOf,
} from "./frames";
import { addTo, takeFrom } from "./stats";
import {
  contentOfSlot,
  countOfSlot,
  frameOfSlot,
  freeSwapCache,
  releaseSlot,
  setFrameOfSlot,
  slotOf,
  swapIsFull,
} from "./swap";
import { noteMajor, protectionOfRegion } from "./userfault";
import { handleWriteProtected } from "./wp-fault";

/**
 * A fault on a swap entry: `mm/memory.c:do_swap_page`, with swap that is read synchronously and without read-ahead (zram, page-cluster 0).
 */
export function handleSwappedOut(space: usize, region: usize, slot: usize, flags: u32, access: u32): i32 {
  const entry = load<u64>(slot);
  const swapSlot = slotOf(entry);
  const wasAlone = countOfSlot(swapSlot) == 1 && frameOfSlot(swapSlot) == 0;
  const frame = frameFor(swapSlot, wasAlone);
  if (frame == 0) return ENOMEM;
  const wasExclusive = wasAlone || (entry & SWAP_EXCLUSIVE) != 0;
  if (!wasAlone) addMap(frame);
  addTo(space, COUNTER_ANON_PAGES, 1);
  takeFrom(space, COUNTER_SWAP_ENTRIES, 1);
  releaseSlot(swapSlot);
  if (!wasAlone && shallLeaveCache(frame, access)) freeSwapCache(frame);
  let mapped = leafEntry(frame, protectionOfRegion(flags));
  if ((entry & SWAP_UFFD_WP) != 0) mapped = withUffdWp(mapped);
  const isOurs = wasExclusive || (mapCount(frame) == 1 && (wordOf(frame) & FRAME_SWAPCACHE) == 0);
  setOwner(frame, isOurs);
  const isProtected = (flags & REGION_UFFD_WP) != 0 && (entry & SWAP_UFFD_WP) != 0;
  if (isOurs && (flags & REGION_WRITE) != 0 && !isProtected) {
    mapped = withWrite(mapped);
    if (access == ACCESS_WRITE) mapped = withDirty(mapped);
  }
  store<u64>(slot, mapped);
  const isDone = access != ACCESS_WRITE || (isOurs && permitsWrite(mapped));
  return isDone ? OUTCOME_DONE : handleWriteProtected(space, region, slot, flags);
}

/** Returns the frame with the content of a slot: the one in the swap cache, or a new one, which goes there unless nobody else needs the slot. */
function frameFor(swapSlot: u32, isAlone: bool): u32 {
  const cached = frameOfSlot(swapSlot);
  if (cached != 0) return cached;
  noteMajor();
  const frame = isAlone ? allocateFrame() : allocateFrameWith(FRAME_SHARED | FRAME_UNMAPPED);
  if (frame == 0) return 0;
  setContent(frame, contentOfSlot(swapSlot));
  if (isAlone) return frame;
  setCachedSlot(frame, swapSlot);
  setFrameOfSlot(swapSlot, frame);
  return frame;
}

/** `should_try_to_free_swap`: the only other user of the frame is the swap cache, and the page is about to change; or swap is short. */
function shallLeaveCache(frame: u32, access: u32): bool {
  return swapIsFull() || (access == ACCESS_WRITE && mapCount(frame) == 1);
}

/** Says whether the page is this mapping's own. The word of a frame that never was anybody else's stays 0. */
function setOwner(frame: u32, isOurs: bool): void {
  if (isOurs == isExclusive(frame)) return;
  setFlags(frame, isOurs ? 0 : FRAME_SHARED, isOurs ? FRAME_SHARED : 0);
}
