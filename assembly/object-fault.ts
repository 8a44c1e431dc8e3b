import {
  ACCESS_WRITE,
  COUNTER_ALLOCATE_FAULTS,
  COUNTER_MARKER_FAULTS,
  ENOMEM,
  KERNEL_SMALL_FAULT_AROUND,
  OUTCOME_DONE,
  OUTCOME_MINOR,
  OUTCOME_MISSING,
  REGION_END,
  REGION_FILE,
  REGION_FIRST,
  REGION_SHARED,
  REGION_MAKES_HUGE,
  REGION_THP,
  REGION_UFFD_MINOR,
  REGION_UFFD_MISSING,
  REGION_UFFD_WP,
  REGION_WRITE,
  SPACE_KERNEL,
} from "./abi";
import {
  frameOf,
  hugeEntry,
  isNone,
  isPresent,
  leafEntry,
  UFFD_WP_MARKER,
  withDirty,
  withUffdWp,
  withWrite,
} from "./entry";
import {
  allocateFrame,
  contentOf,
  FRAME_RECLAIM,
  folioHead,
  folioPages,
  FRAMES_PER_HUGE,
  headOf,
  isLarge,
  setContent,
  wordOf,
} from "./frames";
import { firstPageOfEntry, nextEntryPage, PMD_SHIFT } from "./geometry";
import { mapHugeFrames } from "./huge";
import { addCachedHugePage, addCachedPage, bringBack, cachedEntry, pagesOf, readAhead } from "./object";
import { countNewPages, mapFrame, markDirty } from "./resident";
import { addTo } from "./stats";
import { adjustCounts, ensurePmdSlot, ensurePteTable, noteEntry, storePmd } from "./table";
import {
  askUserfaultfd,
  endInSigbus,
  holdsHugePage,
  indexOf,
  noteMajor,
  objectOf,
  prepareAnonVma,
  protectionOfRegion,
  wasMajor,
  withAllowedWrite,
} from "./userfault";
import { slotIn } from "./walk";

/**
 * A fault on a page of tmpfs or of a regular file that nothing maps: `mm/memory.c:do_fault`, `mm/shmem.c:shmem_fault`,
 * `mm/filemap.c:filemap_fault`. A page table is made only when the page is there.
 */

/** Pages that a read maps around the one that it wants, if the object has them (`fault_around_bytes`). */
const FAULT_AROUND: u64 = 16;

/** A region with one of these is registered with a userfaultfd (`userfaultfd_armed`). */
const UFFD_MODES: u32 = REGION_UFFD_MISSING | REGION_UFFD_WP | REGION_UFFD_MINOR;

/** What `faultAround` returns when the page that is wanted is not mapped after it. */
const FAULT_AROUND_NOTHING: i32 = -1000;

/** The frame that `findOrMakePage` has found. */
let foundFrame: u32 = 0;

/** Handles the fault; `table` is the last-level table, or 0 where there is none. */
export function handleObjectMissing(
  space: usize,
  region: usize,
  page: u64,
  table: usize,
  flags: u32,
  access: u32,
): i32 {
  const isWrite = access == ACCESS_WRITE;
  const looksAround = !isWrite && (flags & (REGION_UFFD_WP | REGION_UFFD_MINOR)) == 0;
  if (looksAround) {
    const status = faultAround(space, region, page, flags);
    if (status != FAULT_AROUND_NOTHING) return status;
  }
  const isCopy = isWrite && (flags & REGION_SHARED) == 0;
  if (isCopy) prepareAnonVma(region);
  const outcome = findOrMakePage(space, region, page, flags);
  if (outcome != OUTCOME_DONE) return outcome;
  if (looksAround && (flags & REGION_FILE) != 0 && wasMajor()) {
    // the lock was dropped for reading, so the fault is handled from its start
    const status = faultAround(space, region, page, flags);
    if (status != FAULT_AROUND_NOTHING) return status;
  }
  return isCopy ? mapCopy(space, page, flags) : mapFound(space, region, page, flags, isWrite);
}

/** `shmem_get_folio_gfp` and `filemap_fault`: finds the page in the object, brings it back from swap, or makes it. */
function findOrMakePage(space: usize, region: usize, page: u64, flags: u32): i32 {
  const object = objectOf(region);
  const index = indexOf(region, page);
  if (index >= pagesOf(object)) return endInSigbus(space);
  const cached = cachedEntry(object, index);
  if (!isNone(cached)) {
    if ((flags & REGION_UFFD_MINOR) != 0) return askUserfaultfd(space, flags, OUTCOME_MINOR);
    if (!isPresent(cached)) noteMajor();
    foundFrame = isPresent(cached) ? frameOf(cached) : bringBack(object, index, cached, (flags & UFFD_MODES) != 0);
    return foundFrame == 0 ? ENOMEM : OUTCOME_DONE;
  }
  if ((flags & REGION_UFFD_MISSING) != 0) return askUserfaultfd(space, flags, OUTCOME_MISSING);
  if ((flags & REGION_FILE) != 0) return readFile(object, index, flags);
  const isHuge = (flags & REGION_MAKES_HUGE) != 0 && fitsHuge(region, page) && addCachedHugePage(object, index) != 0;
  foundFrame = isHuge ? frameOf(cachedEntry(object, index)) : addCachedPage(object, index);
  return foundFrame == 0 ? ENOMEM : OUTCOME_DONE;
}

