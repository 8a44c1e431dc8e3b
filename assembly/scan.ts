import {
  CATEGORY_FILE,
  CATEGORY_GUARD,
  CATEGORY_HUGE,
  CATEGORY_PFNZERO,
  CATEGORY_PRESENT,
  CATEGORY_SWAPPED,
  CATEGORY_WRITTEN,
  COUNTER_ARMED_NONE,
  COUNTER_SCAN_PAGES,
  COUNTER_SCAN_PROTECTED,
  ENOMEM,
  ENOSPC,
  KERNEL_NONE_NOT_WRITTEN,
  OK,
  PROTECT_OBJECT,
  PROTECT_UNPOPULATED,
  REGION_HUGETLB,
  SCAN_ANYOF,
  SCAN_BOUNCE_REGIONS,
  SCAN_BUFFERED,
  SCAN_BYTES,
  SCAN_FLAGS,
  SCAN_FOUND_PAGES,
  SCAN_HOLE_CATEGORIES,
  SCAN_INVERTED,
  SCAN_MASK,
  SCAN_MAX_PAGES,
  SCAN_REGION_BYTES,
  SCAN_REGION_CATEGORIES,
  SCAN_REGION_CATEGORY_SET,
  SCAN_REGION_END,
  SCAN_REGION_FLAGS,
  SCAN_REGION_FIRST,
  SCAN_RETURN,
  SCAN_VECTOR,
  SCAN_VECTOR_LEFT,
  SCAN_WALK_END,
  SCAN_WP_MATCHING,
  SPACE_KERNEL,
} from "./abi";
import {
  frameOf,
  hugeFrameOf,
  isGuard,
  isHuge,
  isNone,
  isPresent,
  isUffdWp,
  isZeroPage,
  SWAP_UFFD_WP,
  UFFD_WP_MARKER,
  withUffdWp,
} from "./entry";
import { FRAMES_PER_HUGE, framesAreSimple, isAnonymous } from "./frames";
import { ENTRIES_PER_TABLE, ENTRY_BYTES, PMD_SHIFT } from "./geometry";
import { splitHuge } from "./huge";
import { protectHugetlb } from "./hugetlb";
import { protect } from "./protect";
import { addTo, counterOf } from "./stats";
import { adjustCounts, TABLE_NONE_WRITTEN, tableFlags } from "./table";
import { entryOfKind, KIND_MARKER, KIND_NONE, KIND_ZERO, KIND_ZERO_WP } from "./uniform";
import { slotIn, slotsEnd, walk, WALK_AGAIN } from "./walk";
import { isNoneWritten, noteProtected, writtenBitmap } from "./written";

/**
 * PAGEMAP_SCAN over one region: `fs/proc/task_mmu.c:pagemap_scan_pmd_entry`. The state of the call is in a block of linear memory that
 * the host fills in; the host walks the regions, and after ENOSPC copies out and goes on, as `do_pagemap_scan` does.
 */

/** The scan block (layout: SCAN_ in `abi.ts`). */
export const scanBlock: usize = memory.data(SCAN_BYTES, 16);

/** Categories of entries besides written. */
const OF_ENTRIES: u32 =
  CATEGORY_FILE | CATEGORY_GUARD | CATEGORY_HUGE | CATEGORY_PFNZERO | CATEGORY_PRESENT | CATEGORY_SWAPPED;

/** Whether the scan under way asks for nothing of an entry but whether it is written. */
let looksAtWrittenOnly: bool = false;

/** Of the run put out last: why the walk must stop after it, or OK. */
let stopStatus: i32 = OK;

