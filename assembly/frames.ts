import { allocateBlock, reserve } from "./arena";
import { TABLE_BYTES } from "./geometry";

/**
 * Frames of modelled memory: what present entries map. A frame is a number, and its content is one u64, which stands for the 4096 bytes
 * of a page. Frame 0 is the shared zero page, whose content stays 0.
 *
 *   directory            chunk of 512 contents (one 4 KiB block)
 *   ┌────────┐           ┌─────────┬─────────┬─
 *   │ 0..511 │ ────────▶ │ frame 0 │ frame 1 │ …       a free frame's content is the number of the next free one
 *   │ ..1023 │ ─▶ …      └─────────┴─────────┴─
 *   └────────┘
 *
 * A huge page is a chunk of its own, from the upper half of the numbers, so that its frames are consecutive and aligned. What `struct page`
 * says of a frame beside its content is in a word of a second directory. The word of almost every frame is 0, which means anonymous,
 * mapped once, exclusive; such frames have no chunk there.
 *
 *   63        32 31        23 22     0
 *   ┌───────────┬────────────┬────────┐
 *   │ swap slot │ FRAME_     │ count  │   how often it is mapped; one less for an anonymous frame. An object's frame has log2 of
 *   └───────────┴────────────┴────────┘   the pages of its folio in place of a slot
 */

/** An anonymous frame that others may use too (not PageAnonExclusive). */
export const FRAME_SHARED: u64 = 1 << 24;
/** A cached frame of a regular file that faults do not map by the way: dirty and not paged out (PG_reclaim), or marked by read-ahead (the same bit). */
export const FRAME_RECLAIM: u64 = 1 << 24;
/** The frame belongs to an object, not to a mapping. */
export const FRAME_CACHED: u64 = 1 << 25;
/** The frame is part of a huge page that has not been split (folio_test_large). */
export const FRAME_LARGE: u64 = 1 << 26;
/** A cached frame of tmpfs; without it, and without the next one, of a regular file. */
export const FRAME_SHMEM: u64 = 1 << 27;
export const FRAME_HUGETLB: u64 = 1 << 28;
/** The swap slot in the upper half holds the same content (folio_test_swapcache). */
export const FRAME_SWAPCACHE: u64 = 1 << 29;
/** A cached frame whose content its file does not have yet; an anonymous one that was written to after it was freed lazily (PG_dirty). */
export const FRAME_DIRTY: u64 = 1 << 30;
/** The first frame of an anonymous huge page that goes back to a reservation when it is freed (HPageRestoreReserve). */
export const FRAME_RESTORE_RESERVE: u64 = 1 << 30;
/** An anonymous frame that no entry maps any more: it is kept by the swap cache or by its huge page. */
export const FRAME_UNMAPPED: u64 = 1 << 31;
/** An anonymous page that is dropped instead of written out, unless it is written to before (!folio_test_swapbacked). */
export const FRAME_LAZYFREE: u64 = 1 << 23;
const COUNT_MASK: u64 = 0x7fffff;
const SLOT_SHIFT: u64 = 32;

/** Set in the content of a page that has bytes other than its number. */
export const OTHER_BYTES: u64 = 1 << 63;

const FRAMES_PER_CHUNK_SHIFT: u32 = 9;
const FRAMES_PER_CHUNK_MASK: u32 = 511;
export const FRAMES_PER_HUGE: u32 = 512;
/** 2^29 frames: the lower half for single frames, the contents of which would fill half of a 4 GiB memory, the upper one for huge pages. */
const DIRECTORY_BYTES: usize = 1 << 22;
const FIRST_HUGE_FRAME: u32 = 1 << 28;

const directory: usize = reserve(DIRECTORY_BYTES);
const words: usize = reserve(DIRECTORY_BYTES);
/** Frames of each huge page that are not free yet: u16 each. */
const hugeLive: usize = reserve(DIRECTORY_BYTES >> 2);
let freeFrame: u32 = 0;
let liveFrames: u32 = 0;
/** The first frame never used. The content of frame 0, the zero page, is read before its chunk exists: then it is the 0 at offset 0. */
let freshFrame: u32 = 1;
let freeHuge: u32 = 0;
let freshHuge: u32 = FIRST_HUGE_FRAME;
let liveHuge: u32 = 0;
const CHUNKS_BYTES: usize = 1 << 16;
let nextChunk: usize = 0;
let chunksLeft: u32 = 0;
/** Frames whose word is not 0. */
let specialFrames: u32 = 0;

