/**
 * Exports only: numbers are turned into the engine's types, nothing is decided. Page numbers and contents cross as f64 (exact to 2^53), offsets and
 * counts that fit as u32. Arguments are checked by the host (`ts/engine/engine.ts`).
 */
import { accessPage, resumeAccess, touchPages } from "./access";
import { limitMemory as limit, reserve as reserveBytes } from "./arena";
import { fillCopy as copyInto, fillPoison as poison, fillZero as mapZero } from "./fill";
import { installGuards as install, removeGuards as remove } from "./guard";
import { changeProtection as change } from "./mprotect";
import { readContents as contents, readEntries as entries, readPagemap as pagemap } from "./pagemap";
import { populate as populateRange } from "./populate";
import { protect as protectRange, unprotect as unprotectRange } from "./protect";
import { publishRegions as publish, regionBuffer as buffer } from "./regions";
import { replay as replayRecords, setFaultRecords as setRecords } from "./replay";
import { result } from "./result";
import { scan as scanRange, scanBlock } from "./scan";
import { createSpace as create, destroySpace as destroy } from "./space";
import { freeTables as free, zap as zapRange } from "./zap";

/** Limits the linear memory to so many pages of 64 KiB. */
export function limitMemory(wasmPages: u32): void {
  limit(wasmPages);
}

/** Returns the offset of `bytes` bytes in one piece, or 0. */
export function reserve(bytes: u32): usize {
  return reserveBytes(bytes);
}

/** Returns the offset of the result block. */
export function resultBlock(): usize {
  return result;
}

/** Returns the offset of the scan block. */
export function scanState(): usize {
  return scanBlock;
}

/** Returns the handle of a new address space, or 0. */
export function createSpace(): usize {
  return create();
}

/** Frees an address space. */
export function destroySpace(space: usize): void {
  destroy(space);
}

/** Returns where `count` region records may be written, or 0. */
export function regionBuffer(space: usize, count: u32): usize {
  return buffer(space, count);
}

/** Makes the records in the buffer the region table. */
export function publishRegions(space: usize, count: u32): void {
  publish(space, count);
}

/** Write-protects a range: OK or ENOMEM. */
export function protect(space: usize, firstPage: f64, pageCount: f64, flags: u32): i32 {
  return protectRange(space, u64(firstPage), u64(pageCount), flags);
}

/** Removes the write protection of a range: OK. */
export function unprotect(space: usize, firstPage: f64, pageCount: f64, flags: u32): i32 {
  return unprotectRange(space, u64(firstPage), u64(pageCount), flags);
}

/** Gives the pages of a range a new protection: OK. */
export function changeProtection(space: usize, firstPage: f64, pageCount: f64, flags: u32): i32 {
  return change(space, u64(firstPage), u64(pageCount), flags);
}

/** Removes what a range maps: OK. */
export function zap(space: usize, firstPage: f64, pageCount: f64, flags: u32): i32 {
  return zapRange(space, u64(firstPage), u64(pageCount), flags);
}

/** Frees the tables of an unmapped range that no neighbour needs. */
export function freeTables(space: usize, firstPage: f64, pageCount: f64, floor: f64, ceiling: f64): void {
  free(space, u64(firstPage), u64(pageCount), u64(floor), u64(ceiling));
}

/** Faults a range in. Returns the pages done. */
export function populate(space: usize, firstPage: f64, pageCount: f64, access: u32): f64 {
  return f64(populateRange(space, u64(firstPage), u64(pageCount), access));
}

/** Fills a range with new pages. Returns the pages done. */
export function fillCopy(space: usize, firstPage: f64, pageCount: f64, flags: u32, value: f64, step: f64): f64 {
  return f64(copyInto(space, u64(firstPage), u64(pageCount), flags, u64(value), u64(step)));
}

/** Fills a range with the zero page. Returns the pages done. */
export function fillZero(space: usize, firstPage: f64, pageCount: f64, flags: u32): f64 {
  return f64(mapZero(space, u64(firstPage), u64(pageCount), flags));
}

/** Fills a range with poison markers. Returns the pages done. */
export function fillPoison(space: usize, firstPage: f64, pageCount: f64): f64 {
  return f64(poison(space, u64(firstPage), u64(pageCount)));
}

/** Makes every entry of a range a guard marker: OK or ENOMEM. */
export function installGuards(space: usize, firstPage: f64, pageCount: f64): i32 {
  return install(space, u64(firstPage), u64(pageCount));
}

/** Makes the guard markers of a range none: OK. */
export function removeGuards(space: usize, firstPage: f64, pageCount: f64): i32 {
  return remove(space, u64(firstPage), u64(pageCount));
}

/** Reads or writes a page: an OUTCOME_ or ENOMEM. */
export function access(space: usize, page: f64, kind: u32, value: f64): i32 {
  return accessPage(space, u64(page), kind, u64(value));
}

/** Goes on with an access whose fault waited: an OUTCOME_ or ENOMEM. */
export function resume(space: usize, page: f64, kind: u32, value: f64, waits: u32): i32 {
  return resumeAccess(space, u64(page), kind, u64(value), waits);
}

/** Reads or writes every `stride`-th page of a range. Returns the accesses done. */
export function touch(space: usize, firstPage: f64, pageCount: f64, stride: f64, kind: u32, value: f64): f64 {
  return f64(touchPages(space, u64(firstPage), u64(pageCount), u64(stride), kind, u64(value)));
}

/** Says where replay writes fault records. */
export function setFaultRecords(address: usize, capacity: u32): void {
  setRecords(address, capacity);
}

/** Replays a block of access records. Returns the accesses done. */
export function replay(space: usize, records: usize, count: u32, value: f64, policy: u32, waits: u32): u32 {
  return replayRecords(space, records, count, u64(value), policy, waits);
}

/** Scans a range of one region as the scan block says: OK, ENOSPC or ENOMEM. */
export function scan(space: usize, firstPage: f64, pageCount: f64): i32 {
  return scanRange(space, u64(firstPage), u64(pageCount));
}

/** Writes the pagemap word of each page. */
export function readPagemap(space: usize, firstPage: f64, pageCount: u32, target: usize): void {
  pagemap(space, u64(firstPage), pageCount, target);
}

/** Writes the raw entry of each page. */
export function readEntries(space: usize, firstPage: f64, pageCount: u32, target: usize): void {
  entries(space, u64(firstPage), pageCount, target);
}

/** Writes the content of each page. */
export function readContents(space: usize, firstPage: f64, pageCount: u32, target: usize): void {
  contents(space, u64(firstPage), pageCount, target);
}
