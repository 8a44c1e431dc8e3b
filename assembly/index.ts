/**
 * Exports only: numbers are turned into the engine's types, nothing is decided; and whatever changes entries or contents makes replay forget
 * what it knew of them (`shadow.ts`). Page numbers and contents cross as f64 (exact to 2^53), offsets and
 * counts that fit as u32. Arguments are checked by the host (`ts/engine/engine.ts`).
 */
import { PAGE_LIMIT_BITS } from "./abi";
import { accessPage, resumeAccess } from "./access";
import { limitMemory as limit, release as releaseBytes, reserve as reserveBytes } from "./arena";
import {
  collapseAnonymous as collapse,
  collapseObject as collapseCached,
  countCached as count,
  mapCollapsed as mapHuge,
  retractTable as retract,
} from "./collapse";
import { fillContinue as continueFrom, fillCopy as copyInto, fillPoison as poison, fillZero as mapZero } from "./fill";
import { copyRange as copy } from "./fork";
import { FRAMES_PER_HUGE } from "./frames";
import { freeTables as free } from "./free-tables";
import { setFaultRecords as setRecords } from "./fault-records";
import { splitHugeAt as splitHuge } from "./huge";
import { installGuards as install, removeGuards as removeAll } from "./guard";
import {
  changeHugetlb as changeHuge,
  copyHugetlb as copyHuge,
  countInSet as countSet,
  moveHugetlb as moveHuge,
  protectHugetlb as protectHuge,
  punchHugetlb as punchHuge,
  zapHugetlb as zapHuge,
  zeroHugetlb as zeroHuge,
} from "./hugetlb";
import {
  configureHugePool,
  reserveHugePages as reserveHuge,
  unreserveHugePages as unreserveHuge,
} from "./hugetlb-pool";
import { movePages as moveTo } from "./move-pages";
import { moveTables as moveRange } from "./move-tables";
import { changeProtection as change } from "./mprotect";
import {
  createObject as createAnObject,
  destroyObject as destroyAnObject,
  bringBackCached as bringBackPage,
  clearCached as clear,
  maySplitCached as maySplit,
  removeCached as remove,
  setPages,
  folioOrder as orderOf,
  splitCached as splitCachedPage,
  splitCachedAround as splitAround,
} from "./object";
import { readContents as contents, readEntries as entries, readPagemap as pagemap } from "./pagemap";
import { countStates as states, drawTile as draw } from "./picture";
import { populate as populateRange } from "./populate";
import { protect as protectRange, unprotect as unprotectRange } from "./protect";
import { reclaim as reclaimRange } from "./reclaim";
import { publishRegions as publish, regionBuffer as buffer } from "./regions";
import { replay as replayRecords } from "./replay";
import { result } from "./result";
import { scan as scanRange, scanBlock, scanProtects } from "./scan";
import { forgetRange } from "./shadow";
import { createSpace as create, destroySpace as destroy, setKernel as setDifferences } from "./space";
import { configureSwap } from "./swap";
import { touchPages } from "./touch";
import { isShared as isTemplate, setSharing as share } from "./uniform";
import { zap as zapRange } from "./zap";

/** Limits the linear memory to so many pages of 64 KiB. */
export function limitMemory(wasmPages: u32): void {
  limit(wasmPages);
}

/** Says whether equal tables are kept once; before the first space is made. */
export function setSharing(shares: bool): void {
  share(shares);
}

/** Returns the offset of `bytes` bytes in one piece, or 0. */
export function reserve(bytes: u32): usize {
  return reserveBytes(bytes);
}

