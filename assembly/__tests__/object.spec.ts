import "./support/heap";
import { OBJECT_FILE, OBJECT_HUGETLB, OBJECT_SET, OBJECT_SHMEM } from "../abi";
import { frameOf } from "../entry";
import {
  contentOf,
  folioPages,
  FRAME_CACHED,
  FRAME_SHMEM,
  FRAMES_PER_HUGE,
  isLarge,
  setContent,
  wordOf,
} from "../frames";
import {
  addCachedHugePage,
  addCachedPage,
  addToSet,
  bringBack,
  cachedEntry,
  createObject,
  destroyObject,
  pagesOf,
  removeCached,
  removeFromSet,
  reservesOf,
  setHas,
  setPages,
  splitCached,
  storeCached,
} from "../object";
import { allocateSwapSlot, configureSwap, freeSwapSlots } from "../swap";
import { orderInSwap, swapEntry, swapEntryOfFolio } from "../entry";
import { exhaustMemory, giveBlocks, restoreMemory } from "./support/memory";

const FAR: u64 = 0x312345678;

describe("an object", () => {
  it("has holes until pages are put in, anywhere", () => {
    const object = createObject(OBJECT_SHMEM, 100);
    expect(pagesOf(object)).toBe(100);
    expect(cachedEntry(object, FAR)).toBe(0);
    const frame = addCachedPage(object, FAR);
    setContent(frame, 5);
    expect(frameOf(cachedEntry(object, FAR))).toBe(frame);
    expect(wordOf(frame)).toBe(FRAME_CACHED | FRAME_SHMEM);
    expect(cachedEntry(object, FAR + 1)).toBe(0);
    setPages(object, 50);
    expect(pagesOf(object)).toBe(50);
    removeCached(object, 0, FAR);
    expect(frameOf(cachedEntry(object, FAR))).toBe(frame);
    removeCached(object, FAR, 1);
    expect(cachedEntry(object, FAR)).toBe(0);
    expect(wordOf(frame)).toBe(0);
    destroyObject(object);
  });

  it("gives all its memory back", () => {
    let pages = 0;
    for (let round = 0; round < 20; round++) {
      const object = createObject(OBJECT_FILE, 1 << 20);
      for (let i: u64 = 0; i < 100; i++) addCachedPage(object, i * 5000);
      destroyObject(object);
      if (round == 0) pages = memory.size();
    }
    expect(memory.size()).toBe(pages);
  });

  it("gets a huge page where nothing is, and splits it; what lies behind the end goes then", () => {
    const object = createObject(OBJECT_SHMEM, 1000);
    const head = addCachedHugePage(object, 700);
    expect(head).not.toBe(0);
    for (let i: u64 = 0; i < 512; i++) expect(frameOf(cachedEntry(object, 512 + i))).toBe(head + <u32>i);
    expect(addCachedHugePage(object, 512)).toBe(0);
    expect(isLarge(head + 100)).toBe(true);
    splitCached(object, 600);
    expect(isLarge(head + 100)).toBe(false);
    expect(cachedEntry(object, 999)).not.toBe(0);
    expect(cachedEntry(object, 1000)).toBe(0);
    expect(cachedEntry(object, 1023)).toBe(0);
    destroyObject(object);
    expect(FRAMES_PER_HUGE).toBe(512);
  });

  it("brings a page back from swap with its content, and forgets the slot", () => {
    configureSwap(2);
    const object = createObject(OBJECT_SHMEM, 8);
    storeCached(object, 3, swapEntry(allocateSwapSlot(77)));
    storeCached(object, 4, swapEntry(allocateSwapSlot(88)));
    const frame = bringBack(object, 3, cachedEntry(object, 3), false);
    expect(contentOf(frame)).toBe(77);
    expect(freeSwapSlots()).toBe(1);
    destroyObject(object);
    expect(freeSwapSlots()).toBe(2);
  });

  it("brings a folio back whole, or one page of it and leaves the rest in smaller pieces", () => {
    configureSwap(512);
    const object = createObject(OBJECT_SHMEM, 512);
    for (let i: u64 = 0; i < 512; i++) storeCached(object, i, swapEntryOfFolio(allocateSwapSlot(i), 9));
    const frame = bringBack(object, 300, cachedEntry(object, 300), true);
    expect(contentOf(frame)).toBe(300);
    expect(isLarge(frame)).toBe(false);
    expect(freeSwapSlots()).toBe(1);
    expect(orderInSwap(cachedEntry(object, 0))).toBe(6);
    expect(orderInSwap(cachedEntry(object, 256))).toBe(5); // 300 is in the second half of the 64 from 256 on
    expect(orderInSwap(cachedEntry(object, 299))).toBe(0);
    const part = bringBack(object, 70, cachedEntry(object, 70), false);
    expect(contentOf(part)).toBe(70);
    expect(folioPages(part)).toBe(64);
    expect(frameOf(cachedEntry(object, 127))).toBe(part + 57);
    destroyObject(object);
    expect(freeSwapSlots()).toBe(512);
  });

  it("is not made without memory, and loses no block then", () => {
    exhaustMemory();
    const none = createObject(OBJECT_SHMEM, 1);
    giveBlocks(1);
    const half = createObject(OBJECT_SHMEM, 1);
    giveBlocks(1);
    const whole = createObject(OBJECT_SHMEM, 1);
    const frame = addCachedPage(whole, 0);
    restoreMemory();
    expect(none).toBe(0);
    expect(half).toBe(0);
    expect(whole).not.toBe(0);
    expect(frame).toBe(0);
    expect(cachedEntry(whole, 0)).toBe(0);
    destroyObject(whole);
  });
});

describe("a set", () => {
  it("has the numbers that were added and not removed", () => {
    const set = createObject(OBJECT_SET, 0);
    expect(setHas(set, 7)).toBe(false);
    expect(addToSet(set, 7)).toBe(true);
    addToSet(set, 7);
    addToSet(set, FAR);
    expect(setHas(set, 7)).toBe(true);
    expect(setHas(set, FAR)).toBe(true);
    removeFromSet(set, 7);
    removeFromSet(set, 8);
    expect(setHas(set, 7)).toBe(false);
    destroyObject(set);
  });

  it("of reservations comes with a file of hugetlbfs alone", () => {
    const file = createObject(OBJECT_HUGETLB, 512);
    expect(reservesOf(file)).not.toBe(0);
    addToSet(reservesOf(file), 0);
    destroyObject(file);
    expect(reservesOf(createObject(OBJECT_SHMEM, 1))).toBe(0);
  });
});
