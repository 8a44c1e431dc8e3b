import {
  ACCESS_WRITE,
  COUNTER_ALLOCATE_FAULTS,
  COUNTER_ANON_PAGES,
  COUNTER_COPY_FAULTS,
  COUNTER_DISARMED_PAGE,
  COUNTER_DISARMED_ZERO,
  COUNTER_EXCEPTION_READ_NOT_PRESENT,
  COUNTER_EXCEPTION_WRITE_NOT_PRESENT,
  COUNTER_EXCEPTION_WRITE_PROTECTED,
  COUNTER_MARKER_FAULTS,
  COUNTER_MINFLT,
  COUNTER_REUSE_FAULTS,
  COUNTER_WP_ASYNC_FAULTS,
  COUNTER_WP_MESSAGES,
  COUNTER_ZERO_PAGE_FAULTS,
  FIRST_FRAME_PFN,
  KERNEL_WAIT_IS_MAJOR,
  OUTCOME_WP,
  REGION_END,
  REGION_FIRST,
  REGION_FLAGS,
  REGION_READ,
  REGION_SIGBUS,
  REGION_THP,
  REGION_UFFD_MISSING,
  REGION_UFFD_WP,
  REGION_WP_ASYNC,
  REGION_WRITE,
  REPLAY_CLUSTER_SHIFT,
  REPLAY_QUIET,
  REPLAY_UNPROTECT,
  SPACE_KERNEL,
} from "./abi";
import { ACCESSED, DIRTY, PFN_MASK, PRESENT, PROTECTION_READ, UFFD_WP_MARKER, WRITABLE } from "./entry";
import { recordsLeft, writeRecord } from "./fault-records";
import { allocateFrame, contentSlot, freshRun, numberIn, OTHER_BYTES, releaseFrame, takeFresh } from "./frames";
import { PMD_SHIFT } from "./geometry";
import { findRegion } from "./regions";
import { indexOf, PAGE_MASK, recordOf, setSlot, slotOf, WRITE_SHIFT } from "./replay-list";
import { MAY_READ, MAY_WRITE, ensureShadow, shadowByte, shadowChunk, shadowShift } from "./shadow";
import { addTo } from "./stats";
import { ensurePteTable, TABLE_WRITTEN_KNOWN, TABLE_ZERO_PAGES, tableCounts } from "./table";
import { entryOfKind, KIND_ZERO, KIND_ZERO_WP } from "./uniform";
import { isAnonymousRegion, prepareAnonVma } from "./userfault";
import { slotIn } from "./walk";
import { noteWritten } from "./written";

/**
 * An access that the shadow does not know, in ordinary private anonymous memory while every frame is mapped once (`framesAreSimple`). All
 * that the fault path of `fault.ts` and `wp-fault.ts` would do to such an entry, exception by exception, is known from five bits: what the
 * entry is, and whether the access writes. So it is looked up and done without a branch on them, which could not be predicted, and what is
 * counted is counted by these situations. Whatever is none of them is left to the long way.
 *
 *   entry             read                  write
 *   none              zero page             new page
 *   marker            protected zero page   new page, protected; then as a protected page
 *   zero page         –                     copy
 *   the same, wp      –                     message, unprotect, copy
 *   page, read-only   –                     reuse
 *   the same, wp      –                     message, unprotect, again
 *   page              –                     –
 */

const S_PRESENT: u32 = 1;
const S_WRITABLE: u32 = 2;
const S_ZERO: u32 = 4;
const S_WP: u32 = 8;
const S_WRITE: u32 = 16;
const SITUATIONS: u32 = 32;
/** A bit for each situation in which a write meets the protection: S_WRITE and S_WP without S_WRITABLE. */
const WP_SITUATIONS: u32 = 0x33000000;
/** And for those in which the entry is a uffd-wp marker: S_WP alone, or with S_WRITE. */
const MARKER_SITUATIONS: u32 = (1 << S_WP) | (1 << (S_WP | S_WRITE));
/** From the special and the uffd-wp bit of an entry, which a marker has too, to S_ZERO and S_WP. */
const TO_ZERO_AND_WP: u64 = 7;

/** What a situation makes of an entry, 32 bytes each: bits that it keeps and sets, what changes in the counts of the table, and so on. */
const transitions: usize = memory.data(SITUATIONS << 5, 8);
const T_KEEP: usize = 0;
const T_SET: usize = 8;
const T_COUNTS: usize = 16;
const T_FLAGS: usize = 20;
const T_NEW_FRAME: usize = 24;
const T_SHADOW: usize = 28;
makeTransitions();

