import {
  ACCESS_READ,
  COUNTER_EXCEPTION_READ_NOT_PRESENT,
  COUNTER_MINFLT,
  COUNTER_ZERO_PAGE_FAULTS,
  OK,
  OUTCOME_DONE,
  RESULT_MINFLT,
  RESULT_REASON,
} from "./abi";
import { tryUntilDone } from "./access";
import { mapsZeroPages, nextToRead } from "./populate";
import { result } from "./result";
import { addTo } from "./stats";
import { KIND_MARKER, KIND_MIXED, KIND_ZERO } from "./uniform";
import { walk } from "./walk";

/**
 * Accesses to many pages by a thread. Reading memory page by page in which nothing is mapped is what programs did before there was
 * MADV_POPULATE_READ; where nobody can see the single faults, whole templates are read at once.
 */

/** What the last access came to, and how many were done, of the reads under way. */
let outcome: i32 = OUTCOME_DONE;
let done: u64 = 0;

/**
 * Reads or writes every `stride`-th page of a range until one access is not done. Returns how many were; RESULT_REASON holds the outcome
 * of the last one, RESULT_MINFLT and RESULT_MAJFLT the totals.
 */
export function touchPages(space: usize, firstPage: u64, pageCount: u64, stride: u64, access: u32, value: u64): u64 {
  store<u64>(result, 0, RESULT_MINFLT); // both counts
  outcome = OUTCOME_DONE;
  done = 0;
  if (access != ACCESS_READ || stride != 1) touchEach(space, firstPage, pageCount, stride, access, value);
  else if (mapsZeroPages(space, firstPage, firstPage + pageCount)) readUniform(space, firstPage, pageCount);
  else readEach(space, firstPage, pageCount);
  store<i32>(result, outcome, RESULT_REASON);
  return done;
}

function touchEach(space: usize, firstPage: u64, pageCount: u64, stride: u64, access: u32, value: u64): void {
  for (let offset: u64 = 0; offset < pageCount; offset += stride) {
    outcome = tryUntilDone(space, firstPage + offset, access, value);
    if (outcome != OUTCOME_DONE) return;
    done++;
  }
}

/** Reads page by page. Of a huge page the first read does all that can be seen. */
function readEach(space: usize, firstPage: u64, pageCount: u64): void {
  const end = firstPage + pageCount;
  let page = firstPage;
  while (page < end) {
    outcome = tryUntilDone(space, page, ACCESS_READ, 0);
    if (outcome != OUTCOME_DONE) return;
    const next = nextToRead(space, page, end);
    done += next - page;
    page = next;
  }
}

/** Reads a range in which nothing is mapped but the zero page, most likely. */
function readUniform(space: usize, firstPage: u64, pageCount: u64): void {
  const status = walk<ReadPages>(space, firstPage, pageCount);
  if (status != OK && outcome == OUTCOME_DONE) outcome = status;
}

/** Reads where nothing maps the zero page: `do_anonymous_page`. What is not a template is read page by page. */
@unmanaged
@final
class ReadPages {
  fillsHoles(): void {}

  mapped(kind: u32): u32 {
    if (kind < KIND_MARKER) return KIND_ZERO;
    return kind == KIND_MARKER ? KIND_MIXED : kind;
  }

  note(space: usize, kind: u32, pageCount: u64): void {
    done += pageCount;
    if (kind >= KIND_MARKER) return;
    addTo(space, COUNTER_EXCEPTION_READ_NOT_PRESENT, pageCount);
    addTo(space, COUNTER_ZERO_PAGE_FAULTS, pageCount);
    addTo(space, COUNTER_MINFLT, pageCount);
    store<u32>(result, load<u32>(result, RESULT_MINFLT) + <u32>pageCount, RESULT_MINFLT);
  }

  slice(space: usize, table: usize, page: u64, pageCount: u32): i32 {
    readEach(space, page, pageCount);
    return outcome;
  }

  huge(space: usize, slot: usize, page: u64, pageCount: u32): i32 {
    readEach(space, page, pageCount);
    return outcome;
  }
}
