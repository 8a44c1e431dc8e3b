import "./support/heap";
import { swapEntry } from "../entry";
import { allocateFrameWith, FRAME_SHARED, FRAME_UNMAPPED, setCachedSlot, wordOf } from "../frames";
import {
  allocateSwapSlot,
  configureSwap,
  contentOfSlot,
  countOfSlot,
  freeSwapCache,
  freeSwapSlots,
  hasSwap,
  releaseSlot,
  retainSlot,
  setFrameOfSlot,
  slotOf,
  swapIsFull,
} from "../swap";

describe("swap", () => {
  it("has no slots unless it is given some", () => {
    configureSwap(0);
    expect(hasSwap()).toBe(false);
    expect(allocateSwapSlot(1)).toBe(0);
  });

  it("keeps a content in each slot until nobody points to it any more", () => {
    configureSwap(4);
    const first = allocateSwapSlot(11);
    const second = allocateSwapSlot(22);
    expect(swapIsFull()).toBe(false);
    const third = allocateSwapSlot(33);
    expect(swapIsFull()).toBe(true);
    const fourth = allocateSwapSlot(44);
    expect(allocateSwapSlot(55)).toBe(0);
    expect(freeSwapSlots()).toBe(0);
    expect(contentOfSlot(second)).toBe(22);
    retainSlot(second);
    expect(countOfSlot(second)).toBe(2);
    releaseSlot(second);
    expect(freeSwapSlots()).toBe(0);
    releaseSlot(second);
    expect(freeSwapSlots()).toBe(1);
    expect(allocateSwapSlot(66)).toBe(second);
    expect(contentOfSlot(second)).toBe(66);
    releaseSlot(first);
    releaseSlot(second);
    releaseSlot(third);
    releaseSlot(fourth);
    expect(freeSwapSlots()).toBe(4);
  });

  it("numbers its slots from 1 again when it has become empty", () => {
    configureSwap(1000);
    for (let round = 0; round < 2; round++) {
      for (let slot: u32 = 1; slot <= 600; slot++) expect(allocateSwapSlot(slot)).toBe(slot);
      for (let slot: u32 = 1; slot <= 600; slot++) releaseSlot(slot);
    }
    expect(freeSwapSlots()).toBe(1000);
  });

  it("keeps the slot of a frame in its cache until no entry needs it, and frees a frame that nothing maps", () => {
    configureSwap(2);
    const slot = allocateSwapSlot(7);
    const frame = allocateFrameWith(FRAME_SHARED | FRAME_UNMAPPED);
    setCachedSlot(frame, slot);
    setFrameOfSlot(slot, frame);
    expect(freeSwapCache(frame)).toBe(false);
    releaseSlot(slot);
    expect(freeSwapSlots()).toBe(2);
    expect(wordOf(frame)).toBe(0);
  });

  it("may not be resized while it is in use", () => {
    configureSwap(1);
    const slot = allocateSwapSlot(1);
    expect(() => {
      configureSwap(2);
    }).toThrow("a slot is taken");
    releaseSlot(slot);
  });

  it("is found from an entry as Linux lays it out: the offset stored inverted from bit 9 on", () => {
    expect(swapEntry(1)).toBe(0x07fffffffffffc00);
    expect(swapEntry(0x31)).toBe(0x07ffffffffff9c00);
    expect(slotOf(0x07ffffffffff9c0c)).toBe(0x31);
  });
});
