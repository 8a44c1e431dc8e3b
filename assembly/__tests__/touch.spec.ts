import "./support/heap";
import {
  ACCESS_READ,
  ACCESS_WRITE,
  COUNTER_EXCEPTION_READ_NOT_PRESENT,
  COUNTER_MARKER_FAULTS,
  COUNTER_MINFLT,
  COUNTER_ZERO_PAGE_FAULTS,
  OK,
  OUTCOME_SIGSEGV,
  OUTCOME_WP,
} from "../abi";
import { counterOf } from "../stats";
import { touchPages } from "../touch";
import { expectConsistent } from "./support/recount";
import {
  ANON,
  countEntries,
  entryAt,
  expectEvents,
  flagsAt,
  LAST_OF_SLOT,
  MARKER,
  minflt,
  place,
  reason,
  SLOT,
  spaceWith,
  WP,
  WRITTEN,
  WRITTEN_WP,
  ZERO,
  ZERO_WP,
} from "./support/spaces";

describe("touchPages", () => {
  it("accesses every stride-th page and adds up the faults", () => {
    const space = spaceWith(LAST_OF_SLOT - 10, 100, ANON);
    expect(touchPages(space, LAST_OF_SLOT - 10, 100, 7, ACCESS_WRITE, 3)).toBe(15);
    expect(reason()).toBe(OK);
    expect(minflt()).toBe(15);
    expect(countEntries(space, LAST_OF_SLOT - 10, 100, WRITTEN)).toBe(15);
    expect(flagsAt(space, LAST_OF_SLOT - 10 + 98)).toBe(WRITTEN);
    expect(touchPages(space, LAST_OF_SLOT - 10, 100, 1, ACCESS_READ, 0)).toBe(100);
    expect(minflt()).toBe(85);
    expect(countEntries(space, LAST_OF_SLOT - 10, 100, ZERO)).toBe(85);
    expectConsistent(space);
  });

  it("stops at the first access that is not done and says why", () => {
    const space = spaceWith(SLOT, 8, WP);
    place(space, SLOT + 4, WRITTEN_WP);
    expect(touchPages(space, SLOT, 8, 2, ACCESS_WRITE, 3)).toBe(2);
    expect(reason()).toBe(OUTCOME_WP);
    expect(minflt()).toBe(2);
    expect(entryAt(space, SLOT + 6)).toBe(0);
    expect(touchPages(space, SLOT + 6, 8, 1, ACCESS_READ, 0)).toBe(2);
    expect(reason()).toBe(OUTCOME_SIGSEGV);
  });

  it("does nothing for an empty range", () => {
    const space = spaceWith(SLOT, 8, WP);
    expect(touchPages(space, SLOT, 0, 1, ACCESS_WRITE, 3)).toBe(0);
    expect(reason()).toBe(OK);
    expectEvents(space, []);
  });

  it("reads what nothing maps a table at a time, and counts as if page by page", () => {
    const space = spaceWith(SLOT, 1500, ANON);
    expect(touchPages(space, SLOT, 1500, 1, ACCESS_READ, 0)).toBe(1500);
    expect(minflt()).toBe(1500);
    expect(countEntries(space, SLOT, 1500, ZERO)).toBe(1500);
    expectEvents(space, [
      COUNTER_EXCEPTION_READ_NOT_PRESENT,
      1500,
      COUNTER_MINFLT,
      1500,
      COUNTER_ZERO_PAGE_FAULTS,
      1500,
    ]);
    expect(touchPages(space, SLOT, 1500, 1, ACCESS_READ, 0)).toBe(1500);
    expect(minflt()).toBe(0);
    expectConsistent(space);
  });

  it("reads markers and pages among the holes one by one", () => {
    const space = spaceWith(SLOT, 1024, WP);
    place(space, SLOT + 1, MARKER);
    place(space, SLOT + 2, WRITTEN);
    place(space, SLOT + 600, MARKER);
    expect(touchPages(space, SLOT, 1024, 1, ACCESS_READ, 0)).toBe(1024);
    expect(minflt()).toBe(1023);
    expect(flagsAt(space, SLOT + 1)).toBe(ZERO_WP);
    expect(flagsAt(space, SLOT + 600)).toBe(ZERO_WP);
    expect(counterOf(space, COUNTER_MARKER_FAULTS)).toBe(2);
    expectConsistent(space);
  });
});
