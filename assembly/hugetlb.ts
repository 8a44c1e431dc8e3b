import {
  COPY_PRIVATE,
  COPY_UFFD_WP,
  EEXIST,
  EFAULT,
  ENOMEM,
  FILL_WP,
  MOVE_CLEAR_UFFD_WP,
  OK,
  REGION_SHARED,
  REGION_WRITE,
  ZAP_DROP_MARKERS,
} from "./abi";
import {
  frameOf,
  hugeFrameOf,
  isGuard,
  isMarker,
  isNone,
  isPoison,
  isPresent,
  isUffdWp,
  POISON_MARKER,
  SWAP_UFFD_WP,
  UFFD_WP,
  UFFD_WP_MARKER,
  withDirty,
  withHugeProtection,
  withoutUffdWp,
  withUffdWp,
  writeProtected,
} from "./entry";
import {
  addMap,
  FRAME_RESTORE_RESERVE,
  FRAME_SHARED,
  FRAMES_PER_HUGE,
  isAnonymous,
  setContent,
  setFlags,
} from "./frames";
import { firstPageOfEntry, nextEntryPage, PMD_SHIFT } from "./geometry";
import { dropHugeMap, entryFor, putIntoObject } from "./hugetlb-fault";
import { restoreReserve, returnHugePage, takeHugePage } from "./hugetlb-pool";
import { protectionOf } from "./mprotect";
import { addToSet, cachedEntry, pagesOf, removeFromSet, reservesOf, setHas, storeCached } from "./object";
import { findRegion } from "./regions";
import { ensurePmdSlot, findPmdSlot, holeShift, storePmd } from "./table";
import { indexOf, objectOf, policyOf } from "./userfault";

/**
 * What other passes do to last-level entries, done to the PMD entries of memory of hugetlbfs. Ranges are of whole huge pages.
 * (`mm/hugetlb.c`)
 */

/** Write-protects a range (`hugetlb_change_protection` with MM_CP_UFFD_WP). Returns OK or ENOMEM. */
export function protectHugetlb(space: usize, firstPage: u64, pageCount: u64): i32 {
  for (let page = firstPage; page < firstPage + pageCount; page += FRAMES_PER_HUGE) {
    const slot = ensurePmdSlot(space, page);
    if (slot == 0) return ENOMEM;
    const entry = load<u64>(slot);
    if (isNone(entry)) storePmd(slot, UFFD_WP_MARKER);
    else if (isPresent(entry)) store<u64>(slot, withUffdWp(entry));
  }
  return OK;
}

/** Gives a range a new protection; `resolves`: and takes uffd-wp away. `flags`: PROTECTION_. */
export function changeHugetlb(space: usize, firstPage: u64, pageCount: u64, flags: u32, resolves: bool): void {
  const end = firstPage + pageCount;
  for (let page = firstPage; page < end; page = nextHuge(space, page)) {
    const slot = findPmdSlot(space, page);
    if (slot == 0) continue;
    const entry = load<u64>(slot);
    if (isPresent(entry)) {
      const changed = withHugeProtection(entry, protectionOf(flags));
      store<u64>(slot, resolves ? withoutUffdWp(changed) : changed);
    } else if (resolves && entry == UFFD_WP_MARKER) {
      storePmd(slot, 0);
    }
  }
}

/**
 * Removes what a range maps. `flags`: ZAP_DROP_MARKERS or 0. `owner`: the set of used-up reservations of a private mapping, which gets its
 * pages back, or 0; `index`: number of the first huge page. (`__unmap_hugepage_range`)
 */
export function zapHugetlb(space: usize, firstPage: u64, pageCount: u64, flags: u32, owner: usize, index: u64): void {
  const end = firstPage + pageCount;
  for (let page = firstPage; page < end; page = nextHuge(space, page)) {
    const slot = findPmdSlot(space, page);
    if (slot == 0) continue;
    const entry = load<u64>(slot);
    if (entry == 0) continue;
    const leavesMarker = isUffdWp(entry) && (flags & ZAP_DROP_MARKERS) == 0;
    storePmd(slot, leavesMarker ? UFFD_WP_MARKER : 0);
    if (isPresent(entry)) dropFromOwner(hugeFrameOf(entry), owner, index + ((page - firstPage) >> PMD_SHIFT));
  }
}

