import {
  ACCESS_READ,
  ACCESS_RECORD_BYTES,
  ACCESS_RECORD_PAGE_BITS,
  ACCESS_WRITE,
  COUNTER_REPLAYED_READS,
  COUNTER_REPLAYED_WRITES,
  ENOSPC,
  FAULT_RECORD_BYTES,
  FAULT_RECORD_CONTENT,
  FAULT_RECORD_INDEX,
  FAULT_RECORD_KIND,
  FAULT_RECORD_PAGE,
  FAULT_RECORD_WRITE,
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
import { contentOf, contentSlot, framesAreSimple, numberIn } from "./frames";
import { PMD_SHIFT } from "./geometry";
import { unprotect, unprotectPage } from "./protect";
import { findRegion } from "./regions";
import { beginMisses, contentBefore, flushMisses, hadMessage, handleMiss } from "./replay-miss";
import { result } from "./result";
import { forgetAll, permits, shadowDirectory, shadowZeros, useShadow } from "./shadow";
import { addTo } from "./stats";
import { findPteTable } from "./table";
import { isShared } from "./uniform";
import { slotIn } from "./walk";

/**
 * Batch replay: records of accesses (layout in `abi.ts`) in one call. While every frame is mapped once, each block of records is passed over
 * in three steps: the first asks the shadow about all of them and lists those that it does not know; the second looks up where their entries
 * are; the third carries them out (`replay-miss.ts`), or takes them through the fault path. A page that the shadow knows needs nothing done.
 * Otherwise accesses are looked up in the tables one by one. Faults that concern the host are written as records.
 */

const PAGE_MASK: u64 = ((<u64>1) << ACCESS_RECORD_PAGE_BITS) - 1;
const WRITE_SHIFT: u64 = 63;
/** What an entry must have for a read, and what more for a write, so that the processor changes nothing in it. */
const READ_BITS: u64 = PRESENT | ACCESSED;
const WRITE_BITS: u64 = WRITABLE | DIRTY;

/** Records of a block: what the shadow does not know of them fits into the first-level cache. */
const BLOCK_RECORDS: u32 = 1024;
/** Indexes of the records of a block that missed. */
const misses: usize = memory.data((BLOCK_RECORDS << 2) + 4, 8);
/** Slots of their entries; 0 where there is none of the space's own. */
const slots: usize = memory.data(BLOCK_RECORDS << 2, 8);
/** What was loaded only to have it in the cache. */
export let seen: u64 = 0;
let listedWrites: u64 = 0;
/** Accesses of a block that the long way has counted, or not, because they ended in a signal. */
let longReads: u64 = 0;
let longWrites: u64 = 0;
/** The policy by which single pages are unprotected has this bit and no cluster. */
const UNPROTECTS_PAGES: u32 = REPLAY_UNPROTECT | ~((1 << REPLAY_CLUSTER_SHIFT) - 1);
/** Why the last block ended before its last record, or OK. */
let blockReason: i32 = OK;

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
  store<u32>(result, faultCount, RESULT_RECORDS);
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
  for (let i: u32 = 0; i < missCount; i++) {
    const index = load<u32>(misses + ((<usize>i) << 2));
    if (replayMiss(space, records, i, index, value, policy)) continue;
    // the slots that were found stay right: faults free no tables
    if (blockReason == OK && framesAreSimple()) continue;
    stop = blockReason == OK ? index + 1 : index;
    break;
  }
  flushMisses(space);
  if (stop != end) listedWrites = writesIn(records, first, stop);
  countReplayed(space, stop - first - listedWrites - longReads, listedWrites - longWrites);
  return stop;
}

/** Carries a listed access out. Returns false if it took the long way; `blockReason` says whether it is done. */
function replayMiss(space: usize, records: usize, miss: u32, index: u32, value: u64, policy: u32): bool {
  const record = load<u64>(records + <usize>index * ACCESS_RECORD_BYTES);
  // a record before it in the block may have been about the same page
  if ((permits(shadowZeros, shadowDirectory, record) & 1) != 0) return true;
  if ((policy & REPLAY_QUIET) == 0 && faultCount == faultCapacity) {
    blockReason = ENOSPC;
    return false;
  }
  const page = record & PAGE_MASK;
  const isWrite = <u32>(record >> WRITE_SHIFT);
  const slot = load<u32>(slots + ((<usize>miss) << 2));
  if (handleMiss(space, page, slot, isWrite, value, policy & UNPROTECTS_PAGES)) {
    if (hadMessage) writeRecord(page, index, OUTCOME_WP, ACCESS_WRITE, contentBefore, policy);
    return true;
  }
  flushMisses(space);
  blockReason = replayFault(space, record, index, value, policy, 0);
  beginMisses();
  if (blockReason != OK) return false;
  if (isWrite != 0) longWrites++;
  else longReads++;
  return false;
}

