import "./support/heap";
import { COUNTER_PUD_TABLES } from "../abi";
import { reserve } from "../arena";
import { pagemapWord, readContents, readEntries, readPagemap } from "../pagemap";
import { createSpace } from "../space";
import { counterOf } from "../stats";
import {
  entryAt,
  frameAt,
  LAST_OF_SLOT,
  MARKER,
  place,
  SLOT,
  WRITTEN,
  WRITTEN_WP,
  ZERO,
  ZERO_WP,
} from "./support/spaces";

const WRITTEN_NONE_WP: u64 = 0x0400000000000520;
const MARKER_WORD: u64 = 0x420000000000003f;
const UNTOUCHED: u64 = 0xa5a5a5a5a5a5a5a5;

const out: usize = reserve(65536);
let space: usize = 0;

function word(index: i32): u64 {
  return load<u64>(out + ((<usize>index) << 3));
}

/** Returns the PFN of a page in the pagemap: frames begin at 4 GiB. */
function pfn(page: u64): u64 {
  return frameAt(space, page) + 0x100000;
}

describe("pagemap", () => {
  beforeEach(() => {
    space = createSpace();
    memory.fill(out, 0xa5, 65536);
  });

  it("shows a marker as the kernel does", () => {
    expect(pagemapWord(MARKER)).toBe(MARKER_WORD);
    expect(pagemapWord(0)).toBe(0);
    expect(pagemapWord(0x60)).toBe(0);
  });

  it("shows swap entries and a poison marker as published", () => {
    expect(pagemapWord(0xfffffffffffffa00)).toBe(0x400000000000005f);
    expect(pagemapWord(0x07ffffffffff9c00)).toBe(0x4000000000000620);
    expect(pagemapWord(0x07ffffffffff9c08)).toBe(0x4000000000000620);
  });

  it("writes a word for each page: present, uffd-wp, exclusive, PFN", () => {
    place(space, SLOT, WRITTEN);
    place(space, SLOT + 1, WRITTEN_WP);
    place(space, SLOT + 2, ZERO);
    place(space, SLOT + 3, ZERO_WP);
    place(space, SLOT + 4, MARKER);
    place(space, SLOT + 5, WRITTEN_NONE_WP);
    readPagemap(space, SLOT, 7, out);
    expect(word(0)).toBe(0x8100000000000000 | pfn(SLOT));
    expect(word(1)).toBe(0x8300000000000000 | pfn(SLOT + 1));
    expect(word(2)).toBe(0x8000000000100000);
    expect(word(3)).toBe(0x8200000000100000);
    expect(word(4)).toBe(MARKER_WORD);
    expect(word(5)).toBe(0x8300000000000000 | pfn(SLOT + 5));
    expect(word(6)).toBe(0);
    expect(word(7)).toBe(UNTOUCHED);
  });

  it("writes zeros for holes of any size and words at their places behind them", () => {
    place(space, SLOT + 600, MARKER);
    place(space, LAST_OF_SLOT, MARKER);
    readPagemap(space, LAST_OF_SLOT - 1000, 2000, out);
    let wrong = 0;
    for (let i = 0; i < 2000; i++) wrong += i32(word(i) != (i == 1000 || i == 1601 ? MARKER_WORD : 0));
    expect(wrong).toBe(0);
    expect(word(2000)).toBe(UNTOUCHED);
  });

  it("writes nothing for an empty range", () => {
    readPagemap(space, SLOT, 0, out);
    expect(word(0)).toBe(UNTOUCHED);
  });

  it("reads the last page of the address space", () => {
    place(space, 0x7ffffffff, MARKER);
    readPagemap(space, 0x7fffffffe, 2, out);
    expect(word(0)).toBe(0);
    expect(word(1)).toBe(MARKER_WORD);
    expect(word(2)).toBe(UNTOUCHED);
  });

  it("writes raw entries, and the contents that a read would find", () => {
    place(space, SLOT + 511, WRITTEN);
    place(space, SLOT + 512, WRITTEN_NONE_WP);
    place(space, SLOT + 513, ZERO_WP);
    place(space, SLOT + 514, MARKER);
    readEntries(space, SLOT + 510, 6, out);
    for (let i = 0; i < 6; i++) expect(word(i)).toBe(entryAt(space, SLOT + 510 + i), `entry ${i}`);
    expect(word(4)).toBe(MARKER);
    expect(word(6)).toBe(UNTOUCHED);
    readContents(space, SLOT + 510, 6, out);
    expect(word(0)).toBe(0);
    expect(word(1)).toBe(SLOT + 511);
    expect(word(2)).toBe(SLOT + 512);
    for (let i = 3; i < 6; i++) expect(word(i)).toBe(0, `content ${i}`);
    expect(word(6)).toBe(UNTOUCHED);
  });

  it("allocates nothing", () => {
    readPagemap(space, SLOT, 4096, out);
    readEntries(space, SLOT, 4096, out);
    readContents(space, SLOT, 4096, out);
    expect(counterOf(space, COUNTER_PUD_TABLES)).toBe(0);
  });
});
