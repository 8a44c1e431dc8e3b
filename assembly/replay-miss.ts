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
import {
  ACCESSED,
  DIRTY,
  frameOf,
  leafEntry,
  PRESENT,
  PROTECTION_READ,
  SPECIAL,
  UFFD_WP,
  UFFD_WP_MARKER,
  withDirty,
  withoutUffdWp,
  withWrite,
  WRITABLE,
} from "./entry";
import { allocateFrame, contentOf, numberIn, OTHER_BYTES, setContent } from "./frames";
import { findRegion } from "./regions";
import { MAY_READ, MAY_WRITE, noteAccess } from "./shadow";
import { addTo } from "./stats";
import { adjustForPage, ensurePteTable, setTableFlags, TABLE_ZERO_PAGES, tableOfSlot } from "./table";
import { entryOfKind, KIND_ZERO, KIND_ZERO_WP } from "./uniform";
import { isAnonymousRegion, prepareAnonVma } from "./userfault";
import { slotIn } from "./walk";
import { noteWritten } from "./written";

/**
 * An access that the shadow does not know, in ordinary private anonymous memory while every frame is mapped once (`framesAreSimple`). All
 * that the fault path of `fault.ts` and `wp-fault.ts` would do to such an entry, exception by exception, is known from the entry and the
 * access; so it is done at once, and what is counted is counted by case. Whatever is not among the cases is left to the long way.
 *
 *   entry             read                    write
 *   none              0 zero page             3 new page
 *   marker            1 protected zero page   4 new page, protected; then as 8
 *   zero page         2 –                     5 copy
 *   the same, wp      2 –                     6 message, unprotect, copy
 *   page, read-only   2 –                     7 reuse
 *   the same, wp      2 –                     8 message, unprotect, again
 *   page              2 –                     9 –
 */

const CASES: u32 = 10;
const READ_NONE: u32 = 0;
const READ_MARKER: u32 = 1;
const WRITE_NONE: u32 = 3;
const WRITE_MARKER: u32 = 4;
const WRITE_ZERO: u32 = 5;
const WRITE_ZERO_WP: u32 = 6;
const WRITE_READ_ONLY: u32 = 7;
const WRITE_PAGE_WP: u32 = 8;

/** How often each case was met since the counters were brought up to date. */
const met: usize = memory.data(CASES << 2, 8);

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

/** Whether the last miss had a message, and what its page held before. */
export let hadMessage: bool = false;
export let contentBefore: u64 = 0;

/** Forgets regions: they may be others than at the last replay. */
export function beginMisses(): void {
  regionEnd = 0;
}

/**
 * Carries one access out. `known` is the slot of the page's entry in a table of the space's own, or 0; `policy` is REPLAY_UNPROTECT where
 * messages are answered by unprotecting the page alone. Returns false, with nothing changed, if the long way has to be taken.
 */
export function handleMiss(space: usize, page: u64, known: usize, isWrite: u32, value: u64, policy: u32): bool {
  hadMessage = false;
  if ((page < regionFirst || page >= regionEnd) && !enterRegion(space, page, policy == REPLAY_UNPROTECT)) return false;
  const slot = known != 0 ? known : ownSlot(space, page);
  if (slot == 0) return false;
  const entry = load<u64>(slot);
  return isWrite != 0 ? write(slot, entry, page, value) : read(slot, entry, page);
}

/** Brings the counters of the space up to date. */
export function flushMisses(space: usize): void {
  const newZero = take(READ_NONE) + take(READ_MARKER);
  const markedZero = take(READ_MARKER);
  const none = take(WRITE_NONE);
  const marker = take(WRITE_MARKER);
  const zero = take(WRITE_ZERO);
  const zeroWp = take(WRITE_ZERO_WP);
  const readOnly = take(WRITE_READ_ONLY);
  const pageWp = take(WRITE_PAGE_WP);
  const messages = marker + zeroWp + pageWp;
  addTo(space, COUNTER_EXCEPTION_READ_NOT_PRESENT, newZero);
  addTo(space, COUNTER_ZERO_PAGE_FAULTS, newZero);
  addTo(space, COUNTER_MARKER_FAULTS, markedZero + marker);
  addTo(space, COUNTER_EXCEPTION_WRITE_NOT_PRESENT, none + marker);
  addTo(space, COUNTER_ALLOCATE_FAULTS, none + marker);
  addTo(space, COUNTER_EXCEPTION_WRITE_PROTECTED, messages + zero + readOnly);
  addTo(space, COUNTER_COPY_FAULTS, zero + zeroWp);
  addTo(space, COUNTER_REUSE_FAULTS, readOnly + (isAsync ? marker + pageWp : 0));
  addTo(space, COUNTER_ANON_PAGES, none + marker + zero + zeroWp);
  addTo(space, isAsync ? COUNTER_WP_ASYNC_FAULTS : COUNTER_WP_MESSAGES, messages);
  addTo(space, COUNTER_DISARMED_PAGE, isAsync ? 0 : marker + pageWp);
  addTo(space, COUNTER_DISARMED_ZERO, isAsync ? 0 : zeroWp);
  addTo(space, COUNTER_MINFLT, newZero + none + zero + readOnly + messages + marker);
  memory.fill(met, 0, CASES << 2);
}

