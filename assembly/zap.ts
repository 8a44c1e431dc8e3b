import {
  COUNTER_ANON_PAGES,
  COUNTER_ZAPPED_MARKER,
  COUNTER_ZAPPED_PAGE,
  COUNTER_ZAPPED_ZERO,
  OK,
  ZAP_DROP_MARKERS,
  ZAP_OBJECT,
  ZAP_OBJECT_PAGES,
  ZAP_RECLAIM,
  ZAP_SPARE_COPIES,
  ZAP_UFFD_WP,
} from "./abi";
import { frameOf, isGuard, isHuge, isNone, isPoison, isPresent, isUffdWp, isZeroPage, UFFD_WP_MARKER } from "./entry";
import { framesAreSimple, isAnonymous, releaseFrame } from "./frames";
import { ENTRIES_PER_TABLE, ENTRY_BYTES, TABLE_BYTES } from "./geometry";
import { splitHuge, unmapHuge } from "./huge";
import { unmapFrame, unmapSlot } from "./resident";
import { addTo, takeFrom } from "./stats";
import { slotOf } from "./swap";
import { adjustCounts, freePteTable, markers, occupied, pmdSlot } from "./table";
import { entryOfKind, KIND_HOLE, KIND_MARKER, KIND_NONE } from "./uniform";
import { isWholeTable, slotIn, slotsEnd, walk, WALK_AGAIN } from "./walk";

/**
 * Removing pages and markers: `mm/memory.c:zap_pte_range`. In anonymous memory a marker goes with its page; in a mapping of an object
 * that is registered for uffd-wp, what was protected leaves a marker.
 */

/** ZAP_ flags of the zap under way. */
let zapFlags: u32 = 0;

/** Removes what a range of one mapping maps, as the ZAP_ flags say. Returns OK, or ENOMEM with the range done in part. */
export function zap(space: usize, firstPage: u64, pageCount: u64, flags: u32): i32 {
  zapFlags = flags;
  return walk<Zap>(space, firstPage, pageCount);
}


@unmanaged
@final
class Zap {
  mapped(kind: u32): u32 {
    return zappedKind(kind);
  }

  note(space: usize, kind: u32, pageCount: u64): void {
    const isGone = kind >= KIND_MARKER && zappedKind(kind) != kind;
    if (isGone) addTo(space, kind == KIND_MARKER ? COUNTER_ZAPPED_MARKER : COUNTER_ZAPPED_ZERO, pageCount);
  }

  slice(space: usize, table: usize, page: u64, pageCount: u32): i32 {
    if (occupied(table) != 0) zapSlice(space, table, slotIn(table, page), pageCount);
    // a table whose 2 MiB lie in the range is freed also when it was empty before (`mm/pt_reclaim.c`)
    const reclaims = (zapFlags & ZAP_RECLAIM) != 0 && occupied(table) == 0 && isWholeTable(page, pageCount);
    if (reclaims) freePteTable(space, pmdSlot(space, page));
    return OK;
  }

  huge(space: usize, slot: usize, page: u64, pageCount: u32): i32 {
    if (!isHuge(load<u64>(slot))) return OK;
    if (pageCount != <u32>ENTRIES_PER_TABLE) {
      const status = splitHuge(space, slot);
      return status == OK ? WALK_AGAIN : status;
    }
    addTo(space, isZeroPage(load<u64>(slot)) ? COUNTER_ZAPPED_ZERO : COUNTER_ZAPPED_PAGE, ENTRIES_PER_TABLE);
    unmapHuge(space, slot);
    return OK;
  }
}

/** Returns what becomes of pages below a template: as `zapEach` does it, and their tables go where they are reclaimed. */
function zappedKind(kind: u32): u32 {
  if (kind == KIND_HOLE) return KIND_HOLE;
  const entry = entryOfKind(kind);
  if (kind != KIND_NONE && stays(entry)) return kind;
  if (leavesMarkers() && isUffdWp(entry)) return KIND_MARKER;
  return (zapFlags & ZAP_RECLAIM) != 0 ? KIND_HOLE : KIND_NONE;
}

/** Tells whether what is protected leaves a marker when it goes. */
function leavesMarkers(): bool {
  return (zapFlags & (ZAP_OBJECT | ZAP_DROP_MARKERS | ZAP_UFFD_WP)) == (ZAP_OBJECT | ZAP_UFFD_WP);
}

