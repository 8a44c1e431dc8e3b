import {
  ACCESS_READ,
  ACCESS_RECORD_BYTES,
  ACCESS_RECORD_PAGE_BITS,
  ACCESS_WRITE,
  COUNTER_REPLAYED_READS,
  COUNTER_REPLAYED_WRITES,
  ENOSPC,
  FAULT_RECORD_BYTES,
  FAULT_RECORD_INDEX,
  FAULT_RECORD_KIND,
  FAULT_RECORD_PAGE,
  FAULT_RECORD_WRITE,
  OK,
  OUTCOME_DONE,
  OUTCOME_SIGSEGV,
  OUTCOME_WP,
  REPLAY_PASS_SIGNALS,
  REPLAY_QUIET,
  REPLAY_UNPROTECT,
  RESULT_REASON,
  RESULT_RECORDS,
} from "./abi";
import { accessPage, resumeAccess } from "./access";
import { ACCESSED, DIRTY, frameOf, PRESENT, WRITABLE } from "./entry";
import { contentSlot } from "./frames";
import { PMD_SHIFT } from "./geometry";
import { unprotectPage } from "./protect";
import { result } from "./result";
import { addTo } from "./stats";
import { findPteTable } from "./table";
import { slotIn } from "./walk";

/**
 * Batch replay: a block of access records (layout in `abi.ts`) in one call. An access that its entry permits is a load, a test and a store
 * of the page's content; everything else goes through the fault path. Faults that concern the host are written as records.
 */

const PAGE_MASK: u64 = ((<u64>1) << ACCESS_RECORD_PAGE_BITS) - 1;
const WRITE_SHIFT: u64 = 63;
/** What an entry must have for a read, and what more for a write, so that the processor changes nothing in it. */
const READ_BITS: u64 = PRESENT | ACCESSED;
const WRITE_BITS: u64 = WRITABLE | DIRTY;

/** Where the store of a read goes, so that reads and writes run the same instructions. */
const nowhere: usize = memory.data(8, 8);

let faultRecords: usize = 0;
let faultCapacity: u32 = 0;
let faultCount: u32 = 0;

/** Says where fault records go, and how many fit. */
export function setFaultRecords(address: usize, capacity: u32): void {
  faultRecords = address;
  faultCapacity = capacity;
}

/**
 * Replays `count` access records; every write stores `value`. `policy`: REPLAY_ flags. `waits` is not 0 when the first access is one
 * whose fault has been resolved since. Returns how many accesses are done; RESULT_REASON says why the next one is not, and
 * RESULT_RECORDS how many fault records were written: ENOSPC when there was no room for another.
 */
export function replay(space: usize, records: usize, count: u32, value: u64, policy: u32, waits: u32): u32 {
  faultCount = 0;
  let reason = OK;
  let index: u32 = 0;
  if (waits != 0 && count != 0) {
    reason = replayFault(space, load<u64>(records), 0, value, policy, waits);
    if (reason == OK) index = 1;
  }
  while (reason == OK) {
    index = replayHits(space, records, index, count, value);
    if (index == count) break;
    reason = replayFault(space, load<u64>(records + <usize>index * ACCESS_RECORD_BYTES), index, value, policy, 0);
    if (reason == OK) index++;
  }
  store<i32>(result, reason, RESULT_REASON);
  store<u32>(result, faultCount, RESULT_RECORDS);
  return index;
}

/** Carries out accesses from `index` on until one is not permitted. Returns the index of that one, or `count`. */
function replayHits(space: usize, records: usize, index: u32, count: u32, value: u64): u32 {
  let area: u64 = u64.MAX_VALUE;
  let table: usize = 0;
  let writes: u64 = 0;
  let i = index;
  for (; i < count; i++) {
    const record = load<u64>(records + <usize>i * ACCESS_RECORD_BYTES);
    const page = record & PAGE_MASK;
    if (page >> PMD_SHIFT != area) {
      table = findPteTable(space, page);
      if (table == 0) break;
      area = page >> PMD_SHIFT;
    }
    const isWrite = record >> WRITE_SHIFT;
    const needed = READ_BITS | (WRITE_BITS & (0 - isWrite)); // no branch on the kind of access: it cannot be predicted
    const entry = load<u64>(slotIn(table, page));
    if ((entry & needed) != needed) break;
    store<u64>(select(contentSlot(frameOf(entry)), nowhere, isWrite != 0), value);
    writes += isWrite;
  }
  addTo(space, COUNTER_REPLAYED_WRITES, writes);
  addTo(space, COUNTER_REPLAYED_READS, i - index - writes);
  return i;
}

/** Takes one access through the fault path. Returns OK when it is done with, else why the replay stops before it. */
function replayFault(space: usize, record: u64, index: u32, value: u64, policy: u32, waits: u32): i32 {
  if ((policy & REPLAY_QUIET) == 0 && faultCount == faultCapacity) return ENOSPC;
  const page = record & PAGE_MASK;
  const access = record >> WRITE_SHIFT != 0 ? ACCESS_WRITE : ACCESS_READ;
  const first = waits != 0 ? resumeAccess(space, page, access, value, waits) : accessPage(space, page, access, value);
  const outcome = first == OUTCOME_WP ? resolveWp(space, page, index, value, policy) : first;
  if (outcome == OUTCOME_DONE) {
    addTo(space, access == ACCESS_WRITE ? COUNTER_REPLAYED_WRITES : COUNTER_REPLAYED_READS, 1);
    return OK;
  }
  if (outcome < OUTCOME_DONE) return outcome;
  writeRecord(page, index, outcome, access, policy);
  const isSignal = outcome >= OUTCOME_SIGSEGV; // that, SIGBUS, or poisoned
  return isSignal && (policy & REPLAY_PASS_SIGNALS) != 0 ? OK : outcome;
}

/** Answers a write-protect message as the policy says: unprotects the page and lets the thread go on, or leaves it to the host. */
function resolveWp(space: usize, page: u64, index: u32, value: u64, policy: u32): i32 {
  if ((policy & REPLAY_UNPROTECT) == 0) return OUTCOME_WP;
  writeRecord(page, index, OUTCOME_WP, ACCESS_WRITE, policy);
  unprotectPage(space, page);
  return resumeAccess(space, page, ACCESS_WRITE, value, 1);
}

function writeRecord(page: u64, index: u32, outcome: i32, access: u32, policy: u32): void {
  if ((policy & REPLAY_QUIET) != 0) return;
  const record = faultRecords + <usize>faultCount * FAULT_RECORD_BYTES;
  store<u64>(record, page, FAULT_RECORD_PAGE);
  store<u32>(record, index, FAULT_RECORD_INDEX);
  store<u32>(record, outcome | (access == ACCESS_WRITE ? FAULT_RECORD_WRITE : 0), FAULT_RECORD_KIND);
  faultCount++;
}
