import {
  OBJECT_FILE,
  OBJECT_HUGETLB,
  OBJECT_KIND,
  OBJECT_PAGES,
  OBJECT_RESERVES,
  OBJECT_SET,
  OBJECT_SHMEM,
  OK,
  PAGE_LIMIT_BITS,
  SPACE_PGD,
} from "./abi";
import { allocateBlock, freeABlock } from "./arena";
import { frameOf, isNone, isPresent, leafEntry, orderInSwap, PROTECTION_READ, swapEntryOfFolio } from "./entry";
import {
  allocateFrameWith,
  allocateHugeFrames,
  dropFrame,
  FRAME_CACHED,
  FRAME_DIRTY,
  FRAME_HUGETLB,
  FRAME_RECLAIM,
  FRAME_SHMEM,
  FRAMES_PER_HUGE,
  folioHead,
  folioPages,
  isLarge,
  joinFolio,
  mapCount,
  setContent,
  setFlags,
  splitFolioAround,
  wordOf,
} from "./frames";
import { ENTRY_BYTES, firstPageOfEntry, PMD_SHIFT, TABLE_BYTES } from "./geometry";
import { contentOfSlot, releaseSlot, slotOf } from "./swap";
import { adjustCounts, ensurePteTable, findPteTable, occupied, pgdOf } from "./table";
import { freeTables } from "./free-tables";
import { slotIn, slotsEnd, walk } from "./walk";

/**
 * Objects: what shared mappings and mappings of files map, the page cache of an inode. It is a tree of tables like that of an address space,
 * indexed by the page's number in the file; an entry is a frame, a swap slot (tmpfs), or none. A set of page numbers is a tree too.
 * The pages of hugetlbfs are huge, and so are the steps of their index.
 */

const ALL_PAGES: u64 = (<u64>1) << PAGE_LIMIT_BITS;
const IN_SET: u64 = 1;
/** log2 of the entries of a node of the kernel's page cache (XA_CHUNK_SHIFT). */
const TREE_SHIFT: u32 = 6;

/** Returns a new object of so many pages, all of them holes, or 0 when the memory is used up. `kind`: an OBJECT_ number. */
export function createObject(kind: u32, pages: u64): usize {
  const object = allocateBlock();
  if (object == 0) return 0;
  const pgd = allocateBlock();
  if (pgd == 0) {
    freeABlock(object);
    return 0;
  }
  store<u32>(object, <u32>pgd, SPACE_PGD);
  store<u32>(object, kind, OBJECT_KIND);
  store<u64>(object, pages, OBJECT_PAGES);
  if (kind == OBJECT_HUGETLB) store<u32>(object, <u32>createObject(OBJECT_SET, 0), OBJECT_RESERVES);
  return object;
}

/** Frees an object, which nothing may map any more. */
export function destroyObject(object: usize): void {
  if (reservesOf(object) != 0) destroyObject(reservesOf(object));
  removeCached(object, 0, ALL_PAGES);
  freeTables(object, 0, ALL_PAGES, 0, ALL_PAGES);
  freeABlock(pgdOf(object));
  memory.fill(object, 0, TABLE_BYTES);
  freeABlock(object);
}

/** Returns the pages of an object. */
export function pagesOf(object: usize): u64 {
  return load<u64>(object, OBJECT_PAGES);
}

/** Moves the end of an object's file; what lies behind it stays. */
export function setPages(object: usize, pages: u64): void {
  store<u64>(object, pages, OBJECT_PAGES);
}

/** Returns the set of huge pages of a hugetlbfs object that are reserved. */
export function reservesOf(object: usize): usize {
  return <usize>load<u32>(object, OBJECT_RESERVES);
}

/** Returns what an object has at `index`: none, a present entry, or a swap entry. */
export function cachedEntry(object: usize, index: u64): u64 {
  const table = findPteTable(object, index);
  return table == 0 ? 0 : load<u64>(slotIn(table, index));
}

/** Stores what an object has at `index`. Returns false when the memory is used up. */
export function storeCached(object: usize, index: u64, entry: u64): bool {
  const table = ensurePteTable(object, index);
  if (table == 0) return false;
  const slot = slotIn(table, index);
  adjustCounts(table, i32(entry != 0) - i32(!isNone(load<u64>(slot))), 0);
  store<u64>(slot, entry);
  return true;
}

/** Puts a new page of content 0 into an object. Returns its frame, or 0 when the memory is used up. */
export function addCachedPage(object: usize, index: u64): u32 {
  const isShmem = load<u32>(object, OBJECT_KIND) == OBJECT_SHMEM;
  const frame = allocateFrameWith(FRAME_CACHED | (isShmem ? FRAME_SHMEM : 0));
  if (frame == 0) return 0;
  if (storeCached(object, index, leafEntry(frame, PROTECTION_READ))) return frame;
  dropFrame(frame);
  return 0;
}

