import {
  ACCESS_WRITE,
  COUNTER_MAJFLT,
  COUNTER_MINFLT,
  KERNEL_WAIT_IS_MAJOR,
  OUTCOME_DONE,
  RESULT_MAJFLT,
  RESULT_MINFLT,
  RESULT_TRIED,
  RESULT_VALUE,
  SPACE_KERNEL,
} from "./abi";
import { ACCESSED, DIRTY, frameOf, hugeFrameOf, permitsRead, permitsWrite } from "./entry";
import { countException, handleFault } from "./fault";
import { contentOf, contentSlot, FRAMES_PER_HUGE, numberIn, OTHER_BYTES, setContent } from "./frames";
import { result } from "./result";
import { addTo } from "./stats";
import { findPteTable, hugeSlot } from "./table";
import { isShared } from "./uniform";
import { FROM_USER, wasMajor } from "./userfault";
import { slotIn } from "./walk";

/**
 * One access by a thread: the instruction is tried, raises exceptions, and is tried again, until it is done or somebody else is asked.
 */

/** Reads or writes `page`, as an ACCESS_ says. Returns an OUTCOME_ or ENOMEM; the result block says what was read and which faults were charged. */
export function accessPage(space: usize, page: u64, access: u32, value: u64): i32 {
  store<u64>(result, 0, RESULT_MINFLT); // both counts
  return tryUntilDone(space, page, access, value);
}

/**
 * Goes on with an access whose fault waited `waits` times. The fault is handled again from its start; when it completes it is charged
 * as major if it waited more than once, since only the first wait is under the VMA's lock (`mm/memory.c:mm_account_fault`).
 */
export function resumeAccess(space: usize, page: u64, access: u32, value: u64, waits: u32): i32 {
  store<u64>(result, 0, RESULT_MINFLT); // both counts
  const outcome = handleFault(space, page, access & ACCESS_WRITE);
  if (outcome != OUTCOME_DONE) return notDone(outcome);
  charge(space, waits);
  return tryUntilDone(space, page, access, value);
}

/** Tries an access until it is done or somebody else is asked; adds the faults that it is charged for to the result block. */
export function tryUntilDone(space: usize, page: u64, access: u32, value: u64): i32 {
  let table = findPteTable(space, page);
  while (!tryOnce(space, table, page, access, value)) {
    const outcome = handleFault(space, page, access & ACCESS_WRITE, FROM_USER, table);
    if (outcome != OUTCOME_DONE) return notDone(outcome);
    charge(space, 0);
    if (table == 0 || isShared(table)) table = findPteTable(space, page);
  }
  return OUTCOME_DONE;
}

/** Does what the processor does with the entry in `table` (0: there is none): the access with its accessed and dirty bits, or an exception (false). */
function tryOnce(space: usize, table: usize, page: u64, access: u32, value: u64): bool {
  const slot = table != 0 ? slotIn(table, page) : hugeSlot;
  const entry = slot != 0 ? load<u64>(slot) : 0;
  const isWrite = (access & ACCESS_WRITE) != 0;
  if (isWrite ? !permitsWrite(entry) : !permitsRead(entry)) {
    countException(space, entry, access & ACCESS_WRITE);
    return false;
  }
  const used = entry | ACCESSED | (isWrite ? DIRTY : 0);
  if (used != entry) store<u64>(slot, used);
  const frame = table != 0 ? frameOf(entry) : hugeFrameOf(entry) + <u32>(page & (FRAMES_PER_HUGE - 1));
  if (access == ACCESS_WRITE) setContent(frame, value | (contentOf(frame) & OTHER_BYTES));
  else if (!isWrite) store<u64>(result, numberIn(contentOf(frame)), RESULT_VALUE);
  else if (value != 0) noteOtherBytes(frame);
  return true;
}

/** A write to a byte that is not part of the number leaves the page with something in it, which matters when huge pages are split. */
function noteOtherBytes(frame: u32): void {
  store<u64>(contentSlot(frame), contentOf(frame) | OTHER_BYTES);
}

/** Says why an access is not done, and whether its fault has read a page meanwhile. */
function notDone(outcome: i32): i32 {
  store<u32>(result, u32(wasMajor()), RESULT_TRIED);
  return outcome;
}

function charge(space: usize, waits: u32): void {
  const waitsUnderLock: u32 = (load<u32>(space, SPACE_KERNEL) & KERNEL_WAIT_IS_MAJOR) == 0 ? 1 : 0;
  const isMajor = waits > waitsUnderLock || wasMajor();
  const field: usize = isMajor ? RESULT_MAJFLT : RESULT_MINFLT;
  store<u32>(result + field, load<u32>(result + field) + 1);
  addTo(space, isMajor ? COUNTER_MAJFLT : COUNTER_MINFLT, 1);
}
