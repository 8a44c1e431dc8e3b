import {
  REGION_BYTES,
  REGION_END,
  REGION_FIRST,
  SPACE_REGION_CAPACITY,
  SPACE_REGION_COUNT,
  SPACE_REGIONS,
} from "./abi";
import { allocateBlock, freeABlock, release, reserve } from "./arena";
import { TABLE_BYTES } from "./geometry";

/**
 * The region table: what a fault may do where. The host publishes it (layout in `abi.ts`); the engine only looks addresses up. It is the
 * host's notion of VMAs, registrations and features boiled down to flags.
 */

/** The region found last, and the space it belongs to: faults come in runs. */
let lastRegion: usize = 0;
let lastSpace: usize = 0;

/** Returns where the host may write `count` region records for `space`, or 0 when the memory is used up. Old records are lost. */
export function regionBuffer(space: usize, count: u32): usize {
  const old = <usize>load<u32>(space, SPACE_REGIONS);
  const capacity = load<u32>(space, SPACE_REGION_CAPACITY);
  if (count <= capacity) return old;
  const bytes = bufferBytes(max(count, capacity << 1));
  const buffer = bytes == <usize>TABLE_BYTES ? allocateBlock() : reserve(bytes);
  if (buffer == 0) return 0;
  releaseRegions(space);
  store<u32>(space, <u32>buffer, SPACE_REGIONS);
  store<u32>(space, <u32>(bytes / REGION_BYTES), SPACE_REGION_CAPACITY);
  return buffer;
}

/** Makes the first `count` records of the buffer the region table. */
export function publishRegions(space: usize, count: u32): void {
  assert(count <= load<u32>(space, SPACE_REGION_CAPACITY), "more regions than were asked for");
  store<u32>(space, count, SPACE_REGION_COUNT);
  lastRegion = 0;
}

/** Gives the memory of the region table back. */
export function releaseRegions(space: usize): void {
  const buffer = <usize>load<u32>(space, SPACE_REGIONS);
  if (buffer != 0) releaseBuffer(buffer, bufferBytes(load<u32>(space, SPACE_REGION_CAPACITY)));
  store<u32>(space, 0, SPACE_REGIONS);
  store<u32>(space, 0, SPACE_REGION_COUNT);
  store<u32>(space, 0, SPACE_REGION_CAPACITY);
  lastRegion = 0;
}

/** Returns the record of the region that holds `page`, or 0. */
export function findRegion(space: usize, page: u64): usize {
  if (lastRegion != 0 && lastSpace == space && holds(lastRegion, page)) return lastRegion;
  const regions = <usize>load<u32>(space, SPACE_REGIONS);
  let low: u32 = 0;
  let high = load<u32>(space, SPACE_REGION_COUNT);
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (load<u64>(regions + <usize>middle * REGION_BYTES, REGION_END) <= page) low = middle + 1;
    else high = middle;
  }
  const region = regions + <usize>low * REGION_BYTES;
  if (low >= load<u32>(space, SPACE_REGION_COUNT) || !holds(region, page)) return 0;
  lastRegion = region;
  lastSpace = space;
  return region;
}

/**
 * Bytes of a buffer for `count` records. The first buffer of a space is one block, which comes from the free ones and goes back to them, so
 * that making and destroying spaces does not make the memory grow.
 */
function bufferBytes(count: u32): usize {
  const bytes = <usize>count * REGION_BYTES;
  return bytes <= <usize>TABLE_BYTES ? <usize>TABLE_BYTES : (bytes + 0xffff) & ~0xffff;
}

function releaseBuffer(buffer: usize, bytes: usize): void {
  if (bytes != <usize>TABLE_BYTES) {
    release(buffer, bytes);
    return;
  }
  memory.fill(buffer, 0, bytes);
  freeABlock(buffer);
}

function holds(region: usize, page: u64): bool {
  return load<u64>(region, REGION_FIRST) <= page && page < load<u64>(region, REGION_END);
}
