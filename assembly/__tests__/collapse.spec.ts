import "./support/heap";
import {
  ACCESS_READ,
  ACCESS_WRITE,
  COUNTER_ANON_PAGES,
  COUNTER_PTE_TABLES,
  COUNTER_SHMEM_PAGES,
  EBUSY,
  EINVAL,
  ENOENT,
  OBJECT_SHMEM,
  OK,
  OUTCOME_DONE,
  REGION_SHARED,
  REGION_SHMEM,
  REGION_THP,
  ZAP_DROP_MARKERS,
  ZAP_OBJECT,
} from "../abi";
import { accessPage } from "../access";
import { collapseAnonymous, collapseObject, countCached, mapCollapsed } from "../collapse";
import { createObject } from "../object";
import { createSpace } from "../space";
import { counterOf } from "../stats";
import { zap } from "../zap";
import { expectConsistent } from "./support/recount";
import {
  addObjectRegion,
  ANON,
  MARKER,
  place,
  pmdAt,
  SLOT,
  spaceWith,
  valueRead,
  WRITTEN,
  WRITTEN_WP,
  ZERO,
} from "./support/spaces";

const HUGE_PFN_BITS: u64 = 0x000fffffffe00000;

function read(space: usize, page: u64): u64 {
  expect(accessPage(space, page, ACCESS_READ, 0)).toBe(OUTCOME_DONE);
  return valueRead();
}

describe("collapse of anonymous memory", () => {
  it("makes a huge page of single ones, with their table in reserve", () => {
    const space = spaceWith(SLOT, 2048, ANON);
    place(space, SLOT + 3, WRITTEN);
    place(space, SLOT + 4, ZERO);
    expect(collapseAnonymous(space, SLOT, false)).toBe(OK);
    expect(pmdAt(space, SLOT) & ~HUGE_PFN_BITS).toBe(0x80000000000000e7);
    expect(counterOf(space, COUNTER_ANON_PAGES)).toBe(512);
    expect(counterOf(space, COUNTER_PTE_TABLES)).toBe(1);
    expect(read(space, SLOT + 3)).toBe(SLOT + 3);
    expect(read(space, SLOT + 4)).toBe(0);
    expect(collapseAnonymous(space, SLOT, false)).toBe(OK);
    expectConsistent(space);
  });

  it("fails where there is nothing, or something protected", () => {
    const space = spaceWith(SLOT, 2048, ANON);
    expect(collapseAnonymous(space, SLOT, false)).toBe(EINVAL);
    place(space, SLOT, WRITTEN);
    expect(collapseAnonymous(space, SLOT + 512, false)).toBe(ENOENT);
    expect(collapseAnonymous(space, SLOT, true)).toBe(EBUSY);
    place(space, SLOT + 1, WRITTEN_WP);
    expect(collapseAnonymous(space, SLOT, false)).toBe(EINVAL);
    place(space, SLOT + 1024, MARKER);
    expect(collapseAnonymous(space, SLOT + 1024, false)).toBe(EINVAL);
    expectConsistent(space);
  });
});

describe("collapse of shared memory", () => {
  it("makes a huge page of what the object has, which maps without a table", () => {
    const object = createObject(OBJECT_SHMEM, 1024);
    const space = createSpace();
    addObjectRegion(space, SLOT, 1024, ANON | REGION_SHARED | REGION_SHMEM | REGION_THP, object);
    accessPage(space, SLOT + 3, ACCESS_WRITE, 5);
    expect(countCached(object, 0)).toBe(1);
    zap(space, SLOT, 512, ZAP_OBJECT | ZAP_DROP_MARKERS);
    expect(collapseObject(object, 0)).toBe(OK);
    expect(countCached(object, 0)).toBe(513);
    expect(mapCollapsed(space, SLOT, object, 0, false)).toBe(OK);
    expect(pmdAt(space, SLOT) & ~HUGE_PFN_BITS).toBe(0x80000000000000a7);
    expect(counterOf(space, COUNTER_PTE_TABLES)).toBe(0);
    expect(counterOf(space, COUNTER_SHMEM_PAGES)).toBe(512);
    expect(read(space, SLOT + 3)).toBe(5);
    expectConsistent(space);
  });
});
