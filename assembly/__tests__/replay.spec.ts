import "./support/heap";
import {
  ACCESS_READ,
  ACCESS_WRITE,
  COUNTER_COUNT,
  COUNTER_EXCEPTION_READ_NOT_PRESENT,
  COUNTER_MAJFLT,
  COUNTER_MINFLT,
  COUNTER_PTE_TABLES,
  COUNTER_REPLAYED_READS,
  COUNTER_REPLAYED_WRITES,
  COUNTER_WP_MESSAGES,
  ENOMEM,
  ENOSPC,
  FAULT_RECORD_BYTES,
  FAULT_RECORD_INDEX,
  FAULT_RECORD_KIND,
  FAULT_RECORD_PAGE,
  FAULT_RECORD_WRITE,
  OK,
  OUTCOME_DONE,
  OUTCOME_MISSING,
  OUTCOME_SIGBUS,
  OUTCOME_SIGSEGV,
  OUTCOME_WP,
  PROTECT_UNPOPULATED,
  REGION_SIGBUS,
  REPLAY_PASS_SIGNALS,
  REPLAY_QUIET,
  REPLAY_UNPROTECT,
  RESULT_RECORDS,
  UPGRADE_WRITABLE,
} from "../abi";
import { accessPage, resumeAccess } from "../access";
import { reserve } from "../arena";
import { fillCopy } from "../fill";
import { setFaultRecords } from "../fault-records";
import { contentOf } from "../frames";
import { protect, unprotect } from "../protect";
import { replay } from "../replay";
import { result } from "../result";
import { counterOf } from "../stats";
import { forgetAll } from "../shadow";
import { exhaustMemory, restoreMemory } from "./support/memory";
import { expectConsistent } from "./support/recount";
import {
  addRegion,
  ANON,
  ASYNC,
  countEntries,
  entryAt,
  flagsAt,
  frameAt,
  LAST_OF_SLOT,
  MARKER,
  MISSING,
  place,
  reason,
  SLOT,
  spaceWith,
  WP,
  WRITTEN,
  WRITTEN_WP,
  ZERO,
} from "./support/spaces";

const WRITE: u64 = 1 << 63;
const FETCH: u64 = 1 << 62;
const NO_SPACE: u64 = 0x5000;

const records: usize = reserve(65536);
const faults: usize = reserve(65536);
let space: usize = 0;
let count: u32 = 0;

function add(page: u64, flags: u64): void {
  store<u64>(records + <usize>count * 8, page | flags);
  count++;
}

function recordCount(): u32 {
  return load<u32>(result, RESULT_RECORDS);
}

/** Returns fault record `i` as text: "page@index:kind", the page counted from SLOT. */
function fault(i: i32): string {
  const record = faults + <usize>i * FAULT_RECORD_BYTES;
  const page = load<u64>(record, FAULT_RECORD_PAGE) - SLOT;
  return `${page}@${load<u32>(record, FAULT_RECORD_INDEX)}:${load<u32>(record, FAULT_RECORD_KIND)}`;
}

function run(policy: u32): u32 {
  return replay(space, records, count, 42, policy, 0);
}

