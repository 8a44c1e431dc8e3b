import "./support/heap";
import {
  COUNTER_ANON_PAGES,
  COUNTER_FILLED_COPY,
  COUNTER_FILLED_ZERO,
  COUNTER_PTE_TABLES,
  EEXIST,
  ENOMEM,
  FILL_WP,
  OK,
  REGION_READ,
} from "../abi";
import { fillCopy, fillZero } from "../fill";
import { contentOf } from "../frames";
import { counterOf } from "../stats";
import { exhaustMemory, giveBlocks, giveFrames, restoreMemory } from "./support/memory";
import { expectConsistent } from "./support/recount";
import {
  ANON,
  countEntries,
  entryAt,
  expectEvents,
  flagsAt,
  frameAt,
  LAST_OF_SLOT,
  MARKER,
  place,
  reason,
  setFlags,
  SLOT,
  spaceWith,
  WRITTEN,
  WRITTEN_READ_ONLY,
  WRITTEN_WP,
  ZERO,
} from "./support/spaces";

const WRITTEN_NONE: u64 = 0x0400000000000120;
const WRITTEN_NONE_WP: u64 = 0x0400000000000520;
const ZERO_NONE: u64 = 0x0000000000000320;

let space: usize = 0;

function contentAt(page: u64): u64 {
  return contentOf(<u32>frameAt(space, page));
}

describe("fillCopy", () => {
  beforeEach(() => {
    space = spaceWith(LAST_OF_SLOT - 1, 4096, ANON);
  });

  it("puts dirty pages with a running content into none entries, across tables", () => {
    expect(fillCopy(space, LAST_OF_SLOT - 1, 4, 0, 100, 7)).toBe(4);
    expect(reason()).toBe(OK);
    expect(countEntries(space, LAST_OF_SLOT - 2, 6, WRITTEN)).toBe(4);
    for (let i: u64 = 0; i < 4; i++) expect(contentAt(LAST_OF_SLOT - 1 + i)).toBe(100 + i * 7, `page ${i}`);
    expectEvents(space, [COUNTER_FILLED_COPY, 4]);
    expect(counterOf(space, COUNTER_ANON_PAGES)).toBe(4);
    expectConsistent(space);
  });

  it("makes pages writable and accessible as the region is, and protected as it is told", () => {
    setFlags(space, REGION_READ);
    fillCopy(space, SLOT, 1, 0, 1, 0);
    fillCopy(space, SLOT + 3, 1, FILL_WP, 1, 0);
    setFlags(space, ANON);
    fillCopy(space, SLOT + 1, 1, 0, 1, 0);
    fillCopy(space, SLOT + 2, 1, FILL_WP, 1, 0);
    setFlags(space, 0);
    fillCopy(space, SLOT + 4, 1, 0, 1, 0);
    fillCopy(space, SLOT + 5, 1, FILL_WP, 1, 0);
    expect(flagsAt(space, SLOT)).toBe(WRITTEN_READ_ONLY);
    expect(flagsAt(space, SLOT + 1)).toBe(WRITTEN);
    expect(flagsAt(space, SLOT + 2)).toBe(WRITTEN_WP);
    expect(flagsAt(space, SLOT + 3)).toBe(WRITTEN_WP);
    expect(flagsAt(space, SLOT + 4)).toBe(WRITTEN_NONE);
    expect(flagsAt(space, SLOT + 5)).toBe(WRITTEN_NONE_WP);
    expect(contentAt(SLOT + 5)).toBe(1);
    expectConsistent(space);
  });

  it("replaces markers, whose protection is gone unless MODE_WP is asked for", () => {
    place(space, SLOT, MARKER);
    place(space, SLOT + 1, MARKER);
    expect(fillCopy(space, SLOT, 1, 0, 5, 0)).toBe(1);
    expect(fillCopy(space, SLOT + 1, 1, FILL_WP, 6, 0)).toBe(1);
    expect(flagsAt(space, SLOT)).toBe(WRITTEN);
    expect(flagsAt(space, SLOT + 1)).toBe(WRITTEN_WP);
    expectConsistent(space);
  });

  it("stops with EEXIST at a page, a zero page or an entry under PROT_NONE", () => {
    const existing: u64[] = [WRITTEN, ZERO, WRITTEN_NONE];
    for (let i = 0; i < existing.length; i++) {
      const first = SLOT + <u64>i * 512;
      place(space, first + 2, existing[i]);
      expect(fillCopy(space, first, 5, 0, 1, 1)).toBe(2, `entry ${i}`);
      expect(reason()).toBe(EEXIST);
      expect(flagsAt(space, first + 2)).toBe(existing[i]);
      expect(entryAt(space, first + 3)).toBe(0);
    }
    expect(counterOf(space, COUNTER_FILLED_COPY)).toBe(6);
    expectConsistent(space);
  });

  it("does nothing for an empty range", () => {
    expect(fillCopy(space, SLOT, 0, 0, 1, 1)).toBe(0);
    expect(fillZero(space, SLOT, 0)).toBe(0);
    expect(reason()).toBe(OK);
    expect(counterOf(space, COUNTER_PTE_TABLES)).toBe(0);
  });

  it("reports ENOMEM behind the pages done, for want of a table or of a frame", () => {
    exhaustMemory();
    giveFrames(2);
    const withoutTable = fillCopy(space, SLOT, 5, 0, 1, 1);
    const withoutTableReason = reason();
    giveBlocks(3);
    const withoutFrame = fillCopy(space, SLOT, 5, 0, 1, 1);
    const withoutFrameReason = reason();
    restoreMemory();
    expect(withoutTable).toBe(0);
    expect(withoutTableReason).toBe(ENOMEM);
    expect(withoutFrame).toBe(2);
    expect(withoutFrameReason).toBe(ENOMEM);
    expect(countEntries(space, SLOT, 5, WRITTEN)).toBe(2);
    expect(counterOf(space, COUNTER_ANON_PAGES)).toBe(2);
    expectConsistent(space);
    expect(fillCopy(space, SLOT + 2, 3, 0, 1, 1)).toBe(3);
    expectConsistent(space);
  });
});

