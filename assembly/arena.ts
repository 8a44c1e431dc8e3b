import { TABLE_BYTES } from "./geometry";

/**
 * Memory straight from `memory.grow`: blocks of 4 KiB for tables, and larger pieces for buffers.
 *
 * Invariants:
 * - Nothing else in the engine allocates: no managed object, no `heap.alloc`. So all memory above the static data is the arena's.
 * - A block is zero when it is handed out. Fresh memory is zero by definition of Wasm and is not read or written here, which matters
 *   because reading a fresh page first makes the operating system fault on it twice. A freed block must be zero again but for the link
 *   to the next free one, which lies in its first word.
 * - No limit below 4 GiB: offsets are compared as counts of blocks, because the end of the last block does not fit into 32 bits.
 */

const WASM_PAGE_SHIFT: u32 = 16;
const BLOCKS_PER_WASM_PAGE: u32 = 16;
const MAX_WASM_PAGES: u32 = 65536;
/** 4 MiB a step: rare enough to cost nothing a block, small enough not to reserve much in vain. */
const GROW_WASM_PAGES: u32 = 64;

let limitWasmPages: u32 = MAX_WASM_PAGES;
let freeBlock: usize = 0;
/** First of the free pieces: the offset of the next one, then its size, are in its first words. */
let freePiece: usize = 0;
let freshBlock: usize = 0;
let freshCount: u32 = 0;

/** Limits the linear memory to `wasmPages` of 64 KiB; what is in use already stays. */
export function limitMemory(wasmPages: u32): void {
  limitWasmPages = min(wasmPages, MAX_WASM_PAGES);
}

/** Returns a zeroed block of 4 KiB, or 0 when the memory is used up. */
export function allocateBlock(): usize {
  if (freeBlock != 0) {
    const block = freeBlock;
    freeBlock = load<u32>(block);
    store<u32>(block, 0);
    return block;
  }
  if (freshCount == 0 && !takeFresh()) return 0;
  const block = freshBlock;
  freshBlock += TABLE_BYTES;
  freshCount--;
  return block;
}

/** Takes back a block, which must be zero. */
export function freeABlock(block: usize): void {
  if (!ASC_NO_ASSERT) assertZero(block);
  store<u32>(block, <u32>freeBlock);
  freeBlock = block;
}

/** Returns the offset of `bytes` bytes in one piece, aligned to 64 KiB and not cleared, or 0 when there is no room. */
export function reserve(bytes: usize): usize {
  const size = pieceBytes(bytes);
  let previous: usize = 0;
  for (let piece = freePiece; piece != 0; piece = <usize>load<u32>(piece)) {
    if (<usize>load<u32>(piece, 4) == size) {
      if (previous == 0) freePiece = <usize>load<u32>(piece);
      else store<u32>(previous, load<u32>(piece));
      return piece;
    }
    previous = piece;
  }
  return grow(<u32>(size >> WASM_PAGE_SHIFT));
}

/** Takes back a piece of `bytes` bytes. It is kept for another of the same size, not cut into blocks: there are few, and they recur. */
export function release(piece: usize, bytes: usize): void {
  store<u32>(piece, <u32>freePiece);
  store<u32>(piece, <u32>pieceBytes(bytes), 4);
  freePiece = piece;
}

function takeFresh(): bool {
  const size = <u32>memory.size();
  const room = limitWasmPages > size ? limitWasmPages - size : 0;
  const wasmPages = min(GROW_WASM_PAGES, room);
  const start = grow(wasmPages);
  if (start == 0) return false;
  freshBlock = start;
  freshCount = wasmPages * BLOCKS_PER_WASM_PAGE;
  return true;
}

function grow(wasmPages: u32): usize {
  const size = <u32>memory.size();
  if (wasmPages == 0 || <u64>size + wasmPages > limitWasmPages) return 0;
  return memory.grow(wasmPages) < 0 ? 0 : (<usize>size) << WASM_PAGE_SHIFT;
}

function pieceBytes(bytes: usize): usize {
  return (bytes + 0xffff) & ~0xffff;
}

function assertZero(block: usize): void {
  for (let offset: usize = 0; offset < <usize>TABLE_BYTES; offset += 8) {
    assert(load<u64>(block + offset) == 0, "freed block is not zero");
  }
}