describe("replay", () => {
  beforeEach(() => {
    space = spaceWith(SLOT, 1024, WP);
    count = 0;
    memory.fill(faults, 0xee, 4096);
    setFaultRecords(faults, 100);
  });

  it("does nothing without records", () => {
    expect(run(0)).toBe(0);
    expect(reason()).toBe(OK);
    expect(replay(space, records, 0, 42, 0, 1)).toBe(0);
    expect(recordCount()).toBe(0);
  });

  it("carries out reads, fetches and writes, and counts them", () => {
    add(SLOT, 0);
    add(SLOT, WRITE);
    add(SLOT + 600, FETCH);
    add(SLOT, 0);
    add(SLOT, WRITE);
    add(SLOT + 1, WRITE);
    add(SLOT + 600, 0);
    expect(run(0)).toBe(7);
    expect(reason()).toBe(OK);
    expect(recordCount()).toBe(0);
    expect(counterOf(space, COUNTER_REPLAYED_READS)).toBe(4);
    expect(counterOf(space, COUNTER_REPLAYED_WRITES)).toBe(3);
    expect(counterOf(space, COUNTER_MINFLT)).toBe(4);
    expect(flagsAt(space, SLOT)).toBe(WRITTEN);
    expect(contentOf(<u32>frameAt(space, SLOT))).toBe(42);
    expect(contentOf(<u32>frameAt(space, SLOT + 1))).toBe(42);
    expect(flagsAt(space, SLOT + 600)).toBe(ZERO);
    expect(contentOf(0)).toBe(0);
    expectConsistent(space);
  });

  it("does not store anything for a read", () => {
    place(space, SLOT, WRITTEN);
    add(SLOT, 0);
    add(SLOT, FETCH);
    expect(run(0)).toBe(2);
    expect(contentOf(<u32>frameAt(space, SLOT))).toBe(SLOT);
  });

  it("sets the accessed and dirty bits that are missing, and does not write through a dirty read-only entry", () => {
    place(space, SLOT, 0x8000000000000007);
    place(space, SLOT + 1, 0x8000000000000027);
    place(space, SLOT + 2, 0x8000000000000065);
    add(SLOT, 0);
    add(SLOT + 1, WRITE);
    add(SLOT + 2, WRITE);
    expect(run(0)).toBe(3);
    expect(flagsAt(space, SLOT)).toBe(0x8000000000000027);
    expect(flagsAt(space, SLOT + 1)).toBe(WRITTEN);
    expect(counterOf(space, COUNTER_MINFLT)).toBe(1); // of the read-only entry
  });

  it("stops before a write to a protected page, with a record of it", () => {
    place(space, SLOT + 5, WRITTEN_WP);
    add(SLOT + 5, 0);
    add(SLOT + 5, WRITE);
    add(SLOT + 6, WRITE);
    expect(run(0)).toBe(1);
    expect(reason()).toBe(OUTCOME_WP);
    expect(recordCount()).toBe(1);
    expect(fault(0)).toBe(`5@1:${OUTCOME_WP + FAULT_RECORD_WRITE}`);
    expect(entryAt(space, SLOT + 6)).toBe(0);
    expect(contentOf(<u32>frameAt(space, SLOT + 5))).toBe(SLOT + 5);
    expect(counterOf(space, COUNTER_REPLAYED_WRITES)).toBe(0);
  });

  it("goes on with a fault that has been resolved, and charges it by its waits", () => {
    place(space, SLOT + 5, WRITTEN_WP);
    add(SLOT + 5, WRITE);
    add(SLOT + 6, WRITE);
    expect(run(0)).toBe(0);
    expect(replay(space, records, count, 42, 0, 1)).toBe(0);
    expect(reason()).toBe(OUTCOME_WP);
    expect(counterOf(space, COUNTER_WP_MESSAGES)).toBe(2);
    unprotect(space, SLOT + 5, 1, UPGRADE_WRITABLE);
    expect(replay(space, records, count, 42, 0, 2)).toBe(2);
    expect(reason()).toBe(OK);
    expect(counterOf(space, COUNTER_MAJFLT)).toBe(1);
    expect(counterOf(space, COUNTER_MINFLT)).toBe(1);
    expect(counterOf(space, COUNTER_REPLAYED_WRITES)).toBe(2);
    expect(contentOf(<u32>frameAt(space, SLOT + 5))).toBe(42);
    expectConsistent(space);
  });

  it("stops before an access to a missing page, and goes on when it has been copied in", () => {
    space = spaceWith(SLOT, 8, MISSING);
    add(SLOT + 2, 0);
    add(SLOT + 3, WRITE);
    expect(run(REPLAY_UNPROTECT | REPLAY_PASS_SIGNALS)).toBe(0);
    expect(reason()).toBe(OUTCOME_MISSING);
    expect(fault(0)).toBe(`2@0:${OUTCOME_MISSING}`);
    fillCopy(space, SLOT + 2, 1, 0, 9, 0);
    expect(replay(space, records, count, 42, 0, 1)).toBe(1);
    expect(fault(0)).toBe(`3@1:${OUTCOME_MISSING + FAULT_RECORD_WRITE}`);
    expect(contentOf(<u32>frameAt(space, SLOT + 2))).toBe(9);
    expectConsistent(space);
  });

  it("unprotects page by page when the policy says so, with a record and a minor fault for each", () => {
    place(space, SLOT + 5, WRITTEN_WP);
    place(space, SLOT + 6, WRITTEN_WP);
    place(space, SLOT + 7, MARKER);
    add(SLOT + 5, WRITE);
    add(SLOT + 5, WRITE);
    add(SLOT + 7, WRITE);
    expect(run(REPLAY_UNPROTECT)).toBe(3);
    expect(reason()).toBe(OK);
    expect(recordCount()).toBe(2);
    expect(fault(0)).toBe(`5@0:${OUTCOME_WP + FAULT_RECORD_WRITE}`);
    expect(fault(1)).toBe(`7@2:${OUTCOME_WP + FAULT_RECORD_WRITE}`);
    expect(flagsAt(space, SLOT + 6)).toBe(WRITTEN_WP);
    expect(countEntries(space, SLOT + 5, 3, WRITTEN)).toBe(2);
    expect(counterOf(space, COUNTER_WP_MESSAGES)).toBe(2);
    expect(counterOf(space, COUNTER_MINFLT)).toBe(3); // one for the marker's page
    expect(contentOf(<u32>frameAt(space, SLOT + 7))).toBe(42);
    expectConsistent(space);
  });

  it("writes no records when it is quiet, but counts and stops all the same", () => {
    place(space, SLOT + 5, WRITTEN_WP);
    add(SLOT + 5, WRITE);
    add(NO_SPACE, 0);
    setFaultRecords(faults, 0);
    expect(run(REPLAY_UNPROTECT | REPLAY_QUIET)).toBe(1);
    expect(reason()).toBe(OUTCOME_SIGSEGV);
    expect(recordCount()).toBe(0);
    expect(load<u32>(faults)).toBe(0xeeeeeeee);
    expect(counterOf(space, COUNTER_WP_MESSAGES)).toBe(1);
  });

  it("stops at a signal, or passes it over with a record when the policy says so", () => {
    addRegion(space, SLOT + 2048, 8, WP | REGION_SIGBUS);
    place(space, SLOT + 2048, WRITTEN_WP);
    add(NO_SPACE + SLOT, 0);
    add(SLOT + 2048, WRITE);
    add(SLOT, WRITE);
    expect(run(0)).toBe(0);
    expect(reason()).toBe(OUTCOME_SIGSEGV);
    expect(recordCount()).toBe(1);
    expect(run(REPLAY_PASS_SIGNALS)).toBe(3);
    expect(reason()).toBe(OK);
    expect(recordCount()).toBe(2);
    expect(fault(0)).toBe(`${NO_SPACE}@0:${OUTCOME_SIGSEGV}`);
    expect(fault(1)).toBe(`2048@1:${OUTCOME_SIGBUS + FAULT_RECORD_WRITE}`);
    expect(counterOf(space, COUNTER_REPLAYED_READS)).toBe(0);
    expect(counterOf(space, COUNTER_REPLAYED_WRITES)).toBe(1);
    expect(flagsAt(space, SLOT + 2048)).toBe(WRITTEN_WP);
  });

  it("stops before a fault for which there is no room, and loses none", () => {
    for (let i: u64 = 0; i < 5; i++) {
      place(space, SLOT + i, WRITTEN_WP);
      add(SLOT + i, WRITE);
    }
    setFaultRecords(faults, 2);
    expect(run(REPLAY_UNPROTECT)).toBe(2);
    expect(reason()).toBe(ENOSPC);
    expect(recordCount()).toBe(2);
    expect(load<u32>(faults + 2 * FAULT_RECORD_BYTES)).toBe(0xeeeeeeee);
    expect(counterOf(space, COUNTER_WP_MESSAGES)).toBe(2);
    expect(flagsAt(space, SLOT + 2)).toBe(WRITTEN_WP);
    expect(replay(space, records + 16, 3, 42, REPLAY_UNPROTECT, 0)).toBe(2);
    expect(replay(space, records + 32, 1, 42, REPLAY_UNPROTECT, 0)).toBe(1);
    expect(reason()).toBe(OK);
    expect(countEntries(space, SLOT, 5, WRITTEN)).toBe(5);
  });

  it("stops with ENOMEM and is done when there is memory again", () => {
    place(space, SLOT, WRITTEN);
    add(SLOT, WRITE);
    add(SLOT + 1, WRITE);
    add(SLOT + 600, 0);
    forgetAll(); // what the shadow of another space takes would be memory for this one
    exhaustMemory();
    const done = run(0);
    const doneReason = reason();
    const written = recordCount();
    restoreMemory();
    expect(done).toBe(1);
    expect(doneReason).toBe(ENOMEM);
    expect(written).toBe(0);
    expectConsistent(space);
    expect(replay(space, records + 8, 2, 42, 0, 0)).toBe(2);
    expectConsistent(space);
  });

  it("finds the table again when accesses jump between tables, slots and holes", () => {
    space = spaceWith(LAST_OF_SLOT - 600, 1200, ANON);
    add(LAST_OF_SLOT, WRITE);
    add(SLOT, WRITE);
    add(LAST_OF_SLOT, 0);
    add(LAST_OF_SLOT - 512, WRITE);
    add(SLOT, 0);
    add(SLOT + 512, 0);
    add(SLOT, WRITE);
    expect(run(0)).toBe(7);
    expect(counterOf(space, COUNTER_MINFLT)).toBe(4);
    expect(counterOf(space, COUNTER_EXCEPTION_READ_NOT_PRESENT)).toBe(1);
    expect(counterOf(space, COUNTER_PTE_TABLES)).toBe(4);
    expect(countEntries(space, LAST_OF_SLOT, 2, WRITTEN)).toBe(2);
    expectConsistent(space);
  });
});

