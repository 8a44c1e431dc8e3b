import {
  COUNTER_ARMED_NONE,
  COUNTER_ARMED_PAGE,
  COUNTER_ARMED_ZERO,
  COUNTER_DISARMED_MARKER,
  COUNTER_DISARMED_PAGE,
  COUNTER_DISARMED_ZERO,
  COUNTER_PROTECT_VISITED,
  OK,
  PROTECT_OBJECT,
  PROTECT_UNPOPULATED,
  UPGRADE_WRITABLE,
} from "./abi";
import {
  isHuge,
  isNone,
  isPresent,
  isSwap,
  isZeroPage,
  PRESENT,
  SWAP_UFFD_WP,
  UFFD_WP_MARKER,
  withoutUffdWp,
  withUffdWp,
  withWrite,
} from "./entry";
import { framesAreSimple } from "./frames";
import { ENTRIES_PER_TABLE, ENTRY_BYTES, PMD_SHIFT, TABLE_BYTES } from "./geometry";
import { splitHuge } from "./huge";
import { noteResolved, resolveHuge, resolveProtection, setProtection } from "./mprotect";
import { addTo } from "./stats";
import {
  changedEntries,
  changedZeroPages,
  protectAny,
  protectMixed,
  protectPages,
  unprotectMixed,
  unprotectPages,
} from "./passes";
import {
  adjustCounts,
  ensurePteTable,
  mapsNothing,
  markers,
  occupied,
  TABLE_OTHERS,
  TABLE_ZERO_PAGES,
  tableFlags,
} from "./table";
import { KIND_MARKER, KIND_NONE, KIND_ZERO, KIND_ZERO_WP, templateOf } from "./uniform";
import { slotIn, slotsEnd, walk, WALK_AGAIN } from "./walk";
import { forgetWritten, noteAllProtected, noteWritten } from "./written";

/**
 * UFFDIO_WRITEPROTECT in both directions: `mm/mprotect.c:change_pte_range` with MM_CP_UFFD_WP and MM_CP_UFFD_WP_RESOLVE.
 */

/** Whether huge pages that are met belong to an object. */
let ofObject: bool = false;

/** Write-protects a range. `flags`: PROTECT_. Returns OK or ENOMEM with the range protected in part. */
export function protect(space: usize, firstPage: u64, pageCount: u64, flags: u32): i32 {
  ofObject = (flags & PROTECT_OBJECT) != 0;
  return (flags & PROTECT_UNPOPULATED) != 0
    ? walk<ProtectAll>(space, firstPage, pageCount)
    : walk<ProtectPopulated>(space, firstPage, pageCount);
}

/** Removes the write protection of a range. `flags`: UPGRADE_ and PROTECTION_ as the mapping is. Returns OK or ENOMEM (of splitting). */
export function unprotect(space: usize, firstPage: u64, pageCount: u64, flags: u32): i32 {
  if ((flags & ~UPGRADE_WRITABLE) != 0 || !framesAreSimple()) {
    return resolveProtection(space, firstPage, pageCount, flags);
  }
  setProtection(flags);
  return (flags & UPGRADE_WRITABLE) != 0
    ? walk<UnprotectWritable>(space, firstPage, pageCount)
    : walk<UnprotectReadOnly>(space, firstPage, pageCount);
}

/** Removes the write protection of one present page in a writable private region, as `unprotect` does for a range. */
export function unprotectPage(space: usize, page: u64): void {
  // without a table the page is a part of the huge zero page, which has to be split
  const table: usize = framesAreSimple() ? ensurePteTable(space, page) : 0;
  if (table == 0) {
    resolveProtection(space, page, 1, UPGRADE_WRITABLE);
    return;
  }
  const slot = slotIn(table, page);
  const before = load<u64>(slot);
  assert(isPresent(before), "the page is there");
  store<u64>(slot, changetype<UpgradeExclusive>(0).upgrade(withoutUffdWp(before)));
  noteWritten(slot);
  addTo(space, isZeroPage(before) ? COUNTER_DISARMED_ZERO : COUNTER_DISARMED_PAGE, 1);
}