/** Copies the entries of a range for fork. `flags`: COPY_. Returns OK or ENOMEM. (`copy_hugetlb_page_range`) */
export function copyHugetlb(parent: usize, child: usize, firstPage: u64, pageCount: u64, flags: u32): i32 {
  const end = firstPage + pageCount;
  for (let page = firstPage; page < end; page = nextHuge(parent, page)) {
    const slot = findPmdSlot(parent, page);
    if (slot == 0) continue;
    const target = ensurePmdSlot(child, page);
    if (target == 0) return ENOMEM;
    const entry = load<u64>(slot);
    if (isPresent(entry)) {
      storePmd(target, copiedHuge(slot, flags));
    } else if (isMarker(entry)) {
      const plain = entry & ~SWAP_UFFD_WP;
      if (isPoison(plain) || isGuard(plain) || (flags & COPY_UFFD_WP) != 0) storePmd(target, plain);
    }
  }
  return OK;
}

/** Moves the entries of a range. `flags`: MOVE_CLEAR_UFFD_WP or 0. Returns OK or ENOMEM. (`move_hugetlb_page_tables`) */
export function moveHugetlb(space: usize, firstPage: u64, newFirst: u64, pageCount: u64, flags: u32): i32 {
  const end = firstPage + pageCount;
  for (let page = firstPage; page < end; page = nextHuge(space, page)) {
    const slot = findPmdSlot(space, page);
    if (slot == 0 || load<u64>(slot) == 0) continue;
    const target = ensurePmdSlot(space, newFirst + (page - firstPage));
    if (target == 0) return ENOMEM;
    const entry = load<u64>(slot);
    storePmd(slot, 0);
    const clears = (flags & MOVE_CLEAR_UFFD_WP) != 0;
    if (!clears) storePmd(target, entry);
    else if (entry != UFFD_WP_MARKER) storePmd(target, isPresent(entry) ? withoutUffdWp(entry) : entry & ~SWAP_UFFD_WP);
  }
  return OK;
}

/** Puts a new huge page with contents `value`, `value + step`, … at `page` (UFFDIO_COPY). `flags`: FILL_WP or 0. Returns OK or an errno. */
export function copyIntoHugetlb(space: usize, page: u64, flags: u32, value: u64, step: u64): i32 {
  const region = findRegion(space, page);
  const policy = policyOf(region, 0);
  const object = objectOf(region);
  const index = indexOf(region, page) >> PMD_SHIFT;
  const slot = ensurePmdSlot(space, page);
  if (slot == 0) return ENOMEM;
  const entry = load<u64>(slot);
  if (!isNone(entry) && !isMarker(entry)) return EEXIST;
  const isShared = (policy & REGION_SHARED) != 0;
  if (isShared && !isNone(cachedEntry(object, index))) return EEXIST;
  const isBeyondEnd = index << PMD_SHIFT >= pagesOf(object);
  const head = takeHugePage(region, reservesOf(object), index, policy, false);
  if (head == 0) return EEXIST; // the kernel takes an entry that it can find for one that is filled, and it has just made the entry
  for (let i: u32 = 0; i < FRAMES_PER_HUGE; i++) setContent(head + i, value + step * i);
  if (isShared) {
    if (isBeyondEnd) {
      returnHugePage(head, true); // the mapping has reserved it, and nobody could use it before
      return EFAULT;
    }
    if (!putIntoObject(object, index, head)) return ENOMEM;
    addMap(head);
  }
  storePmd(slot, filledEntry(head, policy, flags, true));
  return OK;
}