/** A sequence of numbers that looks like chance and is the same each time. */
let state: u32 = 1;
function next(bound: u32): u32 {
  state = state * 1664525 + 1013904223;
  return (state >>> 8) % bound;
}

/** Adds 1500 accesses to 1100 pages, of which some lie outside of every region. */
function addAccesses(): void {
  count = 0;
  for (let i = 0; i < 1500; i++) add(SLOT - 20 + next(1100), next(2) == 0 ? 0 : WRITE);
}

/** What replay does, one access at a time. Returns how many messages were answered. */
function accessOneByOne(target: usize, value: u64): u32 {
  let messages: u32 = 0;
  for (let i: u32 = 0; i < count; i++) {
    const record = load<u64>(records + <usize>i * 8);
    const page = record & 0x7ffffffff;
    const access = record >> 63 == 1 ? ACCESS_WRITE : ACCESS_READ;
    if (accessPage(target, page, access, value) != OUTCOME_WP) continue;
    messages++;
    unprotect(target, page, 1, UPGRADE_WRITABLE);
    if (resumeAccess(target, page, access, value, 1) != OUTCOME_DONE) throw new Error("not resolved");
  }
  return messages;
}

function differences(first: usize, second: usize): string {
  let text = "";
  for (let page = SLOT - 20; page < SLOT + 1080; page++) {
    if (flagsAt(first, page) != flagsAt(second, page)) text += `entry of ${page}; `;
    else if (contentAt(first, page) != contentAt(second, page)) text += `content of ${page}; `;
  }
  for (let counter: u32 = 0; counter < <u32>COUNTER_COUNT; counter++) {
    if (counter == COUNTER_REPLAYED_READS || counter == COUNTER_REPLAYED_WRITES) continue;
    if (counterOf(first, counter) != counterOf(second, counter)) text += `counter ${counter}; `;
  }
  return text;
}