/** Takes back what `reserve` has returned for that many bytes. */
export function release(piece: usize, bytes: u32): void {
  releaseBytes(piece, bytes);
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

/** Says by KERNEL_ bits what the kernel of a space does differently from the newest one. */
export function setKernel(space: usize, differences: u32): void {
  setDifferences(space, differences);
}

/** Frees an address space. */
export function destroySpace(space: usize): void {
  forgetRange(space, 0, (<u64>1) << PAGE_LIMIT_BITS);
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
  forgetRange(space, u64(firstPage), u64(pageCount));
  return protectRange(space, u64(firstPage), u64(pageCount), flags);
}

/** Removes the write protection of a range: OK. */
export function unprotect(space: usize, firstPage: f64, pageCount: f64, flags: u32): i32 {
  forgetRange(space, u64(firstPage), u64(pageCount));
  return unprotectRange(space, u64(firstPage), u64(pageCount), flags);
}

/** Gives the pages of a range a new protection: OK. */
export function changeProtection(space: usize, firstPage: f64, pageCount: f64, flags: u32): i32 {
  forgetRange(space, u64(firstPage), u64(pageCount));
  return change(space, u64(firstPage), u64(pageCount), flags);
}

/** Removes what a range maps: OK. */
export function zap(space: usize, firstPage: f64, pageCount: f64, flags: u32): i32 {
  forgetRange(space, u64(firstPage), u64(pageCount));
  return zapRange(space, u64(firstPage), u64(pageCount), flags);
}

/** Frees the tables of an unmapped range that no neighbour needs. */
export function freeTables(space: usize, firstPage: f64, pageCount: f64, floor: f64, ceiling: f64): void {
  free(space, u64(firstPage), u64(pageCount), u64(floor), u64(ceiling));
}

/** Faults a range in. Returns the pages done. */
export function populate(space: usize, firstPage: f64, pageCount: f64, access: u32): f64 {
  forgetRange(space, u64(firstPage), u64(pageCount));
  return f64(populateRange(space, u64(firstPage), u64(pageCount), access));
}

/** Fills a range with new pages. Returns the pages done. */
export function fillCopy(space: usize, firstPage: f64, pageCount: f64, flags: u32, value: f64, step: f64): f64 {
  forgetRange(space, u64(firstPage), u64(pageCount));
  return f64(copyInto(space, u64(firstPage), u64(pageCount), flags, u64(value), u64(step)));
}

/** Fills a range with the zero page. Returns the pages done. */
export function fillZero(space: usize, firstPage: f64, pageCount: f64): f64 {
  forgetRange(space, u64(firstPage), u64(pageCount));
  return f64(mapZero(space, u64(firstPage), u64(pageCount)));
}

/** Fills a range with pages of the object. Returns the pages done. */
export function fillContinue(space: usize, firstPage: f64, pageCount: f64, flags: u32): f64 {
  forgetRange(space, u64(firstPage), u64(pageCount));
  return f64(continueFrom(space, u64(firstPage), u64(pageCount), flags));
}

/** Moves pages to another mapping. Returns the pages done. */
export function movePages(space: usize, target: f64, source: f64, pageCount: f64, flags: u32): f64 {
  forgetRange(space, u64(target), u64(pageCount));
  forgetRange(space, u64(source), u64(pageCount));
  return f64(moveTo(space, u64(target), u64(source), u64(pageCount), flags));
}

/** Fills a range with poison markers. Returns the pages done. */
export function fillPoison(space: usize, firstPage: f64, pageCount: f64): f64 {
  forgetRange(space, u64(firstPage), u64(pageCount));
  return f64(poison(space, u64(firstPage), u64(pageCount)));
}

/** Makes every entry of a range a guard marker: OK or ENOMEM. */
export function installGuards(space: usize, firstPage: f64, pageCount: f64, zapFlags: u32): i32 {
  forgetRange(space, u64(firstPage), u64(pageCount));
  return install(space, u64(firstPage), u64(pageCount), zapFlags);
}

/** Makes the guard markers of a range none: OK. */
export function removeGuards(space: usize, firstPage: f64, pageCount: f64): i32 {
  forgetRange(space, u64(firstPage), u64(pageCount));
  return removeAll(space, u64(firstPage), u64(pageCount));
}

/** Reads or writes a page: an OUTCOME_ or ENOMEM. */
export function access(space: usize, page: f64, kind: u32, value: f64): i32 {
  forgetRange(space, u64(page), 1);
  return accessPage(space, u64(page), kind, u64(value));
}

/** Goes on with an access whose fault waited: an OUTCOME_ or ENOMEM. */
export function resume(space: usize, page: f64, kind: u32, value: f64, waits: u32): i32 {
  forgetRange(space, u64(page), 1);
  return resumeAccess(space, u64(page), kind, u64(value), waits);
}

/** Reads or writes every `stride`-th page of a range. Returns the accesses done. */
export function touch(space: usize, firstPage: f64, pageCount: f64, stride: f64, kind: u32, value: f64): f64 {
  forgetRange(space, u64(firstPage), u64(pageCount));
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
  if (scanProtects()) forgetRange(space, u64(firstPage), u64(pageCount));
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

/** Tells whether a table is a template. */
export function isSharedTable(table: usize): bool {
  return isTemplate(table);
}

/** Draws a tile of the picture. */
export function drawTile(space: usize, zoom: u32, column: u32, row: u32, target: usize): void {
  draw(space, zoom, column, row, target);
}

/** Writes how many pages of a range are in each state. */
export function countStates(space: usize, firstPage: f64, pageCount: f64, target: usize): void {
  states(space, u64(firstPage), u64(pageCount), target);
}

/** Sets the machine's pools of huge pages and of swap slots; nothing may be in use. */
export function configureMachine(hugePages: u32, swapPages: u32): void {
  configureHugePool(hugePages);
  configureSwap(swapPages);
}

/** Returns the handle of a new object, or 0. */
export function createObject(kind: u32, pages: f64): usize {
  return createAnObject(kind, u64(pages));
}

/** Frees an object that nothing maps. */
export function destroyObject(object: usize): void {
  destroyAnObject(object);
}

/** Splits the huge page that a mapping's edge is to lie in: OK or ENOMEM. */
export function splitHugeAt(space: usize, page: f64): i32 {
  return splitHuge(space, u64(page));
}

/** Moves the end of an object's file. */
export function setObjectPages(object: usize, pages: f64): void {
  setPages(object, u64(pages));
}

/** Takes pages out of an object that nothing maps. */
export function removeCached(object: usize, index: f64, count: f64): void {
  remove(object, u64(index), u64(count));
}

/** Reads what a tmpfs object has at `index` back from swap. */
export function bringBackCached(object: usize, index: f64): void {
  bringBackPage(object, u64(index));
}

/** Fills pages of an object with zeros. */
export function clearCached(object: usize, index: f64, count: f64): void {
  clear(object, u64(index), u64(count));
}

/** Tells whether the folio of an object that holds `index` may be split. */
export function maySplitCached(object: usize, index: f64): bool {
  return maySplit(object, u64(index));
}

/** Splits the huge page of an object that holds `index`, which nothing maps. */
export function splitCached(object: usize, index: f64): void {
  splitCachedPage(object, u64(index));
}

/** Splits the folio of an object that holds `index`, which nothing maps, so that this page is alone. */
export function splitCachedAround(object: usize, index: f64): void {
  splitAround(object, u64(index));
}

/** Returns log2 of the pages of the folio that an object has at `index`. */
export function folioOrder(object: usize, index: f64): u32 {
  return orderOf(object, u64(index));
}

/** Copies the entries of a range into a child: OK or ENOMEM. */
export function copyRange(parent: usize, child: usize, firstPage: f64, pageCount: f64, flags: u32): i32 {
  forgetRange(parent, u64(firstPage), u64(pageCount));
  return copy(parent, child, u64(firstPage), u64(pageCount), flags);
}

/** Moves entries to another address: OK or ENOMEM. */
export function moveTables(space: usize, firstPage: f64, newFirst: f64, pageCount: f64, flags: u32): i32 {
  forgetRange(space, u64(firstPage), u64(pageCount));
  forgetRange(space, u64(newFirst), u64(pageCount));
  return moveRange(space, u64(firstPage), u64(newFirst), u64(pageCount), flags);
}

/** Pages out, ages or frees lazily. Returns the pages done. */
export function reclaim(space: usize, firstPage: f64, pageCount: f64, kind: u32, skips: bool): f64 {
  forgetRange(space, u64(firstPage), u64(pageCount));
  return f64(reclaimRange(space, u64(firstPage), u64(pageCount), kind, skips));
}

/** Makes a huge page of 2 MiB of anonymous memory: OK or an errno. */
export function collapseAnonymous(space: usize, firstPage: f64, isArmed: bool): i32 {
  forgetRange(space, u64(firstPage), FRAMES_PER_HUGE);
  return collapse(space, u64(firstPage), isArmed);
}

/** Pages that an object has in 2 MiB; 513 for a huge page. */
export function countCached(object: usize, index: f64): u32 {
  return count(object, u64(index));
}

/** Makes a huge page of 2 MiB of an object that nothing maps: OK or ENOMEM. */
export function collapseObject(object: usize, index: f64): i32 {
  return collapseCached(object, u64(index));
}

/** Frees the last-level table of 2 MiB if it is empty. */
export function retractTable(space: usize, firstPage: f64): void {
  retract(space, u64(firstPage));
}

/** Maps a huge page of an object by one entry: OK or an errno. */
export function mapCollapsed(space: usize, firstPage: f64, object: usize, index: f64, keepsTable: bool): i32 {
  forgetRange(space, u64(firstPage), FRAMES_PER_HUGE);
  return mapHuge(space, u64(firstPage), object, u64(index), keepsTable);
}

/** Write-protects a range of hugetlb memory: OK or ENOMEM. */
export function protectHugetlb(space: usize, firstPage: f64, pageCount: f64): i32 {
  return protectHuge(space, u64(firstPage), u64(pageCount));
}

/** Gives a range of hugetlb memory a new protection, and takes uffd-wp away. */
export function changeHugetlb(space: usize, firstPage: f64, pageCount: f64, flags: u32, resolves: bool): void {
  changeHuge(space, u64(firstPage), u64(pageCount), flags, resolves);
}

/** Removes what a range of hugetlb memory maps. */
export function zapHugetlb(space: usize, firstPage: f64, pageCount: f64, flags: u32, owner: usize, index: f64): void {
  forgetRange(space, u64(firstPage), u64(pageCount));
  zapHuge(space, u64(firstPage), u64(pageCount), flags, owner, u64(index));
}

/** Copies the entries of a range of hugetlb memory into a child: OK or ENOMEM. */
export function copyHugetlb(parent: usize, child: usize, firstPage: f64, pageCount: f64, flags: u32): i32 {
  return copyHuge(parent, child, u64(firstPage), u64(pageCount), flags);
}

/** Moves the entries of a range of hugetlb memory: OK or ENOMEM. */
export function moveHugetlb(space: usize, firstPage: f64, newFirst: f64, pageCount: f64, flags: u32): i32 {
  return moveHuge(space, u64(firstPage), u64(newFirst), u64(pageCount), flags);
}

/** Takes huge pages out of a hugetlbfs object. */
export function punchHugetlb(object: usize, index: f64, count: f64): void {
  punchHuge(object, u64(index), u64(count));
}

/** Fills pages of a hugetlbfs object with zeros. */
export function zeroHugetlb(object: usize, index: f64, count: f64): void {
  zeroHuge(object, u64(index), u64(count));
}

/** Reserves huge pages. Returns whether there are as many. */
export function reserveHugePages(count: u32): bool {
  return reserveHuge(count);
}

/** Gives reserved huge pages back. */
export function unreserveHugePages(count: u32): void {
  unreserveHuge(count);
}

/** Counts the numbers of a range that are in a set, and adds the others to it. */
export function countInSet(set: usize, index: f64, length: f64, adds: bool): u32 {
  return countSet(set, u64(index), u64(length), adds);
}
