import {
  ACCESS_READ,
  ACCESS_RECORD_BYTES,
  ACCESS_WRITE,
  COUNTER_REPLAYED_READS,
  COUNTER_REPLAYED_WRITES,
  ENOSPC,
  OK,
  OUTCOME_DONE,
  OUTCOME_SIGSEGV,
  OUTCOME_WP,
  REGION_END,
  REGION_FIRST,
  REPLAY_CLUSTER_SHIFT,
  REPLAY_PASS_SIGNALS,
  REPLAY_QUIET,
  REPLAY_UNPROTECT,
  RESULT_REASON,
  RESULT_RECORDS,
  UPGRADE_WRITABLE,
} from "./abi";
import { accessPage, resumeAccess } from "./access";
import { ACCESSED, DIRTY, frameOf, isPresent, PRESENT, WRITABLE } from "./entry";
import { beginFaultRecords, faultRecordCount, recordsLeft, writeRecord } from "./fault-records";
import { contentOf, contentSlot, framesAreSimple, numberIn } from "./frames";
import { PMD_SHIFT } from "./geometry";
import { unprotect, unprotectPage } from "./protect";
import { findRegion } from "./regions";
import {
  BLOCK_RECORDS,
  findSlots,
  listMisses,
  indexOf,
  PAGE_MASK,
  recordOf,
  WRITE_SHIFT,
  writesIn,
} from "./replay-list";
import { beginMisses, carryOutMisses, flushMisses } from "./replay-miss";
import { result } from "./result";
import { forgetAll, useShadow } from "./shadow";
import { addTo } from "./stats";
import { findPteTable } from "./table";
import { slotIn } from "./walk";

/**
 * Batch replay: records of accesses (layout in `abi.ts`) in one call. While every frame is mapped once, each block of records is passed over
 * in three steps: the first asks the shadow about all of them and lists those that it does not know; the second looks up where their entries
 * are (`replay-list.ts`); the third carries them out (`replay-miss.ts`), or takes them through the fault path. A page that the shadow knows
 * needs nothing done. Otherwise accesses are looked up in the tables one by one. Faults that concern the host are written as records.
 */

/** What an entry must have for a read, and what more for a write, so that the processor changes nothing in it. */
const READ_BITS: u64 = PRESENT | ACCESSED;
const WRITE_BITS: u64 = WRITABLE | DIRTY;

/** Accesses of a block that the long way has counted, or not, because they ended in a signal. */
let longReads: u64 = 0;
let longWrites: u64 = 0;
/** Why the last block ended before its last record, or OK. */
let blockReason: i32 = OK;

/** Where the store of a read goes, so that reads and writes run the same instructions. */
const nowhere: usize = memory.data(8, 8);

/**
 * Replays `count` access records; every write stores `value`. `policy`: REPLAY_ flags. `waits` is not 0 when the first access is one
 * whose fault has been resolved since. Returns how many accesses are done; RESULT_REASON says why the next one is not, and
 * RESULT_RECORDS how many fault records were written: ENOSPC when there was no room for another.
 */
export function replay(space: usize, records: usize, count: u32, value: u64, policy: u32, waits: u32): u32 {
  beginFaultRecords();
  let reason = OK;
  let index: u32 = 0;
  if (waits != 0 && count != 0) {
    reason = replayFault(space, load<u64>(records), 0, value, policy, waits);
    if (reason == OK) index = 1;
  }
  while (reason == OK && index < count) {
    if (framesAreSimple()) {
      useShadow(space, value);
      const end = min(count, index + BLOCK_RECORDS);
      index = replayBlock(space, records, index, end, value, policy);
      reason = blockReason;
      continue;
    }
    forgetAll();
    index = replayHits(space, records, index, count, value);
    if (index == count) break;
    reason = replayFault(space, load<u64>(records + <usize>index * ACCESS_RECORD_BYTES), index, value, policy, 0);
    if (reason == OK) index++;
  }
  store<i32>(result, reason, RESULT_REASON);
  store<u32>(result, faultRecordCount(), RESULT_RECORDS);
  return index;
}

/**
 * Carries out the accesses from `first` to `end`. Returns the index behind the last one that is done; `blockReason` says why the next one is
 * not, or OK. A block ends early also where frames are not simple any more.
 */
