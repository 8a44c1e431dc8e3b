import "./support/heap";
import {
  ACCESS_READ,
  ACCESS_WRITE,
  COUNTER_ALLOCATE_FAULTS,
  COUNTER_ANON_PAGES,
  COUNTER_COPY_FAULTS,
  COUNTER_DISARMED_ZERO,
  COUNTER_EXCEPTION_READ_NOT_PRESENT,
  COUNTER_EXCEPTION_WRITE_NOT_PRESENT,
  COUNTER_EXCEPTION_WRITE_PROTECTED,
  COUNTER_FILLED_COPY,
  COUNTER_MAJFLT,
  COUNTER_MARKER_FAULTS,
  COUNTER_MINFLT,
  COUNTER_MISSING_MESSAGES,
  COUNTER_REUSE_FAULTS,
  COUNTER_SIGBUS,
  COUNTER_SIGSEGV,
  COUNTER_WP_ASYNC_FAULTS,
  COUNTER_WP_MESSAGES,
  COUNTER_ZERO_PAGE_FAULTS,
  ENOMEM,
  FILL_WP,
  OUTCOME_DONE,
  OUTCOME_MISSING,
  OUTCOME_SIGBUS,
  OUTCOME_SIGSEGV,
  OUTCOME_WP,
  PROTECTION_NONE,
  REGION_READ,
  REGION_SIGBUS,
  REGION_UFFD_WP,
  UPGRADE_WRITABLE,
} from "../abi";
import { accessPage, resumeAccess } from "../access";
import { fillCopy } from "../fill";
import { changeProtection } from "../mprotect";
import { unprotect } from "../protect";
import { counterOf } from "../stats";
import { touchPages } from "../touch";
import { exhaustMemory, restoreMemory } from "./support/memory";
import { expectConsistent } from "./support/recount";
import {
  ANON,
  ASYNC,
  expectEvents,
  flagsAt,
  majflt,
  MARKER,
  minflt,
  MISSING,
  place,
  reason,
  setFlags,
  SLOT,
  spaceWith,
  valueRead,
  WP,
  WRITTEN,
  WRITTEN_WP,
  ZERO,
  ZERO_WP,
} from "./support/spaces";

const WRITTEN_STALE: u64 = 0x8000000000000467;

let space: usize = 0;

/** Makes a space whose page SLOT has the entry. */
function prepare(flags: u32, entry: u64): void {
  space = spaceWith(SLOT, 8, flags);
  if (entry != 0) place(space, SLOT, entry);
}

function read(): i32 {
  return accessPage(space, SLOT, ACCESS_READ, 0);
}

function write(value: u64): i32 {
  return accessPage(space, SLOT, ACCESS_WRITE, value);
}

/** Expects the state of page SLOT and what the last call charged. */
function expectPage(entry: u64, minor: u32, major: u32): void {
  expect(flagsAt(space, SLOT)).toBe(entry);
  expect(minflt()).toBe(minor, "minor faults");
  expect(majflt()).toBe(major, "major faults");
  expectConsistent(space);
}

describe("an access that is allowed", () => {
  it("reads and writes the content without a fault", () => {
    prepare(WP, WRITTEN);
    expect(read()).toBe(OUTCOME_DONE);
    expect(valueRead()).toBe(SLOT);
    expect(write(i64.MAX_VALUE)).toBe(OUTCOME_DONE);
    expect(read()).toBe(OUTCOME_DONE);
    expect(valueRead()).toBe(i64.MAX_VALUE);
    expectPage(WRITTEN, 0, 0);
    expectEvents(space, []);
  });

  it("sets the accessed bit, and the dirty bit for a write", () => {
    prepare(WP, 0x8000000000000007);
    read();
    expect(flagsAt(space, SLOT)).toBe(0x8000000000000027);
    write(1);
    expect(flagsAt(space, SLOT)).toBe(WRITTEN);
    expectEvents(space, []);
  });

  it("reads a protected page without a fault", () => {
    prepare(WP, WRITTEN_WP);
    expect(read()).toBe(OUTCOME_DONE);
    expect(valueRead()).toBe(SLOT);
    expectPage(WRITTEN_WP, 0, 0);
    expectEvents(space, []);
  });
});