/** Reads a page of a file, and with MADV_HUGEPAGE the pages around it too (`do_sync_mmap_readahead`; the files are not read ahead else). */
function readFile(object: usize, index: u64, flags: u32): i32 {
  noteMajor();
  if ((flags & REGION_MAKES_HUGE) == 0) {
    foundFrame = addCachedPage(object, index);
    return foundFrame == 0 ? ENOMEM : OUTCOME_DONE;
  }
  const first = index & ~(<u64>FRAMES_PER_HUGE - 1);
  if (!readAhead(object, first, min(first + FRAMES_PER_HUGE, pagesOf(object)))) return ENOMEM;
  foundFrame = frameOf(cachedEntry(object, index));
  return OUTCOME_DONE;
}

/** `do_cow_fault`: the page is copied before it is mapped. */
function mapCopy(space: usize, page: u64, flags: u32): i32 {
  const copy = allocateFrame();
  if (copy == 0) return ENOMEM;
  setContent(copy, contentOf(foundFrame));
  countNewPages(space, 1);
  return install(space, page, withAllowedWrite(leafEntry(copy, protectionOfRegion(flags)), flags));
}

/** `finish_fault` for a page of the object itself. */
function mapFound(space: usize, region: usize, page: u64, flags: u32, isWrite: bool): i32 {
  const frame = foundFrame;
  const slot = ensurePmdSlot(space, page);
  if (slot == 0) return ENOMEM;
  if (isWrite) markDirty(frame);
  if (isHugeFolio(frame) && load<u64>(slot) == 0 && mayMapHuge(region, page, flags)) {
    mapHuge(space, slot, headOf(frame), flags, isWrite);
    return OUTCOME_DONE;
  }
  if (isLarge(frame) && (flags & UFFD_MODES) == 0) {
    if (mapAllParts(space, region, page, flags, isWrite)) return OUTCOME_DONE;
  }
  mapFrame(space, frame);
  return install(space, page, fileEntry(frame, flags, isWrite));
}

/** Stores the entry for a page, in place of none or of a uffd-wp marker, whose protection it takes on. */
function install(space: usize, page: u64, entry: u64): i32 {
  const table = ensurePteTable(space, page);
  if (table == 0) return ENOMEM;
  const slot = slotIn(table, page);
  const isMarked = load<u64>(slot) == UFFD_WP_MARKER;
  store<u64>(slot, isMarked ? withUffdWp(entry) : entry);
  adjustCounts(table, i32(!isMarked), -i32(isMarked));
  noteEntry(table, entry);
  addTo(space, isMarked ? COUNTER_MARKER_FAULTS : COUNTER_ALLOCATE_FAULTS, 1);
  return OUTCOME_DONE;
}

function fileEntry(frame: u32, flags: u32, isWrite: bool): u64 {
  const entry = leafEntry(frame, protectionOfRegion(flags));
  return isWrite ? withAllowedWrite(entry, flags) : entry;
}

/** `thp_vma_suitable_order` for an object, whose huge pages are aligned in it. */
function fitsHuge(region: usize, page: u64): bool {
  const isAligned = ((indexOf(region, page) ^ page) & (FRAMES_PER_HUGE - 1)) == 0;
  return isAligned && holdsHugePage(region, page);
}

function mayMapHuge(region: usize, page: u64, flags: u32): bool {
  return (flags & REGION_THP) != 0 && fitsHuge(region, page);
}

/** `do_set_pmd`. */
function mapHuge(space: usize, slot: usize, head: u32, flags: u32, isWrite: bool): void {
  const entry = hugeEntry(head, protectionOfRegion(flags));
  mapHugeFrames(space, head);
  storePmd(slot, isWrite && (flags & REGION_WRITE) != 0 ? withWrite(withDirty(entry)) : entry);
}

