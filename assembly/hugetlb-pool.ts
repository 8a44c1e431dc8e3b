import { REGION_OWNER, REGION_SHARED } from "./abi";
import { allocateHugeFrames, dropFrame, FRAME_HUGETLB, FRAMES_PER_HUGE } from "./frames";
import { addToSet, removeFromSet, setHas } from "./object";

/**
 * The machine's pool of huge pages, and who has a right to them: `mm/hugetlb.c`. A shared mapping reserves the pages of the object that nobody
 * has reserved yet; the object keeps the set of them. A private mapping reserves as many as it has; its owner keeps the set of those that it
 * has used up. What forked children map is not reserved.
 */

let freePages: u32 = 0;
let reservedPages: u32 = 0;

/** Sets the size of the pool; no huge page may be in use. */
export function configureHugePool(pages: u32): void {
  freePages = pages;
  reservedPages = 0;
}

/** Reserves huge pages (`hugetlb_acct_memory`). Returns false when there are not as many. */
export function reserveHugePages(count: u32): bool {
  if (count > freePages || freePages - reservedPages < count) return false;
  reservedPages += count;
  return true;
}

/** Gives reserved huge pages back. */
export function unreserveHugePages(count: u32): void {
  reservedPages -= count;
}

/**
 * Takes a huge page for number `index` of a region's object, from the reservation if there is one. With `ignoresReserve` the reservation is
 * left alone (a copy for the owner of a private mapping). Returns the first frame, or 0 when the pool has none for it.
 * (`alloc_hugetlb_folio`)
 */
export function takeHugePage(region: usize, reserves: usize, index: u64, flags: u32, ignoresReserve: bool): u32 {
  const isShared = (flags & REGION_SHARED) != 0;
  const owner = <usize>load<u32>(region, REGION_OWNER);
  const isReserved = isShared ? setHas(reserves, index) : owner != 0 && !setHas(owner, index);
  const takesReserved = isReserved && !ignoresReserve;
  // reservations can exceed what is free: one whose page the owner gave back while a child maps it has no page until that lets go
  if (freePages == 0 || (!takesReserved && freePages == reservedPages)) return 0;
  const head = allocateHugeFrames(FRAME_HUGETLB);
  if (head == 0) return 0;
  freePages--;
  if (takesReserved) reservedPages--;
  if (ignoresReserve) return head;
  if (isShared) addToSet(reserves, index);
  else if (owner != 0) addToSet(owner, index);
  return head;
}

/** Gives a huge page back whose frames nothing maps and no object has. `staysReserved`: it goes back to the reservation. */
export function returnHugePage(head: u32, staysReserved: bool): void {
  for (let i: u32 = 0; i < FRAMES_PER_HUGE; i++) dropFrame(head + i);
  freePages++;
  if (staysReserved) reservedPages++;
}

/** Notes that the owner of a private mapping has given number `index` back. */
export function restoreReserve(owner: usize, index: u64): void {
  removeFromSet(owner, index);
}
