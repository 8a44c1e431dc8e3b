import "./support/heap";
import { allocateBlock, freeABlock, limitMemory, release, reserve } from "../arena";
import { exhaustMemory, giveBlocks, restoreMemory } from "./support/memory";

let dirtyBlock: usize = 0;

function isZero(start: usize, bytes: usize): bool {
  for (let offset: usize = 0; offset < bytes; offset += 8) {
    if (load<u64>(start + offset) != 0) return false;
  }
  return true;
}

describe("arena", () => {
  it("hands out zeroed blocks of 4 KiB, aligned and apart from each other", () => {
    const blocks = new StaticArray<usize>(2048); // more than one step of growth
    let wrong = 0;
    for (let i = 0; i < 2048; i++) {
      const block = allocateBlock();
      if (block == 0 || (block & 4095) != 0 || !isZero(block, 4096)) wrong++;
      store<u64>(block, i + 1);
      store<u64>(block + 4088, i + 1);
      blocks[i] = block;
    }
    for (let i = 0; i < 2048; i++) {
      if (load<u64>(blocks[i]) != <u64>i + 1 || load<u64>(blocks[i] + 4088) != <u64>i + 1) wrong++;
      store<u64>(blocks[i], 0);
      store<u64>(blocks[i] + 4088, 0);
      freeABlock(blocks[i]);
    }
    expect(wrong).toBe(0);
  });

  it("hands freed blocks out again before it takes new memory, zeroed", () => {
    const first = allocateBlock();
    const second = allocateBlock();
    freeABlock(first);
    freeABlock(second);
    const pages = memory.size();
    const third = allocateBlock();
    const fourth = allocateBlock();
    expect(third == first || third == second).toBe(true);
    expect(third + fourth).toBe(first + second);
    expect(isZero(third, 4096) && isZero(fourth, 4096)).toBe(true);
    expect(memory.size()).toBe(pages);
  });

  it("does not take back a block that is not zero", () => {
    dirtyBlock = allocateBlock();
    store<u64>(dirtyBlock + 4088, 1);
    expect(() => {
      freeABlock(dirtyBlock);
    }).toThrow("a dirty block would be handed out dirty");
    store<u64>(dirtyBlock + 4088, 0);
    freeABlock(dirtyBlock);
    expect(allocateBlock()).toBe(dirtyBlock);
  });

  it("reserves zeroed bytes in one piece, aligned to 64 KiB", () => {
    const pages = memory.size();
    const piece = reserve(100_000);
    const grown = memory.size() - pages;
    expect(piece).not.toBe(0);
    expect(piece & 0xffff).toBe(0);
    expect(grown).toBe(2);
    expect(isZero(piece, 131072)).toBe(true);
    expect(reserve(1)).toBeGreaterThanOrEqual(piece + 131072);
  });

  it("returns 0 at the limit, and memory again when the limit is lifted", () => {
    exhaustMemory();
    const pages = memory.size();
    const block = allocateBlock();
    const piece = reserve(1);
    const grown = memory.size() - pages;
    limitMemory(<u32>memory.size() + 1);
    const inLastPage = allocateBlock();
    const behindIt = reserve(1);
    restoreMemory();
    expect(block).toBe(0);
    expect(piece).toBe(0);
    expect(grown).toBe(0);
    expect(inLastPage).not.toBe(0);
    expect(behindIt).toBe(0);
    expect(reserve(1)).not.toBe(0);
    freeABlock(inLastPage);
  });

  it("takes a step of growth only as far as the limit goes", () => {
    exhaustMemory();
    limitMemory(<u32>memory.size() + 3);
    let count = 0;
    let chain: usize = 0;
    for (let block = allocateBlock(); block != 0; block = allocateBlock()) {
      store<u32>(block, <u32>chain);
      chain = block;
      count++;
    }
    while (chain != 0) {
      const block = chain;
      chain = load<u32>(block);
      store<u32>(block, 0);
      freeABlock(block);
    }
    restoreMemory();
    expect(count).toBe(3 * 16);
  });

  it("refuses more than there can be", () => {
    expect(reserve(0xffff0000)).toBe(0);
    expect(reserve(0xffffffff)).toBe(0);
  });

  it("hands a released piece out again, and only for the size it has", () => {
    const small = reserve(65536);
    const large = reserve(3 * 65536);
    const other = reserve(65536);
    release(small, 65536);
    release(large, 3 * 65536 - 5);
    release(other, 1);
    const size = memory.size();
    expect(reserve(3 * 65536)).toBe(large);
    expect(reserve(65536)).toBe(other);
    expect(reserve(100)).toBe(small);
    expect(memory.size()).toBe(size);
    expect(reserve(65536)).toBe((<usize>size) << 16);
  });

  it("takes back exactly what was given", () => {
    exhaustMemory();
    giveBlocks(2);
    const first = allocateBlock();
    const second = allocateBlock();
    const third = allocateBlock();
    freeABlock(first);
    freeABlock(second);
    restoreMemory();
    expect(first).not.toBe(0);
    expect(second).not.toBe(0);
    expect(first).not.toBe(second);
    expect(third).toBe(0);
  });
});
