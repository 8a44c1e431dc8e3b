import { ACCESS_RECORD_BYTES, ACCESS_RECORD_PAGE_BITS } from "./abi";
import { PMD_SHIFT } from "./geometry";
import { permits } from "./shadow";
import { findPteTable } from "./table";
import { isShared } from "./uniform";
import { slotIn } from "./walk";

/** Which accesses of a block the shadow does not know, and where the entries of their pages are. */

/** Records of a block: what the shadow does not know of them fits into the first-level cache. */
export const BLOCK_RECORDS: u32 = 1024;
/** Indexes of the records of a block that missed. */
const misses: usize = memory.data((BLOCK_RECORDS << 2) + 4, 8);
/** Slots of their entries; 0 where there is none of the space's own. */
const slots: usize = memory.data(BLOCK_RECORDS << 2, 8);
/** Of a record: the number of its page, and where the bit is that tells a write. */
export const PAGE_MASK: u64 = ((<u64>1) << ACCESS_RECORD_PAGE_BITS) - 1;
export const WRITE_SHIFT: u64 = 63;

/** What was loaded only to have it in the cache. */
export let seen: u64 = 0;

/**
 * Lists the records from `first` to `end` that the shadow does not know, and returns how many they are.
 * Four at a time are passed over by one branch; among four that are not, there is none.
 */
export function listMisses(records: usize, first: u32, end: u32): u32 {
  let target = misses;
  let record = records + <usize>first * ACCESS_RECORD_BYTES;
  let index = first;
  for (; index + 4 <= end; index += 4) {
    const a = load<u64>(record);
    const b = load<u64>(record, 8);
    const c = load<u64>(record, 16);
    const d = load<u64>(record, 24);
    const mayA = permits(a);
    const mayB = permits(b);
    const mayC = permits(c);
    const mayD = permits(d);
    if ((mayA & mayB & mayC & mayD & 1) == 0) {
      target = listUnless(mayA, target, index);
      target = listUnless(mayB, target, index + 1);
      target = listUnless(mayC, target, index + 2);
      target = listUnless(mayD, target, index + 3);
    }
    record += 4 * ACCESS_RECORD_BYTES;
  }
  for (; index < end; index++) {
    target = listUnless(permits(load<u64>(record)), target, index);
    record += ACCESS_RECORD_BYTES;
  }
  return <u32>((target - misses) >> 2);
}

/** Puts an index at the end of a list unless the lowest bit of `may` is set. Returns the end. */
// @ts-ignore: decorator
@inline
function listUnless(may: u32, target: usize, index: u32): usize {
  store<u32>(target, index);
  return target + ((~may & 1) << 2);
}

/**
 * Looks the entries of the misses up, before any of them is handled: the loads do not depend on each other, so that the processor waits for
 * several at once. An entry below a template has no slot yet.
 */
export function findSlots(space: usize, records: usize, missCount: u32): void {
  let area: u64 = u64.MAX_VALUE;
  let table: usize = 0;
  let loaded: u64 = 0;
  for (let i: u32 = 0; i < missCount; i++) {
    const page = recordOf(records, i) & PAGE_MASK;
    if (page >> PMD_SHIFT != area) {
      area = page >> PMD_SHIFT;
      table = findPteTable(space, page);
      if (isShared(table)) table = 0;
    }
    const slot = table == 0 ? <usize>0 : slotIn(table, page);
    loaded |= load<u64>(slot);
    setSlot(i, slot);
  }
  seen = loaded;
}

/** Returns the index of the record of a miss. */
// @ts-ignore: decorator
@inline
export function indexOf(miss: u32): u32 {
  return load<u32>(misses + ((<usize>miss) << 2));
}

/** Returns the record of a miss. */
// @ts-ignore: decorator
@inline
export function recordOf(records: usize, miss: u32): u64 {
  return load<u64>(records + <usize>indexOf(miss) * ACCESS_RECORD_BYTES);
}

/** Returns the slot of the entry of a miss, or 0. */
// @ts-ignore: decorator
@inline
export function slotOf(miss: u32): usize {
  return <usize>load<u32>(slots + ((<usize>miss) << 2));
}

/** Notes the slot of the entry of a miss. */
// @ts-ignore: decorator
@inline
export function setSlot(miss: u32, slot: usize): void {
  store<u32>(slots + ((<usize>miss) << 2), <u32>slot);
}

/** Returns how many of the records from `first` to `end` are writes. */
export function writesIn(records: usize, first: u32, end: u32): u64 {
  let writes: u64 = 0;
  let record = records + <usize>first * ACCESS_RECORD_BYTES;
  const stop = records + <usize>end * ACCESS_RECORD_BYTES;
  if (ASC_FEATURE_SIMD) {
    let pairs = i64x2.splat(0);
    for (; record + 4 * ACCESS_RECORD_BYTES <= stop; record += 4 * ACCESS_RECORD_BYTES) {
      const low = i64x2.shr_u(v128.load(record), <i32>WRITE_SHIFT);
      const high = i64x2.shr_u(v128.load(record, 2 * ACCESS_RECORD_BYTES), <i32>WRITE_SHIFT);
      pairs = i64x2.add(pairs, i64x2.add(low, high));
    }
    writes = i64x2.extract_lane(pairs, 0) + i64x2.extract_lane(pairs, 1);
  }
  for (; record < stop; record += ACCESS_RECORD_BYTES) writes += load<u64>(record) >> WRITE_SHIFT;
  return writes;
}
