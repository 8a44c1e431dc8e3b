import "./support/heap";
import {
  ACCESS_READ,
  ACCESS_WRITE,
  COPY_PRIVATE,
  COUNTER_ANON_PAGES,
  COUNTER_MAJFLT,
  COUNTER_SWAP_ENTRIES,
  COUNTER_WP_MESSAGES,
  OUTCOME_DONE,
  OUTCOME_WP,
  ZAP_DROP_MARKERS,
} from "../abi";
import { accessPage } from "../access";
import { copyRange } from "../fork";
import { reclaim, RECLAIM_PAGEOUT } from "../reclaim";
import { counterOf } from "../stats";
import { configureSwap, freeSwapSlots } from "../swap";
import { zap } from "../zap";
import { expectConsistent } from "./support/recount";
import {
  entryAt,
  flagsAt,
  frameAt,
  majflt,
  minflt,
  place,
  SLOT,
  spaceWith,
  valueRead,
  WP,
  WRITTEN,
  WRITTEN_WP,
} from "./support/spaces";

let space: usize = 0;
let child: usize = 0;

function swapOut(entry: u64): void {
  place(space, SLOT, entry);
  reclaim(space, SLOT, 1, RECLAIM_PAGEOUT, false);
  expect(counterOf(space, COUNTER_SWAP_ENTRIES)).toBe(1);
}

describe("a fault on a swap entry", () => {
  beforeEach(() => {
    configureSwap(100);
    space = spaceWith(SLOT, 8, WP);
    child = spaceWith(SLOT, 8, WP);
  });

  afterEach(() => {
    expectConsistent(space);
    expectConsistent(child);
    zap(space, SLOT, 8, ZAP_DROP_MARKERS);
    zap(child, SLOT, 8, ZAP_DROP_MARKERS);
    expect(freeSwapSlots()).toBe(100);
  });

  it("reads the page back as a major fault, and gives the slot back", () => {
    swapOut(WRITTEN);
    expect(accessPage(space, SLOT, ACCESS_READ, 0)).toBe(OUTCOME_DONE);
    expect(valueRead()).toBe(SLOT);
    expect(flagsAt(space, SLOT)).toBe(0x8000000000000027);
    expect(majflt()).toBe(1);
    expect(minflt()).toBe(0);
    expect(counterOf(space, COUNTER_SWAP_ENTRIES)).toBe(0);
    expect(counterOf(space, COUNTER_ANON_PAGES)).toBe(1);
    expect(freeSwapSlots()).toBe(100);
  });

  it("makes the page dirty for a write", () => {
    swapOut(WRITTEN);
    expect(accessPage(space, SLOT, ACCESS_WRITE, 4)).toBe(OUTCOME_DONE);
    expect(flagsAt(space, SLOT)).toBe(WRITTEN);
    expect(counterOf(space, COUNTER_MAJFLT)).toBe(1);
  });

  it("keeps the protection, which stops a write only when the page is back", () => {
    swapOut(WRITTEN_WP);
    expect(accessPage(space, SLOT, ACCESS_WRITE, 4)).toBe(OUTCOME_WP);
    expect(flagsAt(space, SLOT)).toBe(0x8000000000000425);
    expect(counterOf(space, COUNTER_WP_MESSAGES)).toBe(1);
  });

  it("shares the page in the swap cache with a child, and copies it for a write", () => {
    swapOut(WRITTEN);
    copyRange(space, child, SLOT, 8, COPY_PRIVATE);
    expect(entryAt(space, SLOT)).toBe(0x07fffffffffffc00);
    expect(entryAt(child, SLOT)).toBe(0x07fffffffffffc00);
    expect(accessPage(space, SLOT, ACCESS_READ, 0)).toBe(OUTCOME_DONE);
    expect(flagsAt(space, SLOT)).toBe(0x8000000000000025);
    expect(freeSwapSlots()).toBe(99);
    expect(accessPage(child, SLOT, ACCESS_READ, 0)).toBe(OUTCOME_DONE);
    expect(majflt()).toBe(0);
    expect(frameAt(child, SLOT)).toBe(frameAt(space, SLOT));
    expect(accessPage(child, SLOT, ACCESS_WRITE, 9)).toBe(OUTCOME_DONE);
    expect(frameAt(child, SLOT)).not.toBe(frameAt(space, SLOT));
    accessPage(space, SLOT, ACCESS_READ, 0);
    expect(valueRead()).toBe(SLOT);
  });
});
