import {
  COUNTER_DISARMED_MARKER,
  COUNTER_DISARMED_PAGE,
  COUNTER_DISARMED_ZERO,
  OK,
  PROTECTION_NONE,
  PROTECTION_SHARED_WRITE,
  UPGRADE_DIRTY,
  UPGRADE_NOT_UFFD_WP,
  UPGRADE_WRITABLE,
} from "./abi";
import {
  frameOf,
  hugeFrameOf,
  isDirty,
  isHuge,
  isNone,
  isPresent,
  isSwap,
  isZeroPage,
  PRESENT,
  PROTECTION_NO_ACCESS,
  PROTECTION_READ,
  PROTECTION_SHARED,
  SWAP_UFFD_WP,
  UFFD_WP,
  UFFD_WP_MARKER,
  withHugeProtection,
  withoutUffdWp,
  withProtection,
  withWrite,
} from "./entry";
import { isExclusive } from "./frames";
import { ENTRIES_PER_TABLE, ENTRY_BYTES } from "./geometry";
import { splitHuge } from "./huge";
import { addTo } from "./stats";
import { adjustCounts, mapsNothing, occupied, setTableFlags, TABLE_OTHERS } from "./table";
import { entryOfKind, KIND_MARKER, KIND_MIXED, KIND_NONE, KIND_ZERO, KIND_ZERO_WP } from "./uniform";
import { slotIn, slotsEnd, walk, WALK_AGAIN } from "./walk";
import { forgetWritten } from "./written";

/**
 * A new protection for the entries of a range: `mm/mprotect.c:change_pte_range`, for mprotect(2), and with MM_CP_UFFD_WP_RESOLVE for the kinds of
 * memory that `protect.ts` has no shorter loop for. Markers and the uffd-wp bit survive mprotect.
 */

let newFlags: u32 = 0;
let newProtection: u64 = 0;

/** Gives the pages of a range a new protection. `flags`: PROTECTION_, UPGRADE_. Returns OK, or ENOMEM with the range done in part. */
export function changeProtection(space: usize, firstPage: u64, pageCount: u64, flags: u32): i32 {
  setProtection(flags);
  return walk<Mprotect>(space, firstPage, pageCount);
}

/** The same, and takes uffd-wp away from entries of every state. */
export function resolveProtection(space: usize, firstPage: u64, pageCount: u64, flags: u32): i32 {
  setProtection(flags);
  return walk<Resolve>(space, firstPage, pageCount);
}

/** Returns the `vm_page_prot` that PROTECTION_ flags stand for. */
export function protectionOf(flags: u32): u64 {
  if ((flags & PROTECTION_NONE) != 0) return PROTECTION_NO_ACCESS;
  return (flags & PROTECTION_SHARED_WRITE) != 0 ? PROTECTION_SHARED : PROTECTION_READ;
}

/** Says what protection the entries that `resolveHuge` meets get. `flags`: PROTECTION_, UPGRADE_. */
export function setProtection(flags: u32): void {
  newFlags = flags;
  newProtection = protectionOf(flags);
}


@unmanaged
@final
class Mprotect {
  mapped(kind: u32): u32 {
    if (kind < KIND_ZERO) return kind;
    const entry = entryOfKind(kind);
    return upgraded(withProtection(entry, newProtection)) == entry ? kind : KIND_MIXED;
  }

  note(space: usize, kind: u32, pageCount: u64): void {}

  slice(space: usize, table: usize, page: u64, pageCount: u32): i32 {
    if (mapsNothing(table)) return OK;
    noteProtection(table);
    const start = slotIn(table, page);
    const end = slotsEnd(start, pageCount);
    for (let slot = start; slot < end; slot += ENTRY_BYTES) {
      const before = load<u64>(slot);
      if (!isPresent(before)) continue;
      const after = upgraded(withProtection(before, newProtection));
      if (after != before) store<u64>(slot, after);
    }
    return OK;
  }

  huge(space: usize, slot: usize, page: u64, pageCount: u32): i32 {
    return changeHuge(space, slot, pageCount, 0);
  }
}


