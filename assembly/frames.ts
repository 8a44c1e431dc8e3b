import { allocateBlock, reserve } from "./arena";

/**
 * Frames of modelled memory: what present entries map. A frame is a number, and its content is one u64, which stands for the 4096 bytes
 * of a page. Frame 0 is the shared zero page, whose content stays 0.
 *
 *   directory            chunk of 512 contents (one 4 KiB block)
 *   ┌────────┐           ┌─────────┬─────────┬─
 *   │ 0..511 │ ────────▶ │ frame 0 │ frame 1 │ …       a free frame's content is the number of the next free one
 *   │ ..1023 │ ─▶ …      └─────────┴─────────┴─
 *   └────────┘
 */

const FRAMES_PER_CHUNK_SHIFT: u32 = 9;
const FRAMES_PER_CHUNK_MASK: u32 = 511;
/** 2^29 frames, the contents of which would fill all of a 4 GiB memory. */
const DIRECTORY_BYTES: usize = 1 << 22;

const directory: usize = reserve(DIRECTORY_BYTES);
let freeFrame: u32 = 0;
let liveFrames: u32 = 0;
/** The first frame never used. The content of frame 0, the zero page, is read before its chunk exists: then it is the 0 at offset 0. */
let freshFrame: u32 = 1;

/** Returns a frame whose content is 0, or 0 when the memory is used up. */
export function allocateFrame(): u32 {
  const frame = freeFrame != 0 ? freeFrame : freshFrame;
  if (freeFrame != 0) freeFrame = <u32>contentOf(frame);
  else if (hasChunk(frame) || addChunk(frame)) freshFrame++;
  else return 0;
  liveFrames++;
  setContent(frame, 0);
  return frame;
}

/**
 * Takes back a frame; `frame` must not be the zero page. With the last one all count as fresh again: the next address space gets its frames
 * in ascending order, as the first did, so that neighbours in it are neighbours in memory and the same run gives the same PFNs.
 */
export function releaseFrame(frame: u32): void {
  assert(frame != 0, "the zero page is never free");
  liveFrames--;
  setContent(frame, freeFrame);
  freeFrame = frame;
  if (liveFrames != 0) return;
  freeFrame = 0;
  freshFrame = 1;
}

/** Returns the content of a frame. */
export function contentOf(frame: u32): u64 {
  return load<u64>(contentSlot(frame));
}

/** Stores the content of a frame that is not the zero page. */
export function setContent(frame: u32, content: u64): void {
  store<u64>(contentSlot(frame), content);
}

/** Returns the address of the content of a frame. */
export function contentSlot(frame: u32): usize {
  return <usize>load<u32>(directorySlot(frame)) + ((frame & FRAMES_PER_CHUNK_MASK) << 3);
}

function hasChunk(frame: u32): bool {
  return load<u32>(directorySlot(frame)) != 0;
}

function addChunk(frame: u32): bool {
  const chunk = allocateBlock();
  store<u32>(directorySlot(frame), <u32>chunk);
  return chunk != 0;
}

function directorySlot(frame: u32): usize {
  return directory + ((frame >> FRAMES_PER_CHUNK_SHIFT) << 2);
}
