import "./support/heap";
import {
  ACCESS_READ,
  ACCESS_WRITE,
  COPY_PRIVATE,
  COUNTER_COPY_FAULTS,
  COUNTER_REUSE_FAULTS,
  COUNTER_WP_ASYNC_FAULTS,
  COUNTER_WP_MESSAGES,
  OBJECT_SHMEM,
  OUTCOME_DONE,
  OUTCOME_WP,
  PROTECT_OBJECT,
  PROTECT_UNPOPULATED,
  REGION_ANON_VMA,
  REGION_FLAGS,
  REGION_SHARED,
  REGION_SHMEM,
  REGION_THP,
  REGION_UFFD_WP,
  REGION_WP_ASYNC,
} from "../abi";
import { accessPage } from "../access";
import { copyRange } from "../fork";
import { createObject } from "../object";
import { protect } from "../protect";
import { findRegion } from "../regions";
import { createSpace, destroySpace } from "../space";
import { counterOf } from "../stats";
import { expectConsistent } from "./support/recount";
import {
  addObjectRegion,
  ANON,
  flagsAt,
  frameAt,
  place,
  SLOT,
  spaceWith,
  valueRead,
  WRITTEN,
  ZERO,
} from "./support/spaces";

let space: usize = 0;

function access(kind: u32, value: u64 = 0): void {
  expect(accessPage(space, SLOT, kind, value)).toBe(OUTCOME_DONE);
  expectConsistent(space);
}

describe("a write to a read-only page", () => {
  it("copies it while a child may use it, with the content as it was", () => {
    space = spaceWith(SLOT, 8, ANON);
    place(space, SLOT, WRITTEN);
    const child = spaceWith(SLOT, 8, ANON);
    copyRange(space, child, SLOT, 8, COPY_PRIVATE);
    const frame = frameAt(space, SLOT);
    access(ACCESS_WRITE, 1);
    expect(frameAt(space, SLOT)).not.toBe(frame);
    expect(counterOf(space, COUNTER_COPY_FAULTS)).toBe(1);
    accessPage(child, SLOT, ACCESS_READ, 0);
    expect(valueRead()).toBe(SLOT);
    expectConsistent(child);
  });

  it("reuses it when the child is gone", () => {
    space = spaceWith(SLOT, 8, ANON);
    place(space, SLOT, WRITTEN);
    const child = createSpace();
    copyRange(space, child, SLOT, 8, COPY_PRIVATE);
    destroySpace(child);
    const frame = frameAt(space, SLOT);
    access(ACCESS_WRITE, 1);
    expect(frameAt(space, SLOT)).toBe(frame);
    expect(flagsAt(space, SLOT)).toBe(WRITTEN);
    expect(counterOf(space, COUNTER_REUSE_FAULTS)).toBe(1);
  });

  it("gives the mapping its anon_vma only where a page is copied", () => {
    space = spaceWith(SLOT, 8, ANON);
    place(space, SLOT, 0x8000000000000025);
    access(ACCESS_WRITE);
    expect(load<u32>(findRegion(space, SLOT), REGION_FLAGS) & REGION_ANON_VMA).toBe(0);
    place(space, SLOT + 1, ZERO);
    accessPage(space, SLOT + 1, ACCESS_WRITE, 0);
    expect(load<u32>(findRegion(space, SLOT), REGION_FLAGS) & REGION_ANON_VMA).toBe(REGION_ANON_VMA);
  });

  it("copies one page of a huge page that is shared, after a split", () => {
    space = spaceWith(SLOT, 512, ANON | REGION_THP);
    access(ACCESS_WRITE, 5);
    const child = createSpace();
    copyRange(space, child, SLOT, 512, COPY_PRIVATE);
    access(ACCESS_WRITE, 6);
    expect(flagsAt(space, SLOT)).toBe(WRITTEN);
    expect(flagsAt(space, SLOT + 1)).toBe(0x8400000000000025);
    expect(frameAt(space, SLOT + 1)).not.toBe(frameAt(space, SLOT) + 1);
    expectConsistent(child);
  });
});

describe("a write to a protected page of shared memory", () => {
  const flags: u32 = ANON | REGION_SHARED | REGION_SHMEM | REGION_UFFD_WP;

  it("asks the userfaultfd, or unprotects the object's page itself", () => {
    space = createSpace();
    addObjectRegion(space, SLOT, 8, flags, createObject(OBJECT_SHMEM, 8));
    access(ACCESS_WRITE, 4);
    protect(space, SLOT, 8, PROTECT_UNPOPULATED | PROTECT_OBJECT);
    expect(accessPage(space, SLOT, ACCESS_WRITE, 5)).toBe(OUTCOME_WP);
    expect(counterOf(space, COUNTER_WP_MESSAGES)).toBe(1);
    space = createSpace();
    addObjectRegion(space, SLOT, 8, flags | REGION_WP_ASYNC, createObject(OBJECT_SHMEM, 8));
    access(ACCESS_WRITE, 4);
    protect(space, SLOT, 8, PROTECT_UNPOPULATED | PROTECT_OBJECT);
    access(ACCESS_WRITE, 5);
    expect(flagsAt(space, SLOT)).toBe(WRITTEN);
    expect(counterOf(space, COUNTER_WP_ASYNC_FAULTS)).toBe(1);
  });
});
