import "./support/heap";
import { allocateBlock, freeABlock } from "../arena";
import { allocateFrame, contentOf, contentSlot, releaseFrame, setContent } from "../frames";
import { exhaustMemory, giveBlocks, giveFrames, restoreMemory } from "./support/memory";

/** Read while no frame has been allocated. */
const zeroPageAtFirst: u64 = contentOf(0);

describe("frames", () => {
  it("reads 0 from the zero page before and after the first allocation", () => {
    expect(zeroPageAtFirst).toBe(0);
    const frame = allocateFrame();
    setContent(frame, u64.MAX_VALUE);
    expect(frame).not.toBe(0);
    expect(contentOf(0)).toBe(0);
    releaseFrame(frame);
    expect(contentOf(0)).toBe(0);
  });

  it("keeps a content for each of more frames than fit into a block", () => {
    const frames = new StaticArray<u32>(1500);
    let wrong = 0;
    for (let i = 0; i < 1500; i++) {
      frames[i] = allocateFrame();
      if (frames[i] == 0 || contentOf(frames[i]) != 0) wrong++;
      setContent(frames[i], 0x8000000000000000 | (<u64>i));
    }
    for (let i = 0; i < 1500; i++) {
      if (contentOf(frames[i]) != (0x8000000000000000 | (<u64>i))) wrong++;
      releaseFrame(frames[i]);
    }
    expect(wrong).toBe(0);
    expect(contentOf(0)).toBe(0);
  });

  it("hands released frames out again with content 0 and takes no new block", () => {
    const first = allocateFrame();
    const second = allocateFrame();
    setContent(first, 7);
    setContent(second, 8);
    releaseFrame(first);
    releaseFrame(second);
    exhaustMemory();
    giveFrames(2);
    const third = allocateFrame();
    const fourth = allocateFrame();
    const fifth = allocateFrame();
    const thirdContent = contentOf(third);
    const fourthContent = contentOf(fourth);
    releaseFrame(third);
    releaseFrame(fourth);
    restoreMemory();
    expect(third).not.toBe(0);
    expect(fourth).not.toBe(0);
    expect(third).not.toBe(fourth);
    expect(fifth).toBe(0);
    expect(thirdContent).toBe(0);
    expect(fourthContent).toBe(0);
  });

  it("gives the address of a content", () => {
    const frame = allocateFrame();
    store<u64>(contentSlot(frame), 99);
    expect(contentOf(frame)).toBe(99);
    expect(contentSlot(frame) & 7).toBe(0);
  });

  it("never takes the zero page back", () => {
    expect(() => {
      releaseFrame(0);
    }).toThrow("the zero page is never free");
  });

  it("gets 512 frames out of one block, and none out of none", () => {
    freeABlock(allocateBlock()); // so that there is one
    exhaustMemory();
    const before = allocateFrame();
    giveBlocks(1);
    let chain: u32 = 0;
    let count = 0;
    for (let frame = allocateFrame(); frame != 0; frame = allocateFrame()) {
      setContent(frame, chain);
      chain = frame;
      count++;
    }
    while (chain != 0) {
      const frame = chain;
      chain = <u32>contentOf(frame);
      releaseFrame(frame);
    }
    restoreMemory();
    expect(before).toBe(0);
    expect(count).toBe(512);
    expect(allocateFrame()).not.toBe(0);
  });
});