/** Returns a frame whose content and word are 0, or 0 when the memory is used up. */
export function allocateFrame(): u32 {
  const frame = freeFrame != 0 ? freeFrame : freshFrame;
  if (freeFrame != 0) freeFrame = <u32>contentOf(frame);
  else if (frame < FIRST_HUGE_FRAME && (hasChunk(directory, frame) || addChunk(directory, frame))) freshFrame++;
  else return 0;
  liveFrames++;
  setContent(frame, 0);
  return frame;
}

/**
 * Returns the first of `count` consecutive frames that nobody has, or 0 where there is none: freed ones come first, and the memory may be used
 * up. They are free until `takeFresh` says how many of them are not. Their contents are anything.
 */
export function freshRun(count: u32): u32 {
  if (freeFrame != 0 || freshFrame + count > FIRST_HUGE_FRAME) return 0;
  for (let frame = freshFrame; frame < freshFrame + count + FRAMES_PER_HUGE; frame += FRAMES_PER_HUGE) {
    if (!hasChunk(directory, frame) && !addChunk(directory, frame)) return 0;
  }
  return freshFrame;
}

/** Takes the first `count` frames of the run. */
export function takeFresh(count: u32): void {
  freshFrame += count;
  liveFrames += count;
}

/** Returns a frame with a word, or 0 when the memory is used up. */
export function allocateFrameWith(word: u64): u32 {
  const frame = allocateFrame();
  if (frame == 0) return 0;
  if (ensureWord(frame)) {
    setWord(frame, word);
    return frame;
  }
  releaseFrame(frame);
  return 0;
}

/**
 * Takes back a frame whose word is 0; `frame` must not be the zero page. With the last one all count as fresh again: the next address space
 * gets its frames in ascending order, as the first did, so that neighbours in it are neighbours in memory and the same run gives the same PFNs.
 */
export function releaseFrame(frame: u32): void {
  assert(frame != 0, "the zero page is never free");
  if (frame >= FIRST_HUGE_FRAME) {
    releaseHugePart(frame);
    return;
  }
  liveFrames--;
  setContent(frame, freeFrame);
  freeFrame = frame;
  if (liveFrames != 0) return;
  freeFrame = 0;
  freshFrame = 1;
}

/** Returns the first of 512 consecutive frames with contents of 0 and this word each, or 0 when the memory is used up. */
export function allocateHugeFrames(word: u64): u32 {
  const frame = freeHuge != 0 ? freeHuge : freshHuge;
  if (freeHuge != 0) {
    freeHuge = <u32>contentOf(frame);
  } else {
    if (!hasChunk(directory, frame) && !addChunk(directory, frame)) return 0;
    if (!hasChunk(words, frame) && !addChunk(words, frame)) return 0;
    freshHuge += FRAMES_PER_HUGE;
  }
  memory.fill(contentSlot(frame), 0, TABLE_BYTES);
  for (let i: u32 = 0; i < FRAMES_PER_HUGE; i++) setWord(frame + i, word);
  store<u16>(hugeLiveSlot(frame), <u16>FRAMES_PER_HUGE);
  liveHuge++;
  return frame;
}

/** Tells whether every frame is anonymous, mapped once and exclusive, so that nobody need look at words. */
export function framesAreSimple(): bool {
  return specialFrames == 0;
}

/** Returns the content of a frame. */
export function contentOf(frame: u32): u64 {
  return load<u64>(contentSlot(frame));
}

/** Stores the content of a frame that is not the zero page. */
export function setContent(frame: u32, content: u64): void {
  store<u64>(contentSlot(frame), content);
}

/** Returns the number of the page out of its content. */
export function numberIn(content: u64): u64 {
  return content & ~OTHER_BYTES;
}

/** Returns the address of the content of a frame. */
export function contentSlot(frame: u32): usize {
  return <usize>load<u32>(directorySlot(directory, frame)) + ((frame & FRAMES_PER_CHUNK_MASK) << 3);
}

