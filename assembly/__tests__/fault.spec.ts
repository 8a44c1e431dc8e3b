import "./support/heap";
import {
  ACCESS_READ,
  ACCESS_WRITE,
  COUNTER_ALLOCATE_FAULTS,
  COUNTER_ANON_PAGES,
  COUNTER_COPY_FAULTS,
  COUNTER_EXCEPTION_READ_NOT_PRESENT,
  COUNTER_EXCEPTION_WRITE_NOT_PRESENT,
  COUNTER_EXCEPTION_WRITE_PROTECTED,
  COUNTER_MARKER_FAULTS,
  COUNTER_MISSING_MESSAGES,
  COUNTER_PTE_TABLES,
  COUNTER_PUD_TABLES,
  COUNTER_REUSE_FAULTS,
  COUNTER_SIGBUS,
  COUNTER_SIGSEGV,
  COUNTER_WP_ASYNC_FAULTS,
  COUNTER_WP_MESSAGES,
  COUNTER_ZERO_PAGE_FAULTS,
  ENOMEM,
  OUTCOME_DONE,
  OUTCOME_MISSING,
  OUTCOME_SIGBUS,
  OUTCOME_SIGSEGV,
  OUTCOME_WP,
  REGION_READ,
  REGION_SIGBUS,
  REGION_UFFD_WP,
} from "../abi";
import { countException, handleFault } from "../fault";
import { contentOf } from "../frames";
import { createSpace } from "../space";
import { counterOf } from "../stats";
import { exhaustMemory, giveBlocks, restoreMemory } from "./support/memory";
import { expectConsistent } from "./support/recount";
import {
  ANON,
  ASYNC,
  entryAt,
  expectEvents,
  flagsAt,
  frameAt,
  MARKER,
  MISSING,
  place,
  SLOT,
  spaceWith,
  WP,
  WRITTEN,
  WRITTEN_READ_ONLY,
  WRITTEN_WP,
  ZERO,
  ZERO_WP,
} from "./support/spaces";

/** A written page whose uffd-wp bit was left behind by a registration. */
const WRITTEN_STALE: u64 = 0x8000000000000467;

/** Expects what one fault makes of an entry, in a region with the given flags. Returns the space, for a look at its counters. */
function expectFault(flags: u32, entry: u64, access: u32, outcome: i32, after: u64): usize {
  const space = spaceWith(SLOT, 8, flags);
  if (entry != 0) place(space, SLOT + 3, entry);
  expect(handleFault(space, SLOT + 3, access)).toBe(outcome);
  expect(flagsAt(space, SLOT + 3)).toBe(after);
  expectConsistent(space);
  return space;
}

describe("a fault on an entry that maps nothing", () => {
  it("maps the zero page for a read", () => {
    const space = expectFault(ANON, 0, ACCESS_READ, OUTCOME_DONE, ZERO);
    expectEvents(space, [COUNTER_ZERO_PAGE_FAULTS, 1]);
    expect(frameAt(space, SLOT + 3)).toBe(0);
    expect(counterOf(space, COUNTER_ANON_PAGES)).toBe(0);
    expectEvents(expectFault(WP, 0, ACCESS_READ, OUTCOME_DONE, ZERO), [COUNTER_ZERO_PAGE_FAULTS, 1]);
  });

  it("allocates a page for a write, zeroed and unprotected", () => {
    const space = expectFault(WP, 0, ACCESS_WRITE, OUTCOME_DONE, WRITTEN);
    expectEvents(space, [COUNTER_ALLOCATE_FAULTS, 1]);
    expect(counterOf(space, COUNTER_ANON_PAGES)).toBe(1);
    expect(contentOf(<u32>frameAt(space, SLOT + 3))).toBe(0);
  });

  it("keeps the protection of a marker on what it maps", () => {
    const read = expectFault(WP, MARKER, ACCESS_READ, OUTCOME_DONE, ZERO_WP);
    expectEvents(read, [COUNTER_ZERO_PAGE_FAULTS, 1, COUNTER_MARKER_FAULTS, 1]);
    const write = expectFault(WP, MARKER, ACCESS_WRITE, OUTCOME_DONE, WRITTEN_WP);
    expectEvents(write, [COUNTER_ALLOCATE_FAULTS, 1, COUNTER_MARKER_FAULTS, 1]);
    const inAsync = expectFault(ASYNC, MARKER, ACCESS_WRITE, OUTCOME_DONE, WRITTEN_WP);
    expectEvents(inAsync, [COUNTER_ALLOCATE_FAULTS, 1, COUNTER_MARKER_FAULTS, 1]);
  });

  it("clears a marker that a registration left behind, and no more", () => {
    expectEvents(expectFault(ANON, MARKER, ACCESS_READ, OUTCOME_DONE, 0), []);
    expectEvents(expectFault(MISSING, MARKER, ACCESS_WRITE, OUTCOME_DONE, 0), []);
  });

  it("asks the userfaultfd in a region registered for missing pages, marker or not, with the table allocated", () => {
    const accesses: u32[] = [ACCESS_READ, ACCESS_WRITE];
    for (let i = 0; i < 2; i++) {
      const none = expectFault(MISSING, 0, accesses[i], OUTCOME_MISSING, 0);
      expectEvents(none, [COUNTER_MISSING_MESSAGES, 1]);
      expect(counterOf(none, COUNTER_PTE_TABLES)).toBe(1);
      expect(counterOf(none, COUNTER_ANON_PAGES)).toBe(0);
      const marker = expectFault(MISSING | REGION_UFFD_WP, MARKER, accesses[i], OUTCOME_MISSING, MARKER);
      expectEvents(marker, [COUNTER_MISSING_MESSAGES, 1]);
    }
  });
});

