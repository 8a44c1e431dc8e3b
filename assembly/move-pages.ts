import { EBUSY, EEXIST, EFAULT, ENOENT, ENOMEM, MOVE_ALLOW_HOLES, OK, REGION_FLAGS, RESULT_REASON } from "./abi";
import {
  frameOf,
  hugeEntry,
  hugeFrameOf,
  isDirty,
  isHuge,
  isNone,
  isPresent,
  isSwap,
  isZeroPage,
  leafEntry,
  SWAP_EXCLUSIVE,
  tableOf,
  UFFD_WP,
  withDirty,
  withWrite,
  zeroPageEntry,
} from "./entry";
import { FRAMES_PER_HUGE, headOf, isExclusive, isLarge } from "./frames";
import { firstPageOfEntry, PMD_SHIFT } from "./geometry";
import { splitHuge } from "./huge";
import { findRegion } from "./regions";
import { result } from "./result";
import { splitAnonymousFolio } from "./split-folio";
import { adjustCounts, ensurePmdSlot, ensurePteTable, findPmdSlot, noteEntry, storePmd } from "./table";
import { protectionOfRegion } from "./userfault";
import { slotIn } from "./walk";

/** UFFDIO_MOVE between two anonymous mappings: `mm/userfaultfd.c:move_pages`. The uffd-wp bit of a page is lost on the way. */

/** Pages that the last step has moved. */
let stepped: u64 = 0;

/** Moves pages from `source` to `target`. `flags`: MOVE_ALLOW_HOLES or 0. Returns the pages done; RESULT_REASON holds OK or an errno. */
export function movePages(space: usize, target: u64, source: u64, pageCount: u64, flags: u32): u64 {
  const region = findRegion(space, target);
  const protection = protectionOfRegion(load<u32>(region, REGION_FLAGS));
  let reason = OK;
  let done: u64 = 0;
  while (done < pageCount) {
    stepped = 1;
    reason = moveStep(space, target + done, source + done, pageCount - done, protection, flags);
    if (reason != OK) break;
    done += stepped;
  }
  store<i32>(result, reason, RESULT_REASON);
  return done;
}

function moveStep(space: usize, target: u64, source: u64, left: u64, protection: u64, flags: u32): i32 {
  const allowsHoles = (flags & MOVE_ALLOW_HOLES) != 0;
  let from = findPmdSlot(space, source);
  if (from == 0) {
    if (!allowsHoles) return ENOENT;
    from = ensurePmdSlot(space, source);
    if (from == 0) return ENOMEM;
  }
  const to = ensurePmdSlot(space, target);
  if (to == 0) return ENOMEM;
  if (isHuge(load<u64>(to))) return EEXIST;
  const entry = load<u64>(from);
  if (isHuge(entry)) {
    const isWhole = isHugeAligned(target) && isHugeAligned(source) && left >= FRAMES_PER_HUGE;
    if (isWhole && load<u64>(to) == 0) return moveHuge(from, to, protection);
    if (!isZeroPage(entry) && !isExclusive(hugeFrameOf(entry))) return EBUSY;
    if (splitHuge(space, from) != OK) return ENOMEM;
  } else if (entry == 0 && !allowsHoles) {
    return ENOENT;
  }
  if (ensurePteTable(space, source) == 0) return ENOMEM;
  if (ensurePteTable(space, target) == 0) return ENOMEM;
  return moveEntry(space, tableOf(load<u64>(from)), tableOf(load<u64>(to)), target, source, protection, allowsHoles);
}

/** `move_pages_huge_pmd`: the table in reserve goes with it. */
function moveHuge(from: usize, to: usize, protection: u64): i32 {
  const entry = load<u64>(from);
  if (!isZeroPage(entry) && !isExclusive(hugeFrameOf(entry))) return EBUSY;
  storePmd(from, 0);
  const moved = isZeroPage(entry) ? entry & ~UFFD_WP : withWrite(withDirty(hugeEntry(hugeFrameOf(entry), protection)));
  storePmd(to, moved);
  stepped = FRAMES_PER_HUGE;
  return OK;
}

/** `move_pages_ptes`. */
function moveEntry(
  space: usize,
  fromTable: usize,
  toTable: usize,
  target: u64,
  source: u64,
  protection: u64,
  allowsHoles: bool,
): i32 {
  const from = slotIn(fromTable, source);
  const to = slotIn(toTable, target);
  if (!isNone(load<u64>(to))) return EEXIST;
  const entry = load<u64>(from);
  if (isNone(entry)) return allowsHoles ? OK : ENOENT;
  if (!isPresent(entry)) {
    if (!isSwap(entry)) return EFAULT;
    if ((entry & SWAP_EXCLUSIVE) == 0) return EBUSY;
    return transfer(fromTable, toTable, from, to, entry);
  }
  if (isZeroPage(entry)) return transfer(fromTable, toTable, from, to, zeroPageEntry(protection));
  const frame = frameOf(entry);
  if (!isExclusive(isLarge(frame) ? headOf(frame) : frame)) return EBUSY;
  if (isLarge(frame)) {
    if (splitAnonymousFolio(space, source, frame) != OK) return ENOMEM;
    return moveEntry(space, fromTable, toTable, target, source, protection, allowsHoles);
  }
  const moved = leafEntry(frame, protection);
  return transfer(fromTable, toTable, from, to, withWrite(isDirty(entry) ? withDirty(moved) : moved));
}

function transfer(fromTable: usize, toTable: usize, from: usize, to: usize, moved: u64): i32 {
  store<u64>(from, 0);
  adjustCounts(fromTable, -1, 0);
  store<u64>(to, moved);
  adjustCounts(toTable, 1, 0);
  noteEntry(toTable, moved);
  return OK;
}

function isHugeAligned(page: u64): bool {
  return firstPageOfEntry(page, PMD_SHIFT) == page;
}