/** Returns the word of a frame. */
export function wordOf(frame: u32): u64 {
  const chunk = <usize>load<u32>(directorySlot(words, frame));
  return chunk == 0 ? 0 : load<u64>(chunk + ((frame & FRAMES_PER_CHUNK_MASK) << 3));
}

/** Makes sure that a frame may be given a word. Returns false when the memory is used up. */
export function ensureWord(frame: u32): bool {
  return hasChunk(words, frame) || addChunk(words, frame);
}

/** Replaces the word of a frame, for which there is room. */
export function setWord(frame: u32, word: u64): void {
  const slot = <usize>load<u32>(directorySlot(words, frame)) + ((frame & FRAMES_PER_CHUNK_MASK) << 3);
  specialFrames += u32(word != 0) - u32(load<u64>(slot) != 0);
  store<u64>(slot, word);
}

/** Changes the flags of a frame that has a word, or room for one. */
export function setFlags(frame: u32, set: u64, clear: u64 = 0): void {
  setWord(frame, (wordOf(frame) & ~clear) | set);
}

/** Returns how many entries map a frame (`folio_precise_page_mapcount`). */
export function mapCount(frame: u32): u32 {
  const word = wordOf(frame);
  if ((word & FRAME_CACHED) != 0) return <u32>(word & COUNT_MASK);
  return (word & FRAME_UNMAPPED) != 0 ? 0 : <u32>(word & COUNT_MASK) + 1;
}

/** Tells whether a frame is a mapping's own, not an object's. */
export function isAnonymous(frame: u32): bool {
  return (wordOf(frame) & FRAME_CACHED) == 0;
}

/** Tells whether an anonymous frame is nobody else's (PageAnonExclusive). */
export function isExclusive(frame: u32): bool {
  return (wordOf(frame) & (FRAME_CACHED | FRAME_SHARED)) == 0;
}

/** Tells whether a frame is part of an unsplit huge page. */
export function isLarge(frame: u32): bool {
  return (wordOf(frame) & FRAME_LARGE) != 0;
}

/** Returns how many frames are managed as one with this one: 512 for an anonymous huge page, other powers of 2 for parts of objects. */
export function folioPages(frame: u32): u32 {
  const word = wordOf(frame);
  if ((word & FRAME_LARGE) == 0) return 1;
  return (word & FRAME_CACHED) != 0 ? (<u32>1) << u32(word >> SLOT_SHIFT) : FRAMES_PER_HUGE;
}

/** Returns the first frame of the folio that a frame is part of. */
export function folioHead(frame: u32): u32 {
  return frame & ~(folioPages(frame) - 1);
}

/** Makes `1 << order` frames of an object one folio. */
export function joinFolio(head: u32, order: u32): void {
  const large = order == 0 ? 0 : FRAME_LARGE | ((<u64>order) << SLOT_SHIFT);
  for (let i: u32 = 0; i < (<u32>1) << order; i++)
    setWord(head + i, (wordOf(head + i) & 0xffffffff & ~FRAME_LARGE) | large);
}

/** Returns the first frame of the huge page that a large frame is part of. */
export function headOf(frame: u32): u32 {
  return frame & ~FRAMES_PER_CHUNK_MASK;
}

/** Returns the swap slot of a frame that is in the swap cache. */
export function cachedSlotOf(frame: u32): u32 {
  return <u32>(wordOf(frame) >> SLOT_SHIFT);
}

/** Puts a frame into the swap cache. */
export function setCachedSlot(frame: u32, slot: u32): void {
  setWord(frame, (wordOf(frame) & 0xffffffff) | FRAME_SWAPCACHE | ((<u64>slot) << SLOT_SHIFT));
}

/** Takes a frame out of the swap cache. */
export function clearCachedSlot(frame: u32): void {
  setWord(frame, wordOf(frame) & 0xffffffff & ~FRAME_SWAPCACHE);
}

/** Notes that one entry more maps a frame that has a word, or room for one. */
export function addMap(frame: u32): void {
  const word = wordOf(frame);
  setWord(frame, (word & FRAME_UNMAPPED) != 0 ? word & ~FRAME_UNMAPPED : word + 1);
}