@unmanaged
@final
class Resolve {
  mapped(kind: u32): u32 {
    if (kind < KIND_MARKER) return kind;
    const after = resolved(entryOfKind(kind));
    if (after == 0) return KIND_NONE;
    return after == entryOfKind(KIND_ZERO) ? KIND_ZERO : KIND_MIXED;
  }

  note(space: usize, kind: u32, pageCount: u64): void {
    noteResolved(space, kind, pageCount);
  }

  slice(space: usize, table: usize, page: u64, pageCount: u32): i32 {
    if (occupied(table) == 0) return OK;
    noteProtection(table);
    forgetWritten(table);
    const start = slotIn(table, page);
    const end = slotsEnd(start, pageCount);
    for (let slot = start; slot < end; slot += ENTRY_BYTES) {
      const before = load<u64>(slot);
      if (isNone(before)) continue;
      if (before == UFFD_WP_MARKER) adjustCounts(table, -1, -1);
      const after = resolved(before);
      if (after == before) continue;
      store<u64>(slot, after);
      addTo(space, disarmCounter(before), 1);
    }
    return OK;
  }

  huge(space: usize, slot: usize, page: u64, pageCount: u32): i32 {
    return resolveHuge(space, slot, pageCount);
  }
}

/** Counts pages below a template from which uffd-wp was taken. */
export function noteResolved(space: usize, kind: u32, pageCount: u64): void {
  if (kind == KIND_MARKER) addTo(space, COUNTER_DISARMED_MARKER, pageCount);
  if (kind == KIND_ZERO_WP) addTo(space, COUNTER_DISARMED_ZERO, pageCount);
}

/** Takes uffd-wp away from a huge page, or splits it if only a part of it is meant (then the walk has to look again). */
export function resolveHuge(space: usize, slot: usize, pageCount: u32): i32 {
  return changeHuge(space, slot, pageCount, UFFD_WP);
}

function changeHuge(space: usize, slot: usize, pageCount: u32, cleared: u64): i32 {
  const before = load<u64>(slot);
  if (!isHuge(before)) return OK;
  if (pageCount != <u32>ENTRIES_PER_TABLE) {
    const status = splitHuge(space, slot);
    return status == OK ? WALK_AGAIN : status;
  }
  const after = withHugeProtection(before, newProtection) & ~cleared;
  store<u64>(slot, mayUpgrade(after, hugeFrameOf(after)) ? withWrite(after) : after);
  return OK;
}

/** Pages that nobody may access are none of the simple kinds. */
function noteProtection(table: usize): void {
  if ((newProtection & PRESENT) == 0) setTableFlags(table, TABLE_OTHERS, 0);
}

function disarmCounter(entry: u64): u32 {
  if (!isPresent(entry)) return COUNTER_DISARMED_MARKER;
  return isZeroPage(entry) ? COUNTER_DISARMED_ZERO : COUNTER_DISARMED_PAGE;
}

function resolved(entry: u64): u64 {
  if (isPresent(entry)) return upgraded(withoutUffdWp(withProtection(entry, newProtection)));
  if (entry == UFFD_WP_MARKER) return 0;
  return isSwap(entry) ? entry & ~SWAP_UFFD_WP : entry;
}

function upgraded(entry: u64): u64 {
  return mayUpgrade(entry, frameOf(entry)) ? withWrite(entry) : entry;
}

/** `mm/mprotect.c:can_change_private_pte_writable` and `can_change_shared_pte_writable`. */
function mayUpgrade(entry: u64, frame: u32): bool {
  if ((newFlags & (UPGRADE_WRITABLE | UPGRADE_DIRTY)) == 0 || (entry & PRESENT) == 0) return false;
  if ((newFlags & UPGRADE_NOT_UFFD_WP) != 0 && (entry & UFFD_WP) != 0) return false;
  if ((newFlags & UPGRADE_DIRTY) != 0) return isDirty(entry);
  return !isZeroPage(entry) && isExclusive(frame);
}