/** Maps all of the folio that was found, if it lies in the region and in one table and nothing is there yet (`finish_fault`). */
function mapAllParts(space: usize, region: usize, page: u64, flags: u32, isWrite: bool): bool {
  const frame = foundFrame;
  if (!fitsFolio(region, page, frame)) return false;
  const table = ensurePteTable(space, page);
  if (table == 0) return false;
  const head = folioHead(frame);
  const pages = folioPages(frame);
  const first = page - (frame - head);
  for (let i: u64 = 0; i < pages; i++) {
    if (!isNone(load<u64>(slotIn(table, first + i)))) return false;
  }
  for (let i: u32 = 0; i < pages; i++) {
    mapFrame(space, head + i);
    store<u64>(slotIn(table, first + i), fileEntry(head + i, flags, isWrite));
  }
  adjustCounts(table, pages, 0);
  return true;
}

/** Tells whether the folio of `frame`, which `page` is to map, lies in the region and in one table. */
function fitsFolio(region: usize, page: u64, frame: u32): bool {
  const part: u64 = frame - folioHead(frame);
  if (page < part) return false;
  const first = page - part;
  const last = first + folioPages(frame) - 1;
  if (firstPageOfEntry(first, PMD_SHIFT) != firstPageOfEntry(last, PMD_SHIFT)) return false;
  return load<u64>(region, REGION_FIRST) <= first && last < load<u64>(region, REGION_END);
}

function isHugeFolio(frame: u32): bool {
  return folioPages(frame) == FRAMES_PER_HUGE;
}

/**
 * `do_fault_around` and `filemap_map_pages`: maps those pages of the object around the one that is wanted that are there and whose entries are
 * none. The window does not leave the region, nor the table, nor the file; folios that it meets are mapped whole where
 * they may be.
 */
function faultAround(space: usize, region: usize, page: u64, flags: u32): i32 {
  const object = objectOf(region);
  const from = max(page & ~(FAULT_AROUND - 1), load<u64>(region, REGION_FIRST));
  const to = min(min(from + FAULT_AROUND, nextEntryPage(page, PMD_SHIFT)), load<u64>(region, REGION_END));
  let table: usize = 0;
  for (let at = from; at < to;) {
    const index = indexOf(region, at);
    if (index >= pagesOf(object)) break;
    const cached = cachedEntry(object, index);
    const frame = isPresent(cached) ? frameOf(cached) : 0;
    if (frame == 0 || (wordOf(frame) & FRAME_RECLAIM) != 0) {
      at++;
      continue;
    }
    if (table == 0) {
      const slot = ensurePmdSlot(space, page);
      if (slot == 0) return ENOMEM;
      if (load<u64>(slot) == 0 && isLastOfFile(space, region, at, frame, flags)) return FAULT_AROUND_NOTHING;
      if (load<u64>(slot) == 0 && isHugeFolio(frame) && mayMapHuge(region, page, flags)) {
        mapHuge(space, slot, headOf(frame), flags, false);
        return OUTCOME_DONE;
      }
      table = ensurePteTable(space, page);
      if (table == 0) return ENOMEM;
    }
    const part: u64 = frame - folioHead(frame);
    const next = at - part + folioPages(frame);
    if (mayMapWhole(space, region, at, frame, flags))
      mapWhereNone(space, table, at - part, next, frame - <u32>part, flags);
    else mapWhereNone(space, table, at, min(next, to), frame, flags);
    at = next;
  }
  return table != 0 && isPresent(load<u64>(slotIn(table, page))) ? OUTCOME_DONE : FAULT_AROUND_NOTHING;
}

/** Maps frames from `frame` on at those pages from `from` to `end` whose entries are none (`filemap_map_folio_range`). */
function mapWhereNone(space: usize, table: usize, from: u64, end: u64, frame: u32, flags: u32): void {
  for (let at = from; at < end; at++, frame++) {
    const slot = slotIn(table, at);
    if (!isNone(load<u64>(slot))) continue;
    mapFrame(space, frame);
    store<u64>(slot, fileEntry(frame, flags, false));
    adjustCounts(table, 1, 0);
  }
}

function mayMapWhole(space: usize, region: usize, page: u64, frame: u32, flags: u32): bool {
  if (isSmallFaultAround(space) || !isLarge(frame)) return false;
  return fitsFolio(region, page, frame) && !isLastOfFile(space, region, page, frame, flags);
}

/**
 * Tells whether the folio of `frame`, at `page`, is the last of a regular file. Such a one is not mapped by the way where there is no table yet:
 * Linux means folios that reach behind the end of the file, and is off by one (`file_end >= folio_next_index()`).
 */
function isLastOfFile(space: usize, region: usize, page: u64, frame: u32, flags: u32): bool {
  if ((flags & REGION_FILE) == 0 || isSmallFaultAround(space)) return false;
  const next = indexOf(region, page) - (frame - folioHead(frame)) + folioPages(frame);
  return next >= pagesOf(objectOf(region));
}

function isSmallFaultAround(space: usize): bool {
  return (load<u32>(space, SPACE_KERNEL) & KERNEL_SMALL_FAULT_AROUND) != 0;
}