/** Scans a range of one region. Returns OK, ENOSPC when the output is full or enough pages are found, or ENOMEM. */
export function scan(space: usize, firstPage: u64, pageCount: u64): i32 {
  const asksForWritten = field(SCAN_MASK) == CATEGORY_WRITTEN && field(SCAN_INVERTED) == 0 && field(SCAN_ANYOF) == 0;
  const isHidden = (load<u32>(space, SPACE_KERNEL) & KERNEL_NONE_NOT_WRITTEN) != 0;
  looksAtWrittenOnly = asksForWritten && (field(SCAN_RETURN) & OF_ENTRIES) == 0 && !isHidden;
  const protectsAll = field(SCAN_FLAGS) == SCAN_WP_MATCHING && field(SCAN_VECTOR) == 0;
  return protectsAll
    ? walk<ProtectWithoutOutput>(space, firstPage, pageCount)
    : walk<Scan>(space, firstPage, pageCount);
}

/** Tells whether the scan under way write-protects what it puts out. */
export function scanProtects(): bool {
  return field(SCAN_FLAGS) == SCAN_WP_MATCHING;
}

/** Returns the categories of an entry, those of its region not included (`pagemap_page_category`). */
export function categoriesOf(entry: u64): u32 {
  const written = isUffdWp(entry) ? 0 : CATEGORY_WRITTEN;
  if (isNone(entry)) return CATEGORY_WRITTEN;
  if (!isPresent(entry)) return CATEGORY_SWAPPED | written | (isGuard(entry) ? CATEGORY_GUARD : 0);
  if (isZeroPage(entry)) return CATEGORY_PRESENT | CATEGORY_PFNZERO | written;
  const isFile = !framesAreSimple() && !isAnonymous(frameOf(entry));
  return CATEGORY_PRESENT | written | (isFile ? CATEGORY_FILE : 0);
}

/** The same, for the kernel of a space: only newer ones call entries written that are none. */
function knownCategories(space: usize, entry: u64): u32 {
  const isHidden = (load<u32>(space, SPACE_KERNEL) & KERNEL_NONE_NOT_WRITTEN) != 0 && isNone(entry);
  return isHidden ? 0 : categoriesOf(entry);
}

/** The same for a PMD entry: of a huge page, or of hugetlb (`pagemap_thp_category`, `pagemap_hugetlb_category`). */
function hugeCategoriesOf(entry: u64): u32 {
  const written = isUffdWp(entry) ? 0 : CATEGORY_WRITTEN;
  if (isNone(entry)) return CATEGORY_HUGE;
  if (!isPresent(entry)) return CATEGORY_HUGE | CATEGORY_SWAPPED | written;
  if (isZeroPage(entry)) return CATEGORY_HUGE | CATEGORY_PRESENT | CATEGORY_PFNZERO | written;
  return CATEGORY_HUGE | CATEGORY_PRESENT | written | (isAnonymous(hugeFrameOf(entry)) ? 0 : CATEGORY_FILE);
}


@unmanaged
@final
class Scan {
  slice(space: usize, table: usize, page: u64, pageCount: u32): i32 {
    if (looksAtWrittenOnly) {
      if ((tableFlags(table) & TABLE_NONE_WRITTEN) != 0) return OK;
      const bitmap = writtenBitmap(table);
      if (bitmap != 0 && isNoneWritten(table, bitmap)) return OK;
      if (bitmap != 0) return scanBitmap(space, table, bitmap, page, pageCount);
    }
    const start = slotIn(table, page);
    const end = slotsEnd(start, pageCount);
    let slot = start;
    while (slot < end) {
      const categories = knownCategories(space, load<u64>(slot)) | field(SCAN_REGION_CATEGORIES);
      const next = runEnd(slot, end);
      if (isInteresting(categories)) {
        const status = scanRun(space, table, slot, page + ((slot - start) >> 3), (next - slot) >> 3, categories);
        if (status != OK) return status;
      }
      slot = next;
    }
    return OK;
  }

  huge(space: usize, slot: usize, page: u64, pageCount: u32): i32 {
    return scanHuge(space, slot, page, pageCount);
  }

