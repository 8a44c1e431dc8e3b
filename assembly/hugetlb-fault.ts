import {
  ACCESS_WRITE,
  COUNTER_ALLOCATE_FAULTS,
  COUNTER_COPY_FAULTS,
  COUNTER_MARKER_FAULTS,
  COUNTER_REUSE_FAULTS,
  COUNTER_SIGBUS,
  COUNTER_WP_ASYNC_FAULTS,
  ENOMEM,
  OUTCOME_DONE,
  OUTCOME_HANG,
  OUTCOME_MINOR,
  OUTCOME_MISSING,
  OUTCOME_POISONED,
  OUTCOME_UNMAP_OTHERS,
  OUTCOME_WP,
  REGION_OWNER,
  REGION_RESERVE_LOST,
  REGION_SHARED,
  REGION_UFFD_MINOR,
  REGION_UFFD_MISSING,
  REGION_UFFD_WP,
  REGION_WP_ASYNC,
  REGION_WRITE,
} from "./abi";
import {
  ACCESSED,
  frameOf,
  hugeEntry,
  hugeFrameOf,
  isNone,
  isPoison,
  isPresent,
  leafEntry,
  permitsWrite,
  PROTECTION_READ,
  UFFD_WP,
  UFFD_WP_MARKER,
  withDirty,
  withoutUffdWp,
  withUffdWp,
  withWrite,
  writeProtected,
} from "./entry";
import {
  addMap,
  contentSlot,
  dropMap,
  FRAME_CACHED,
  FRAME_RESTORE_RESERVE,
  FRAME_SHARED,
  isAnonymous,
  isExclusive,
  mapCount,
  setFlags,
  wordOf,
} from "./frames";
import { PMD_SHIFT, TABLE_BYTES } from "./geometry";
import { returnHugePage, takeHugePage } from "./hugetlb-pool";
import { cachedEntry, pagesOf, reservesOf, storeCached } from "./object";
import { addTo } from "./stats";
import { ensurePmdSlot, storePmd } from "./table";
import { askUserfaultfd, endInSigbus, indexOf, objectOf, prepareAnonVma, protectionOfRegion } from "./userfault";

/**
 * Faults on memory of hugetlbfs, whose entries are those of PMD tables: `mm/hugetlb.c:hugetlb_fault`. Only the first frame of a huge page is
 * counted, mapped and flagged; it stands for all 512.
 */

/** Handles a fault; the region allows the access. */
export function handleHugetlbFault(space: usize, region: usize, page: u64, flags: u32, access: u32): i32 {
  const slot = ensurePmdSlot(space, page);
  if (slot == 0) return ENOMEM;
  const entry = load<u64>(slot);
  if (isPoison(entry)) {
    addTo(space, COUNTER_SIGBUS, 1);
    return OUTCOME_POISONED;
  }
  if (!isPresent(entry)) return handleMissing(space, region, slot, page, flags, access);
  if (access != ACCESS_WRITE || permitsWrite(entry)) {
    store<u64>(slot, access == ACCESS_WRITE ? withDirty(entry | ACCESSED) : entry | ACCESSED);
    return OUTCOME_DONE;
  }
  const isUffds = (flags & REGION_UFFD_WP) != 0 && (entry & UFFD_WP) != 0;
  if (isUffds && (flags & REGION_WP_ASYNC) == 0) return askUserfaultfd(space, flags, OUTCOME_WP);
  if (isUffds) {
    store<u64>(slot, withoutUffdWp(entry));
    addTo(space, COUNTER_WP_ASYNC_FAULTS, 1);
  } else if ((entry & UFFD_WP) != 0) {
    return OUTCOME_HANG; // a bit that a registration left behind stops the copy, and nothing takes it away
  }
  return writeOrCopy(space, region, slot, page, flags);
}