/**
 * Puts a new huge page into a tmpfs object around `index`, if nothing is there and the end of the file is not in it. Returns its first frame,
 * or 0.
 */
export function addCachedHugePage(object: usize, index: u64): u32 {
  const first = firstPageOfEntry(index, PMD_SHIFT);
  const table = findPteTable(object, first);
  if (table != 0 && occupied(table) != 0) return 0;
  const head = allocateHugeFrames(FRAME_CACHED | FRAME_SHMEM);
  if (head == 0) return 0;
  joinFolio(head, PMD_SHIFT);
  for (let i: u32 = 0; i < FRAMES_PER_HUGE; i++) {
    if (storeCached(object, first + i, leafEntry(head + i, PROTECTION_READ))) continue;
    for (let j: u32 = 0; j < FRAMES_PER_HUGE; j++) dropFrame(head + j);
    return 0;
  }
  return head;
}

/**
 * Reads a page of tmpfs back from swap (`shmem_swapin_folio`), with all of the folio that was written out as one, unless a userfaultfd has to
 * see faults of single pages (`isSingle`). Returns its frame, or 0 when the memory is used up.
 */
export function bringBack(object: usize, index: u64, entry: u64, isSingle: bool): u32 {
  const order = orderInSwap(entry);
  if (order != 0 && !isSingle) return bringBackFolio(object, index, order);
  splitInSwap(object, index, order);
  const content = contentOfSlot(slotOf(entry));
  const frame = addCachedPage(object, index);
  if (frame == 0) return 0;
  setContent(frame, content);
  setFlags(frame, FRAME_DIRTY);
  releaseSlot(slotOf(entry));
  return frame;
}

function bringBackFolio(object: usize, index: u64, order: u32): u32 {
  const pages: u32 = 1 << order;
  const part = (<u32>index) & (pages - 1);
  const head = allocateHugeFrames(FRAME_CACHED | FRAME_SHMEM | FRAME_DIRTY);
  if (head == 0) return 0;
  joinFolio(head, order);
  for (let i: u32 = 0; i < pages; i++) {
    const slot = slotOf(cachedEntry(object, index - part + i));
    setContent(head + i, contentOfSlot(slot));
    releaseSlot(slot);
    storeCached(object, index - part + i, leafEntry(head + i, PROTECTION_READ));
  }
  for (let i = pages; i < FRAMES_PER_HUGE; i++) dropFrame(head + i);
  return head + part;
}

/** Makes a page's swap entry independent; what remains is in pieces as large as the kernel's tree has them (`shmem_split_large_entry`). */
function splitInSwap(object: usize, index: u64, order: u32): void {
  while (order > 0) {
    const smaller = order % TREE_SHIFT == 0 ? order - 1 : order - (order % TREE_SHIFT);
    const first = index & ~(((<u64>1) << order) - 1);
    for (let i: u64 = 0; i < (<u64>1) << order; i++) {
      storeCached(object, first + i, swapEntryOfFolio(slotOf(cachedEntry(object, first + i)), smaller));
    }
    order = smaller;
  }
}

/** Reads what an object has at `index` back from swap, if it is there. */
export function bringBackCached(object: usize, index: u64): void {
  const cached = cachedEntry(object, index);
  if (!isNone(cached) && !isPresent(cached)) bringBack(object, index, cached, false);
}

/** Takes pages out of an object, which nothing may map any more. */
export function removeCached(object: usize, first: u64, count: u64): void {
  walk<RemoveCached>(object, first, count);
}

/**
 * Tells whether the folio that holds `index` may be split. Buffers of a dirty one of a regular file cannot be released
 * (`filemap_release_folio`).
 */
export function maySplitCached(object: usize, index: u64): bool {
  const cached = cachedEntry(object, index);
  if (!isPresent(cached) || load<u32>(object, OBJECT_KIND) != OBJECT_FILE) return true;
  return (wordOf(frameOf(cached)) & FRAME_DIRTY) == 0;
}

/** Fills pages that an object has with zeros. */
export function clearCached(object: usize, first: u64, count: u64): void {
  for (let index = first; index < first + count; index++) {
    const cached = cachedEntry(object, index);
    if (isPresent(cached)) setContent(frameOf(cached), 0);
  }
}