function countReplayed(space: usize, reads: u64, writes: u64): void {
  addTo(space, COUNTER_REPLAYED_READS, reads);
  addTo(space, COUNTER_REPLAYED_WRITES, writes);
}

/**
 * Lists the records from `first` to `end` that the shadow does not know, and returns how many they are; `listedWrites` has the writes of all.
 * Four at a time are passed over by one branch; among four that are not, there is none.
 */
function listMisses(records: usize, first: u32, end: u32): u32 {
  const zeros = shadowZeros;
  const directory = shadowDirectory;
  let target = misses;
  let writes: u64 = 0;
  let record = records + <usize>first * ACCESS_RECORD_BYTES;
  let index = first;
  for (; index + 4 <= end; index += 4) {
    const a = load<u64>(record);
    const b = load<u64>(record, 8);
    const c = load<u64>(record, 16);
    const d = load<u64>(record, 24);
    const mayA = permits(zeros, directory, a);
    const mayB = permits(zeros, directory, b);
    const mayC = permits(zeros, directory, c);
    const mayD = permits(zeros, directory, d);
    if ((mayA & mayB & mayC & mayD & 1) == 0) {
      target = listUnless(mayA, target, index);
      target = listUnless(mayB, target, index + 1);
      target = listUnless(mayC, target, index + 2);
      target = listUnless(mayD, target, index + 3);
    }
    writes += (a >> WRITE_SHIFT) + (b >> WRITE_SHIFT) + (c >> WRITE_SHIFT) + (d >> WRITE_SHIFT);
    record += 4 * ACCESS_RECORD_BYTES;
  }
  for (; index < end; index++) {
    target = listUnless(permits(zeros, directory, load<u64>(record)), target, index);
    writes += load<u64>(record) >> WRITE_SHIFT;
    record += ACCESS_RECORD_BYTES;
  }
  listedWrites = writes;
  return <u32>((target - misses) >> 2);
}

/** Puts an index at the end of a list unless the lowest bit of `may` is set. Returns the end. */
// @ts-ignore: decorator
@inline
function listUnless(may: u32, target: usize, index: u32): usize {
  store<u32>(target, index);
  return target + ((~may & 1) << 2);
}

/**
 * Looks the entries of the misses up, before any of them is handled: the loads do not depend on each other, so that the processor waits for
 * several at once. An entry below a template has no slot yet.
 */
function findSlots(space: usize, records: usize, missCount: u32): void {
  for (let i: u32 = 0; i < missCount; i++) {
    const index = load<u32>(misses + ((<usize>i) << 2));
    const page = load<u64>(records + <usize>index * ACCESS_RECORD_BYTES) & PAGE_MASK;
    const table = findPteTable(space, page);
    const slot: usize = table == 0 || isShared(table) ? <usize>0 : slotIn(table, page);
    seen |= load<u64>(slot);
    store<u32>(slots + ((<usize>i) << 2), <u32>slot);
  }
}

function writesIn(records: usize, first: u32, end: u32): u64 {
  let writes: u64 = 0;
  for (let index = first; index < end; index++) {
    writes += load<u64>(records + <usize>index * ACCESS_RECORD_BYTES) >> WRITE_SHIFT;
  }
  return writes;
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
  writeRecord(page, index, outcome, access, outcome == OUTCOME_WP ? contentAt(space, page) : 0, policy);
  const isSignal = outcome >= OUTCOME_SIGSEGV; // that, SIGBUS, or poisoned
  return isSignal && (policy & REPLAY_PASS_SIGNALS) != 0 ? OK : outcome;
}

/** Answers a write-protect message as the policy says: unprotects pages and lets the thread go on, or leaves it to the host. */
function resolveWp(space: usize, page: u64, index: u32, value: u64, policy: u32): i32 {
  if ((policy & REPLAY_UNPROTECT) == 0) return OUTCOME_WP;
  writeRecord(page, index, OUTCOME_WP, ACCESS_WRITE, contentAt(space, page), policy);
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

function writeRecord(page: u64, index: u32, outcome: i32, access: u32, content: u64, policy: u32): void {
  if ((policy & REPLAY_QUIET) != 0) return;
  const record = faultRecords + <usize>faultCount * FAULT_RECORD_BYTES;
  store<u64>(record, page, FAULT_RECORD_PAGE);
  store<u32>(record, index, FAULT_RECORD_INDEX);
  store<u32>(record, outcome | (access == ACCESS_WRITE ? FAULT_RECORD_WRITE : 0), FAULT_RECORD_KIND);
  store<u64>(record, content, FAULT_RECORD_CONTENT);
  faultCount++;
}
