import "./heap";
import { allocateBlock, freeABlock, limitMemory } from "../../arena";
import { allocateFrame, contentOf, releaseFrame, setContent } from "../../frames";

/** Using the memory up, and giving it back: what is taken is chained here. */

const ALL_OF_WASM: u32 = 65536;

let blocks: usize = 0;
let frames: u32 = 0;

/** Takes every block and every frame, and lets the memory grow no more. */
export function exhaustMemory(): void {
  limitMemory(<u32>memory.size());
  for (let block = allocateBlock(); block != 0; block = allocateBlock()) {
    store<u32>(block, <u32>blocks);
    blocks = block;
  }
  for (let frame = allocateFrame(); frame != 0; frame = allocateFrame()) {
    setContent(frame, frames);
    frames = frame;
  }
}

/** Gives back `count` of the blocks taken. */
export function giveBlocks(count: u32): void {
  for (let i: u32 = 0; i < count && blocks != 0; i++) {
    const block = blocks;
    blocks = load<u32>(block);
    store<u32>(block, 0);
    freeABlock(block);
  }
}

/** Gives back `count` of the frames taken. */
export function giveFrames(count: u32): void {
  for (let i: u32 = 0; i < count && frames != 0; i++) {
    const frame = frames;
    frames = <u32>contentOf(frame);
    releaseFrame(frame);
  }
}

/** Gives everything back and lifts the limit. */
export function restoreMemory(): void {
  giveFrames(u32.MAX_VALUE);
  giveBlocks(u32.MAX_VALUE);
  limitMemory(ALL_OF_WASM);
}
