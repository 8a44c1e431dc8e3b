import "./support/heap";
import {
  ACCESS_READ,
  ACCESS_WRITE,
  COUNTER_ALLOCATE_FAULTS,
  COUNTER_MARKER_FAULTS,
  COUNTER_MINFLT,
  COUNTER_MISSING_MESSAGES,
  COUNTER_PTE_TABLES,
  COUNTER_SIGSEGV,
  COUNTER_WP_ASYNC_FAULTS,
  COUNTER_WP_MESSAGES,
  COUNTER_ZERO_PAGE_FAULTS,
  ENOMEM,
  OK,
  OUTCOME_MISSING,
  OUTCOME_SIGSEGV,
  OUTCOME_WP,
  REGION_READ,
} from "../abi";
import { populate } from "../populate";
import { counterOf } from "../stats";
import { exhaustMemory, restoreMemory } from "./support/memory";
import { expectConsistent } from "./support/recount";
import {
  ANON,
  ASYNC,
  countEntries,
  entryAt,
  expectEvents,
  MARKER,
  MISSING,
  place,
  reason,
  SLOT,
  spaceWith,
  WP,
  WRITTEN,
  WRITTEN_READ_ONLY,
  ZERO,
  ZERO_WP,
} from "./support/spaces";

describe("populate", () => {
  it("maps the zero page everywhere for reading and counts a fault for each page, without exceptions", () => {
    const space = spaceWith(SLOT, 600, ANON);
    expect(populate(space, SLOT, 600, ACCESS_READ)).toBe(600);
    expect(reason()).toBe(OK);
    expect(countEntries(space, SLOT, 600, ZERO)).toBe(600);
    expectEvents(space, [COUNTER_MINFLT, 600, COUNTER_ZERO_PAGE_FAULTS, 600]);
    expectConsistent(space);
  });

  it("allocates pages for writing", () => {
    const space = spaceWith(SLOT, 8, ANON);
    expect(populate(space, SLOT + 1, 3, ACCESS_WRITE)).toBe(3);
    expect(countEntries(space, SLOT, 8, WRITTEN)).toBe(3);
    expect(entryAt(space, SLOT)).toBe(0);
    expect(entryAt(space, SLOT + 4)).toBe(0);
    expectEvents(space, [COUNTER_MINFLT, 3, COUNTER_ALLOCATE_FAULTS, 3]);
    expectConsistent(space);
  });

  it("leaves alone what allows the access already", () => {
    const space = spaceWith(SLOT, 8, WP);
    place(space, SLOT, WRITTEN);
    place(space, SLOT + 1, WRITTEN_READ_ONLY);
    place(space, SLOT + 2, ZERO_WP);
    expect(populate(space, SLOT, 3, ACCESS_READ)).toBe(3);
    expect(populate(space, SLOT, 1, ACCESS_WRITE)).toBe(1);
    expectEvents(space, []);
  });

  it("keeps the protection of markers when it reads and drops it when it writes in async mode", () => {
    const space = spaceWith(SLOT, 8, ASYNC);
    place(space, SLOT, MARKER);
    place(space, SLOT + 1, MARKER);
    expect(populate(space, SLOT, 2, ACCESS_READ)).toBe(2);
    expect(countEntries(space, SLOT, 2, ZERO_WP)).toBe(2);
    place(space, SLOT + 2, MARKER);
    expect(populate(space, SLOT + 2, 1, ACCESS_WRITE)).toBe(1);
    expect(countEntries(space, SLOT + 2, 1, WRITTEN)).toBe(1);
    expect(counterOf(space, COUNTER_MINFLT)).toBe(4);
    expect(counterOf(space, COUNTER_WP_ASYNC_FAULTS)).toBe(1);
    expect(counterOf(space, COUNTER_MARKER_FAULTS)).toBe(3);
    expectConsistent(space);
  });

  it("stops at the page that a userfaultfd or a signal must answer for", () => {
    const space = spaceWith(SLOT, 8, WP);
    place(space, SLOT + 2, ZERO_WP);
    expect(populate(space, SLOT, 8, ACCESS_WRITE)).toBe(2);
    expect(reason()).toBe(OUTCOME_WP);
    expect(populate(space, SLOT + 6, 4, ACCESS_READ)).toBe(2);
    expect(reason()).toBe(OUTCOME_SIGSEGV);
    expectEvents(space, [
      COUNTER_MINFLT,
      4,
      COUNTER_ALLOCATE_FAULTS,
      2,
      COUNTER_ZERO_PAGE_FAULTS,
      2,
      COUNTER_WP_MESSAGES,
      1,
      COUNTER_SIGSEGV,
      1,
    ]);
    const missing = spaceWith(SLOT, 8, MISSING);
    expect(populate(missing, SLOT, 8, ACCESS_READ)).toBe(0);
    expect(reason()).toBe(OUTCOME_MISSING);
    expectEvents(missing, [COUNTER_MISSING_MESSAGES, 1]);
    const readOnly = spaceWith(SLOT, 8, REGION_READ);
    expect(populate(readOnly, SLOT, 8, ACCESS_WRITE)).toBe(0);
    expect(reason()).toBe(OUTCOME_SIGSEGV);
    expect(counterOf(readOnly, COUNTER_PTE_TABLES)).toBe(0);
    expectConsistent(space);
    expectConsistent(missing);
  });

  it("does nothing for an empty range", () => {
    const space = spaceWith(SLOT, 8, ANON);
    expect(populate(space, SLOT, 0, ACCESS_WRITE)).toBe(0);
    expect(reason()).toBe(OK);
    expectEvents(space, []);
  });

  it("reports ENOMEM behind the pages done and goes on when there is memory again", () => {
    const space = spaceWith(SLOT, 600, ANON);
    populate(space, SLOT, 2, ACCESS_READ);
    exhaustMemory();
    const read = populate(space, SLOT, 600, ACCESS_READ);
    const readReason = reason();
    const written = populate(space, SLOT, 600, ACCESS_WRITE);
    const writtenReason = reason();
    restoreMemory();
    expect(read).toBe(512);
    expect(readReason).toBe(ENOMEM);
    expect(written).toBe(0);
    expect(writtenReason).toBe(ENOMEM);
    expectConsistent(space);
    expect(populate(space, SLOT, 600, ACCESS_WRITE)).toBe(600);
    expect(reason()).toBe(OK);
    expectConsistent(space);
  });
});