function read(slot: usize, entry: u64, page: u64): bool {
  if ((entry & PRESENT) == 0) {
    const isMarker = entry == UFFD_WP_MARKER;
    if (entry != 0 && !(isMarker && isRegistered)) return false;
    store<u64>(slot, entryOfKind(isMarker ? KIND_ZERO_WP : KIND_ZERO));
    adjustForPage(tableOfSlot(slot), isMarker);
    setTableFlags(tableOfSlot(slot), TABLE_ZERO_PAGES, 0);
    meet(isMarker ? READ_MARKER : READ_NONE);
  } else if ((entry & ACCESSED) == 0) {
    store<u64>(slot, entry | ACCESSED);
  }
  noteAccess(page, MAY_READ);
  return true;
}

function write(slot: usize, entry: u64, page: u64, value: u64): bool {
  if ((entry & (PRESENT | WRITABLE)) == (PRESENT | WRITABLE)) {
    if ((entry & (ACCESSED | DIRTY)) != (ACCESSED | DIRTY)) store<u64>(slot, entry | ACCESSED | DIRTY);
    storeNumber(frameOf(entry), value);
  } else if (!writeProtected(slot, entry, value)) {
    return false;
  }
  noteAccess(page, MAY_READ | MAY_WRITE);
  return true;
}

/** A write that faults. */
function writeProtected(slot: usize, entry: u64, value: u64): bool {
  const isPresent = (entry & PRESENT) != 0;
  const isMarker = entry == UFFD_WP_MARKER;
  const isWp = isPresent ? (entry & UFFD_WP) != 0 : isMarker;
  if (isWp ? !(isRegistered && resolves) : !isPresent && entry != 0) return false;
  const isPage = isPresent && (entry & SPECIAL) == 0;
  if (isPage) {
    store<u64>(slot, withDirty(withWrite(withoutUffdWp(entry) | ACCESSED)));
    contentBefore = numberIn(contentOf(frameOf(entry)));
    storeNumber(frameOf(entry), value);
    meet(isWp ? WRITE_PAGE_WP : WRITE_READ_ONLY);
  } else {
    const frame = allocateFrame();
    if (frame == 0) return false;
    prepareAnonVma(region);
    store<u64>(slot, leafEntry(frame, PROTECTION_READ) | WRITABLE | DIRTY);
    setContent(frame, value);
    contentBefore = 0;
    if (!isPresent) adjustForPage(tableOfSlot(slot), isMarker);
    meet((isPresent ? WRITE_ZERO : WRITE_NONE) + u32(isWp));
  }
  if (isWp) noteWritten(slot);
  hadMessage = isWp && !isAsync;
  return true;
}

/** Stores a page's number; other bytes that it has stay. */
// @ts-ignore: decorator
@inline
function storeNumber(frame: u32, value: u64): void {
  setContent(frame, value | (contentOf(frame) & OTHER_BYTES));
}

function enterRegion(space: usize, page: u64, unprotects: bool): bool {
  const found = findRegion(space, page);
  const flags = found != 0 ? load<u32>(found, REGION_FLAGS) : 0;
  const waitIsMajor = (load<u32>(space, SPACE_KERNEL) & KERNEL_WAIT_IS_MAJOR) != 0;
  regionEnd = 0;
  if ((flags & (READABLE | SLOW)) != READABLE || !isAnonymousRegion(flags)) return false;
  region = found;
  regionFirst = load<u64>(found, REGION_FIRST);
  regionEnd = load<u64>(found, REGION_END);
  isRegistered = (flags & REGION_UFFD_WP) != 0;
  if (isAsync != ((flags & REGION_WP_ASYNC) != 0)) {
    flushMisses(space); // what a case counts for is another thing in async mode
    isAsync = !isAsync;
  }
  resolves = isAsync || (unprotects && !waitIsMajor);
  return true;
}

/** Returns the slot of the entry for a page in a table of the space's own, which is made if there is none, or 0. */
function ownSlot(space: usize, page: u64): usize {
  const table = ensurePteTable(space, page);
  return table == 0 ? 0 : slotIn(table, page);
}

// @ts-ignore: decorator
@inline
function meet(number: u32): void {
  const counter = met + ((<usize>number) << 2);
  store<u32>(counter, load<u32>(counter) + 1);
}

function take(number: u32): u64 {
  return load<u32>(met + ((<usize>number) << 2));
}