describe("a fault on a present entry", () => {
  it("asks the userfaultfd about a write to a protected page or zero page", () => {
    expectEvents(expectFault(WP, WRITTEN_WP, ACCESS_WRITE, OUTCOME_WP, WRITTEN_WP), [COUNTER_WP_MESSAGES, 1]);
    expectEvents(expectFault(WP, ZERO_WP, ACCESS_WRITE, OUTCOME_WP, ZERO_WP), [COUNTER_WP_MESSAGES, 1]);
  });

  it("takes the protection away itself in async mode", () => {
    const page = expectFault(ASYNC, WRITTEN_WP, ACCESS_WRITE, OUTCOME_DONE, WRITTEN);
    expectEvents(page, [COUNTER_WP_ASYNC_FAULTS, 1, COUNTER_REUSE_FAULTS, 1]);
    expect(contentOf(<u32>frameAt(page, SLOT + 3))).toBe(SLOT + 3);
    const zero = expectFault(ASYNC, ZERO_WP, ACCESS_WRITE, OUTCOME_DONE, WRITTEN);
    expectEvents(zero, [COUNTER_WP_ASYNC_FAULTS, 1, COUNTER_COPY_FAULTS, 1]);
  });

  it("copies the zero page for a write", () => {
    const space = expectFault(WP, ZERO, ACCESS_WRITE, OUTCOME_DONE, WRITTEN);
    expectEvents(space, [COUNTER_COPY_FAULTS, 1]);
    expect(counterOf(space, COUNTER_ANON_PAGES)).toBe(1);
    expect(contentOf(<u32>frameAt(space, SLOT + 3))).toBe(0);
  });

  it("makes an exclusive page writable, its content kept", () => {
    const space = expectFault(WP, WRITTEN_READ_ONLY, ACCESS_WRITE, OUTCOME_DONE, WRITTEN);
    expectEvents(space, [COUNTER_REUSE_FAULTS, 1]);
    expect(contentOf(<u32>frameAt(space, SLOT + 3))).toBe(SLOT + 3);
    expectFault(ANON, 0x8000000000000025, ACCESS_WRITE, OUTCOME_DONE, WRITTEN);
  });

  it("keeps a stale bit on reuse and loses it on copy", () => {
    expectEvents(expectFault(ANON, WRITTEN_WP, ACCESS_WRITE, OUTCOME_DONE, WRITTEN_STALE), [COUNTER_REUSE_FAULTS, 1]);
    expectEvents(expectFault(ANON, ZERO_WP, ACCESS_WRITE, OUTCOME_DONE, WRITTEN), [COUNTER_COPY_FAULTS, 1]);
  });

  it("is spurious when the entry allows the access by now: accessed and dirty are set", () => {
    expectEvents(expectFault(WP, 0x8000000000000005, ACCESS_READ, OUTCOME_DONE, 0x8000000000000025), []);
    expectEvents(expectFault(WP, 0x8000000000000007, ACCESS_WRITE, OUTCOME_DONE, WRITTEN), []);
    expectEvents(expectFault(WP, ZERO_WP, ACCESS_READ, OUTCOME_DONE, ZERO_WP), []);
    expectEvents(expectFault(WP, WRITTEN, ACCESS_WRITE, OUTCOME_DONE, WRITTEN), []);
  });
});