  hole(space: usize, page: u64, pageCount: u64, shift: u32): i32 {
    return scanHole(space, page, pageCount, shift);
  }

  uniform(space: usize, kind: u32, page: u64, pageCount: u64): i32 {
    return scanUniform(space, kind, page, pageCount);
  }
}

/** Without an output vector, WP_MATCHING protects every entry of a table, whatever the masks say. Holes still obey them. */
@unmanaged
@final
class ProtectWithoutOutput {
  mapped(kind: u32): u32 {
    if (kind == KIND_NONE) return KIND_MARKER;
    return kind == KIND_ZERO ? KIND_ZERO_WP : kind;
  }

  note(space: usize, kind: u32, pageCount: u64): void {
    if (kind == KIND_NONE || kind == KIND_ZERO) addTo(space, COUNTER_SCAN_PROTECTED, pageCount);
  }

  slice(space: usize, table: usize, page: u64, pageCount: u32): i32 {
    const start = slotIn(table, page);
    protectRun(space, table, start, slotsEnd(start, pageCount));
    return OK;
  }

  huge(space: usize, slot: usize, page: u64, pageCount: u32): i32 {
    return scanHuge(space, slot, page, pageCount);
  }

  hole(space: usize, page: u64, pageCount: u64, shift: u32): i32 {
    return scanHole(space, page, pageCount, shift);
  }
}

/**
 * Handles a huge page. Where only a part of one is put out, it is split and looked at again, unless it is hugetlb's: then the scan
 * gives up without saying so. (`pagemap_scan_thp_entry`, `pagemap_scan_hugetlb_entry`)
 */
function scanHuge(space: usize, slot: usize, page: u64, pageCount: u32): i32 {
  const entry = load<u64>(slot);
  const categories = hugeCategoriesOf(entry) | field(SCAN_REGION_CATEGORIES);
  if (!isInteresting(categories)) return OK;
  const accepted = putOut(space, categories, page, pageCount);
  const status = stopStatus;
  const protects = field(SCAN_FLAGS) == SCAN_WP_MATCHING && (categories & CATEGORY_WRITTEN) != 0;
  if (accepted == 0 || !protects) return status;
  const isHugetlb = (field(SCAN_REGION_FLAGS) & REGION_HUGETLB) != 0;
  if (accepted == <u64>FRAMES_PER_HUGE) {
    if (isHuge(entry)) store<u64>(slot, withUffdWp(entry));
    return status;
  }
  takeBack(page, accepted);
  if (isHugetlb) {
    store<u64>(scanBlock, page, SCAN_WALK_END);
    return OK;
  }
  return splitHuge(space, slot) == OK ? WALK_AGAIN : ENOMEM;
}

/**
 * Whether a run may lengthen the region before it. Where a region was taken back whole, the kernel keeps its place: what comes next goes there,
 * whatever the region before it is.
 */
let lengthens: bool = true;

/** `pagemap_scan_backout_range`. */
function takeBack(page: u64, pageCount: u64): void {
  store<u64>(scanBlock, load<u64>(scanBlock, SCAN_FOUND_PAGES) - pageCount, SCAN_FOUND_PAGES);
  if (field(SCAN_VECTOR) == 0) return;
  const buffered = field(SCAN_BUFFERED);
  const current = field(SCAN_VECTOR) + (buffered - 1) * SCAN_REGION_BYTES;
  if (load<f64>(current, SCAN_REGION_FIRST) == f64(page)) {
    store<u32>(scanBlock, buffered - 1, SCAN_BUFFERED);
    lengthens = false;
  } else store<f64>(current, f64(page), SCAN_REGION_END);
}