/**
 * Notes that one entry less maps a frame. An anonymous one that nothing maps any more is freed, unless it is in the swap cache, which
 * the caller has to look at then: returns true in that case.
 */
export function dropMap(frame: u32): bool {
  const word = wordOf(frame);
  if (word == 0) {
    releaseFrame(frame);
    return false;
  }
  if ((word & COUNT_MASK) != 0 || (word & FRAME_CACHED) != 0) {
    assert((word & COUNT_MASK) != 0, "a cached frame is mapped");
    setWord(frame, word - 1);
    return false;
  }
  if ((word & FRAME_SWAPCACHE) != 0) {
    setWord(frame, word | FRAME_UNMAPPED);
    return true;
  }
  dropFrame(frame);
  return false;
}

/**
 * Frees a frame that nothing maps and nothing else keeps. The first one of an anonymous huge page goes on saying whether the huge page is
 * nobody else's, as long as other parts are mapped.
 */
export function dropFrame(frame: u32): void {
  const word = wordOf(frame);
  const isHead = (word & (FRAME_LARGE | FRAME_CACHED)) == FRAME_LARGE && frame == headOf(frame);
  if (word != 0) setWord(frame, isHead ? word & FRAME_SHARED : 0);
  releaseFrame(frame);
}

/**
 * Makes the frames of an anonymous huge page independent of each other (`split_folio`) and gives them flags. Parts that nothing maps are free
 * already.
 */
export function splitLarge(head: u32, flags: u64): void {
  if (!isLarge(head) && wordOf(head) != 0) setWord(head, 0);
  for (let i: u32 = 0; i < FRAMES_PER_HUGE; i++) {
    if (isLarge(head + i)) setFlags(head + i, flags, FRAME_LARGE);
  }
}

/**
 * Splits a folio of an object so that `frame` is alone: each half that does not have it stays whole (`__split_unmapped_folio`). What says that
 * it could not be paged out, or that read-ahead marked it, stays with the first page.
 */
export function splitFolioAround(frame: u32): void {
  let pages = folioPages(frame);
  let head = folioHead(frame);
  let order = <u32>ctz(pages);
  while (order > 0) {
    order--;
    pages >>= 1;
    joinFolio(head, order);
    joinFolio(head + pages, order);
    for (let i: u32 = 0; i < pages; i++) setFlags(head + pages + i, 0, FRAME_RECLAIM);
    if (frame >= head + pages) head += pages;
  }
}

/** A huge page is free when all its frames are. */
function releaseHugePart(frame: u32): void {
  const head = headOf(frame);
  const slot = hugeLiveSlot(head);
  const live = load<u16>(slot) - 1;
  store<u16>(slot, live);
  if (live != 0) return;
  if (wordOf(head) != 0) setWord(head, 0);
  liveHuge--;
  setContent(head, freeHuge);
  freeHuge = head;
  if (liveHuge != 0) return;
  freeHuge = 0;
  freshHuge = FIRST_HUGE_FRAME;
}

function hasChunk(base: usize, frame: u32): bool {
  return load<u32>(directorySlot(base, frame)) != 0;
}

function addChunk(base: usize, frame: u32): bool {
  const chunk = allocateChunk();
  store<u32>(directorySlot(base, frame), <u32>chunk);
  return chunk != 0;
}

/**
 * Chunks come 16 at a time from memory of their own: memory that is filled page by page would have tables and chunks in turn otherwise, and a
 * pass over tables is faster where they are neighbours.
 */
function allocateChunk(): usize {
  if (chunksLeft == 0) {
    nextChunk = reserve(CHUNKS_BYTES);
    if (nextChunk == 0) return allocateBlock();
    memory.fill(nextChunk, 0, CHUNKS_BYTES); // it may have been used before
    chunksLeft = <u32>(CHUNKS_BYTES / TABLE_BYTES);
  }
  const chunk = nextChunk;
  nextChunk += TABLE_BYTES;
  chunksLeft--;
  return chunk;
}

function directorySlot(base: usize, frame: u32): usize {
  return base + ((frame >> FRAMES_PER_CHUNK_SHIFT) << 2);
}

function hugeLiveSlot(head: u32): usize {
  return hugeLive + (((head - FIRST_HUGE_FRAME) >> FRAMES_PER_CHUNK_SHIFT) << 1);
}