describe("fillZero", () => {
  beforeEach(() => {
    space = spaceWith(LAST_OF_SLOT - 1, 4096, ANON);
  });

  it("maps the zero page into none entries and allocates no page", () => {
    expect(fillZero(space, SLOT + 510, 4)).toBe(4);
    expect(countEntries(space, SLOT + 509, 6, ZERO)).toBe(4);
    setFlags(space, 0);
    expect(fillZero(space, SLOT, 1)).toBe(1);
    expect(flagsAt(space, SLOT)).toBe(ZERO_NONE);
    expect(frameAt(space, SLOT)).toBe(0);
    expect(frameAt(space, SLOT + 510)).toBe(0);
    expectEvents(space, [COUNTER_FILLED_ZERO, 5]);
    expect(counterOf(space, COUNTER_ANON_PAGES)).toBe(0);
    expectConsistent(space);
  });

  it("stops with EEXIST at a marker, a page or a zero page", () => {
    const existing: u64[] = [MARKER, WRITTEN, ZERO];
    for (let i = 0; i < existing.length; i++) {
      const first = SLOT + <u64>i * 512;
      place(space, first + 1, existing[i]);
      expect(fillZero(space, first, 3)).toBe(1, `entry ${i}`);
      expect(reason()).toBe(EEXIST);
      expect(flagsAt(space, first + 1)).toBe(existing[i]);
      expect(entryAt(space, first + 2)).toBe(0);
    }
    expect(counterOf(space, COUNTER_FILLED_ZERO)).toBe(3);
    expectConsistent(space);
  });

  it("needs memory for tables alone", () => {
    exhaustMemory();
    giveBlocks(3);
    const done = fillZero(space, SLOT, 600);
    const doneReason = reason();
    restoreMemory();
    expect(done).toBe(512);
    expect(doneReason).toBe(ENOMEM);
    expectConsistent(space);
    expect(fillZero(space, SLOT + 512, 88)).toBe(88);
    expect(reason()).toBe(OK);
    expectConsistent(space);
  });
});
