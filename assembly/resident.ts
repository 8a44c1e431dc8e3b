import { COUNTER_ANON_PAGES, COUNTER_FILE_PAGES, COUNTER_SHMEM_PAGES, COUNTER_SWAP_ENTRIES } from "./abi";
import { isDirty } from "./entry";
import {
  addMap,
  dropMap,
  FRAME_CACHED,
  FRAME_DIRTY,
  FRAME_LAZYFREE,
  FRAME_RECLAIM,
  FRAME_SHMEM,
  folioHead,
  folioPages,
  isAnonymous,
  setFlags,
  wordOf,
} from "./frames";
import { freeSwapCache, releaseSlot, retainSlot } from "./swap";
import { addTo, takeFrom } from "./stats";

/**
 * What an address space holds of modelled memory: frames and swap slots that its entries point to, with the counters of resident pages
 * (RssAnon, RssFile, RssShmem, VmSwap).
 */

/** Notes that an entry maps a new anonymous frame, which is mapped once from the start. */
export function countNewPages(space: usize, count: u32): void {
  addTo(space, COUNTER_ANON_PAGES, count);
}

/** Notes that an entry more maps a frame. */
export function mapFrame(space: usize, frame: u32): void {
  addMap(frame);
  addTo(space, residentCounter(frame), 1);
}

/** Notes that the entry `entry` does not map `frame` any more; a file learns that it was written to. */
export function unmapFrame(space: usize, frame: u32, entry: u64): void {
  takeFrom(space, residentCounter(frame), 1);
  if (isDirty(entry) && !isAnonymous(frame)) markDirty(frame);
  if (dropMap(frame)) freeSwapCache(frame);
}

/** Notes that the object's file does not have the content of a cached frame yet (`folio_mark_dirty`): it is told of the whole folio. */
export function markDirty(frame: u32): void {
  const head = folioHead(frame);
  const pages = folioPages(frame);
  for (let i: u32 = 0; i < pages; i++) setFlags(head + i, FRAME_DIRTY, FRAME_RECLAIM);
}

/** Notes that a page, or the huge page that it is part of, is written to without its entry saying so, if it was freed lazily before. */
export function markLazyDirty(frame: u32): void {
  if ((wordOf(frame) & FRAME_LAZYFREE) == 0) return;
  const head = folioHead(frame);
  const pages = folioPages(frame);
  for (let i: u32 = 0; i < pages; i++) {
    if ((wordOf(head + i) & FRAME_LAZYFREE) != 0) setFlags(head + i, FRAME_DIRTY);
  }
}

/** Notes that an entry more points to a swap slot. */
export function mapSlot(space: usize, slot: u32): void {
  retainSlot(slot);
  addTo(space, COUNTER_SWAP_ENTRIES, 1);
}

/** Notes that an entry less points to a swap slot. */
export function unmapSlot(space: usize, slot: u32): void {
  takeFrom(space, COUNTER_SWAP_ENTRIES, 1);
  releaseSlot(slot);
}

/** Returns the counter of resident pages that a frame belongs to. */
export function residentCounter(frame: u32): u32 {
  const word = wordOf(frame);
  if ((word & FRAME_CACHED) == 0) return COUNTER_ANON_PAGES;
  return (word & FRAME_SHMEM) != 0 ? COUNTER_SHMEM_PAGES : COUNTER_FILE_PAGES;
}
