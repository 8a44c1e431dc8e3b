import {
  COUNTER_ANON_PAGES,
  COUNTER_FILLED_COPY,
  COUNTER_FILLED_ZERO,
  EEXIST,
  ENOMEM,
  FILL_PROTECTION_NONE,
  FILL_WP,
  FILL_WRITABLE,
  OK,
  RESULT_REASON,
} from "./abi";
import {
  isMarker,
  isNone,
  leafEntry,
  POISON_MARKER,
  PROTECTION_NO_ACCESS,
  PROTECTION_READ,
  UFFD_WP_MARKER,
  withDirty,
  withUffdWp,
  withWrite,
  zeroPageEntry,
} from "./entry";
import { allocateFrame, setContent } from "./frames";
import { result } from "./result";
import { addTo } from "./stats";
import { adjustCounts, ensurePteTable } from "./table";
import { slotIn } from "./walk";

/**
 * UFFDIO_COPY, UFFDIO_ZEROPAGE and UFFDIO_POISON: `mm/userfaultfd.c:mfill_atomic`. Copying replaces a marker of any kind, the others need
 * an entry that is none. All return the pages done; RESULT_REASON holds OK, EEXIST or ENOMEM for the page after them.
 */

/** Puts a new page with content `value`, `value + step`, … into each entry. `flags`: FILL_WRITABLE, FILL_WP, FILL_PROTECTION_NONE. */
export function fillCopy(space: usize, firstPage: u64, pageCount: u64, flags: u32, value: u64, step: u64): u64 {
  let reason = OK;
  let done: u64 = 0;
  while (done < pageCount) {
    reason = copyPage(space, firstPage + done, flags, value + done * step);
    if (reason != OK) break;
    done++;
  }
  addTo(space, COUNTER_FILLED_COPY, done);
  addTo(space, COUNTER_ANON_PAGES, done);
  store<i32>(result, reason, RESULT_REASON);
  return done;
}

/** Maps the shared zero page into each entry. `flags`: FILL_PROTECTION_NONE. */
export function fillZero(space: usize, firstPage: u64, pageCount: u64, flags: u32): u64 {
  const done = fillNone(space, firstPage, pageCount, zeroPageEntry(protectionOf(flags)));
  addTo(space, COUNTER_FILLED_ZERO, done);
  return done;
}

/** Makes each entry a poison marker. */
export function fillPoison(space: usize, firstPage: u64, pageCount: u64): u64 {
  return fillNone(space, firstPage, pageCount, POISON_MARKER);
}

function fillNone(space: usize, firstPage: u64, pageCount: u64, filled: u64): u64 {
  let reason = OK;
  let done: u64 = 0;
  while (done < pageCount) {
    reason = fillEntry(space, firstPage + done, filled);
    if (reason != OK) break;
    done++;
  }
  store<i32>(result, reason, RESULT_REASON);
  return done;
}

function copyPage(space: usize, page: u64, flags: u32, value: u64): i32 {
  const table = ensurePteTable(space, page);
  if (table == 0) return ENOMEM;
  const slot = slotIn(table, page);
  const entry = load<u64>(slot);
  if (!isNone(entry) && !isMarker(entry)) return EEXIST;
  const frame = allocateFrame();
  if (frame == 0) return ENOMEM;
  setContent(frame, value);
  store<u64>(slot, copiedEntry(frame, flags));
  adjustCounts(table, i32(isNone(entry)), -i32(entry == UFFD_WP_MARKER));
  return OK;
}

/** `mm/userfaultfd.c:mfill_atomic_install_pte`: dirty, writable if the region is, protected if that was asked for. */
function copiedEntry(frame: u32, flags: u32): u64 {
  const dirty = withDirty(leafEntry(frame, protectionOf(flags)));
  const allowed = (flags & FILL_WRITABLE) != 0 ? withWrite(dirty) : dirty;
  return (flags & FILL_WP) != 0 ? withUffdWp(allowed) : allowed;
}

function fillEntry(space: usize, page: u64, filled: u64): i32 {
  const table = ensurePteTable(space, page);
  if (table == 0) return ENOMEM;
  const slot = slotIn(table, page);
  if (!isNone(load<u64>(slot))) return EEXIST;
  store<u64>(slot, filled);
  adjustCounts(table, 1, 0);
  return OK;
}

function protectionOf(flags: u32): u64 {
  return (flags & FILL_PROTECTION_NONE) != 0 ? PROTECTION_NO_ACCESS : PROTECTION_READ;
}