/** How often each situation was met since the counters were brought up to date. */
const met: usize = memory.data(SITUATIONS << 2, 8);

/** The policy by which single pages are unprotected has this bit and no cluster. */
const UNPROTECTS_PAGES: u32 = REPLAY_UNPROTECT | ~((1 << REPLAY_CLUSTER_SHIFT) - 1);

/** Frames that are looked for at once. */
const FRESH_FRAMES: u32 = 1024;

/** Where the content of a read goes. */
const nowhere: usize = memory.data(8, 8);

const READABLE: u32 = REGION_READ | REGION_WRITE;
const SLOW: u32 = REGION_UFFD_MISSING | REGION_SIGBUS | REGION_THP;

/** The region met last, as far as its pages can be handled here, and its flags. */
let region: usize = 0;
let regionFirst: u64 = 0;
let regionPages: u64 = 0;
let isAsync: bool = false;
/** A bit for each situation that this region leaves to the long way. */
let longSituations: u32 = 0;
/** Consecutive frames for new pages, from the first that is not given away, and where they began. */
let nextFresh: u32 = 0;
let freshEnd: u32 = 0;
let firstFresh: u32 = 0;
/** Whether they are one frame that was allocated by itself, since there were freed ones. */
let isSpare: bool = false;

/** Begins with a block of misses: regions may be others than at the last one. */
export function beginMisses(): void {
  regionPages = 0;
}

/**
 * Carries listed accesses out, from the one numbered `miss` on. Returns the number of the first that has to take the long way, of which nothing
 * is done, or `missCount`. Writes store `value`. `policy`: REPLAY_ flags; messages are answered here where that unprotects one page.
 */
export function carryOutMisses(space: usize, records: usize, miss: u32, missCount: u32, value: u64, policy: u32): u32 {
  let next = carryOutPrepared(records, miss, missCount, value, policy);
  while (next < missCount && prepare(space, records, next, missCount, policy)) {
    next = carryOutPrepared(records, next, missCount, value, policy);
  }
  return next;
}

/**
 * Carries accesses out as long as all that they need is there: region, slot, shadow and frame. Returns the number of the first that is not
 * done. A loop almost without calls and globals, so that it fits into the processor's registers; every fault of a replay goes through here.
 */
function carryOutPrepared(records: usize, first: u32, missCount: u32, value: u64, policy: u32): u32 {
  const regionStart = regionFirst;
  const pages = regionPages;
  const hasMessages = (policy & REPLAY_QUIET) == 0 && !isAsync;
  let room = hasMessages ? recordsLeft() : u32.MAX_VALUE;
  let fresh = nextFresh;
  let miss = first;
  for (; miss < missCount; miss++) {
    const record = recordOf(records, miss);
    const page = record & PAGE_MASK;
    const isWrite = <u32>(record >> WRITE_SHIFT);
    const chunk = shadowChunk(page);
    const shadow = shadowByte(chunk, page);
    const known = <u32>load<u8>(shadow);
    // a record before it in the block may have been about the same page
    if (((known >> (shadowShift(page) + isWrite)) & 1) != 0) continue;
    const slot = slotOf(miss);
    if (slot == 0 || page - regionStart >= pages) break;
    if (chunk == 0 || fresh == freshEnd) break;
    const before = load<u64>(slot);
    const situation = situationOf(before, isWrite);
    if ((((longSituations >> situation) & 1) | isNotHandled(before)) != 0) break;
    const isWp = (WP_SITUATIONS >> situation) & 1;
    if (isWp > room) break;
    const next = transitions + ((<usize>situation) << 5);
    const held = change(slot, before, next, (<u64>fresh + FIRST_FRAME_PFN) << 12, isWrite, value);
    const flags = changeCounts(slot, next);
    fresh += load<u32>(next, T_NEW_FRAME);
    store<u8>(shadow, known | (load<u32>(next, T_SHADOW) << shadowShift(page)));
    count(situation);
    if ((isWp & (u32(hasMessages) | u32((flags & TABLE_WRITTEN_KNOWN) != 0))) == 0) continue;
    noteWritten(slot);
    if (!hasMessages) continue;
    writeRecord(page, indexOf(miss), OUTCOME_WP, ACCESS_WRITE, numberIn(held));
    room--;
  }
  nextFresh = fresh;
  return miss;
}

/** Returns the situation of an access to an entry that `isNotHandled` does not mean. */
// @ts-ignore: decorator
@inline
function situationOf(before: u64, isWrite: u32): u32 {
  const state = ((<u32>before) & (S_PRESENT | S_WRITABLE)) | ((<u32>(before >> TO_ZERO_AND_WP)) & (S_ZERO | S_WP));
  return state | (isWrite << 4);
}

