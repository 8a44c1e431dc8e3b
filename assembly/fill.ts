import {
  COUNTER_FILLED_COPY,
  COUNTER_FILLED_ZERO,
  EEXIST,
  EFAULT,
  EINVAL,
  ENOMEM,
  FILL_WP,
  OK,
  REGION_FILE,
  REGION_FLAGS,
  REGION_HUGETLB,
  REGION_SHARED,
  REGION_SHMEM,
  REGION_WRITE,
  RESULT_REASON,
} from "./abi";
import {
  frameOf,
  isMarker,
  isNone,
  isPresent,
  leafEntry,
  POISON_MARKER,
  UFFD_WP_MARKER,
  withDirty,
  withUffdWp,
  withWrite,
  zeroPageEntry,
} from "./entry";
import { allocateFrame, FRAME_DIRTY, FRAMES_PER_HUGE, setContent, setFlags } from "./frames";
import { continueHugetlb, copyIntoHugetlb, poisonHugetlb } from "./hugetlb";
import { addCachedPage, bringBack, cachedEntry, pagesOf } from "./object";
import { findRegion } from "./regions";
import { countNewPages, mapFrame } from "./resident";
import { result } from "./result";
import { addTo } from "./stats";
import { adjustCounts, ensurePteTable, hugeSlot, noteEntry } from "./table";
import { indexOf, objectOf, protectionOfRegion } from "./userfault";
import { slotIn } from "./walk";

/**
 * UFFDIO_COPY, UFFDIO_ZEROPAGE, UFFDIO_CONTINUE and UFFDIO_POISON: `mm/userfaultfd.c:mfill_atomic`. Copying and continuing replace a marker of
 * any kind, the others need an entry that is none. All return the pages done; RESULT_REASON holds OK or the errno of the page after them.
 * The range lies in one region.
 */

/** Puts a new page with content `value`, `value + step`, … into each entry. `flags`: FILL_WP or 0. */
export function fillCopy(space: usize, firstPage: u64, pageCount: u64, flags: u32, value: u64, step: u64): u64 {
  const region = findRegion(space, firstPage);
  const pages = stepOf(region);
  let reason = OK;
  let done: u64 = 0;
  while (done < pageCount) {
    const page = firstPage + done;
    reason = isHugetlb(region)
      ? copyIntoHugetlb(space, page, flags, value + done * step, step)
      : copyPage(space, region, page, flags, value + done * step);
    if (reason != OK) break;
    done += pages;
  }
  addTo(space, COUNTER_FILLED_COPY, done);
  store<i32>(result, reason, RESULT_REASON);
  return done;
}

/** Maps the shared zero page into each entry; a shared mapping of tmpfs gets new pages instead. */
export function fillZero(space: usize, firstPage: u64, pageCount: u64): u64 {
  const region = findRegion(space, firstPage);
  const flags = load<u32>(region, REGION_FLAGS);
  let reason = OK;
  let done: u64 = 0;
  while (done < pageCount) {
    const page = firstPage + done;
    reason =
      (flags & REGION_SHARED) != 0
        ? copyPage(space, region, page, 0, 0)
        : fillEntry(space, region, page, zeroPageEntry(protectionOfRegion(flags)));
    if (reason != OK) break;
    done++;
  }
  addTo(space, COUNTER_FILLED_ZERO, done);
  store<i32>(result, reason, RESULT_REASON);
  return done;
}

/** Maps the page that the object has into each entry. `flags`: FILL_WP or 0. */
export function fillContinue(space: usize, firstPage: u64, pageCount: u64, flags: u32): u64 {
  const region = findRegion(space, firstPage);
  const pages = stepOf(region);
  let reason = OK;
  let done: u64 = 0;
  while (done < pageCount) {
    const page = firstPage + done;
    reason = isHugetlb(region) ? continueHugetlb(space, page, flags) : continuePage(space, region, page, flags);
    if (reason != OK) break;
    done += pages;
  }
  store<i32>(result, reason, RESULT_REASON);
  return done;
}

/** Makes each entry a poison marker. */
export function fillPoison(space: usize, firstPage: u64, pageCount: u64): u64 {
  const region = findRegion(space, firstPage);
  const pages = stepOf(region);
  let reason = OK;
  let done: u64 = 0;
  while (done < pageCount) {
    const page = firstPage + done;
    reason = isHugetlb(region) ? poisonHugetlb(space, page) : fillEntry(space, region, page, POISON_MARKER);
    if (reason != OK) break;
    done += pages;
  }
  store<i32>(result, reason, RESULT_REASON);
  return done;
}

