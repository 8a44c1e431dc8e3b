import { OK, OUTCOME_HANG } from "./abi";
import { GUARD_MARKER, isGuard, isNone } from "./entry";
import { ENTRY_BYTES } from "./geometry";
import { adjustCounts, occupied, setTableFlags, TABLE_OTHERS } from "./table";
import { slotIn, slotsEnd, walk } from "./walk";
import { zap } from "./zap";

/**
 * MADV_GUARD_INSTALL and MADV_GUARD_REMOVE: `mm/madvise.c:madvise_guard_install`. A guard takes the place of a page or of any other marker of
 * anonymous memory, and nothing remembers what was there.
 */

/**
 * Makes every entry of a range a guard marker, allocating tables. `zapFlags`: ZAP_OBJECT and ZAP_UFFD_WP as the mapping is. Returns OK, or
 * ENOMEM with the range done in part, or OUTCOME_HANG where a uffd-wp marker of an object comes back however often it is zapped.
 */
export function installGuards(space: usize, firstPage: u64, pageCount: u64, zapFlags: u32): i32 {
  const status = zap(space, firstPage, pageCount, zapFlags);
  return status != OK ? status : walk<InstallGuards>(space, firstPage, pageCount);
}

/** Makes the guard markers of a range none. Returns OK. */
export function removeGuards(space: usize, firstPage: u64, pageCount: u64): i32 {
  return walk<RemoveGuards>(space, firstPage, pageCount);
}


@unmanaged
@final
class InstallGuards {
  fillsHoles(): void {}

  slice(space: usize, table: usize, page: u64, pageCount: u32): i32 {
    const start = slotIn(table, page);
    const end = slotsEnd(start, pageCount);
    let installed: u32 = 0;
    for (let slot = start; slot < end; slot += ENTRY_BYTES) {
      const entry = load<u64>(slot);
      if (isGuard(entry)) continue;
      if (!isNone(entry)) return OUTCOME_HANG;
      store<u64>(slot, GUARD_MARKER);
      installed++;
    }
    adjustCounts(table, installed, 0);
    if (installed != 0) setTableFlags(table, TABLE_OTHERS, 0);
    return OK;
  }
}


@unmanaged
@final
class RemoveGuards {
  mapped(kind: u32): u32 {
    return kind;
  }

  note(space: usize, kind: u32, pageCount: u64): void {}

  slice(space: usize, table: usize, page: u64, pageCount: u32): i32 {
    if (occupied(table) == 0) return OK;
    const start = slotIn(table, page);
    const end = slotsEnd(start, pageCount);
    let removed: i32 = 0;
    for (let slot = start; slot < end; slot += ENTRY_BYTES) {
      if (!isGuard(load<u64>(slot))) continue;
      store<u64>(slot, 0);
      removed++;
    }
    adjustCounts(table, -removed, 0);
    return OK;
  }
}
