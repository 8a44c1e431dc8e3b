import "./support/heap";
import { REGION_BYTES, REGION_TAG, SPACE_REGION_CAPACITY } from "../abi";
import { allocateBlock, limitMemory } from "../arena";
import { findRegion, publishRegions, regionBuffer, releaseRegions } from "../regions";
import { createSpace, destroySpace } from "../space";
import { exhaustMemory, restoreMemory } from "./support/memory";
import { ANON, SLOT, spaceWith, WP, writeRegion } from "./support/spaces";

let space: usize = 0;

/** Publishes `count` regions of 10 pages, every 20 pages from page 100 on. */
function publishComb(target: usize, count: u32): void {
  const buffer = regionBuffer(target, count);
  for (let i: u32 = 0; i < count; i++) writeRegion(buffer, i, 100 + <u64>i * 20, 10, ANON);
  publishRegions(target, count);
}

/** Returns the tag of the region found, or -1. */
function tagAt(target: usize, page: u64): i32 {
  const region = findRegion(target, page);
  return region == 0 ? -1 : load<i32>(region, REGION_TAG);
}

function countWrong(target: usize, count: u32): i32 {
  let wrong = i32(tagAt(target, 99) != -1) + i32(tagAt(target, 0) != -1);
  for (let i: i32 = 0; i < <i32>count; i++) {
    const first: u64 = 100 + <u64>i * 20;
    wrong += i32(tagAt(target, first + 9) != i);
    wrong += i32(tagAt(target, first) != i);
    wrong += i32(tagAt(target, first + 10) != -1);
    wrong += i32(tagAt(target, first + 19) != -1);
    wrong += i32(tagAt(target, first - 1) != -1);
  }
  return wrong;
}

/** Takes all blocks that are left, and tells how many they were. */
function countBlocks(): i32 {
  let count = 0;
  while (allocateBlock() != 0) count++;
  return count;
}

describe("regions", () => {
  beforeEach(() => {
    space = createSpace();
  });

  it("finds nothing in a space without regions", () => {
    expect(tagAt(space, 0)).toBe(-1);
    expect(tagAt(space, SLOT)).toBe(-1);
    publishRegions(space, 0);
    expect(tagAt(space, 0)).toBe(-1);
  });

  it("finds each region at both borders, and none in the gaps, for every number of regions", () => {
    for (let count: u32 = 1; count <= 9; count++) {
      publishComb(space, count);
      expect(countWrong(space, count)).toBe(0, `${count} regions`);
    }
  });

  it("tells adjoining regions apart", () => {
    const buffer = regionBuffer(space, 3);
    writeRegion(buffer, 0, 10, 5, ANON);
    writeRegion(buffer, 1, 15, 1, WP);
    writeRegion(buffer, 2, 16, 5, ANON);
    publishRegions(space, 3);
    expect(tagAt(space, 14)).toBe(0);
    expect(tagAt(space, 15)).toBe(1);
    expect(tagAt(space, 16)).toBe(2);
    expect(tagAt(space, 20)).toBe(2);
    expect(tagAt(space, 21)).toBe(-1);
    expect(tagAt(space, 9)).toBe(-1);
  });

  it("covers the first and the last page of the address space", () => {
    const buffer = regionBuffer(space, 2);
    writeRegion(buffer, 0, 0, 1, ANON);
    writeRegion(buffer, 1, 0x7ffffffff, 1, ANON);
    publishRegions(space, 2);
    expect(tagAt(space, 0)).toBe(0);
    expect(tagAt(space, 1)).toBe(-1);
    expect(tagAt(space, 0x7ffffffff)).toBe(1);
    expect(tagAt(space, 0x7fffffffe)).toBe(-1);
  });

  it("keeps the buffer while it is large enough, and gets a larger one when it is not", () => {
    const small = regionBuffer(space, 1);
    const capacity = load<u32>(space, SPACE_REGION_CAPACITY);
    expect(capacity).toBe(4096 / REGION_BYTES);
    expect(regionBuffer(space, capacity)).toBe(small);
    const large = regionBuffer(space, capacity + 1);
    expect(large).not.toBe(small);
    expect(load<u32>(space, SPACE_REGION_CAPACITY)).toBeGreaterThanOrEqual(2 * capacity);
    publishComb(space, capacity + 1);
    expect(countWrong(space, capacity + 1)).toBe(0);
  });

  it("has no regions between growth and publication", () => {
    publishComb(space, 3);
    expect(tagAt(space, 100)).toBe(0);
    regionBuffer(space, 3000);
    expect(tagAt(space, 100)).toBe(-1);
  });

  it("gives the block of an outgrown buffer to the tables and keeps a large one for the next of its size", () => {
    publishComb(space, 1);
    exhaustMemory();
    limitMemory(<u32>memory.size() + 2);
    const large = regionBuffer(space, 3000); // 120000 bytes: two pages of 64 KiB
    limitMemory(<u32>memory.size());
    const inOutgrown = countBlocks();
    releaseRegions(space);
    const inReleased = countBlocks();
    const again = regionBuffer(space, 3000);
    restoreMemory();
    expect(large).not.toBe(0);
    expect(inOutgrown).toBe(1);
    expect(inReleased).toBe(0);
    expect(again).toBe(large);
  });

  it("does not answer for one space from what it found in another", () => {
    const other = spaceWith(100, 10, ANON);
    publishComb(space, 2);
    expect(findRegion(space, 100)).not.toBe(findRegion(other, 100));
    expect(tagAt(space, 120)).toBe(1);
    expect(tagAt(other, 120)).toBe(-1);
    expect(tagAt(space, 120)).toBe(1);
    destroySpace(other);
    expect(tagAt(space, 120)).toBe(1);
  });

  it("forgets what it found when regions are published or released", () => {
    publishComb(space, 2);
    expect(tagAt(space, 100)).toBe(0);
    writeRegion(regionBuffer(space, 1), 0, 120, 10, ANON);
    publishRegions(space, 1);
    expect(tagAt(space, 100)).toBe(-1);
    expect(tagAt(space, 120)).toBe(0);
    publishComb(space, 2);
    expect(tagAt(space, 120)).toBe(1);
    publishRegions(space, 1); // the record of the second one is still in the buffer
    expect(tagAt(space, 120)).toBe(-1);
    expect(tagAt(space, 100)).toBe(0);
    releaseRegions(space);
    expect(tagAt(space, 100)).toBe(-1);
  });

  it("publishes no more regions than there is room for", () => {
    regionBuffer(space, 1);
    expect(() => {
      publishRegions(space, 103);
    }).toThrow("the buffer has room for 102");
  });

  it("keeps the old regions when there is no memory for more", () => {
    publishComb(space, 4);
    exhaustMemory();
    const buffer = regionBuffer(space, 100_000);
    const wrong = countWrong(space, 4);
    restoreMemory();
    expect(buffer).toBe(0);
    expect(wrong).toBe(0);
    expect(regionBuffer(space, 100_000)).not.toBe(0);
  });
});
