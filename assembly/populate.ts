import {
  ACCESS_READ,
  ACCESS_WRITE,
  COUNTER_MARKER_FAULTS,
  COUNTER_MINFLT,
  COUNTER_ZERO_PAGE_FAULTS,
  OK,
  OUTCOME_DONE,
  REGION_END,
  REGION_FLAGS,
  REGION_READ,
  REGION_THP,
  REGION_UFFD_MISSING,
  REGION_UFFD_WP,
  RESULT_REASON,
} from "./abi";
import { frameOf, hugeFrameOf, isPresent, permitsWrite, UFFD_WP_MARKER } from "./entry";
import { handleFault } from "./fault";
import { FRAMES_PER_HUGE, isAnonymous } from "./frames";
import { ENTRY_BYTES } from "./geometry";
import { findRegion } from "./regions";
import { markDirty, markLazyDirty } from "./resident";
import { result } from "./result";
import { addTo } from "./stats";
import { adjustCounts, findPteTable, hugeSlot, setTableFlags, TABLE_ZERO_PAGES } from "./table";
import { entryOfKind, KIND_MARKER, KIND_MIXED, KIND_ZERO, KIND_ZERO_WP } from "./uniform";
import { FROM_KERNEL, isAnonymousRegion } from "./userfault";
import { slotIn, slotsEnd, walk } from "./walk";

/**
 * MADV_POPULATE_READ and MADV_POPULATE_WRITE: `mm/gup.c:faultin_page_range`. The kernel follows the tables itself, so there is no
 * exception, but each entry that does not allow the access is faulted in.
 */

/** Faults of the populate under way, the page that it has come to, and why it stops there. */
let faults: u64 = 0;
let reached: u64 = 0;
let stopReason: i32 = OK;
/** Whether its region is registered for uffd-wp, so that a marker keeps protecting the page that takes its place. */
let keepsProtection: bool = false;

/** Populates a range. Returns the pages done; RESULT_REASON holds OK, or why the page after them was not. */
export function populate(space: usize, firstPage: u64, pageCount: u64, access: u32): u64 {
  const end = firstPage + pageCount;
  faults = 0;
  stopReason = OK;
  reached = end;
  if (access == ACCESS_READ && mapsZeroPages(space, firstPage, end)) {
    const status = walk<MapZeroPages>(space, firstPage, pageCount);
    if (status != OK && stopReason == OK) {
      stopReason = status;
      reached = firstUnpopulated(space, firstPage);
    }
  } else {
    populateEach(space, firstPage, end, access);
  }
  addTo(space, COUNTER_MINFLT, faults);
  store<i32>(result, stopReason, RESULT_REASON);
  return reached - firstPage;
}

/** Tells whether reads in a range that find nothing map the shared zero page, whoever makes them. */
export function mapsZeroPages(space: usize, firstPage: u64, end: u64): bool {
  const region = findRegion(space, firstPage);
  if (region == 0 || load<u64>(region, REGION_END) < end) return false;
  const flags = load<u32>(region, REGION_FLAGS);
  keepsProtection = (flags & REGION_UFFD_WP) != 0;
  return isAnonymousRegion(flags) && (flags & (REGION_READ | REGION_THP | REGION_UFFD_MISSING)) == REGION_READ;
}

/** Populates for reading where that means the zero page: `do_anonymous_page`. Entries of other kinds than these take the long way. */
@unmanaged
@final
class MapZeroPages {
  fillsHoles(): void {}

  mapped(kind: u32): u32 {
    if (kind < KIND_MARKER) return KIND_ZERO;
    if (kind != KIND_MARKER) return kind;
    return keepsProtection ? KIND_ZERO_WP : KIND_MIXED;
  }

  note(space: usize, kind: u32, pageCount: u64): void {
    if (kind < KIND_ZERO) noteZeroPages(space, pageCount, kind == KIND_MARKER ? pageCount : 0);
  }

  slice(space: usize, table: usize, page: u64, pageCount: u32): i32 {
    const start = slotIn(table, page);
    const end = slotsEnd(start, pageCount);
    const zero = entryOfKind(KIND_ZERO);
    const protectedZero = entryOfKind(KIND_ZERO_WP);
    let fresh: u32 = 0;
    let marked: u32 = 0;
    let slot = start;
    for (; slot < end; slot += ENTRY_BYTES) {
      const entry = load<u64>(slot);
      if (isPresent(entry)) continue;
      if (entry == 0) {
        store<u64>(slot, zero);
        fresh++;
      } else if (entry == UFFD_WP_MARKER && keepsProtection) {
        store<u64>(slot, protectedZero);
        marked++;
      } else break;
    }
    adjustCounts(table, fresh, -(<i32>marked));
    if (fresh + marked != 0) setTableFlags(table, TABLE_ZERO_PAGES, 0);
    noteZeroPages(space, fresh + marked, marked);
    if (slot == end) return OK;
    const from = page + ((slot - start) >> 3);
    return populateEach(space, from, page + pageCount, ACCESS_READ) ? OK : stopReason;
  }
}

function noteZeroPages(space: usize, pageCount: u64, marked: u64): void {
  faults += pageCount;
  addTo(space, COUNTER_ZERO_PAGE_FAULTS, pageCount);
  addTo(space, COUNTER_MARKER_FAULTS, marked);
}

/** Populates page by page. Returns whether it came to the end; otherwise `reached` and `stopReason` say where it stopped, and why. */
function populateEach(space: usize, firstPage: u64, end: u64, access: u32): bool {
  let page = firstPage;
  while (page < end) {
    if (isPopulated(space, page, access)) {
      page = access == ACCESS_READ ? nextToRead(space, page, end) : page + 1;
      continue;
    }
    const outcome = handleFault(space, page, access, FROM_KERNEL);
    if (outcome != OUTCOME_DONE) {
      reached = page;
      stopReason = outcome;
      return false;
    }
    faults++;
  }
  return true;
}

/** Returns the page after one that can be read, or after the huge page that it is of: to all of it reading one page is the same. */
export function nextToRead(space: usize, page: u64, end: u64): u64 {
  const isHuge = findPteTable(space, page) == 0 && hugeSlot != 0;
  return isHuge ? min(end, (page | (FRAMES_PER_HUGE - 1)) + 1) : page + 1;
}

function isPopulated(space: usize, page: u64, access: u32): bool {
  const table = findPteTable(space, page);
  const slot = table != 0 ? slotIn(table, page) : hugeSlot;
  if (slot == 0) return false;
  const entry = load<u64>(slot);
  if (access != ACCESS_WRITE) return isPresent(entry);
  if (!permitsWrite(entry)) return false;
  const frame = table != 0 ? frameOf(entry) : hugeFrameOf(entry) + <u32>(page & (FRAMES_PER_HUGE - 1));
  // FOLL_TOUCH with FOLL_WRITE
  if (isAnonymous(frame)) markLazyDirty(frame);
  else markDirty(frame);
  return true;
}

/** Returns the first page from `page` on that was not populated, when the memory was used up on the way. */
function firstUnpopulated(space: usize, page: u64): u64 {
  while (isPopulated(space, page, ACCESS_READ)) page++;
  return page;
}