function isHugetlb(region: usize): bool {
  return (load<u32>(region, REGION_FLAGS) & REGION_HUGETLB) != 0;
}

/** Pages that are filled at once. */
function stepOf(region: usize): u64 {
  return isHugetlb(region) ? FRAMES_PER_HUGE : 1;
}

/** `mfill_atomic_pte_copy`, and `shmem_mfill_atomic_pte` for a shared mapping. */
function copyPage(space: usize, region: usize, page: u64, flags: u32, value: u64): i32 {
  const table = ensurePteTable(space, page);
  if (table == 0) return hugeSlot != 0 ? EEXIST : ENOMEM;
  const isShared = (load<u32>(region, REGION_FLAGS) & REGION_SHARED) != 0;
  if (!isShared) return isBeyondEnd(region, page) ? EFAULT : copyAnonymous(space, region, table, page, flags, value);
  const object = objectOf(region);
  const index = indexOf(region, page);
  if (isBeyondEnd(region, page)) return EFAULT;
  if (!isNone(cachedEntry(object, index))) return EEXIST;
  const entry = load<u64>(slotIn(table, page));
  if (!isNone(entry) && !isMarker(entry)) return EEXIST;
  const frame = addCachedPage(object, index);
  if (frame == 0) return ENOMEM;
  setContent(frame, value);
  setFlags(frame, FRAME_DIRTY);
  mapFrame(space, frame);
  install(table, page, filledEntry(frame, load<u32>(region, REGION_FLAGS), flags, true));
  return OK;
}

function copyAnonymous(space: usize, region: usize, table: usize, page: u64, flags: u32, value: u64): i32 {
  const entry = load<u64>(slotIn(table, page));
  if (!isNone(entry) && !isMarker(entry)) return EEXIST;
  const frame = allocateFrame();
  if (frame == 0) return ENOMEM;
  setContent(frame, value);
  countNewPages(space, 1);
  install(table, page, filledEntry(frame, load<u32>(region, REGION_FLAGS), flags, true));
  return OK;
}

/** `mfill_atomic_pte_continue`. */
function continuePage(space: usize, region: usize, page: u64, flags: u32): i32 {
  const table = ensurePteTable(space, page);
  if (table == 0) return hugeSlot != 0 ? EEXIST : ENOMEM;
  const object = objectOf(region);
  const index = indexOf(region, page);
  if (isBeyondEnd(region, page)) return EINVAL;
  const cached = cachedEntry(object, index);
  if (isNone(cached)) return EFAULT;
  const frame = isPresent(cached) ? frameOf(cached) : bringBack(object, index, cached, false);
  if (frame == 0) return ENOMEM;
  const entry = load<u64>(slotIn(table, page));
  if (!isNone(entry) && !isMarker(entry)) return EEXIST;
  const policy = load<u32>(region, REGION_FLAGS);
  mapFrame(space, frame);
  install(table, page, filledEntry(frame, policy, flags, (policy & REGION_SHARED) != 0));
  return OK;
}

/** `mfill_atomic_install_pte`: dirty, writable if the region is and the page may be written, protected if that was asked for. */
function filledEntry(frame: u32, policy: u32, flags: u32, mayWrite: bool): u64 {
  const dirty = withDirty(leafEntry(frame, protectionOfRegion(policy)));
  const allowed = mayWrite && (policy & REGION_WRITE) != 0 ? withWrite(dirty) : dirty;
  return (flags & FILL_WP) != 0 ? withUffdWp(allowed) : allowed;
}

/** Stores an entry in place of none or of a marker. */
function install(table: usize, page: u64, entry: u64): void {
  const slot = slotIn(table, page);
  const before = load<u64>(slot);
  store<u64>(slot, entry);
  adjustCounts(table, i32(isNone(before)), -i32(before == UFFD_WP_MARKER));
  noteEntry(table, entry);
}

function fillEntry(space: usize, region: usize, page: u64, filled: u64): i32 {
  const table = ensurePteTable(space, page);
  if (table == 0) return hugeSlot != 0 ? EEXIST : ENOMEM;
  if (isBeyondEnd(region, page)) return EFAULT;
  if (!isNone(load<u64>(slotIn(table, page)))) return EEXIST;
  install(table, page, filled);
  return OK;
}

/** `mfill_file_over_size`. */
function isBeyondEnd(region: usize, page: u64): bool {
  const isOfObject = (load<u32>(region, REGION_FLAGS) & (REGION_SHMEM | REGION_FILE)) != 0;
  return isOfObject && indexOf(region, page) >= pagesOf(objectOf(region));
}
