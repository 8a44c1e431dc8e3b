import "./heap";
import {
  COUNTER_ANON_PAGES,
  COUNTER_COUNT,
  COUNTER_PTE_TABLES_ALLOCATED,
  COUNTER_PTE_TABLES_FREED,
  COUNTER_REAL_TABLES,
  REGION_BYTES,
  REGION_END,
  REGION_FIRST,
  REGION_FLAGS,
  REGION_OBJECT,
  REGION_OFFSET,
  REGION_OWNER,
  REGION_READ,
  REGION_TAG,
  REGION_UFFD_MISSING,
  REGION_UFFD_WP,
  REGION_WP_ASYNC,
  REGION_WRITE,
  RESULT_MAJFLT,
  RESULT_MINFLT,
  RESULT_REASON,
  RESULT_VALUE,
  SPACE_PGD,
  SPACE_REGION_COUNT,
} from "../../abi";
import { allocateFrame, setContent } from "../../frames";
import { publishRegions, regionBuffer } from "../../regions";
import { result } from "../../result";
import { createSpace } from "../../space";
import { addTo, counterOf } from "../../stats";
import { adjustCounts, ensurePteTable, noteEntry } from "../../table";

/** Building the address spaces of the specs and looking into them, with page-table arithmetic of its own. */

export const ANON: u32 = REGION_READ | REGION_WRITE;
export const WP: u32 = ANON | REGION_UFFD_WP;
export const ASYNC: u32 = WP | REGION_WP_ASYNC;
export const MISSING: u32 = ANON | REGION_UFFD_MISSING;

/** A page in the middle of the address space whose next page begins another 512 GiB: page 511 of everything. */
export const LAST_OF_SLOT: u64 = 0x3ffffffff;
/** The first page of that slot. */
export const SLOT: u64 = 0x400000000;

/** Entries with a PFN of 0, as published. */
export const WRITTEN: u64 = 0x8000000000000067;
export const WRITTEN_WP: u64 = 0x8400000000000425;
export const WRITTEN_READ_ONLY: u64 = 0x8400000000000025;
export const ZERO: u64 = 0x8000000000000225;
export const ZERO_WP: u64 = 0x8000000000000625;
export const MARKER: u64 = 0xfffffffffffffc00;

const PFN_BITS: u64 = 0x000ffffffffff000;

/** Returns a new space with one region of `pageCount` pages from `first` on. */
export function spaceWith(first: u64, pageCount: u64, flags: u32): usize {
  const space = createSpace();
  addRegion(space, first, pageCount, flags);
  return space;
}

/** Adds a region behind all others; its tag is its index. */
export function addRegion(space: usize, first: u64, pageCount: u64, flags: u32): void {
  const index = load<u32>(space, SPACE_REGION_COUNT);
  const buffer = regionBuffer(space, index + 1);
  writeRegion(buffer, index, first, pageCount, flags);
  publishRegions(space, index + 1);
}

/** Writes one record of a region buffer. */
export function writeRegion(buffer: usize, index: u32, first: u64, pageCount: u64, flags: u32): void {
  const record = buffer + <usize>index * REGION_BYTES;
  store<u64>(record, first, REGION_FIRST);
  store<u64>(record, first + pageCount, REGION_END);
  store<u32>(record, flags, REGION_FLAGS);
  store<u32>(record, index, REGION_TAG);
  store<u32>(record, 0, REGION_OBJECT);
  store<u32>(record, 0, REGION_OWNER);
  store<u64>(record, 0, REGION_OFFSET);
}

/** Adds a region that maps `object` from its page `offset` on, behind all others. */
export function addObjectRegion(
  space: usize,
  first: u64,
  pageCount: u64,
  flags: u32,
  object: usize,
  offset: u64 = 0,
): void {
  const index = load<u32>(space, SPACE_REGION_COUNT);
  const buffer = regionBuffer(space, index + 1);
  writeRegion(buffer, index, first, pageCount, flags);
  const record = buffer + <usize>index * REGION_BYTES;
  store<u32>(record, <u32>object, REGION_OBJECT);
  store<u64>(record, offset, REGION_OFFSET);
  publishRegions(space, index + 1);
}

