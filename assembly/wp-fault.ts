import {
  COUNTER_COPY_FAULTS,
  COUNTER_REUSE_FAULTS,
  COUNTER_WP_ASYNC_FAULTS,
  ENOMEM,
  OUTCOME_DONE,
  OUTCOME_WP,
  REGION_SHARED,
  REGION_UFFD_WP,
  REGION_WP_ASYNC,
} from "./abi";
import { ACCESSED, frameOf, isZeroPage, leafEntry, UFFD_WP, withoutDirty, withoutUffdWp } from "./entry";
import {
  allocateFrame,
  contentOf,
  FRAME_CACHED,
  FRAME_SHARED,
  FRAMES_PER_HUGE,
  headOf,
  isLarge,
  mapCount,
  setContent,
  setFlags,
  wordOf,
} from "./frames";
import { countNewPages, markDirty, unmapFrame } from "./resident";
import { addTo } from "./stats";
import { freeSwapCache } from "./swap";
import { noteWritten } from "./written";
import { askUserfaultfd, prepareAnonVma, protectionOfRegion, withAllowedWrite } from "./userfault";

/** A write to a present read-only entry: `mm/memory.c:do_wp_page`. Userfaultfd comes first, then the page is made writable or copied. */
export function handleWriteProtected(space: usize, region: usize, slot: usize, flags: u32): i32 {
  const entry = load<u64>(slot);
  const isUffds = (flags & REGION_UFFD_WP) != 0 && (entry & UFFD_WP) != 0;
  if (isUffds && (flags & REGION_WP_ASYNC) == 0) return askUserfaultfd(space, flags, OUTCOME_WP);
  // a bit that a registration left behind stays where the page is reused (`wp_page_reuse`)
  const cleared = isUffds ? withoutUffdWp(entry) : entry;
  if (isUffds) addTo(space, COUNTER_WP_ASYNC_FAULTS, 1);
  if (isUffds) noteWritten(slot);
  if ((flags & REGION_SHARED) == 0 && !canReuse(cleared)) {
    store<u64>(slot, cleared);
    return copyPage(space, region, slot, flags);
  }
  store<u64>(slot, withAllowedWrite(cleared | ACCESSED, flags));
  if ((flags & REGION_SHARED) != 0) markDirty(frameOf(entry));
  addTo(space, COUNTER_REUSE_FAULTS, 1);
  return OUTCOME_DONE;
}

/** Tells whether a private mapping may write to the page itself, and makes the page exclusive then (`wp_can_reuse_anon_folio`). */
function canReuse(entry: u64): bool {
  if (isZeroPage(entry)) return false;
  const frame = frameOf(entry);
  const word = wordOf(frame);
  if ((word & (FRAME_SHARED | FRAME_CACHED)) == 0) return true;
  if ((word & FRAME_CACHED) != 0) return false;
  const isAlone = isLarge(frame) ? isLargeAlone(headOf(frame)) : mapCount(frame) == 1 && freeSwapCache(frame);
  if (isAlone) setFlags(frame, 0, FRAME_SHARED);
  return isAlone;
}

/**
 * Tells whether only this address space maps a huge page, in more than one part of it (`__wp_can_reuse_large_anon_folio`). A part is mapped at
 * most once in each address space.
 */
function isLargeAlone(head: u32): bool {
  let mapped: u32 = 0;
  for (let i: u32 = 0; i < FRAMES_PER_HUGE; i++) {
    if (!isLarge(head + i)) continue;
    const count = mapCount(head + i);
    if (count > 1) return false;
    mapped += count;
  }
  return mapped > 1;
}

/** `wp_page_copy`. */
function copyPage(space: usize, region: usize, slot: usize, flags: u32): i32 {
  prepareAnonVma(region);
  const entry = load<u64>(slot);
  const copy = allocateFrame();
  if (copy == 0) return ENOMEM;
  if (!isZeroPage(entry)) {
    setContent(copy, contentOf(frameOf(entry)));
    unmapFrame(space, frameOf(entry), withoutDirty(entry)); // the kernel does not tell the folio that the entry was dirty
  }
  countNewPages(space, 1);
  if ((entry & UFFD_WP) != 0) noteWritten(slot);
  store<u64>(slot, withAllowedWrite(leafEntry(copy, protectionOfRegion(flags)), flags));
  addTo(space, COUNTER_COPY_FAULTS, 1);
  return OUTCOME_DONE;
}