/** Splits the folio that holds `index`, which nothing maps, into single pages; those behind the end of the file are dropped. */
export function splitCached(object: usize, index: u64): void {
  const cached = cachedEntry(object, index);
  if (!isPresent(cached) || !isLarge(frameOf(cached))) return;
  const head = folioHead(frameOf(cached));
  const pages = folioPages(head);
  const first = index - (frameOf(cached) - head);
  for (let i: u32 = 0; i < pages; i++) {
    joinFolio(head + i, 0);
    if (i > 0) setFlags(head + i, 0, FRAME_RECLAIM);
  }
  const end = first + pages;
  if (end > pagesOf(object)) removeCached(object, pagesOf(object), end - pagesOf(object));
}

/** Splits the folio that holds `index`, which nothing maps, so that this page is alone (`folio_split`). */
export function splitCachedAround(object: usize, index: u64): void {
  const cached = cachedEntry(object, index);
  if (isPresent(cached)) splitFolioAround(frameOf(cached));
}

/** Returns log2 of the pages of the folio that an object has at `index`; 0 also where it has none. */
export function folioOrder(object: usize, index: u64): u32 {
  const cached = cachedEntry(object, index);
  return isPresent(cached) ? <u32>ctz(folioPages(frameOf(cached))) : 0;
}

/**
 * Reads the pages from `first` on, up to `end`, that an object does not have yet, in folios as large as alignment and `end` allow
 * (`page_cache_ra_order`). The first of them is marked, so that faults do not map it by the way. Returns false when the memory is used up.
 */
export function readAhead(object: usize, first: u64, end: u64): bool {
  const head = allocateHugeFrames(FRAME_CACHED);
  if (head == 0) return false;
  let index = first;
  while (index < end) {
    let order: u32 = index == first ? PMD_SHIFT : min<u32>(<u32>ctz(index), PMD_SHIFT);
    while (order > 0 && index + ((<u64>1) << order) > end) order--;
    if (hasAnyCached(object, index, (<u64>1) << order)) break;
    const folio = head + <u32>(index - first);
    joinFolio(folio, order);
    for (let i: u32 = 0; i < (<u32>1) << order; i++) {
      if (!storeCached(object, index + i, leafEntry(folio + i, PROTECTION_READ))) return false;
      if (index == first) setFlags(folio + i, FRAME_RECLAIM);
    }
    index += (<u64>1) << order;
  }
  for (let i = <u32>(index - first); i < FRAMES_PER_HUGE; i++) dropFrame(head + i);
  return readSingly(object, first, index, end);
}

/** Reads what is left of read-ahead page by page (`page_cache_ra_unbounded`), which marks the first page only if that is all of 512. */
function readSingly(object: usize, first: u64, from: u64, end: u64): bool {
  const isAll = from == first && end - first == FRAMES_PER_HUGE;
  for (let index = from; index < end; index++) {
    if (!isNone(cachedEntry(object, index))) continue;
    const frame = addCachedPage(object, index);
    if (frame == 0) return false;
    if (isAll && index == first) setFlags(frame, FRAME_RECLAIM);
  }
  return true;
}

function hasAnyCached(object: usize, index: u64, count: u64): bool {
  for (let i: u64 = 0; i < count; i++) {
    if (!isNone(cachedEntry(object, index + i))) return true;
  }
  return false;
}

/** Tells whether a number is in a set. */
export function setHas(set: usize, index: u64): bool {
  return cachedEntry(set, index) != 0;
}

/** Puts a number into a set. Returns false when the memory is used up. */
export function addToSet(set: usize, index: u64): bool {
  return storeCached(set, index, IN_SET);
}

/** Takes a number out of a set. */
export function removeFromSet(set: usize, index: u64): void {
  if (setHas(set, index)) storeCached(set, index, 0);
}


@unmanaged
@final
class RemoveCached {
  slice(object: usize, table: usize, page: u64, pageCount: u32): i32 {
    const end = slotsEnd(slotIn(table, page), pageCount);
    let removed: i32 = 0;
    for (let slot = end - pageCount * ENTRY_BYTES; slot < end; slot += ENTRY_BYTES) {
      const entry = load<u64>(slot);
      if (isNone(entry)) continue;
      if (entry != IN_SET) forget(entry);
      store<u64>(slot, 0);
      removed++;
    }
    adjustCounts(table, -removed, 0);
    return OK;
  }
}

function forget(entry: u64): void {
  if (!isPresent(entry)) {
    releaseSlot(slotOf(entry));
    return;
  }
  const frame = frameOf(entry);
  assert(mapCount(frame) == 0, "a page of an object that goes is mapped");
  const count: u32 = (wordOf(frame) & FRAME_HUGETLB) != 0 ? FRAMES_PER_HUGE : 1;
  for (let i: u32 = 0; i < count; i++) dropFrame(frame + i);
}