/** Makes a change to an entry and to the content of its page, and returns what that was. `frame`: the PFN bits of a frame for a new page. */
// @ts-ignore: decorator
@inline
function change(slot: usize, before: u64, next: usize, frame: u64, isWrite: u32, value: u64): u64 {
  const takesFrame: u64 = load<u32>(next, T_NEW_FRAME);
  const after = (before & load<u64>(next, T_KEEP)) | load<u64>(next, T_SET) | (frame & (0 - takesFrame));
  store<u64>(slot, after);
  const content = select(contentSlot(<u32>((after & PFN_MASK) >> 12) - <u32>FIRST_FRAME_PFN), nowhere, isWrite != 0);
  const held = load<u64>(content) & (takesFrame - 1); // of a new page nothing
  store<u64>(content, value | (held & OTHER_BYTES));
  return held;
}

/** Changes the two counts of a slot's table, which are one number, and its flags. Returns a number with the flags among its bits. */
// @ts-ignore: decorator
@inline
function changeCounts(slot: usize, next: usize): u32 {
  const word = tableCounts + ((slot >> 12) << 2);
  const after = (load<u32>(word) + load<i32>(next, T_COUNTS)) | load<u32>(next, T_FLAGS);
  store<u32>(word, after);
  return after;
}

// @ts-ignore: decorator
@inline
function count(situation: u32): void {
  const counter = met + ((<usize>situation) << 2);
  store<u32>(counter, load<u32>(counter) + 1);
}

/** Returns 1 for an entry that is neither present nor none nor a uffd-wp marker. */
// @ts-ignore: decorator
@inline
function isNotHandled(entry: u64): u32 {
  return u32((entry & PRESENT) == 0) & u32(entry != 0) & u32(entry != UFFD_WP_MARKER);
}

/** Makes one thing ready that a listed access lacks. Returns false if it lacks nothing, or something that is not to be had. */
function prepare(space: usize, records: usize, miss: u32, missCount: u32, policy: u32): bool {
  const page = recordOf(records, miss) & PAGE_MASK;
  if (page - regionFirst >= regionPages)
    return enterRegion(space, page, (policy & UNPROTECTS_PAGES) == REPLAY_UNPROTECT);
  if (slotOf(miss) == 0) return findOwnSlots(space, records, miss, missCount);
  if (shadowChunk(page) == 0) return ensureShadow(page);
  return nextFresh == freshEnd && findFresh();
}

/** Finds the slot of a listed access in a table of the space's own, and those of the next ones as far as they are in the same table. */
function findOwnSlots(space: usize, records: usize, miss: u32, missCount: u32): bool {
  let page = recordOf(records, miss) & PAGE_MASK;
  const area = page >> PMD_SHIFT;
  const table = ensurePteTable(space, page);
  if (table == 0) return false;
  for (let i = miss; page >> PMD_SHIFT == area; page = recordOf(records, i) & PAGE_MASK) {
    setSlot(i, slotIn(table, page));
    if (++i == missCount) break;
  }
  return true;
}

/** Brings the counters of the space, and what is known of its region and of frames, up to date. */
export function flushMisses(space: usize): void {
  const newZero = times(0) + times(S_WP);
  const none = times(S_WRITE);
  const marker = times(S_WRITE | S_WP);
  const zero = times(S_WRITE | S_PRESENT | S_ZERO);
  const zeroWp = times(S_WRITE | S_PRESENT | S_ZERO | S_WP);
  const readOnly = times(S_WRITE | S_PRESENT);
  const pageWp = times(S_WRITE | S_PRESENT | S_WP);
  const messages = marker + zeroWp + pageWp;
  const newPages = none + marker + zero + zeroWp;
  addTo(space, COUNTER_EXCEPTION_READ_NOT_PRESENT, newZero);
  addTo(space, COUNTER_ZERO_PAGE_FAULTS, newZero);
  addTo(space, COUNTER_MARKER_FAULTS, times(S_WP) + marker);
  addTo(space, COUNTER_EXCEPTION_WRITE_NOT_PRESENT, none + marker);
  addTo(space, COUNTER_ALLOCATE_FAULTS, none + marker);
  addTo(space, COUNTER_EXCEPTION_WRITE_PROTECTED, messages + zero + readOnly);
  addTo(space, COUNTER_COPY_FAULTS, zero + zeroWp);
  addTo(space, COUNTER_REUSE_FAULTS, readOnly + (isAsync ? marker + pageWp : 0));
  addTo(space, COUNTER_ANON_PAGES, newPages);
  addTo(space, isAsync ? COUNTER_WP_ASYNC_FAULTS : COUNTER_WP_MESSAGES, messages);
  addTo(space, COUNTER_DISARMED_PAGE, isAsync ? 0 : marker + pageWp);
  addTo(space, COUNTER_DISARMED_ZERO, isAsync ? 0 : zeroWp);
  addTo(space, COUNTER_MINFLT, newZero + none + zero + readOnly + messages + marker);
  memory.fill(met, 0, SITUATIONS << 2);
  if (newPages != 0) prepareAnonVma(region);
  giveFreshBack();
}