describe("an access in sync mode", () => {
  it("to a none entry maps the zero page or a page in one fault, without a message", () => {
    prepare(WP, 0);
    expect(read()).toBe(OUTCOME_DONE);
    expect(valueRead()).toBe(0);
    expectPage(ZERO, 1, 0);
    expectEvents(space, [COUNTER_EXCEPTION_READ_NOT_PRESENT, 1, COUNTER_MINFLT, 1, COUNTER_ZERO_PAGE_FAULTS, 1]);
    prepare(WP, 0);
    expect(write(5)).toBe(OUTCOME_DONE);
    expectPage(WRITTEN, 1, 0);
    expectEvents(space, [COUNTER_EXCEPTION_WRITE_NOT_PRESENT, 1, COUNTER_MINFLT, 1, COUNTER_ALLOCATE_FAULTS, 1]);
  });

  it("reads a marker as a protected zero page in one fault", () => {
    prepare(WP, MARKER);
    expect(read()).toBe(OUTCOME_DONE);
    expect(valueRead()).toBe(0);
    expectPage(ZERO_WP, 1, 0);
    expectEvents(space, [
      COUNTER_EXCEPTION_READ_NOT_PRESENT,
      1,
      COUNTER_MINFLT,
      1,
      COUNTER_ZERO_PAGE_FAULTS,
      1,
      COUNTER_MARKER_FAULTS,
      1,
    ]);
  });

  it("writes a marker in two faults: the page is there, protected, while the second one waits", () => {
    prepare(WP, MARKER);
    expect(write(7)).toBe(OUTCOME_WP);
    expectPage(WRITTEN_WP, 1, 0);
    unprotect(space, SLOT, 1, UPGRADE_WRITABLE);
    expect(resumeAccess(space, SLOT, ACCESS_WRITE, 7, 1)).toBe(OUTCOME_DONE);
    expectPage(WRITTEN, 1, 0);
    expect(counterOf(space, COUNTER_MINFLT)).toBe(2);
    expect(counterOf(space, COUNTER_MAJFLT)).toBe(0);
    expect(counterOf(space, COUNTER_EXCEPTION_WRITE_NOT_PRESENT)).toBe(1);
    expect(counterOf(space, COUNTER_EXCEPTION_WRITE_PROTECTED)).toBe(1);
    expect(counterOf(space, COUNTER_WP_MESSAGES)).toBe(1);
    read();
    expect(valueRead()).toBe(7);
  });

  it("writes a marker that was resolved before in one fault without a message", () => {
    prepare(WP, MARKER);
    unprotect(space, SLOT, 1, UPGRADE_WRITABLE);
    expect(write(7)).toBe(OUTCOME_DONE);
    expectPage(WRITTEN, 1, 0);
    expect(counterOf(space, COUNTER_WP_MESSAGES)).toBe(0);
  });

  it("writes a protected page after one message and one minor fault, with the old content until then", () => {
    prepare(WP, WRITTEN_WP);
    expect(write(9)).toBe(OUTCOME_WP);
    expectPage(WRITTEN_WP, 0, 0);
    read();
    expect(valueRead()).toBe(SLOT);
    unprotect(space, SLOT, 1, UPGRADE_WRITABLE);
    expect(resumeAccess(space, SLOT, ACCESS_WRITE, 9, 1)).toBe(OUTCOME_DONE);
    expectPage(WRITTEN, 1, 0);
    read();
    expect(valueRead()).toBe(9);
    expect(counterOf(space, COUNTER_EXCEPTION_WRITE_PROTECTED)).toBe(1);
    expect(write(10)).toBe(OUTCOME_DONE);
    expect(counterOf(space, COUNTER_MINFLT)).toBe(1);
  });

  it("copies a protected zero page after its message, in one fault", () => {
    prepare(WP, ZERO_WP);
    expect(write(9)).toBe(OUTCOME_WP);
    unprotect(space, SLOT, 1, UPGRADE_WRITABLE);
    expect(resumeAccess(space, SLOT, ACCESS_WRITE, 9, 1)).toBe(OUTCOME_DONE);
    expectPage(WRITTEN, 1, 0);
    expectEvents(space, [
      COUNTER_EXCEPTION_WRITE_PROTECTED,
      1,
      COUNTER_WP_MESSAGES,
      1,
      COUNTER_MINFLT,
      1,
      COUNTER_COPY_FAULTS,
      1,
      COUNTER_DISARMED_ZERO,
      1,
    ]);
  });

  it("waits again when it is woken without being resolved, and is major in the end", () => {
    prepare(WP, WRITTEN_WP);
    expect(write(9)).toBe(OUTCOME_WP);
    expect(resumeAccess(space, SLOT, ACCESS_WRITE, 9, 1)).toBe(OUTCOME_WP);
    expectPage(WRITTEN_WP, 0, 0);
    unprotect(space, SLOT, 1, UPGRADE_WRITABLE);
    expect(resumeAccess(space, SLOT, ACCESS_WRITE, 9, 2)).toBe(OUTCOME_DONE);
    expectPage(WRITTEN, 0, 1);
    expect(counterOf(space, COUNTER_MAJFLT)).toBe(1);
    expect(counterOf(space, COUNTER_MINFLT)).toBe(0);
    expect(counterOf(space, COUNTER_WP_MESSAGES)).toBe(2);
    expect(counterOf(space, COUNTER_EXCEPTION_WRITE_PROTECTED)).toBe(1);
  });

  it("makes a page writable that was resolved without its write bit", () => {
    prepare(WP, WRITTEN_WP);
    write(9);
    unprotect(space, SLOT, 1, 0);
    expect(resumeAccess(space, SLOT, ACCESS_WRITE, 9, 1)).toBe(OUTCOME_DONE);
    expectPage(WRITTEN, 1, 0);
    expect(counterOf(space, COUNTER_REUSE_FAULTS)).toBe(1);
  });
});