/** Handles pages without a table (`pagemap_scan_pte_hole`). */
function scanHole(space: usize, page: u64, pageCount: u64, shift: u32): i32 {
  const isHugetlb = (field(SCAN_REGION_FLAGS) & REGION_HUGETLB) != 0;
  const isEntry = isHugetlb && shift == <u32>PMD_SHIFT; // an entry of hugetlb's that is none
  const categories = field(SCAN_REGION_CATEGORIES) | (isEntry ? CATEGORY_HUGE : field(SCAN_HOLE_CATEGORIES));
  if (!isInteresting(categories)) return OK;
  const accepted = putOut(space, categories, page, pageCount);
  const status = stopStatus;
  if (accepted == 0 || field(SCAN_FLAGS) != SCAN_WP_MATCHING || isEntry) return status;
  const before = counterOf(space, COUNTER_ARMED_NONE);
  const failed = isHugetlb
    ? protectHugetlb(space, page, accepted)
    : protect(space, page, accepted, PROTECT_UNPOPULATED | PROTECT_OBJECT);
  addTo(space, COUNTER_SCAN_PROTECTED, counterOf(space, COUNTER_ARMED_NONE) - before);
  return failed != OK ? failed : status;
}

/** Handles pages of a template: one run. */
function scanUniform(space: usize, kind: u32, page: u64, pageCount: u64): i32 {
  const categories = knownCategories(space, entryOfKind(kind)) | field(SCAN_REGION_CATEGORIES);
  if (!isInteresting(categories)) return OK;
  const accepted = putOut(space, categories, page, pageCount);
  const status = stopStatus;
  if (field(SCAN_FLAGS) == SCAN_WP_MATCHING && (categories & CATEGORY_WRITTEN) != 0) {
    if (walk<ProtectWithoutOutput>(space, page, accepted) != OK) return ENOMEM;
  }
  return status;
}

/** Puts out the runs of set bits: a scan that only looks for written entries. */
function scanBitmap(space: usize, table: usize, bitmap: usize, page: u64, pageCount: u32): i32 {
  const categories = CATEGORY_WRITTEN | field(SCAN_REGION_CATEGORIES);
  const start = <u32>(page & (ENTRIES_PER_TABLE - 1));
  const end = start + pageCount;
  const base = page - start;
  let isPlain = field(SCAN_FLAGS) == 0 && field(SCAN_VECTOR) != 0;
  let index = start;
  while (index < end) {
    if (isPlain && !isSet(bitmap, index)) {
      isPlain = false; // what it leaves over does not fit
      index = putOutRuns(space, listEdges(bitmap, index, end), base, end, categories);
      continue;
    }
    index = nextBit(bitmap, index, end, 0);
    if (index == end) break;
    const next = nextBit(bitmap, index, end, u64.MAX_VALUE);
    const status = scanRun(space, table, table + ((<usize>index) << 3), base + index, next - index, categories);
    if (status != OK) return status;
    index = next;
  }
  return OK;
}

/** Where runs of set bits begin and end, alternately. */
const edgeList: usize = memory.data((<i32>ENTRIES_PER_TABLE + 3) << 2, 16);

/**
 * Lists the edges of the runs from bit `first` to `end`; returns how many they are, an even number. Two edges of each word are stored whether
 * or not there are any, since a branch on that could not be predicted; the next word's take the place of what was none.
 */
function listEdges(bitmap: usize, first: u32, end: u32): u32 {
  let target = edgeList;
  let before: u64 = 0;
  for (let at = first & ~63; at < end; at += 64) {
    const word = wordBetween(bitmap, at, first, end);
    let edges = word ^ ((word << 1) | before);
    before = word >> 63;
    const next = target + ((<usize>popcnt(edges)) << 2);
    do {
      store<u32>(target, at + <u32>ctz(edges));
      edges &= edges - 1;
      store<u32>(target, at + <u32>ctz(edges), 4);
      edges &= edges - 1;
      target += 8;
    } while (target < next);
    target = next;
  }
  store<u32>(target, end);
  return <u32>((target - edgeList) >> 2) + <u32>before;
}

