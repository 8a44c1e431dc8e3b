import { OK, PROTECTION_NONE, UPGRADE_NOT_UFFD_WP, UPGRADE_WRITABLE } from "./abi";
import {
  isPresent,
  isZeroPage,
  PROTECTION_NO_ACCESS,
  PROTECTION_READ,
  UFFD_WP,
  withProtection,
  withWrite,
} from "./entry";
import { ENTRY_BYTES } from "./geometry";
import { mapsNothing } from "./table";
import { slotIn, slotsEnd, walk } from "./walk";

/**
 * mprotect(2) on entries: `mm/mprotect.c:change_pte_range` without a userfaultfd flag. Markers and the uffd-wp bit survive it.
 */

let newFlags: u32 = 0;

/** Gives the pages of a range a new protection. `flags`: PROTECTION_NONE, UPGRADE_WRITABLE, UPGRADE_NOT_UFFD_WP. Returns OK. */
export function changeProtection(space: usize, firstPage: u64, pageCount: u64, flags: u32): i32 {
  newFlags = flags;
  return walk<ChangeProtection>(space, firstPage, pageCount);
}


@unmanaged
@final
class ChangeProtection {
  slice(space: usize, table: usize, page: u64, pageCount: u32): i32 {
    if (mapsNothing(table)) return OK;
    const start = slotIn(table, page);
    const end = slotsEnd(start, pageCount);
    for (let slot = start; slot < end; slot += ENTRY_BYTES) {
      const before = load<u64>(slot);
      if (!isPresent(before)) continue;
      const after = changed(before);
      if (after != before) store<u64>(slot, after);
    }
    return OK;
  }
}

function changed(entry: u64): u64 {
  const modified = withProtection(entry, (newFlags & PROTECTION_NONE) != 0 ? PROTECTION_NO_ACCESS : PROTECTION_READ);
  return mayUpgrade(modified) ? withWrite(modified) : modified;
}

/** `mm/mprotect.c:can_change_pte_writable` for a private mapping. */
function mayUpgrade(entry: u64): bool {
  if ((newFlags & UPGRADE_WRITABLE) == 0 || isZeroPage(entry)) return false;
  return (newFlags & UPGRADE_NOT_UFFD_WP) == 0 || (entry & UFFD_WP) == 0;
}