/** Gives the only region of a space other flags, as another registration does. */
export function setFlags(space: usize, flags: u32): void {
  const count = load<u32>(space, SPACE_REGION_COUNT);
  store<u32>(regionBuffer(space, count), flags, REGION_FLAGS);
  publishRegions(space, count);
}

/** Returns the last-level entry for `page`; 0 where there is no table but a hole or a huge page. */
export function entryAt(space: usize, page: u64): u64 {
  let table = <usize>load<u32>(space, SPACE_PGD);
  for (let shift: u64 = 27; shift > 0; shift -= 9) {
    const entry = load<u64>(table + <usize>(((page >> shift) & 511) * 8));
    if ((entry & 0x81) != 1) return 0;
    table = <usize>(entry & PFN_BITS);
  }
  return load<u64>(table + <usize>((page & 511) * 8));
}

/** Returns the PMD entry for `page`; 0 where there is no table for it. */
export function pmdAt(space: usize, page: u64): u64 {
  let table = <usize>load<u32>(space, SPACE_PGD);
  for (let shift: u64 = 27; shift > 9; shift -= 9) {
    const entry = load<u64>(table + <usize>(((page >> shift) & 511) * 8));
    if (entry == 0) return 0;
    table = <usize>(entry & PFN_BITS);
  }
  return load<u64>(table + <usize>(((page >> 9) & 511) * 8));
}

/** Returns an entry without its PFN. A PFN that is stored inverted is left out as well. */
export function flagsAt(space: usize, page: u64): u64 {
  const entry = entryAt(space, page);
  return entry == MARKER ? entry : entry & ~PFN_BITS;
}

/** Returns the frame that an entry maps, read by hand. */
export function frameAt(space: usize, page: u64): u64 {
  const entry = entryAt(space, page);
  return ((((entry & 1) != 0 ? entry : ~entry) & PFN_BITS) >> 12) - 0x100000;
}

/** Puts an entry with the flags of `entry` at `page`; it gets a frame of its own with the content `page` unless it is the zero page. */
export function place(space: usize, page: u64, entry: u64): void {
  const table = ensurePteTable(space, page);
  const isMarker = entry == MARKER;
  let placed = entry;
  if (!isMarker) {
    const frame: u64 = (entry & 0x200) != 0 ? 0 : allocateFrame();
    const address = (frame + 0x100000) << 12;
    placed |= (entry & 1) != 0 ? address : ~address & PFN_BITS;
    if (frame != 0) {
      setContent(<u32>frame, page);
      addTo(space, COUNTER_ANON_PAGES, 1);
    }
  }
  store<u64>(table + <usize>((page & 511) * 8), placed);
  adjustCounts(table, 1, i32(isMarker));
  noteEntry(table, placed);
}

/** Returns how many entries of a range have the flags of `entry`. */
export function countEntries(space: usize, first: u64, pageCount: u64, entry: u64): u64 {
  let count: u64 = 0;
  for (let page = first; page < first + pageCount; page++) count += u64(flagsAt(space, page) == entry);
  return count;
}

/** Expects the event counters of a space: pairs of counter and value, all others 0. Numbers of tables and pages are not events. */
export function expectEvents(space: usize, pairs: u32[]): void {
  let mistakes = "";
  for (let counter: u32 = COUNTER_ANON_PAGES + 1; counter < <u32>COUNTER_COUNT; counter++) {
    if (counter == COUNTER_PTE_TABLES_ALLOCATED || counter == COUNTER_PTE_TABLES_FREED) continue;
    if (counter == COUNTER_REAL_TABLES) continue;
    const value = counterOf(space, counter);
    const expected = valueIn(pairs, counter);
    if (value != expected) mistakes += `counter ${counter}: ${value}, not ${expected}; `;
  }
  expect<string>(mistakes).toBe("", "the counters show what happened and nothing else");
}

function valueIn(pairs: u32[], counter: u32): u64 {
  for (let i = 0; i < pairs.length; i += 2) {
    if (pairs[i] == counter) return pairs[i + 1];
  }
  return 0;
}

/** The fields of the result block. */
export function minflt(): u32 {
  return load<u32>(result, RESULT_MINFLT);
}

export function majflt(): u32 {
  return load<u32>(result, RESULT_MAJFLT);
}

export function reason(): i32 {
  return load<i32>(result, RESULT_REASON);
}

export function valueRead(): u64 {
  return load<u64>(result, RESULT_VALUE);
}
