import { release, reserve } from "./arena";

/**
 * The permission shadow: two bits for each page of one address space that say which accesses the processor would carry out without changing
 * anything that can be seen, so that replay need not look at tables. It is a cache and may know nothing of a page: bits are set when an access
 * was looked up in the tables, and cleared (`forgetRange`) before anything but replay changes entries or contents.
 *
 *   MAY_READ    a read raises no exception and sets no bit in the entry
 *   MAY_WRITE   neither does a write, and the page already holds the value that the replay under way writes
 *
 *   directory, by 262,144 pages    chunk of 64 KiB
 *   ┌──────┐
 *   │  0   │ ─────────────────────▶ zeros, which no one writes to: nothing is known
 *   │  •   │ ─────────────────────▶ four pages a byte        entries are offsets from the zeros
 *   └──────┘
 *
 * Two bits and not a byte, because the shadow of 4 GiB then fits into a second-level cache.
 */

export const MAY_READ: u32 = 1;
export const MAY_WRITE: u32 = 2;

const CHUNK_SHIFT: u64 = 18;
const CHUNK_BYTES: i32 = 1 << 16;
const CHUNK_MASK: u32 = CHUNK_BYTES - 1;
const WORD_MASK: u32 = CHUNK_MASK & ~3;
const READ_BITS: u64 = 0x5555555555555555;
const DIRECTORY_BYTES: i32 = 1 << 19; // 2^17 chunks for 2^35 pages
const LIVE_BYTES: usize = 1 << 18; // 2^16 chunks would fill 4 GiB

/** At fixed addresses, so that loops need no registers for them. */
const zeros: usize = memory.data(CHUNK_BYTES, 64);
const directory: usize = memory.data(DIRECTORY_BYTES, 64);
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

/** Returns a number whose lowest bit tells whether an access may be carried out; the others mean nothing. `record`: ACCESS_RECORD_. */
// @ts-ignore: decorator
@inline
export function permits(record: u64): u32 {
  const bit = rotl(record, 1); // what tells a write is the lowest bit now, and this the number of the bit in the shadow
  const chunk = load<u32>((<usize>(bit >> (CHUNK_SHIFT + 1))) << 2, directory); // bits above the page number get lost here
  const word = load<u32>(<usize>(chunk + ((<u32>(bit >> 3)) & WORD_MASK)), zeros);
  return word >> (<u32>bit); // by its lowest five bits
}

/** Returns the chunk of a page's byte, to be given to `shadowByte`; 0 where there is none, and nothing may be noted. */
// @ts-ignore: decorator
@inline
export function shadowChunk(page: u64): u32 {
  return load<u32>((<usize>(page >> CHUNK_SHIFT)) << 2, directory);
}

/** Makes a chunk for a page that has none. Returns false when the memory is used up. */
export function ensureShadow(page: u64): bool {
  return addChunk(slotOf(page)) != 0;
}

/** Returns the address of the byte in which the two bits of a page are. */
// @ts-ignore: decorator
@inline
export function shadowByte(chunk: u32, page: u64): usize {
  return zeros + chunk + ((<u32>(page >> 2)) & CHUNK_MASK);
}

/** Returns where in that byte they are. */
// @ts-ignore: decorator
@inline
export function shadowShift(page: u64): u32 {
  return ((<u32>page) & 3) << 1;
}

/** Forgets what is known of a range of a space, whose entries or contents are about to change. */
export function forgetRange(space: usize, firstPage: u64, pageCount: u64): void {
  if (space != ownerSpace || liveCount == 0) return;
  if (pageCount == 1) {
    forgetPage(firstPage);
    return;
  }
  // chunks that go are replaced by the last of the list, so it is walked from its end
  for (let i = liveCount; i > 0; i--) forgetInChunk(i - 1, firstPage, firstPage + pageCount);
}

/** Forgets everything. */
export function forgetAll(): void {
  for (let i = liveCount; i > 0; i--) dropChunk(i - 1);
}

function forgetPage(page: u64): void {
  const offset = load<u32>(slotOf(page));
  if (offset == 0) return;
  const byte = shadowByte(offset, page);
  store<u8>(byte, load<u8>(byte) & ~((<u32>3) << shadowShift(page)));
}

function forgetInChunk(index: u32, firstPage: u64, end: u64): void {
  const chunkFirst = (<u64>chunkNumber(index)) << CHUNK_SHIFT;
  let page = max(firstPage, chunkFirst);
  const last = min(end, chunkFirst + (1 << CHUNK_SHIFT));
  if (page >= last) return;
  if (last - page == 1 << CHUNK_SHIFT) {
    dropChunk(index);
    return;
  }
  for (; page < last && (page & 3) != 0; page++) forgetPage(page);
  const bytes = <usize>((last - page) >> 2);
  memory.fill(shadowByte(load<u32>(slotOf(chunkFirst)), page), 0, bytes);
  for (page += (<u64>bytes) << 2; page < last; page++) forgetPage(page);
}

/** Pages hold another value than the next writes store. */
function forgetWrites(): void {
  for (let i: u32 = 0; i < liveCount; i++) {
    const chunk = zeros + load<u32>((<usize>chunkNumber(i)) << 2, directory);
    for (let at = chunk; at < chunk + CHUNK_BYTES; at += 8) store<u64>(at, load<u64>(at) & READ_BITS);
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

function slotOf(page: u64): usize {
  return directory + ((<usize>(page >> CHUNK_SHIFT)) << 2);
}

function chunkNumber(index: u32): u32 {
  return load<u32>(live + ((<usize>index) << 2));
}
