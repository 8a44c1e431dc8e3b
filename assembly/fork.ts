import { COPY_OBJECT, COPY_PRIVATE, COPY_UFFD_WP, ENOMEM, OK } from "./abi";
import {
  ACCESSED,
  frameOf,
  hugeFrameOf,
  isGuard,
  isHuge,
  isNone,
  isPoison,
  isPresent,
  isSwap,
  isZeroPage,
  SWAP_EXCLUSIVE,
  SWAP_UFFD_WP,
  UFFD_WP_MARKER,
  withoutDirty,
  withoutUffdWp,
  WRITABLE,
  writeProtected,
} from "./entry";
import { ensureWord, FRAME_SHARED, FRAMES_PER_HUGE, isAnonymous, setFlags } from "./frames";
import { ENTRY_BYTES, nextEntryPage, PGD_SHIFT, PMD_SHIFT, PUD_SHIFT } from "./geometry";
import { mapHugeFrames } from "./huge";
import { mapFrame, mapSlot } from "./resident";
import { slotOf } from "./swap";
import {
  adjustCounts,
  depositTable,
  ensurePmdSlot,
  ensurePteTable,
  ensurePudTable,
  noteEntry,
  storePmd,
} from "./table";
import { KIND_MARKER, KIND_NONE, KIND_ZERO, templateOf } from "./uniform";
import { slotIn, slotsEnd, walk } from "./walk";

/**
 * fork(2) on the entries of one mapping: `mm/memory.c:copy_page_range`. The child gets a table wherever the parent has one, also if nothing
 * in it is copied.
 */

let childSpace: usize = 0;
let copyFlags: u32 = 0;

/** Copies the entries of a range into a child. `flags`: COPY_. Returns OK, or ENOMEM with the range done in part. */
export function copyRange(parent: usize, child: usize, firstPage: u64, pageCount: u64, flags: u32): i32 {
  childSpace = child;
  copyFlags = flags;
  return walk<Copy>(parent, firstPage, pageCount);
}


@unmanaged
@final
class Copy {
  slice(space: usize, table: usize, page: u64, pageCount: u32): i32 {
    const target = ensurePteTable(childSpace, page);
    if (target == 0) return ENOMEM;
    const start = slotIn(table, page);
    const end = slotsEnd(start, pageCount);
    for (let slot = start; slot < end; slot += ENTRY_BYTES) {
      const entry = load<u64>(slot);
      if (isNone(entry)) continue;
      if (isPresent(entry) && !isZeroPage(entry) && !ensureWord(frameOf(entry))) return ENOMEM;
      const copied = isPresent(entry) ? copiedPresent(slot) : copiedSwapFormat(slot);
      if (copied == 0) continue;
      store<u64>(target + (slot - table), copied);
      adjustCounts(target, 1, i32(copied == UFFD_WP_MARKER));
      noteEntry(target, copied);
    }
    return OK;
  }

  huge(space: usize, slot: usize, page: u64, pageCount: u32): i32 {
    const target = ensurePmdSlot(childSpace, page);
    if (target == 0) return ENOMEM;
    const entry = load<u64>(slot);
    if (!isHuge(entry) || (copyFlags & COPY_OBJECT) != 0) return OK;
    if (!isZeroPage(entry)) shareHuge(hugeFrameOf(entry));
    store<u64>(slot, writeProtected(entry));
    storePmd(target, forChild(writeProtected(entry)));
    depositTable(childSpace);
    return OK;
  }

  hole(space: usize, page: u64, pageCount: u64, shift: u32): i32 {
    if (shift == <u32>PGD_SHIFT) return OK;
    const isUpper = shift == <u32>PUD_SHIFT;
    const made = isUpper ? ensurePudTable(childSpace, page) : ensurePmdSlot(childSpace, page);
    return made == 0 ? ENOMEM : OK;
  }

  uniform(space: usize, kind: u32, page: u64, pageCount: u64): i32 {
    if (kind >= KIND_ZERO) return copyTemplate(kind, page, pageCount);
    const keeps = kind == KIND_MARKER && (copyFlags & COPY_UFFD_WP) != 0;
    return keeps ? walk<Mark>(childSpace, page, pageCount) : walk<Allocate>(childSpace, page, pageCount);
  }
}

/** Gives a child a marker for each page of a range in which it has none entries only. */
@unmanaged
@final
class Mark {
  mapped(kind: u32): u32 {
    return KIND_MARKER;
  }

  note(space: usize, kind: u32, pageCount: u64): void {}

  slice(space: usize, table: usize, page: u64, pageCount: u32): i32 {
    const start = slotIn(table, page);
    const end = slotsEnd(start, pageCount);
    for (let slot = start; slot < end; slot += ENTRY_BYTES) store<u64>(slot, UFFD_WP_MARKER);
    adjustCounts(table, pageCount, pageCount);
    return OK;
  }
}

/** Gives a child tables for a range. */
@unmanaged
@final
class Allocate {
  mapped(kind: u32): u32 {
    return KIND_NONE;
  }

  note(space: usize, kind: u32, pageCount: u64): void {}

  slice(space: usize, table: usize, page: u64, pageCount: u32): i32 {
    return OK;
  }
}

/** Copies zero pages, which are old in a child and so not below a template, table by table. */
function copyTemplate(kind: u32, firstPage: u64, pageCount: u64): i32 {
  const template = templateOf(kind, PMD_SHIFT);
  const end = firstPage + pageCount;
  for (let page = firstPage; page < end; page = min(end, nextEntryPage(page, PMD_SHIFT))) {
    const next = min(end, nextEntryPage(page, PMD_SHIFT));
    const status = changetype<Copy>(0).slice(0, template, page, <u32>(next - page));
    if (status != OK) return status;
  }
  return OK;
}

/** `copy_present_ptes`. */
function copiedPresent(slot: usize): u64 {
  const entry = load<u64>(slot);
  if (!isZeroPage(entry)) {
    const frame = frameOf(entry);
    if (isAnonymous(frame)) setFlags(frame, FRAME_SHARED);
    mapFrame(childSpace, frame);
  }
  const isPrivate = (copyFlags & COPY_PRIVATE) != 0;
  if (isPrivate && (entry & WRITABLE) != 0) store<u64>(slot, writeProtected(entry));
  const copied = load<u64>(slot);
  return forChild(isPrivate ? copied : withoutDirty(copied));
}

/** `copy_nonpresent_pte`. Returns 0 for what the child does not get. */
function copiedSwapFormat(slot: usize): u64 {
  const entry = load<u64>(slot);
  if (isPoison(entry) || isGuard(entry)) return entry & ~SWAP_UFFD_WP;
  if (!isSwap(entry)) return (copyFlags & COPY_UFFD_WP) != 0 ? UFFD_WP_MARKER : 0;
  mapSlot(childSpace, slotOf(entry));
  store<u64>(slot, entry & ~SWAP_EXCLUSIVE);
  const copied = entry & ~SWAP_EXCLUSIVE;
  return (copyFlags & COPY_UFFD_WP) != 0 ? copied : copied & ~SWAP_UFFD_WP;
}

function forChild(entry: u64): u64 {
  const old = entry & ~ACCESSED;
  return (copyFlags & COPY_UFFD_WP) != 0 ? old : withoutUffdWp(old);
}

function shareHuge(head: u32): void {
  for (let i: u32 = 0; i < FRAMES_PER_HUGE; i++) setFlags(head + i, FRAME_SHARED);
  mapHugeFrames(childSpace, head);
}
