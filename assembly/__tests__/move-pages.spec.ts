import "./support/heap";
import {
  ACCESS_WRITE,
  COPY_PRIVATE,
  COUNTER_ANON_PAGES,
  COUNTER_PTE_TABLES,
  EBUSY,
  EEXIST,
  EFAULT,
  ENOENT,
  MOVE_ALLOW_HOLES,
  OK,
  REGION_THP,
} from "../abi";
import { accessPage } from "../access";
import { copyRange } from "../fork";
import { contentOf } from "../frames";
import { movePages } from "../move-pages";
import { createSpace, destroySpace } from "../space";
import { counterOf } from "../stats";
import { expectConsistent } from "./support/recount";
import {
  ANON,
  entryAt,
  flagsAt,
  frameAt,
  MARKER,
  place,
  pmdAt,
  reason,
  SLOT,
  spaceWith,
  WRITTEN,
  WRITTEN_WP,
  ZERO,
} from "./support/spaces";

const TARGET: u64 = SLOT + 4096;
const HUGE_PFN_BITS: u64 = 0x000fffffffe00000;

let space: usize = 0;

/** Expects how many pages are moved and why it ends there. */
function expectMoved(first: u64, pageCount: u64, flags: u32, done: u64, why: i32): void {
  expect(movePages(space, TARGET + first, SLOT + first, pageCount, flags)).toBe(done);
  expect(reason()).toBe(why);
  expectConsistent(space);
}

describe("movePages", () => {
  beforeEach(() => {
    space = spaceWith(SLOT, 8192, ANON);
  });

  it("moves pages, written from then on and without their protection", () => {
    place(space, SLOT, WRITTEN);
    place(space, SLOT + 1, WRITTEN_WP);
    place(space, SLOT + 2, ZERO);
    const frame = frameAt(space, SLOT + 1);
    expectMoved(0, 3, 0, 3, OK);
    expect(flagsAt(space, TARGET)).toBe(WRITTEN);
    expect(flagsAt(space, TARGET + 1)).toBe(WRITTEN);
    expect(frameAt(space, TARGET + 1)).toBe(frame);
    expect(contentOf(<u32>frame)).toBe(SLOT + 1);
    expect(flagsAt(space, TARGET + 2)).toBe(ZERO);
    for (let i: u64 = 0; i < 3; i++) expect(entryAt(space, SLOT + i)).toBe(0);
  });

  it("stops at a hole, or passes over it", () => {
    place(space, SLOT, WRITTEN);
    place(space, SLOT + 2, WRITTEN);
    expectMoved(0, 3, 0, 1, ENOENT);
    expectMoved(1, 2, MOVE_ALLOW_HOLES, 2, OK);
    expect(entryAt(space, TARGET + 1)).toBe(0);
    expect(flagsAt(space, TARGET + 2)).toBe(WRITTEN);
    expectMoved(2048, 1, 0, 0, ENOENT);
  });

  it("stops where the target has something, also a marker, and where the source has a marker", () => {
    place(space, SLOT, WRITTEN);
    place(space, TARGET, MARKER);
    expectMoved(0, 1, 0, 0, EEXIST);
    place(space, SLOT + 1, MARKER);
    expectMoved(1, 1, MOVE_ALLOW_HOLES, 0, EFAULT);
  });

  it("leaves a page alone that a child may use", () => {
    place(space, SLOT, WRITTEN);
    const child = createSpace();
    copyRange(space, child, SLOT, 8, COPY_PRIVATE);
    expectMoved(0, 1, 0, 0, EBUSY);
    destroySpace(child);
    expectMoved(0, 1, 0, 0, EBUSY);
  });

  it("moves a huge page with the table in reserve, and a part of one after a split", () => {
    space = spaceWith(SLOT, 8192, ANON | REGION_THP);
    accessPage(space, SLOT, ACCESS_WRITE, 5);
    accessPage(space, SLOT + 1, ACCESS_WRITE, 6);
    expectMoved(0, 512, 0, 512, OK);
    expect(pmdAt(space, TARGET) & ~HUGE_PFN_BITS).toBe(0x80000000000000e7);
    expect(pmdAt(space, SLOT)).toBe(0);
    expect(counterOf(space, COUNTER_PTE_TABLES)).toBe(1);
    expect(movePages(space, SLOT + 1, TARGET + 1, 1, 0)).toBe(1);
    expect(contentOf(<u32>frameAt(space, SLOT + 1))).toBe(6);
    expect(flagsAt(space, TARGET)).toBe(WRITTEN);
    // the other parts held nothing but zeros
    expect(flagsAt(space, TARGET + 2)).toBe(ZERO);
    expect(counterOf(space, COUNTER_ANON_PAGES)).toBe(2);
    expectConsistent(space);
  });
});