describe("an access to a region registered for missing pages", () => {
  it("waits for the page, and is one minor fault when it has been copied in", () => {
    prepare(MISSING | REGION_UFFD_WP, MARKER);
    expect(write(9)).toBe(OUTCOME_MISSING);
    expectPage(MARKER, 0, 0);
    fillCopy(space, SLOT, 1, 0, 4, 0);
    expect(resumeAccess(space, SLOT, ACCESS_READ, 0, 1)).toBe(OUTCOME_DONE);
    expect(valueRead()).toBe(4);
    expectPage(WRITTEN, 1, 0);
    expectEvents(space, [
      COUNTER_EXCEPTION_WRITE_NOT_PRESENT,
      1,
      COUNTER_MISSING_MESSAGES,
      1,
      COUNTER_MINFLT,
      1,
      COUNTER_FILLED_COPY,
      1,
    ]);
  });

  it("waits twice when the page is copied in protected, and is major then", () => {
    prepare(MISSING | REGION_UFFD_WP, 0);
    expect(write(9)).toBe(OUTCOME_MISSING);
    fillCopy(space, SLOT, 1, FILL_WP, 4, 0);
    expect(resumeAccess(space, SLOT, ACCESS_WRITE, 9, 1)).toBe(OUTCOME_WP);
    expectPage(WRITTEN_WP, 0, 0);
    unprotect(space, SLOT, 1, UPGRADE_WRITABLE);
    expect(resumeAccess(space, SLOT, ACCESS_WRITE, 9, 2)).toBe(OUTCOME_DONE);
    expectPage(WRITTEN, 0, 1);
    expect(counterOf(space, COUNTER_MISSING_MESSAGES)).toBe(1);
    expect(counterOf(space, COUNTER_WP_MESSAGES)).toBe(1);
  });
});

describe("an access in async mode", () => {
  it("writes a protected page in one fault and a protected zero page in one", () => {
    prepare(ASYNC, WRITTEN_WP);
    expect(write(9)).toBe(OUTCOME_DONE);
    expectPage(WRITTEN, 1, 0);
    expectEvents(space, [
      COUNTER_EXCEPTION_WRITE_PROTECTED,
      1,
      COUNTER_MINFLT,
      1,
      COUNTER_WP_ASYNC_FAULTS,
      1,
      COUNTER_REUSE_FAULTS,
      1,
    ]);
    prepare(ASYNC, ZERO_WP);
    expect(write(9)).toBe(OUTCOME_DONE);
    expectPage(WRITTEN, 1, 0);
    expectEvents(space, [
      COUNTER_EXCEPTION_WRITE_PROTECTED,
      1,
      COUNTER_MINFLT,
      1,
      COUNTER_WP_ASYNC_FAULTS,
      1,
      COUNTER_COPY_FAULTS,
      1,
    ]);
  });

  it("writes a marker in two faults: it is filled protected, then cleared", () => {
    prepare(ASYNC, MARKER);
    expect(write(9)).toBe(OUTCOME_DONE);
    expectPage(WRITTEN, 2, 0);
    expectEvents(space, [
      COUNTER_EXCEPTION_WRITE_NOT_PRESENT,
      1,
      COUNTER_EXCEPTION_WRITE_PROTECTED,
      1,
      COUNTER_MINFLT,
      2,
      COUNTER_ALLOCATE_FAULTS,
      1,
      COUNTER_MARKER_FAULTS,
      1,
      COUNTER_WP_ASYNC_FAULTS,
      1,
      COUNTER_REUSE_FAULTS,
      1,
    ]);
    expect(counterOf(space, COUNTER_ANON_PAGES)).toBe(1);
  });

  it("never clears the protection for a read", () => {
    prepare(ASYNC, MARKER);
    read();
    expectPage(ZERO_WP, 1, 0);
    read();
    expectPage(ZERO_WP, 0, 0);
  });
});