/** Protects every entry and leaves a marker where there is none; tables are allocated first (`change_prepare`). */
@unmanaged
@final
class ProtectAll {
  mapped(kind: u32): u32 {
    if (kind < KIND_MARKER) return KIND_MARKER;
    return kind == KIND_ZERO ? KIND_ZERO_WP : kind;
  }

  note(space: usize, kind: u32, pageCount: u64): void {
    addTo(space, COUNTER_PROTECT_VISITED, pageCount);
    if (kind < KIND_MARKER) addTo(space, COUNTER_ARMED_NONE, pageCount);
    if (kind == KIND_ZERO) addTo(space, COUNTER_ARMED_ZERO, pageCount);
  }

  slice(space: usize, table: usize, page: u64, pageCount: u32): i32 {
    addTo(space, COUNTER_PROTECT_VISITED, pageCount);
    if (markers(table) == ENTRIES_PER_TABLE) return OK;
    const slot = slotIn(table, page);
    if (occupied(table) == 0) markNone(space, table, slot, pageCount);
    else if (ASC_FEATURE_SIMD && pageCount == ENTRIES_PER_TABLE) protectTable(space, table, true);
    else protectEach(space, table, slot, pageCount, true);
    return OK;
  }

  huge(space: usize, slot: usize, page: u64, pageCount: u32): i32 {
    return protectHuge(space, slot, pageCount);
  }
}

/** Protects what maps a page; entries that are none stay so, which is how writes to them are lost. */
@unmanaged
@final
class ProtectPopulated {
  mapped(kind: u32): u32 {
    return kind == KIND_ZERO ? KIND_ZERO_WP : kind;
  }

  note(space: usize, kind: u32, pageCount: u64): void {
    addTo(space, COUNTER_PROTECT_VISITED, pageCount);
    if (kind == KIND_ZERO) addTo(space, COUNTER_ARMED_ZERO, pageCount);
  }

  slice(space: usize, table: usize, page: u64, pageCount: u32): i32 {
    addTo(space, COUNTER_PROTECT_VISITED, pageCount);
    if (mapsNothing(table)) return OK;
    if (ASC_FEATURE_SIMD && pageCount == ENTRIES_PER_TABLE) protectTable(space, table, false);
    else protectEach(space, table, slotIn(table, page), pageCount, false);
    return OK;
  }

  huge(space: usize, slot: usize, page: u64, pageCount: u32): i32 {
    return protectHuge(space, slot, pageCount);
  }
}


@unmanaged
@final
class UnprotectWritable {
  mapped(kind: u32): u32 {
    return unprotectedKind(kind);
  }

  note(space: usize, kind: u32, pageCount: u64): void {
    noteResolved(space, kind, pageCount);
  }

  slice(space: usize, table: usize, page: u64, pageCount: u32): i32 {
    return unprotectSlice<UpgradeExclusive>(space, table, page, pageCount);
  }

  huge(space: usize, slot: usize, page: u64, pageCount: u32): i32 {
    return resolveHuge(space, slot, pageCount);
  }
}


@unmanaged
@final
class UnprotectReadOnly {
  mapped(kind: u32): u32 {
    return unprotectedKind(kind);
  }

  note(space: usize, kind: u32, pageCount: u64): void {
    noteResolved(space, kind, pageCount);
  }

  slice(space: usize, table: usize, page: u64, pageCount: u32): i32 {
    return unprotectSlice<UpgradeNothing>(space, table, page, pageCount);
  }

  huge(space: usize, slot: usize, page: u64, pageCount: u32): i32 {
    return resolveHuge(space, slot, pageCount);
  }
}

/** The zero page never becomes writable. */
function unprotectedKind(kind: u32): u32 {
  if (kind == KIND_MARKER) return KIND_NONE;
  return kind == KIND_ZERO_WP ? KIND_ZERO : kind;
}