/**
 * Puts out listed runs without protecting them, the first of which does not lengthen the region before it: `putOut` and `pushRegion` with their
 * state at hand. Returns the index of the first run that does not fit, or `end`. `base`: the page of bit 0.
 */
function putOutRuns(space: usize, edgeCount: u32, base: u64, end: u32, categories: u32): u32 {
  const buffered = field(SCAN_BUFFERED);
  const found = load<u64>(scanBlock, SCAN_FOUND_PAGES);
  const room = min(field(SCAN_VECTOR_LEFT), SCAN_BOUNCE_REGIONS) - buffered;
  const isLimited = load<u64>(scanBlock, SCAN_MAX_PAGES) - found < <u64>ENTRIES_PER_TABLE;
  const runs = isLimited ? 0 : min(room, edgeCount >> 1);
  const region = field(SCAN_VECTOR) + buffered * SCAN_REGION_BYTES;
  const pages = storeRuns(region, runs, base, categories & field(SCAN_RETURN));
  if (runs != 0) lengthens = true;
  store<u32>(scanBlock, buffered + runs, SCAN_BUFFERED);
  store<u64>(scanBlock, found + pages, SCAN_FOUND_PAGES);
  addTo(space, COUNTER_SCAN_PAGES, pages);
  return 2 * runs == edgeCount ? end : load<u32>(edgeList + ((<usize>runs) << 3));
}

/** Stores the first `runs` listed runs as regions. Returns how many pages they have. */
function storeRuns(region: usize, runs: u32, base: u64, categories: u32): u64 {
  let pages: u64 = 0;
  const regionsEnd = region + runs * SCAN_REGION_BYTES;
  let edge = edgeList;
  for (let at = region; at < regionsEnd; at += SCAN_REGION_BYTES) {
    const first = load<u32>(edge);
    const end = load<u32>(edge, 4);
    storeRegion(at, base + first, base + end, categories);
    pages += end - first;
    edge += 8;
  }
  return pages;
}

/** Returns the word of a bitmap that begins with bit `at`, of which only the bits from `first` to `end` may be set. */
function wordBetween(bitmap: usize, at: u32, first: u32, end: u32): u64 {
  const word = load<u64>(bitmap + ((<usize>at) >> 3));
  const low = first > at ? u64.MAX_VALUE << (first - at) : u64.MAX_VALUE;
  const high = end - at < 64 ? ~(u64.MAX_VALUE << (end - at)) : u64.MAX_VALUE;
  return word & low & high;
}

function isSet(bitmap: usize, index: u32): bool {
  return ((load<u8>(bitmap + ((<usize>index) >> 3)) >> (index & 7)) & 1) != 0;
}

/** Returns the index of the first bit from `index` on that differs from those of `background`, or `end`. */
function nextBit(bitmap: usize, index: u32, end: u32, background: u64): u32 {
  while (index < end) {
    const word = (load<u64>(bitmap + (((<usize>index) >> 6) << 3)) ^ background) >> (index & 63);
    if (word != 0) return min(end, index + <u32>ctz(word));
    index = (index | 63) + 1;
  }
  return end;
}

/** Returns the end of the run of entries whose categories are those of the entry at `slot`. */
function runEnd(slot: usize, end: usize): usize {
  const categories = categoriesOf(load<u64>(slot));
  let next = slot + ENTRY_BYTES;
  while (next < end && categoriesOf(load<u64>(next)) == categories) next += ENTRY_BYTES;
  return next;
}

function scanRun(space: usize, table: usize, slot: usize, page: u64, pageCount: u64, categories: u32): i32 {
  const accepted = putOut(space, categories, page, pageCount);
  if (field(SCAN_FLAGS) == SCAN_WP_MATCHING && (categories & CATEGORY_WRITTEN) != 0) {
    protectRun(space, table, slot, slotsEnd(slot, <u32>accepted));
  }
  return stopStatus;
}

