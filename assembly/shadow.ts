import { release, reserve } from "./arena";

/**
 * The permission shadow: a byte for each page of one address space that says which accesses the processor would carry out without changing
 * anything that can be seen, so that replay need not look at tables. It is a cache and may know nothing of a page: a byte is set when an access
 * was looked up in the tables, and cleared (`forgetRange`) before anything but replay changes entries or contents.
 *
 *   bit 0   a read raises no exception and sets no bit in the entry
 *   bit 1   neither does a write, and the page already holds the value that the replay under way writes
 *
 *   directory, by 65,536 pages     chunk of 64 KiB
 *   ┌──────┐
 *   │  0   │ ─────────────────────▶ zeros, which no one writes to: nothing is known
 *   │  •   │ ─────────────────────▶ a byte a page        entries are offsets from the zeros
 *   └──────┘
 */

export const MAY_READ: u32 = 1;
export const MAY_WRITE: u32 = 2;

const CHUNK_SHIFT: u64 = 16;
const CHUNK_BYTES: usize = 1 << 16;
const DIRECTORY_BYTES: usize = 1 << 21; // 2^19 chunks for 2^35 pages
const LIVE_BYTES: usize = 1 << 18; // 2^16 chunks would fill 4 GiB

const zeros: usize = reserve(CHUNK_BYTES);
const directory: usize = reserve(DIRECTORY_BYTES);
/** Numbers of the chunks that there are. */
const live: usize = reserve(LIVE_BYTES);
let liveCount: u32 = 0;
let ownerSpace: usize = 0;
let writtenValue: u64 = 0;

/** Makes the shadow one of `space` for writes of `value`; what was known of another space is lost. */
export function useShadow(space: usize, value: u64): void {
  if (space != ownerSpace) forgetAll();
  else if (value != writtenValue) forgetWrites();
  ownerSpace = space;
  writtenValue = value;
}

/** Returns the byte of a page. */
// @ts-ignore: decorator
@inline
export function shadowOf(page: u64): u32 {
  return load<u8>(zeros + load<u32>(directory + ((<usize>(page >> CHUNK_SHIFT)) << 2)) + ((<usize>page) & 0xffff));
}

/** Notes what accesses to a page may do. Without memory for a chunk nothing is noted. */
export function noteAccess(page: u64, bits: u32): void {
  const slot = directory + ((<usize>(page >> CHUNK_SHIFT)) << 2);
  let offset = load<u32>(slot);
  if (offset == 0) offset = addChunk(slot);
  if (offset == 0) return;
  const byte = zeros + offset + ((<usize>page) & 0xffff);
  store<u8>(byte, load<u8>(byte) | bits);
}

/** Forgets what is known of a range of a space, whose entries or contents are about to change. */
export function forgetRange(space: usize, firstPage: u64, pageCount: u64): void {
  if (space != ownerSpace || liveCount == 0) return;
  if (pageCount == 1) {
    const chunk = load<u32>(directory + ((<usize>(firstPage >> CHUNK_SHIFT)) << 2));
    if (chunk != 0) store<u8>(zeros + chunk + ((<usize>firstPage) & 0xffff), 0);
    return;
  }
  // chunks that go are replaced by the last of the list, so it is walked from its end
  for (let i = liveCount; i > 0; i--) forgetInChunk(i - 1, firstPage, firstPage + pageCount);
}

/** Forgets everything. */
export function forgetAll(): void {
  for (let i = liveCount; i > 0; i--) dropChunk(i - 1);
}

/** Returns the bytes of linear memory that the shadow takes for what it knows. */
export function shadowBytes(): usize {
  return <usize>liveCount * CHUNK_BYTES;
}

function forgetInChunk(index: u32, firstPage: u64, end: u64): void {
  const number = chunkNumber(index);
  const chunkFirst = (<u64>number) << CHUNK_SHIFT;
  const first = max(firstPage, chunkFirst);
  const last = min(end, chunkFirst + (1 << CHUNK_SHIFT));
  if (first >= last) return;
  if (last - first == 1 << CHUNK_SHIFT) dropChunk(index);
  else
    memory.fill(
      zeros + load<u32>(directory + ((<usize>number) << 2)) + ((<usize>first) & 0xffff),
      0,
      <usize>(last - first),
    );
}

/** Pages hold another value than the next writes store. */
function forgetWrites(): void {
  for (let i: u32 = 0; i < liveCount; i++) {
    const chunk = zeros + load<u32>(directory + ((<usize>chunkNumber(i)) << 2));
    for (let at = chunk; at < chunk + CHUNK_BYTES; at += 8) store<u64>(at, load<u64>(at) & 0x0101010101010101);
  }
}

function addChunk(slot: usize): u32 {
  const chunk = reserve(CHUNK_BYTES);
  if (chunk == 0) return 0;
  memory.fill(chunk, 0, CHUNK_BYTES); // one that was used before
  store<u32>(live + ((<usize>liveCount) << 2), <u32>((slot - directory) >> 2));
  liveCount++;
  store<u32>(slot, <u32>(chunk - zeros));
  return <u32>(chunk - zeros);
}

function dropChunk(index: u32): void {
  const slot = directory + ((<usize>chunkNumber(index)) << 2);
  release(zeros + load<u32>(slot), CHUNK_BYTES);
  store<u32>(slot, 0);
  liveCount--;
  store<u32>(live + ((<usize>index) << 2), chunkNumber(liveCount));
}

function chunkNumber(index: u32): u32 {
  return load<u32>(live + ((<usize>index) << 2));
}
