import { ACCESS_WRITE, COUNTER_MINFLT, OK, OUTCOME_DONE, RESULT_REASON } from "./abi";
import { frameOf, hugeFrameOf, isPresent, permitsWrite } from "./entry";
import { handleFault } from "./fault";
import { FRAMES_PER_HUGE, isAnonymous } from "./frames";
import { markDirty } from "./resident";
import { result } from "./result";
import { addTo } from "./stats";
import { findPteTable, hugeSlot } from "./table";
import { FROM_KERNEL } from "./userfault";
import { slotIn } from "./walk";

/**
 * MADV_POPULATE_READ and MADV_POPULATE_WRITE: `mm/gup.c:faultin_page_range`. The kernel follows the tables itself, so there is no
 * exception, but each entry that does not allow the access is faulted in.
 */

/** Populates a range. Returns the pages done; RESULT_REASON holds OK, or why the page after them was not. */
export function populate(space: usize, firstPage: u64, pageCount: u64, access: u32): u64 {
  const end = firstPage + pageCount;
  let faults: u64 = 0;
  let reason = OK;
  let page = firstPage;
  while (page < end) {
    if (isPopulated(space, page, access)) {
      page++;
      continue;
    }
    reason = handleFault(space, page, access, FROM_KERNEL);
    if (reason != OUTCOME_DONE) break;
    faults++;
  }
  addTo(space, COUNTER_MINFLT, faults);
  store<i32>(result, reason, RESULT_REASON);
  return page - firstPage;
}

function isPopulated(space: usize, page: u64, access: u32): bool {
  const table = findPteTable(space, page);
  const slot = table != 0 ? slotIn(table, page) : hugeSlot;
  if (slot == 0) return false;
  const entry = load<u64>(slot);
  if (access != ACCESS_WRITE) return isPresent(entry);
  if (!permitsWrite(entry)) return false;
  const frame = table != 0 ? frameOf(entry) : hugeFrameOf(entry) + <u32>(page & (FRAMES_PER_HUGE - 1));
  if (!isAnonymous(frame)) markDirty(frame); // FOLL_TOUCH with FOLL_WRITE
  return true;
}