function protectRun(space: usize, table: usize, start: usize, end: usize): void {
  let marked: i32 = 0;
  let protectedCount: u32 = 0;
  for (let slot = start; slot < end; slot += ENTRY_BYTES) {
    const entry = load<u64>(slot);
    if (isUffdWp(entry)) continue;
    store<u64>(slot, withScanWp(entry));
    marked += i32(isNone(entry));
    protectedCount++;
  }
  noteProtected(table, <u32>((start - table) >> 3), <u32>((end - table) >> 3));
  if (marked != 0) adjustCounts(table, marked, marked);
  addTo(space, COUNTER_SCAN_PROTECTED, protectedCount);
}

/** `make_uffd_wp_pte`: markers of other kinds get the bit of a swap format, which does not protect them. */
function withScanWp(entry: u64): u64 {
  if (isNone(entry)) return UFFD_WP_MARKER;
  return isPresent(entry) ? withUffdWp(entry) : entry | SWAP_UFFD_WP;
}

/** `pagemap_scan_is_interesting_page`. */
function isInteresting(categories: u32): bool {
  const seen = categories ^ field(SCAN_INVERTED);
  const mask = field(SCAN_MASK);
  if ((seen & mask) != mask) return false;
  const anyOf = field(SCAN_ANYOF);
  return anyOf == 0 || (seen & anyOf) != 0;
}

/** `pagemap_scan_output`: returns how many of the pages fit and sets `stopStatus`. */
function putOut(space: usize, categories: u32, page: u64, pageCount: u64): u64 {
  stopStatus = OK;
  if (field(SCAN_VECTOR) == 0) return pageCount;
  const found = load<u64>(scanBlock, SCAN_FOUND_PAGES);
  const allowed = load<u64>(scanBlock, SCAN_MAX_PAGES) - found;
  let accepted = pageCount;
  if (accepted > allowed) {
    accepted = allowed;
    stopStatus = ENOSPC;
  }
  if (accepted != 0 && !pushRegion(categories & field(SCAN_RETURN), page, page + accepted)) {
    accepted = 0;
    stopStatus = ENOSPC;
  }
  store<u64>(scanBlock, found + accepted, SCAN_FOUND_PAGES);
  addTo(space, COUNTER_SCAN_PAGES, accepted);
  if (stopStatus != OK) store<u64>(scanBlock, page + accepted, SCAN_WALK_END);
  return accepted;
}

/** `pagemap_scan_push_range`: lengthens the region under construction or begins a new one, if the buffer has room for it. */
function pushRegion(categories: u32, first: u64, end: u64): bool {
  const buffered = field(SCAN_BUFFERED);
  const current = field(SCAN_VECTOR) + (buffered - 1) * SCAN_REGION_BYTES;
  if (
    lengthens &&
    buffered != 0 &&
    load<f64>(current, SCAN_REGION_END) == f64(first) &&
    load<f64>(current, SCAN_REGION_CATEGORY_SET) == f64(categories)
  ) {
    store<f64>(current, f64(end), SCAN_REGION_END);
    return true;
  }
  if (buffered >= min(field(SCAN_VECTOR_LEFT), SCAN_BOUNCE_REGIONS)) return false;
  const region = field(SCAN_VECTOR) + buffered * SCAN_REGION_BYTES;
  lengthens = true;
  storeRegion(region, first, end, categories);
  store<u32>(scanBlock, buffered + 1, SCAN_BUFFERED);
  return true;
}

/** Numbers of a region are f64, as the host takes them; processors convert signed ones faster. */
function storeRegion(region: usize, first: u64, end: u64, categories: u32): void {
  store<f64>(region, f64(<i64>first), SCAN_REGION_FIRST);
  store<f64>(region, f64(<i64>end), SCAN_REGION_END);
  store<f64>(region, f64(<i32>categories), SCAN_REGION_CATEGORY_SET);
}

function field(offset: usize): u32 {
  return load<u32>(scanBlock + offset);
}