function replayBlock(space: usize, records: usize, first: u32, end: u32, value: u64, policy: u32): u32 {
  const missCount = listMisses(records, first, end);
  findSlots(space, records, missCount);
  beginMisses();
  longReads = 0;
  longWrites = 0;
  blockReason = OK;
  let stop = end;
  let miss = carryOutMisses(space, records, 0, missCount, value, policy);
  while (miss < missCount) {
    const index = indexOf(miss);
    takeLongWay(space, recordOf(records, miss), index, value, policy);
    if (blockReason != OK || !framesAreSimple()) {
      stop = blockReason == OK ? index + 1 : index;
      break;
    }
    // the slots that were found stay right: faults free no tables
    miss = carryOutMisses(space, records, miss + 1, missCount, value, policy);
  }
  flushMisses(space);
  const writes = writesIn(records, first, stop);
  countReplayed(space, stop - first - writes - longReads, writes - longWrites);
  return stop;
}

/** Takes a listed access through the fault path; `blockReason` says whether it is done. */
function takeLongWay(space: usize, record: u64, index: u32, value: u64, policy: u32): void {
  flushMisses(space);
  blockReason = replayFault(space, record, index, value, policy, 0);
  beginMisses();
  if (blockReason != OK) return;
  if (record >> WRITE_SHIFT != 0) longWrites++;
  else longReads++;
}

function countReplayed(space: usize, reads: u64, writes: u64): void {
  addTo(space, COUNTER_REPLAYED_READS, reads);
  addTo(space, COUNTER_REPLAYED_WRITES, writes);
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
  countReplayed(space, i - index - writes, writes);
  return i;
}

/** Takes one access through the fault path. Returns OK when it is done with, else why the replay stops before it. */
function replayFault(space: usize, record: u64, index: u32, value: u64, policy: u32, waits: u32): i32 {
  const isQuiet = (policy & REPLAY_QUIET) != 0;
  if (!isQuiet && recordsLeft() == 0) return ENOSPC;
  const page = record & PAGE_MASK;
  const access = record >> WRITE_SHIFT != 0 ? ACCESS_WRITE : ACCESS_READ;
  const first = waits != 0 ? resumeAccess(space, page, access, value, waits) : accessPage(space, page, access, value);
  const outcome = first == OUTCOME_WP ? resolveWp(space, page, index, value, policy) : first;
  if (outcome == OUTCOME_DONE) {
    addTo(space, access == ACCESS_WRITE ? COUNTER_REPLAYED_WRITES : COUNTER_REPLAYED_READS, 1);
    return OK;
  }
  if (outcome < OUTCOME_DONE) return outcome;
  if (!isQuiet) writeRecord(page, index, outcome, access, outcome == OUTCOME_WP ? contentAt(space, page) : 0);
  const isSignal = outcome >= OUTCOME_SIGSEGV; // that, SIGBUS, or poisoned
  return isSignal && (policy & REPLAY_PASS_SIGNALS) != 0 ? OK : outcome;
}

/** Answers a write-protect message as the policy says: unprotects pages and lets the thread go on, or leaves it to the host. */
function resolveWp(space: usize, page: u64, index: u32, value: u64, policy: u32): i32 {
  if ((policy & REPLAY_UNPROTECT) == 0) return OUTCOME_WP;
  if ((policy & REPLAY_QUIET) == 0) writeRecord(page, index, OUTCOME_WP, ACCESS_WRITE, contentAt(space, page));
  const clusterShift = policy >> REPLAY_CLUSTER_SHIFT;
  if (clusterShift == 0) unprotectPage(space, page);
  else unprotectCluster(space, page, clusterShift);
  return resumeAccess(space, page, ACCESS_WRITE, value, 1);
}

/** Unprotects the aligned `1 << shift` pages around `page`, as far as they are of its region. */
function unprotectCluster(space: usize, page: u64, shift: u32): void {
  const region = findRegion(space, page);
  const first = max((page >> shift) << shift, load<u64>(region, REGION_FIRST));
  const end = min(((page >> shift) + 1) << shift, load<u64>(region, REGION_END));
  unprotect(space, first, end - first, UPGRADE_WRITABLE);
}

/** Returns the number that a mapped page holds. */
function contentAt(space: usize, page: u64): u64 {
  const table = findPteTable(space, page);
  const entry = table != 0 ? load<u64>(slotIn(table, page)) : 0;
  return isPresent(entry) ? numberIn(contentOf(frameOf(entry))) : 0;
}