function contentAt(target: usize, page: u64): u64 {
  return (entryAt(target, page) & 1) == 0 ? 0 : contentOf(<u32>frameAt(target, page));
}

/** Compares three blocks, with the range protected again before each, in a region with the given flags. */
function expectEqual(flags: u32, protectFlags: u32): void {
  const replayed = spaceWith(SLOT, 1050, flags);
  const single = spaceWith(SLOT, 1050, flags);
  setFaultRecords(faults, 4000);
  for (let block: u64 = 1; block <= 3; block++) {
    addAccesses();
    protect(replayed, SLOT, 900, protectFlags);
    protect(single, SLOT, 900, protectFlags);
    const messages = accessOneByOne(single, block);
    expect(replay(replayed, records, count, block, REPLAY_UNPROTECT | REPLAY_PASS_SIGNALS, 0)).toBe(count);
    let wpRecords: u32 = 0;
    for (let i: u32 = 0; i < recordCount(); i++) {
      wpRecords += u32(
        load<u32>(faults + <usize>i * FAULT_RECORD_BYTES, FAULT_RECORD_KIND) == OUTCOME_WP + FAULT_RECORD_WRITE,
      );
    }
    expect(wpRecords).toBe(messages);
    expect(differences(replayed, single)).toBe("");
  }
  expectConsistent(replayed);
  expectConsistent(single);
}

describe("replay and single accesses", () => {
  it("leave the same entries, contents and counters in sync mode with and without markers", () => {
    state = 1;
    expectEqual(WP, PROTECT_UNPOPULATED);
    expectEqual(WP, 0);
  });

  it("leave the same in async mode and without userfaultfd", () => {
    state = 2;
    expectEqual(ASYNC, PROTECT_UNPOPULATED);
    expectEqual(ANON, 0);
  });
});