/** Finds frames for new pages. Returns false when the memory is used up. */
function findFresh(): bool {
  giveFreshBack();
  firstFresh = freshRun(FRESH_FRAMES);
  isSpare = firstFresh == 0;
  if (isSpare) firstFresh = allocateFrame();
  nextFresh = firstFresh;
  freshEnd = firstFresh + (isSpare ? u32(firstFresh != 0) : FRESH_FRAMES);
  return firstFresh != 0;
}

/** Says how many frames were given away. */
function giveFreshBack(): void {
  if (!isSpare) takeFresh(nextFresh - firstFresh);
  else if (nextFresh == firstFresh && firstFresh != 0) releaseFrame(firstFresh);
  isSpare = false;
  firstFresh = 0;
  nextFresh = 0;
  freshEnd = 0;
}

function enterRegion(space: usize, page: u64, unprotects: bool): bool {
  if (regionPages != 0) flushMisses(space); // what a situation counts for is another thing in async mode
  const found = findRegion(space, page);
  const flags = found != 0 ? load<u32>(found, REGION_FLAGS) : 0;
  const waitIsMajor = (load<u32>(space, SPACE_KERNEL) & KERNEL_WAIT_IS_MAJOR) != 0;
  regionPages = 0;
  if ((flags & (READABLE | SLOW)) != READABLE || !isAnonymousRegion(flags)) return false;
  region = found;
  regionFirst = load<u64>(found, REGION_FIRST);
  regionPages = load<u64>(found, REGION_END) - regionFirst;
  isAsync = (flags & REGION_WP_ASYNC) != 0;
  const isRegistered = (flags & REGION_UFFD_WP) != 0;
  const resolves = isRegistered && (isAsync || (unprotects && !waitIsMajor));
  longSituations = (isRegistered ? 0 : MARKER_SITUATIONS) | (resolves ? 0 : WP_SITUATIONS);
  return true;
}

function times(situation: u32): u64 {
  return load<u32>(met + ((<usize>situation) << 2));
}

function makeTransitions(): void {
  const zero = entryOfKind(KIND_ZERO);
  const page = PROTECTION_READ | WRITABLE | DIRTY;
  for (let state: u32 = 0; state < S_WRITE; state++) {
    // a read of what is there changes nothing but the accessed bit; a write makes it a page that is written to, its own or a new one
    const isThere = (state & S_PRESENT) != 0;
    set(state, isThere ? u64.MAX_VALUE : 0, isThere ? ACCESSED : zero, 0, MAY_READ);
    const isPage = isThere && (state & S_ZERO) == 0;
    if ((state & S_WRITABLE) != 0) set(state | S_WRITE, u64.MAX_VALUE, ACCESSED | DIRTY, 0, MAY_READ | MAY_WRITE);
    else set(state | S_WRITE, isPage ? PFN_MASK : 0, page, u32(!isPage), MAY_READ | MAY_WRITE);
  }
  set(S_WP, 0, entryOfKind(KIND_ZERO_WP), 0, MAY_READ);
  for (let write: u32 = 0; write <= S_WRITE; write += S_WRITE) {
    const flags = write == 0 ? TABLE_ZERO_PAGES : 0;
    setCounts(write, 1, flags);
    setCounts(write | S_WP, -1 << 16, flags);
  }
}

function set(situation: u32, keep: u64, set: u64, newFrame: u32, shadow: u32): void {
  const next = transitions + ((<usize>situation) << 5);
  store<u64>(next, keep, T_KEEP);
  store<u64>(next, set, T_SET);
  store<u32>(next, newFrame, T_NEW_FRAME);
  store<u32>(next, shadow, T_SHADOW);
}

/** `delta`: 1 for an entry more, minus 1 in the upper half for a marker less. */
function setCounts(situation: u32, delta: i32, flags: u32): void {
  const next = transitions + ((<usize>situation) << 5);
  store<i32>(next, delta, T_COUNTS);
  store<u32>(next, flags, T_FLAGS);
}