describe("a fault that ends in a signal", () => {
  it("is SIGSEGV where no region allows the access, before any table is allocated", () => {
    const space = spaceWith(SLOT, 8, REGION_READ | REGION_UFFD_WP);
    expect(handleFault(space, SLOT, ACCESS_WRITE)).toBe(OUTCOME_SIGSEGV);
    expect(handleFault(space, SLOT - 1, ACCESS_READ)).toBe(OUTCOME_SIGSEGV);
    expect(handleFault(space, SLOT + 8, ACCESS_READ)).toBe(OUTCOME_SIGSEGV);
    expect(handleFault(createSpace(), SLOT, ACCESS_READ)).toBe(OUTCOME_SIGSEGV);
    expectEvents(space, [COUNTER_SIGSEGV, 3]);
    expect(counterOf(space, COUNTER_PUD_TABLES)).toBe(0);
    expectFault(REGION_READ | REGION_UFFD_WP, WRITTEN_WP, ACCESS_WRITE, OUTCOME_SIGSEGV, WRITTEN_WP);
    expectFault(0, 0x120, ACCESS_READ, OUTCOME_SIGSEGV, 0x120);
  });

  it("is SIGBUS instead of a message when the context asked for that", () => {
    const wp = expectFault(WP | REGION_SIGBUS, WRITTEN_WP, ACCESS_WRITE, OUTCOME_SIGBUS, WRITTEN_WP);
    expectEvents(wp, [COUNTER_SIGBUS, 1]);
    const missing = expectFault(MISSING | REGION_SIGBUS, 0, ACCESS_READ, OUTCOME_SIGBUS, 0);
    expectEvents(missing, [COUNTER_SIGBUS, 1]);
    expectFault(WP | REGION_SIGBUS, 0, ACCESS_WRITE, OUTCOME_DONE, WRITTEN);
  });
});

describe("a fault without memory", () => {
  it("is ENOMEM with the entry unchanged, for want of a table or of a frame, and goes on later", () => {
    const entries: u64[] = [0, MARKER, ZERO];
    for (let i = 0; i < entries.length; i++) {
      const space = spaceWith(SLOT, 8, WP);
      if (entries[i] != 0) place(space, SLOT, entries[i]);
      exhaustMemory();
      const first = handleFault(space, SLOT, ACCESS_WRITE);
      if (entries[i] == 0) giveBlocks(3);
      const second = handleFault(space, SLOT, ACCESS_WRITE);
      restoreMemory();
      expect(first).toBe(ENOMEM, `entry ${i}`);
      expect(second).toBe(ENOMEM, `entry ${i}`);
      expect(flagsAt(space, SLOT)).toBe(entries[i]);
      expectEvents(space, []);
      expectConsistent(space);
      expect(handleFault(space, SLOT, ACCESS_WRITE)).toBe(OUTCOME_DONE);
      expectConsistent(space);
    }
  });

  it("reads a marker without a frame", () => {
    const space = spaceWith(SLOT, 8, WP);
    place(space, SLOT, MARKER);
    exhaustMemory();
    const outcome = handleFault(space, SLOT, ACCESS_READ);
    restoreMemory();
    expect(outcome).toBe(OUTCOME_DONE);
    expect(flagsAt(space, SLOT)).toBe(ZERO_WP);
  });

  it("takes the protection away in async mode before it looks for a frame to copy into", () => {
    const space = spaceWith(SLOT, 8, ASYNC);
    place(space, SLOT, ZERO_WP);
    exhaustMemory();
    const outcome = handleFault(space, SLOT, ACCESS_WRITE);
    restoreMemory();
    expect(outcome).toBe(ENOMEM);
    expect(flagsAt(space, SLOT)).toBe(ZERO);
    expectEvents(space, [COUNTER_WP_ASYNC_FAULTS, 1]);
    expectConsistent(space);
  });
});

describe("exceptions", () => {
  it("are counted by their error code", () => {
    const space = createSpace();
    countException(space, 0, ACCESS_READ);
    countException(space, MARKER, ACCESS_READ);
    expectEvents(space, [COUNTER_EXCEPTION_READ_NOT_PRESENT, 2]);
    countException(space, 0, ACCESS_WRITE);
    countException(space, MARKER, ACCESS_WRITE);
    countException(space, MARKER, ACCESS_WRITE);
    countException(space, WRITTEN_WP, ACCESS_WRITE);
    countException(space, 0x120, ACCESS_READ);
    countException(space, 0x120, ACCESS_WRITE);
    expectEvents(space, [
      COUNTER_EXCEPTION_READ_NOT_PRESENT,
      3,
      COUNTER_EXCEPTION_WRITE_NOT_PRESENT,
      4,
      COUNTER_EXCEPTION_WRITE_PROTECTED,
      1,
    ]);
    expect(entryAt(space, SLOT)).toBe(0);
  });
});
