import {
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
  REPLAY_UNPROTECT,
  SPACE_KERNEL,
} from "./abi";
import { ACCESSED, DIRTY, frameOf, PFN_MASK, PRESENT, PROTECTION_READ, UFFD_WP_MARKER, WRITABLE } from "./entry";
import { allocateFrame, contentSlot, freshRun, numberIn, OTHER_BYTES, releaseFrame, takeFresh } from "./frames";
import { PMD_SHIFT } from "./geometry";
import { findRegion } from "./regions";
import { MAY_READ, MAY_WRITE, noteAccess } from "./shadow";
import { addTo } from "./stats";
import { changeCounts, ensurePteTable, TABLE_ZERO_PAGES, tableOfSlot } from "./table";
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

/** Frames that are looked for at once. */
const FRESH_FRAMES: u32 = 256;

/** Where the content of a read goes. */
const nowhere: usize = memory.data(8, 8);

const READABLE: u32 = REGION_READ | REGION_WRITE;
const SLOW: u32 = REGION_UFFD_MISSING | REGION_SIGBUS | REGION_THP;

/** The region met last, as far as its pages can be handled here, and its flags. */
let region: usize = 0;
let regionFirst: u64 = 0;
let regionEnd: u64 = 0;
let isRegistered: bool = false;
/** Whether a message about a write to a protected page can be answered here: by unprotecting it, or by nobody in async mode. */
let resolves: bool = false;
let isAsync: bool = false;
/** Consecutive frames for new pages: the first, how many there are, and how many of them are given away. */
let firstFresh: u32 = 0;
let freshCount: u32 = 0;
let usedFresh: u32 = 0;
/** Whether they are one frame that was allocated by itself, since there were freed ones. */
let isSpare: bool = false;

/** Whether the last miss had a message, and what its page held before. */
export let hadMessage: bool = false;
export let contentBefore: u64 = 0;

/** The table that `ownSlot` has found last: where tables were templates, many misses of a block have no slot yet. */
let ownArea: u64 = u64.MAX_VALUE;
let ownedTable: usize = 0;

/** Begins with a block of misses: regions and tables may be others than at the last one. */
export function beginMisses(): void {
  regionEnd = 0;
  ownArea = u64.MAX_VALUE;
}

/**
 * Carries one access out. `known` is the slot of the page's entry in a table of the space's own, or 0; `policy` is REPLAY_UNPROTECT where
 * messages are answered by unprotecting the page alone. Returns false, with nothing changed, if the long way has to be taken.
 */
export function handleMiss(space: usize, page: u64, known: usize, isWrite: u32, value: u64, policy: u32): bool {
  if ((page < regionFirst || page >= regionEnd) && !enterRegion(space, page, policy == REPLAY_UNPROTECT)) return false;
  const slot = known != 0 ? known : ownSlot(space, page);
  if (slot == 0 || (usedFresh == freshCount && !findFresh())) return false;
  const before = load<u64>(slot);
  if ((before & PRESENT) == 0 && before != 0 && !(before == UFFD_WP_MARKER && isRegistered)) return false;
  const state = ((<u32>before) & (S_PRESENT | S_WRITABLE)) | ((<u32>(before >> TO_ZERO_AND_WP)) & (S_ZERO | S_WP));
  const situation = state | (isWrite << 4);
  const isWp = (situation & (S_WP | S_WRITE | S_WRITABLE)) == (S_WP | S_WRITE);
  if (isWp && !(isRegistered && resolves)) return false;
  carryOut(slot, before, page, situation, value);
  hadMessage = isWp && !isAsync;
  if (isWp) noteWritten(slot);
  return true;
}

function carryOut(slot: usize, before: u64, page: u64, situation: u32, value: u64): void {
  const next = transitions + ((<usize>situation) << 5);
  const takesFrame = load<u32>(next, T_NEW_FRAME);
  const fresh = (<u64>(firstFresh + usedFresh) + FIRST_FRAME_PFN) << 12;
  const after = (before & load<u64>(next, T_KEEP)) | load<u64>(next, T_SET) | (fresh & (0 - <u64>takesFrame));
  usedFresh += takesFrame;
  store<u64>(slot, after);
  changeCounts(tableOfSlot(slot), load<i32>(next, T_COUNTS), load<u32>(next, T_FLAGS));
  const content = select(contentSlot(frameOf(after)), nowhere, situation >= S_WRITE);
  const held = load<u64>(content) & (<u64>takesFrame - 1); // of a new page nothing
  contentBefore = numberIn(held);
  store<u64>(content, value | (held & OTHER_BYTES));
  noteAccess(page, load<u32>(next, T_SHADOW));
  const counter = met + ((<usize>situation) << 2);
  store<u32>(counter, load<u32>(counter) + 1);
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
  freshCount = isSpare ? u32(firstFresh != 0) : FRESH_FRAMES;
  return firstFresh != 0;
}

/** Says how many frames were given away. */
function giveFreshBack(): void {
  if (!isSpare) takeFresh(usedFresh);
  else if (usedFresh == 0 && firstFresh != 0) releaseFrame(firstFresh);
  isSpare = false;
  freshCount = 0;
  usedFresh = 0;
}

function enterRegion(space: usize, page: u64, unprotects: bool): bool {
  if (regionEnd != 0) flushMisses(space); // what a situation counts for is another thing in async mode
  const found = findRegion(space, page);
  const flags = found != 0 ? load<u32>(found, REGION_FLAGS) : 0;
  const waitIsMajor = (load<u32>(space, SPACE_KERNEL) & KERNEL_WAIT_IS_MAJOR) != 0;
  regionEnd = 0;
  if ((flags & (READABLE | SLOW)) != READABLE || !isAnonymousRegion(flags)) return false;
  region = found;
  regionFirst = load<u64>(found, REGION_FIRST);
  regionEnd = load<u64>(found, REGION_END);
  isRegistered = (flags & REGION_UFFD_WP) != 0;
  isAsync = (flags & REGION_WP_ASYNC) != 0;
  resolves = isAsync || (unprotects && !waitIsMajor);
  return true;
}

/** Returns the slot of the entry for a page in a table of the space's own, which is made if there is none, or 0. */
function ownSlot(space: usize, page: u64): usize {
  if (page >> PMD_SHIFT != ownArea) {
    ownedTable = ensurePteTable(space, page);
    ownArea = ownedTable == 0 ? u64.MAX_VALUE : page >> PMD_SHIFT;
  }
  return ownedTable == 0 ? 0 : slotIn(ownedTable, page);
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