/** A huge page that is protected in part is split; one of an object is always taken away, since only a table can hold markers. */
function protectHuge(space: usize, slot: usize, pageCount: u32): i32 {
  const entry = load<u64>(slot);
  if (!isHuge(entry)) return OK;
  if (ofObject || pageCount != <u32>ENTRIES_PER_TABLE) {
    const status = splitHuge(space, slot);
    return status == OK ? WALK_AGAIN : status;
  }
  addTo(space, COUNTER_PROTECT_VISITED, pageCount);
  if (withUffdWp(entry) == entry) return OK;
  store<u64>(slot, withUffdWp(entry));
  addTo(space, isZeroPage(entry) ? COUNTER_ARMED_ZERO : COUNTER_ARMED_PAGE, pageCount);
  return OK;
}

function markNone(space: usize, table: usize, start: usize, pageCount: u32): void {
  if (pageCount == ENTRIES_PER_TABLE) {
    memory.copy(table, templateOf(KIND_MARKER, PMD_SHIFT), TABLE_BYTES);
  } else {
    const end = slotsEnd(start, pageCount);
    for (let slot = start; slot < end; slot += ENTRY_BYTES) store<u64>(slot, UFFD_WP_MARKER);
  }
  adjustCounts(table, pageCount, pageCount);
  addTo(space, COUNTER_ARMED_NONE, pageCount);
}

/** Protects all entries of a table, by the shortest loop that what is in it allows. `marks`: none entries become markers. */
function protectTable(space: usize, table: usize, marks: bool): void {
  const flags = tableFlags(table);
  const empty = ENTRIES_PER_TABLE - occupied(table);
  const isPages = empty == 0 && markers(table) == 0 && (flags & (TABLE_ZERO_PAGES | TABLE_OTHERS)) == 0;
  if (isPages) protectPages(table);
  else if (marks && (flags & TABLE_OTHERS) == 0) protectMixed(table);
  else protectAny(table, marks);
  if ((flags & TABLE_OTHERS) != 0 || (!marks && empty != 0)) forgetWritten(table);
  else noteAllProtected(table);
  const marked = marks ? empty : 0;
  if (marked != 0) adjustCounts(table, marked, marked);
  addTo(space, COUNTER_ARMED_NONE, marked);
  addTo(space, COUNTER_ARMED_PAGE, changedEntries - marked - changedZeroPages);
  addTo(space, COUNTER_ARMED_ZERO, changedZeroPages);
}

function protectEach(space: usize, table: usize, start: usize, pageCount: u32, marks: bool): void {
  forgetWritten(table);
  if (!mapsNothing(table)) protectPresent(space, start, pageCount);
  if (!marks) return;
  const end = slotsEnd(start, pageCount);
  let marked: u32 = 0;
  for (let slot = start; slot < end; slot += ENTRY_BYTES) {
    if (!isNone(load<u64>(slot))) continue;
    store<u64>(slot, UFFD_WP_MARKER);
    marked++;
  }
  adjustCounts(table, marked, marked);
  addTo(space, COUNTER_ARMED_NONE, marked);
}

function protectPresent(space: usize, start: usize, pageCount: u32): void {
  const end = slotsEnd(start, pageCount);
  let changed: u32 = 0;
  let zeroPages: u32 = 0;
  for (let slot = start; slot < end; slot += ENTRY_BYTES) {
    const before = load<u64>(slot);
    if (!isPresent(before)) {
      if (isSwap(before)) store<u64>(slot, before | SWAP_UFFD_WP);
      continue;
    }
    const after = withUffdWp(before);
    if (after == before) continue; // an untouched slot stays untouched: a store would dirty its line
    store<u64>(slot, after);
    changed++;
    zeroPages += u32(isZeroPage(before));
  }
  addTo(space, COUNTER_ARMED_PAGE, changed - zeroPages);
  addTo(space, COUNTER_ARMED_ZERO, zeroPages);
}