function zapSlice(space: usize, table: usize, start: usize, pageCount: u32): void {
  const keepsMarkers = (zapFlags & (ZAP_OBJECT | ZAP_DROP_MARKERS)) == ZAP_OBJECT;
  if (markers(table) == occupied(table)) {
    if (keepsMarkers) return;
    if (pageCount == ENTRIES_PER_TABLE) {
      const marked = markers(table);
      memory.fill(table, 0, TABLE_BYTES);
      noteZapped(space, table, 0, 0, marked, 0);
      return;
    }
  }
  if (keepsMarkers || !framesAreSimple() || (zapFlags & ZAP_SPARE_COPIES) != 0) zapEach(space, table, start, pageCount);
  else zapSimple(space, table, start, pageCount);
}

/** Zaps where every frame is anonymous and mapped once; there may be markers and guards, but no swap entries. */
function zapSimple(space: usize, table: usize, start: usize, pageCount: u32): void {
  const end = slotsEnd(start, pageCount);
  const keepsGuards = (zapFlags & ZAP_DROP_MARKERS) == 0;
  let pages: u32 = 0;
  let zeroPages: u32 = 0;
  let marked: u32 = 0;
  let others: u32 = 0;
  for (let slot = start; slot < end; slot += ENTRY_BYTES) {
    const entry = load<u64>(slot);
    if (isNone(entry) || (keepsGuards && isGuard(entry))) continue;
    store<u64>(slot, 0);
    if (!isPresent(entry)) {
      if (entry == UFFD_WP_MARKER) marked++;
      else others += forgetSwapFormat(space, entry);
    } else if (isZeroPage(entry)) {
      zeroPages++;
    } else {
      releaseFrame(frameOf(entry));
      pages++;
    }
  }
  takeFrom(space, COUNTER_ANON_PAGES, pages);
  noteZapped(space, table, pages, zeroPages, marked, others);
}

/** Zaps entries of all kinds, one by one. */
function zapEach(space: usize, table: usize, start: usize, pageCount: u32): void {
  const end = slotsEnd(start, pageCount);
  const marks = leavesMarkers();
  for (let slot = start; slot < end; slot += ENTRY_BYTES) {
    const entry = load<u64>(slot);
    if (isNone(entry) || stays(entry)) continue;
    const after: u64 = marks && isUffdWp(entry) ? UFFD_WP_MARKER : 0;
    store<u64>(slot, after);
    adjustCounts(table, -i32(after == 0), i32(after != 0) - i32(entry == UFFD_WP_MARKER));
    addTo(space, zapCounter(entry), 1);
    if (!isPresent(entry)) forgetSwapFormat(space, entry);
    else if (!isZeroPage(entry)) unmapFrame(space, frameOf(entry), entry);
  }
}

/** Tells whether an entry that is not none survives the zap under way (`should_zap_cows`, `zap_drop_markers`). */
function stays(entry: u64): bool {
  if ((zapFlags & ZAP_OBJECT_PAGES) != 0) return !isPresent(entry) || isZeroPage(entry) || isAnonymous(frameOf(entry));
  const sparesCopies = (zapFlags & ZAP_SPARE_COPIES) != 0;
  if (isPresent(entry)) return sparesCopies && !isZeroPage(entry) && isAnonymous(frameOf(entry));
  const dropsMarkers = (zapFlags & ZAP_DROP_MARKERS) != 0;
  if (entry == UFFD_WP_MARKER) return (zapFlags & ZAP_OBJECT) != 0 && !dropsMarkers;
  return isGuard(entry) ? !dropsMarkers : sparesCopies;
}

function zapCounter(entry: u64): u32 {
  if (!isPresent(entry)) return COUNTER_ZAPPED_MARKER;
  return isZeroPage(entry) ? COUNTER_ZAPPED_ZERO : COUNTER_ZAPPED_PAGE;
}

/** Gives the slot of a swap entry back; markers hold nothing. Returns 1, for counting. */
function forgetSwapFormat(space: usize, entry: u64): u32 {
  if (entry != UFFD_WP_MARKER && !isGuard(entry) && !isPoison(entry)) unmapSlot(space, slotOf(entry));
  return 1;
}

function noteZapped(space: usize, table: usize, pages: u32, zeroPages: u32, marked: u32, others: u32): void {
  adjustCounts(table, -(<i32>(pages + zeroPages + marked + others)), -(<i32>marked));
  addTo(space, COUNTER_ZAPPED_PAGE, pages);
  addTo(space, COUNTER_ZAPPED_ZERO, zeroPages);
  addTo(space, COUNTER_ZAPPED_MARKER, marked + others);
}
