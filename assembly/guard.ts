import { OK } from "./abi";
import { GUARD_MARKER, isGuard } from "./entry";
import { ENTRY_BYTES } from "./geometry";
import { adjustCounts, ensurePteTable, occupied } from "./table";
import { slotIn, slotsEnd, walk } from "./walk";
import { zapForGuards } from "./zap";

/**
 * MADV_GUARD_INSTALL and MADV_GUARD_REMOVE: `mm/madvise.c:madvise_guard_install`. A guard takes the place of a page or of any other marker of
 * anonymous memory, and nothing remembers what was there.
 */

/** Makes every entry of a range a guard marker, allocating tables. Returns OK, or ENOMEM with the range done in part. */
export function installGuards(space: usize, firstPage: u64, pageCount: u64): i32 {
  zapForGuards(space, firstPage, pageCount);
  return walk<InstallGuards>(space, firstPage, pageCount);
}

/** Makes the guard markers of a range none. Returns OK. */
export function removeGuards(space: usize, firstPage: u64, pageCount: u64): i32 {
  return walk<RemoveGuards>(space, firstPage, pageCount);
}


@unmanaged
@final
class InstallGuards {
  tableFor(space: usize, page: u64): usize {
    return ensurePteTable(space, page);
  }

  slice(space: usize, table: usize, page: u64, pageCount: u32): i32 {
    const start = slotIn(table, page);
    const end = slotsEnd(start, pageCount);
    let installed: u32 = 0;
    for (let slot = start; slot < end; slot += ENTRY_BYTES) {
      if (isGuard(load<u64>(slot))) continue;
      store<u64>(slot, GUARD_MARKER);
      installed++;
    }
    adjustCounts(table, installed, 0);
    return OK;
  }
}


@unmanaged
@final
class RemoveGuards {
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