function unprotectSlice<Upgrade>(space: usize, table: usize, page: u64, pageCount: u32): i32 {
  if (occupied(table) == 0) return OK;
  const slot = slotIn(table, page);
  const isSimple = ASC_FEATURE_SIMD && pageCount == ENTRIES_PER_TABLE && (tableFlags(table) & TABLE_OTHERS) == 0;
  if (isSimple && !mapsNothing(table)) {
    unprotectTable(space, table, changetype<Upgrade>(0).upgrade(PRESENT) != PRESENT);
    return OK;
  }
  forgetWritten(table);
  if (!mapsNothing(table)) unprotectPresent<Upgrade>(space, slot, pageCount);
  if (markers(table) == 0) return OK;
  const cleared = clearMarkers(table, slot, pageCount);
  adjustCounts(table, -(<i32>cleared), -(<i32>cleared));
  addTo(space, COUNTER_DISARMED_MARKER, cleared);
  return OK;
}

/** Takes the protection of all entries of a table away; `upgrades`: pages become writable. */
function unprotectTable(space: usize, table: usize, upgrades: bool): void {
  const cleared = markers(table);
  const isPages = cleared == 0 && occupied(table) == ENTRIES_PER_TABLE && (tableFlags(table) & TABLE_ZERO_PAGES) == 0;
  if (isPages && upgrades) unprotectPages(table);
  else unprotectMixed(table, upgrades);
  forgetWritten(table);
  adjustCounts(table, -(<i32>cleared), -(<i32>cleared));
  addTo(space, COUNTER_DISARMED_MARKER, cleared);
  addTo(space, COUNTER_DISARMED_PAGE, changedEntries - cleared - changedZeroPages);
  addTo(space, COUNTER_DISARMED_ZERO, changedZeroPages);
}

function clearMarkers(table: usize, start: usize, pageCount: u32): u32 {
  if (pageCount == ENTRIES_PER_TABLE && markers(table) == ENTRIES_PER_TABLE) {
    memory.fill(table, 0, TABLE_BYTES);
    return ENTRIES_PER_TABLE;
  }
  const end = slotsEnd(start, pageCount);
  let cleared: u32 = 0;
  for (let slot = start; slot < end; slot += ENTRY_BYTES) {
    if (load<u64>(slot) != UFFD_WP_MARKER) continue;
    store<u64>(slot, 0);
    cleared++;
  }
  return cleared;
}

function unprotectPresent<Upgrade>(space: usize, start: usize, pageCount: u32): void {
  const end = slotsEnd(start, pageCount);
  let changed: u32 = 0;
  let zeroPages: u32 = 0;
  for (let slot = start; slot < end; slot += ENTRY_BYTES) {
    const before = load<u64>(slot);
    if (!isPresent(before)) {
      if (isSwap(before)) store<u64>(slot, before & ~SWAP_UFFD_WP);
      continue;
    }
    const after = changetype<Upgrade>(0).upgrade(withoutUffdWp(before));
    if (after == before) continue;
    store<u64>(slot, after);
    changed++;
    zeroPages += u32(isZeroPage(before));
  }
  addTo(space, COUNTER_DISARMED_PAGE, changed - zeroPages);
  addTo(space, COUNTER_DISARMED_ZERO, zeroPages);
}

/** What becomes of the write bit of an entry whose protection is removed: nothing. */
@unmanaged
@final
class UpgradeNothing {
  upgrade(entry: u64): u64 {
    return entry;
  }
}

/** `mm/mprotect.c:can_change_private_pte_writable`: an exclusive anonymous page is writable at once, the zero page never. */
@unmanaged
@final
class UpgradeExclusive {
  upgrade(entry: u64): u64 {
    return (entry & PRESENT) == 0 || isZeroPage(entry) ? entry : withWrite(entry);
  }
}
