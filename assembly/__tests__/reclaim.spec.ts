import "./support/heap";
import {
  ACCESS_READ,
  ACCESS_WRITE,
  COUNTER_ANON_PAGES,
  COUNTER_SHMEM_PAGES,
  COUNTER_SWAP_ENTRIES,
  EAGAIN,
  OBJECT_SHMEM,
  OK,
  OUTCOME_DONE,
  REGION_SHARED,
  REGION_SHMEM,
  REGION_THP,
  RESULT_VALUE,
} from "../abi";
import { accessPage } from "../access";
import { isSwap } from "../entry";
import { cachedEntry, createObject } from "../object";
import { reclaim, RECLAIM_COLD, RECLAIM_FREE, RECLAIM_PAGEOUT } from "../reclaim";
import { result } from "../result";
import { createSpace } from "../space";
import { counterOf } from "../stats";
import { configureSwap, freeSwapSlots } from "../swap";
import { expectConsistent } from "./support/recount";
import {
  addObjectRegion,
  ANON,
  countEntries,
  entryAt,
  flagsAt,
  MARKER,
  place,
  reason,
  SLOT,
  spaceWith,
  valueRead,
  WP,
  WRITTEN,
  WRITTEN_WP,
  ZERO,
} from "./support/spaces";
import { zap } from "../zap";
import { ZAP_DROP_MARKERS } from "../abi";

let space: usize = 0;

function advise(first: u64, pageCount: u64, kind: u32): void {
  expect(reclaim(space, first, pageCount, kind, false)).toBe(pageCount);
  expect(reason()).toBe(OK);
  expectConsistent(space);
}

describe("MADV_PAGEOUT", () => {
  beforeEach(() => {
    space = spaceWith(SLOT, 2048, WP);
  });

  afterEach(() => {
    zap(space, SLOT, 2048, ZAP_DROP_MARKERS);
    expectConsistent(space);
  });

  it("puts swap entries in place of pages, with their exclusiveness and protection, and leaves the rest", () => {
    configureSwap(100);
    const states: u64[] = [WRITTEN, WRITTEN_WP, ZERO, MARKER];
    for (let i = 0; i < states.length; i++) place(space, SLOT + i, states[i]);
    advise(SLOT, 8, RECLAIM_PAGEOUT);
    expect(entryAt(space, SLOT)).toBe(0x07fffffffffffc08);
    expect(entryAt(space, SLOT + 1)).toBe(0x07fffffffffffa0c);
    expect(flagsAt(space, SLOT + 2)).toBe(ZERO);
    expect(entryAt(space, SLOT + 3)).toBe(MARKER);
    expect(counterOf(space, COUNTER_SWAP_ENTRIES)).toBe(2);
    expect(counterOf(space, COUNTER_ANON_PAGES)).toBe(0);
    expect(freeSwapSlots()).toBe(98);
  });

  it("does what swap has room for", () => {
    zap(space, SLOT, 2048, ZAP_DROP_MARKERS);
    configureSwap(3);
    for (let i: u64 = 0; i < 8; i++) place(space, SLOT + i, WRITTEN);
    advise(SLOT, 8, RECLAIM_PAGEOUT);
    expect(counterOf(space, COUNTER_SWAP_ENTRIES)).toBe(3);
    expect(countEntries(space, SLOT, 8, WRITTEN)).toBe(5);
  });

  it("gives swap back with what is zapped", () => {
    configureSwap(8);
    for (let i: u64 = 0; i < 8; i++) place(space, SLOT + i, WRITTEN);
    advise(SLOT, 8, RECLAIM_PAGEOUT);
    expect(freeSwapSlots()).toBe(0);
    zap(space, SLOT, 4, 0);
    expect(freeSwapSlots()).toBe(4);
    expect(counterOf(space, COUNTER_SWAP_ENTRIES)).toBe(4);
  });
});

describe("MADV_PAGEOUT of huge pages", () => {
  it("writes an anonymous one out in its parts", () => {
    configureSwap(600);
    space = spaceWith(SLOT, 512, ANON | REGION_THP);
    accessPage(space, SLOT, ACCESS_WRITE, 5);
    advise(SLOT, 512, RECLAIM_PAGEOUT);
    expect(counterOf(space, COUNTER_SWAP_ENTRIES)).toBe(512);
    expect(counterOf(space, COUNTER_ANON_PAGES)).toBe(0);
    expect(accessPage(space, SLOT, ACCESS_READ, 0)).toBe(OUTCOME_DONE);
    expect(valueRead()).toBe(5);
    expectConsistent(space);
    zap(space, SLOT, 512, ZAP_DROP_MARKERS);
  });

  it("asks the host to split one of an object of which only a part is meant", () => {
    configureSwap(600);
    const object = createObject(OBJECT_SHMEM, 512);
    space = createSpace();
    addObjectRegion(space, SLOT, 512, ANON | REGION_SHARED | REGION_SHMEM | REGION_THP | 16384, object);
    accessPage(space, SLOT, ACCESS_WRITE, 5);
    expect(counterOf(space, COUNTER_SHMEM_PAGES)).toBe(512);
    expect(reclaim(space, SLOT + 7, 3, RECLAIM_PAGEOUT, false)).toBe(0);
    expect(reason()).toBe(EAGAIN);
    expect(load<u64>(result, RESULT_VALUE)).toBe(7);
  });
});

describe("MADV_PAGEOUT of shared memory", () => {
  it("swaps the object's page, which the next fault brings back", () => {
    configureSwap(8);
    const object = createObject(OBJECT_SHMEM, 8);
    space = createSpace();
    addObjectRegion(space, SLOT, 8, ANON | REGION_SHARED | REGION_SHMEM, object);
    accessPage(space, SLOT, ACCESS_WRITE, 5);
    advise(SLOT, 8, RECLAIM_PAGEOUT);
    expect(entryAt(space, SLOT)).toBe(0);
    expect(isSwap(cachedEntry(object, 0))).toBe(true);
    expect(counterOf(space, COUNTER_SWAP_ENTRIES)).toBe(0);
    expect(counterOf(space, COUNTER_SHMEM_PAGES)).toBe(0);
    expect(accessPage(space, SLOT, ACCESS_READ, 0)).toBe(OUTCOME_DONE);
    expect(valueRead()).toBe(5);
    expect(freeSwapSlots()).toBe(8);
    expectConsistent(space);
  });
});

describe("MADV_FREE and MADV_COLD", () => {
  beforeEach(() => {
    configureSwap(0);
    space = spaceWith(SLOT, 8, ANON);
    place(space, SLOT, WRITTEN);
  });

  it("leave a page clean, to be dropped when memory is short unless it is written to before", () => {
    place(space, SLOT + 1, WRITTEN);
    advise(SLOT, 2, RECLAIM_FREE);
    expect(countEntries(space, SLOT, 2, 0x8000000000000007)).toBe(2);
    accessPage(space, SLOT + 1, ACCESS_WRITE, 3);
    advise(SLOT, 2, RECLAIM_PAGEOUT);
    expect(entryAt(space, SLOT)).toBe(0);
    expect(flagsAt(space, SLOT + 1)).toBe(WRITTEN);
    expect(counterOf(space, COUNTER_ANON_PAGES)).toBe(1);
  });

  it("make a page old", () => {
    advise(SLOT, 8, RECLAIM_COLD);
    expect(flagsAt(space, SLOT)).toBe(0x8000000000000047);
    expect(counterOf(space, COUNTER_ANON_PAGES)).toBe(1);
  });
});