describe("an access to what a registration left behind", () => {
  it("clears a marker in a fault of its own", () => {
    prepare(ANON, MARKER);
    expect(read()).toBe(OUTCOME_DONE);
    expectPage(ZERO, 2, 0);
    expectEvents(space, [COUNTER_EXCEPTION_READ_NOT_PRESENT, 2, COUNTER_MINFLT, 2, COUNTER_ZERO_PAGE_FAULTS, 1]);
    prepare(MISSING, MARKER);
    expect(write(1)).toBe(OUTCOME_MISSING);
    expectPage(0, 1, 0);
  });

  it("writes a page in one fault and keeps the bit, which does not trap when the region is registered again", () => {
    prepare(WP, WRITTEN_WP);
    setFlags(space, MISSING);
    expect(write(9)).toBe(OUTCOME_DONE);
    expectPage(WRITTEN_STALE, 1, 0);
    expect(write(10)).toBe(OUTCOME_DONE);
    expectPage(WRITTEN_STALE, 0, 0);
    setFlags(space, WP);
    expect(write(11)).toBe(OUTCOME_DONE);
    expectPage(WRITTEN_STALE, 0, 0);
    expect(counterOf(space, COUNTER_WP_MESSAGES)).toBe(0);
  });

  it("loses the bit of a zero page on copy", () => {
    prepare(MISSING, ZERO_WP);
    expect(write(9)).toBe(OUTCOME_DONE);
    expectPage(WRITTEN, 1, 0);
  });
});

describe("an access that ends in a signal", () => {
  it("raises its exception and is charged no fault", () => {
    prepare(REGION_READ | REGION_UFFD_WP, WRITTEN_WP);
    expect(write(9)).toBe(OUTCOME_SIGSEGV);
    expectPage(WRITTEN_WP, 0, 0);
    expectEvents(space, [COUNTER_EXCEPTION_WRITE_PROTECTED, 1, COUNTER_SIGSEGV, 1]);
    prepare(WP | REGION_SIGBUS, WRITTEN_WP);
    expect(write(9)).toBe(OUTCOME_SIGBUS);
    expectPage(WRITTEN_WP, 0, 0);
    expectEvents(space, [COUNTER_EXCEPTION_WRITE_PROTECTED, 1, COUNTER_SIGBUS, 1]);
    expect(accessPage(space, SLOT + 100, ACCESS_READ, 0)).toBe(OUTCOME_SIGSEGV);
    expect(counterOf(space, COUNTER_EXCEPTION_READ_NOT_PRESENT)).toBe(1);
  });

  it("is an exception of a page that is not present under PROT_NONE, since the present bit is clear", () => {
    prepare(WP, WRITTEN);
    changeProtection(space, SLOT, 1, PROTECTION_NONE);
    setFlags(space, REGION_UFFD_WP);
    expect(read()).toBe(OUTCOME_SIGSEGV);
    expect(write(1)).toBe(OUTCOME_SIGSEGV);
    expectPage(0x0400000000000120, 0, 0);
    expectEvents(space, [
      COUNTER_EXCEPTION_READ_NOT_PRESENT,
      1,
      COUNTER_EXCEPTION_WRITE_NOT_PRESENT,
      1,
      COUNTER_SIGSEGV,
      2,
    ]);
  });
});

describe("an access without memory", () => {
  it("is ENOMEM, charged nothing, and done when there is memory again", () => {
    prepare(WP, MARKER);
    exhaustMemory();
    const outcome = write(9);
    const touched = touchPages(space, SLOT, 8, 1, ACCESS_WRITE, 9);
    const touchedReason = reason();
    const resumed = resumeAccess(space, SLOT, ACCESS_WRITE, 9, 1);
    restoreMemory();
    expect(outcome).toBe(ENOMEM);
    expect(touched).toBe(0);
    expect(touchedReason).toBe(ENOMEM);
    expect(resumed).toBe(ENOMEM);
    expectPage(MARKER, 0, 0);
    expect(counterOf(space, COUNTER_MINFLT)).toBe(0);
    expect(write(9)).toBe(OUTCOME_WP);
    expectConsistent(space);
  });
});
