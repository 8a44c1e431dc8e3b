import { allocateBlock, reserve } from "./arena";
import { swapOffset } from "./entry";
import { clearCachedSlot, cachedSlotOf, dropFrame, FRAME_SWAPCACHE, FRAME_UNMAPPED, wordOf } from "./frames";

/**
 * The swap area of the machine: slots that hold a page each. A slot is in use while entries point to it or a frame in the swap cache has the
 * same content. (`mm/swapfile.c`)
 *
 *   0       4       8        16
 *   ┌───────┬───────┬─────────┐
 *   │ count │ frame │ content │   count: entries that point here; frame: the one in the swap cache, or 0; a free slot: the next free one
 *   └───────┴───────┴─────────┘
 */

const SLOT_SHIFT: u32 = 4;
const SLOTS_PER_CHUNK_SHIFT: u32 = 8;
const DIRECTORY_BYTES: usize = 1 << 18;

const directory: usize = reserve(DIRECTORY_BYTES);
let totalSlots: u32 = 0;
let usedSlots: u32 = 0;
let freshSlot: u32 = 1;
let freeSlot: u32 = 0;

/** Sets the size of swap in pages; nothing may be swapped out. */
export function configureSwap(pages: u32): void {
  assert(usedSlots == 0, "swap is in use");
  totalSlots = pages;
}

/** Returns a slot with this content to which one entry points, or 0 when swap is full. */
export function allocateSwapSlot(content: u64): u32 {
  if (usedSlots == totalSlots) return 0;
  const slot = freeSlot != 0 ? freeSlot : freshSlot;
  if (freeSlot != 0) freeSlot = <u32>load<u64>(address(slot), 8);
  else if (hasRoom(slot)) freshSlot++;
  else return 0;
  usedSlots++;
  store<u32>(address(slot), 1);
  store<u32>(address(slot), 0, 4);
  store<u64>(address(slot), content, 8);
  return slot;
}

/** Returns how many slots are free. */
export function freeSwapSlots(): u32 {
  return totalSlots - usedSlots;
}

/** Tells whether the machine has swap at all. */
export function hasSwap(): bool {
  return totalSlots != 0;
}

/** Tells whether more than half of swap is in use, so that the swap cache is not kept (`vm_swap_full`). */
export function swapIsFull(): bool {
  return (totalSlots - usedSlots) * 2 < totalSlots;
}

/** Returns the slot that a swap entry points to. */
export function slotOf(entry: u64): u32 {
  return <u32>swapOffset(entry);
}

/** Returns the content of a slot. */
export function contentOfSlot(slot: u32): u64 {
  return load<u64>(address(slot), 8);
}

/** Returns how many entries point to a slot. */
export function countOfSlot(slot: u32): u32 {
  return load<u32>(address(slot));
}

/** Returns the frame in the swap cache that a slot belongs to, or 0. */
export function frameOfSlot(slot: u32): u32 {
  return load<u32>(address(slot), 4);
}

/** Says which frame in the swap cache holds the content of a slot. */
export function setFrameOfSlot(slot: u32, frame: u32): void {
  store<u32>(address(slot), frame, 4);
}

/** Notes that one entry more points to a slot (`swap_duplicate`). */
export function retainSlot(slot: u32): void {
  store<u32>(address(slot), countOfSlot(slot) + 1);
}

/** Notes that one entry less points to a slot (`swap_free`), and frees what nobody needs any more. */
export function releaseSlot(slot: u32): void {
  const count = countOfSlot(slot) - 1;
  store<u32>(address(slot), count);
  if (count != 0) return;
  const frame = frameOfSlot(slot);
  if (frame == 0) free(slot);
  else if ((wordOf(frame) & FRAME_UNMAPPED) != 0) freeSwapCache(frame);
}

/** Takes a frame out of the swap cache if no entry points to its slot (`folio_free_swap`). A frame that nothing maps is freed. */
export function freeSwapCache(frame: u32): bool {
  const word = wordOf(frame);
  if ((word & FRAME_SWAPCACHE) == 0) return true;
  const slot = cachedSlotOf(frame);
  if (countOfSlot(slot) != 0) return false;
  clearCachedSlot(frame);
  free(slot);
  if ((word & FRAME_UNMAPPED) != 0) dropFrame(frame);
  return true;
}

function free(slot: u32): void {
  usedSlots--;
  store<u32>(address(slot), 0, 4);
  store<u64>(address(slot), freeSlot, 8);
  freeSlot = slot;
  if (usedSlots != 0) return;
  freeSlot = 0;
  freshSlot = 1;
}

function hasRoom(slot: u32): bool {
  const place = directory + ((slot >> SLOTS_PER_CHUNK_SHIFT) << 2);
  if (place >= directory + DIRECTORY_BYTES) return false;
  if (load<u32>(place) == 0) store<u32>(place, <u32>allocateBlock());
  return load<u32>(place) != 0;
}

function address(slot: u32): usize {
  const chunk = <usize>load<u32>(directory + ((slot >> SLOTS_PER_CHUNK_SHIFT) << 2));
  return chunk + ((slot & 255) << SLOT_SHIFT);
}