/** `hugetlb_no_page`. */
function handleMissing(space: usize, region: usize, slot: usize, page: u64, flags: u32, access: u32): i32 {
  if ((flags & REGION_RESERVE_LOST) != 0) return endInSigbus(space);
  const object = objectOf(region);
  const index = indexOf(region, page) >> PMD_SHIFT;
  const cached = cachedEntry(object, index);
  let head: u32 = 0;
  if (isNone(cached)) {
    if (index << PMD_SHIFT >= pagesOf(object)) return endInSigbus(space);
    if ((flags & REGION_UFFD_MISSING) != 0) return askUserfaultfd(space, flags, OUTCOME_MISSING);
    if ((flags & REGION_SHARED) == 0) prepareAnonVma(region);
    head = takeHugePage(region, reservesOf(object), index, flags, false);
    if (head == 0) return endInSigbus(space);
    if ((flags & REGION_SHARED) != 0 && !putIntoObject(object, index, head)) return ENOMEM;
    else if ((flags & REGION_SHARED) != 0) addMap(head);
  } else {
    if ((flags & REGION_UFFD_MINOR) != 0) return askUserfaultfd(space, flags, OUTCOME_MINOR);
    head = frameOf(cached);
    addMap(head);
  }
  const isMarked = load<u64>(slot) == UFFD_WP_MARKER;
  const mapped = entryFor(head, flags, (flags & REGION_SHARED) != 0);
  storePmd(slot, isMarked ? withUffdWp(mapped) : mapped);
  addTo(space, isMarked ? COUNTER_MARKER_FAULTS : COUNTER_ALLOCATE_FAULTS, 1);
  const copies = access == ACCESS_WRITE && (flags & REGION_SHARED) == 0 && !isMarked; // a protected page is not copied here
  return copies ? writeOrCopy(space, region, slot, page, flags) : OUTCOME_DONE;
}

/** Gives a new huge page to an object. */
export function putIntoObject(object: usize, index: u64, head: u32): bool {
  if (!storeCached(object, index, leafEntry(head, PROTECTION_READ))) {
    returnHugePage(head, false);
    return false;
  }
  setFlags(head, FRAME_CACHED);
  return true;
}

/** `hugetlb_wp`. */
function writeOrCopy(space: usize, region: usize, slot: usize, page: u64, flags: u32): i32 {
  const entry = load<u64>(slot);
  const head = hugeFrameOf(entry);
  if ((flags & REGION_SHARED) != 0 || (isAnonymous(head) && mapCount(head) == 1)) {
    if (isAnonymous(head) && !isExclusive(head)) setFlags(head, 0, FRAME_SHARED);
    store<u64>(slot, withHugeWrite(entry | ACCESSED, flags));
    addTo(space, COUNTER_REUSE_FAULTS, 1);
    return OUTCOME_DONE;
  }
  return copyHugePage(space, region, slot, page, flags);
}

function copyHugePage(space: usize, region: usize, slot: usize, page: u64, flags: u32): i32 {
  const entry = load<u64>(slot);
  const head = hugeFrameOf(entry);
  const index = indexOf(region, page) >> PMD_SHIFT;
  const fromOwner = load<u32>(region, REGION_OWNER) != 0 && isAnonymous(head);
  prepareAnonVma(region);
  const copy = takeHugePage(region, reservesOf(objectOf(region)), index, flags, fromOwner);
  if (copy == 0) return fromOwner ? OUTCOME_UNMAP_OTHERS : endInSigbus(space);
  memory.copy(contentSlot(copy), contentSlot(head), TABLE_BYTES);
  store<u64>(slot, entryFor(copy, flags, true));
  dropHugeMap(head);
  addTo(space, COUNTER_COPY_FAULTS, 1);
  return OUTCOME_DONE;
}

/** Notes that an entry less maps a huge page; an anonymous one that nothing maps any more goes back to the pool. */
export function dropHugeMap(head: u32): void {
  if (isAnonymous(head) && mapCount(head) == 1) returnHugePage(head, (wordOf(head) & FRAME_RESTORE_RESERVE) != 0);
  else dropMap(head);
}

/** `make_huge_pte`. */
export function entryFor(head: u32, flags: u32, mayWrite: bool): u64 {
  const entry = hugeEntry(head, protectionOfRegion(flags));
  const isWritable = mayWrite && (flags & REGION_WRITE) != 0;
  return (isWritable ? withWrite(withDirty(entry)) : writeProtected(entry)) | ACCESSED;
}

function withHugeWrite(entry: u64, flags: u32): u64 {
  return (flags & REGION_WRITE) != 0 ? withWrite(withDirty(entry)) : withDirty(entry);
}