/** Maps the huge page that the object has at `page` (UFFDIO_CONTINUE). Returns OK or an errno. */
export function continueHugetlb(space: usize, page: u64, flags: u32): i32 {
  const region = findRegion(space, page);
  const policy = policyOf(region, 0);
  const slot = ensurePmdSlot(space, page);
  if (slot == 0) return ENOMEM;
  const cached = cachedEntry(objectOf(region), indexOf(region, page) >> PMD_SHIFT);
  if (isNone(cached)) return EFAULT;
  const entry = load<u64>(slot);
  if (!isNone(entry) && !isMarker(entry)) return EEXIST;
  const head = frameOf(cached);
  addMap(head);
  storePmd(slot, filledEntry(head, policy, flags, (policy & REGION_SHARED) != 0));
  return OK;
}

/** Poisons the huge page at `page` (UFFDIO_POISON). Returns OK or an errno. */
export function poisonHugetlb(space: usize, page: u64): i32 {
  const slot = ensurePmdSlot(space, page);
  if (slot == 0) return ENOMEM;
  if (!isNone(load<u64>(slot))) return EEXIST;
  storePmd(slot, POISON_MARKER);
  return OK;
}

/** Takes huge pages that nothing maps out of an object, and their reservations (`remove_inode_hugepages`). */
export function punchHugetlb(object: usize, index: u64, count: u64): void {
  for (let i = index; i < index + count; i++) {
    const cached = cachedEntry(object, i);
    if (isNone(cached)) continue;
    storeCached(object, i, 0);
    returnHugePage(frameOf(cached), false);
    removeFromSet(reservesOf(object), i);
  }
}

/** Fills pages of an object with zeros, those of them that it has; `index` counts pages (`hugetlbfs_zero_partial_page`). */
export function zeroHugetlb(object: usize, index: u64, count: u64): void {
  for (let i = index; i < index + count; i++) {
    const cached = cachedEntry(object, i >> PMD_SHIFT);
    if (!isNone(cached)) setContent(frameOf(cached) + <u32>(i & (FRAMES_PER_HUGE - 1)), 0);
  }
}

/** Counts the numbers of a range that are in a set; with `adds`, those that are not are added. */
export function countInSet(set: usize, index: u64, count: u64, adds: bool): u32 {
  let found: u32 = 0;
  for (let i = index; i < index + count; i++) {
    if (setHas(set, i)) found++;
    else if (adds) addToSet(set, i);
  }
  return found;
}

/** A page that goes back to the owner of a private mapping stays reserved for it. */
function dropFromOwner(head: u32, owner: usize, index: u64): void {
  if (owner == 0 || !isAnonymous(head)) {
    dropHugeMap(head);
    return;
  }
  if (setHas(owner, index)) restoreReserve(owner, index);
  setFlags(head, FRAME_RESTORE_RESERVE); // whoever lets the page go last
  dropHugeMap(head);
}

function copiedHuge(slot: usize, flags: u32): u64 {
  const head = hugeFrameOf(load<u64>(slot));
  if (isAnonymous(head)) setFlags(head, FRAME_SHARED);
  addMap(head);
  if ((flags & COPY_PRIVATE) != 0) store<u64>(slot, writeProtected(load<u64>(slot)));
  const entry = load<u64>(slot);
  return (flags & COPY_UFFD_WP) != 0 ? entry : entry & ~UFFD_WP;
}

/** `make_huge_pte` as `hugetlb_mfill_atomic_pte` calls it. */
function filledEntry(head: u32, policy: u32, flags: u32, mayWrite: bool): u64 {
  const isProtected = (flags & FILL_WP) != 0;
  const entry = withDirty(entryFor(head, policy, mayWrite && !isProtected && (policy & REGION_WRITE) != 0));
  return isProtected ? withUffdWp(entry) : entry;
}

function nextHuge(space: usize, page: u64): u64 {
  const hasTable = findPmdSlot(space, page) != 0;
  return hasTable ? firstPageOfEntry(page, PMD_SHIFT) + FRAMES_PER_HUGE : nextEntryPage(page, holeShift);
}
