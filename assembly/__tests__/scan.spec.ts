import "./support/heap";
import {
  CATEGORY_FILE,
  CATEGORY_PFNZERO,
  CATEGORY_PRESENT,
  CATEGORY_SWAPPED,
  CATEGORY_WPALLOWED,
  CATEGORY_WRITTEN,
  COUNTER_PTE_TABLES,
  COUNTER_PUD_TABLES,
  COUNTER_SCAN_PAGES,
  COUNTER_SCAN_PROTECTED,
  ENOMEM,
  ENOSPC,
  OK,
  SCAN_ANYOF,
  SCAN_BUFFERED,
  SCAN_BYTES,
  SCAN_FLAGS,
  SCAN_FOUND_PAGES,
  SCAN_HOLE_CATEGORIES,
  SCAN_INVERTED,
  SCAN_MASK,
  SCAN_MAX_PAGES,
  SCAN_REGION_BYTES,
  SCAN_REGION_CATEGORIES,
  SCAN_REGION_CATEGORY_SET,
  SCAN_REGION_END,
  SCAN_REGION_FIRST,
  SCAN_RETURN,
  SCAN_VECTOR,
  SCAN_VECTOR_LEFT,
  SCAN_WALK_END,
  SCAN_WP_MATCHING,
} from "../abi";
import { reserve } from "../arena";
import { categoriesOf, scan, scanBlock } from "../scan";
import { createSpace } from "../space";
import { counterOf } from "../stats";
import { setSharing } from "../uniform";
import { exhaustMemory, giveBlocks, restoreMemory } from "./support/memory";
import { expectConsistent } from "./support/recount";
import {
  countEntries,
  entryAt,
  expectEvents,
  flagsAt,
  LAST_OF_SLOT,
  MARKER,
  place,
  SLOT,
  WRITTEN,
  WRITTEN_WP,
  ZERO,
  ZERO_WP,
} from "./support/spaces";

const ALL: u32 = 511;
const WRITTEN_NONE_WP: u64 = 0x0400000000000520;
const UNTOUCHED: u64 = 0x7777;

const vector: usize = reserve(65536);
let space: usize = 0;

/** Sets up a scan of pages that have all of `mask`, into a vector of `vectorLength` regions; all categories are returned. */
function prepare(mask: u32, flags: u32, vectorLength: u32): void {
  memory.fill(scanBlock, 0, SCAN_BYTES);
  if (vectorLength != 0) store<u32>(scanBlock, <u32>vector, SCAN_VECTOR);
  store<u32>(scanBlock, vectorLength, SCAN_VECTOR_LEFT);
  store<u32>(scanBlock, mask, SCAN_MASK);
  store<u32>(scanBlock, ALL, SCAN_RETURN);
  store<u32>(scanBlock, flags, SCAN_FLAGS);
  store<u64>(scanBlock, u64.MAX_VALUE, SCAN_MAX_PAGES);
  store<u64>(scanBlock, UNTOUCHED, SCAN_WALK_END);
}

/** Says that the region is registered for uffd-wp: pages without a table count as written and may be protected. */
function prepareRegistered(): void {
  store<u32>(scanBlock, CATEGORY_WPALLOWED, SCAN_REGION_CATEGORIES);
  store<u32>(scanBlock, CATEGORY_WRITTEN, SCAN_HOLE_CATEGORIES);
}

/** Returns the output as text: "first+count=categories", pages counted from SLOT. */
function output(): string {
  let text = "";
  for (let i: u32 = 0; i < load<u32>(scanBlock, SCAN_BUFFERED); i++) {
    const region = vector + i * SCAN_REGION_BYTES;
    const first = u64(load<f64>(region, SCAN_REGION_FIRST));
    const count = u64(load<f64>(region, SCAN_REGION_END)) - first;
    text += `${first - SLOT}+${count}=${u64(load<f64>(region, SCAN_REGION_CATEGORY_SET))} `;
  }
  return text.trimEnd();
}

function found(): u64 {
  return load<u64>(scanBlock, SCAN_FOUND_PAGES);
}

function walkEnd(): u64 {
  return load<u64>(scanBlock, SCAN_WALK_END);
}

/** One page of each kind: none, marker, page, protected page, zero page, protected zero page. */
function placeKinds(): void {
  place(space, SLOT + 1, MARKER);
  place(space, SLOT + 2, WRITTEN);
  place(space, SLOT + 3, WRITTEN_WP);
  place(space, SLOT + 4, ZERO);
  place(space, SLOT + 5, ZERO_WP);
}

describe("categories", () => {
  it("are those of the kernel for each kind of entry", () => {
    expect(categoriesOf(0)).toBe(CATEGORY_WRITTEN);
    expect(categoriesOf(MARKER)).toBe(CATEGORY_SWAPPED);
    expect(categoriesOf(WRITTEN)).toBe(CATEGORY_PRESENT | CATEGORY_WRITTEN);
    expect(categoriesOf(WRITTEN_WP)).toBe(CATEGORY_PRESENT);
    expect(categoriesOf(WRITTEN_NONE_WP)).toBe(CATEGORY_PRESENT);
    expect(categoriesOf(ZERO)).toBe(CATEGORY_PRESENT | CATEGORY_WRITTEN | CATEGORY_PFNZERO);
    expect(categoriesOf(ZERO_WP)).toBe(CATEGORY_PRESENT | CATEGORY_PFNZERO);
    expect(categoriesOf(0x07ffffffffff9c00)).toBe(CATEGORY_SWAPPED | CATEGORY_WRITTEN);
  });
});

describe("a scan that only looks", () => {
  beforeEach(() => {
    space = createSpace();
    placeKinds();
  });

  it("puts out a region for each run of equal categories, those of the region among them", () => {
    prepare(0, 0, 100);
    store<u32>(scanBlock, CATEGORY_WPALLOWED, SCAN_REGION_CATEGORIES);
    expect(scan(space, SLOT, 8)).toBe(OK);
    expect(output()).toBe("0+1=3 1+1=17 2+1=11 3+1=9 4+1=43 5+1=41 6+2=3");
    expect(found()).toBe(8);
    expect(walkEnd()).toBe(UNTOUCHED);
    expectEvents(space, [COUNTER_SCAN_PAGES, 8]);
  });

  it("picks pages that have all categories of the mask", () => {
    prepare(CATEGORY_PRESENT, 0, 100);
    scan(space, SLOT, 8);
    expect(output()).toBe("2+1=10 3+1=8 4+1=42 5+1=40");
    prepare(CATEGORY_PRESENT | CATEGORY_WRITTEN, 0, 100);
    scan(space, SLOT, 8);
    expect(output()).toBe("2+1=10 4+1=42");
    prepare(CATEGORY_FILE, 0, 100);
    scan(space, SLOT, 8);
    expect(output()).toBe("");
    expect(found()).toBe(0);
  });

  it("picks pages that have any category of the second mask", () => {
    prepare(0, 0, 100);
    store<u32>(scanBlock, CATEGORY_SWAPPED | CATEGORY_PFNZERO, SCAN_ANYOF);
    scan(space, SLOT, 8);
    expect(output()).toBe("1+1=16 4+1=42 5+1=40");
    prepare(CATEGORY_WRITTEN, 0, 100);
    store<u32>(scanBlock, CATEGORY_SWAPPED | CATEGORY_PFNZERO, SCAN_ANYOF);
    scan(space, SLOT, 8);
    expect(output()).toBe("4+1=42");
  });

  it("looks for categories that are missing when they are inverted, but reports what is there", () => {
    prepare(CATEGORY_WRITTEN, 0, 100);
    store<u32>(scanBlock, CATEGORY_WRITTEN, SCAN_INVERTED);
    scan(space, SLOT, 8);
    expect(output()).toBe("1+1=16 3+1=8 5+1=40");
    prepare(0, 0, 100);
    store<u32>(scanBlock, CATEGORY_PRESENT, SCAN_INVERTED);
    store<u32>(scanBlock, CATEGORY_PRESENT, SCAN_ANYOF);
    scan(space, SLOT, 8);
    expect(output()).toBe("0+1=2 1+1=16 6+2=2");
  });

  it("joins neighbours that are the same in what is returned", () => {
    prepare(0, 0, 100);
    store<u32>(scanBlock, CATEGORY_PRESENT, SCAN_RETURN);
    scan(space, SLOT, 8);
    expect(output()).toBe("0+2=0 2+4=8 6+2=0");
    prepare(CATEGORY_PRESENT, 0, 100);
    store<u32>(scanBlock, 0, SCAN_RETURN);
    scan(space, SLOT, 8);
    expect(output()).toBe("2+4=0");
  });

  it("joins runs across tables and across calls", () => {
    for (let page = SLOT + 500; page < SLOT + 530; page++) place(space, page, WRITTEN);
    prepare(CATEGORY_PRESENT | CATEGORY_WRITTEN, 0, 100);
    scan(space, SLOT + 490, 30);
    scan(space, SLOT + 520, 30);
    expect(output()).toBe("500+30=10");
    expect(found()).toBe(30);
  });

  it("reports holes as written in a registered region, and as nothing elsewhere", () => {
    prepare(CATEGORY_WRITTEN, 0, 100);
    expect(scan(space, SLOT + 512, 3000)).toBe(OK);
    expect(output()).toBe("");
    prepare(CATEGORY_WRITTEN, 0, 100);
    prepareRegistered();
    expect(scan(space, SLOT + 500, 3000)).toBe(OK);
    expect(output()).toBe("500+3000=3");
    expect(found()).toBe(3000);
    prepare(0, 0, 100);
    scan(space, SLOT + 510, 4);
    expect(output()).toBe("510+2=2 512+2=0");
    expect(counterOf(space, COUNTER_PTE_TABLES)).toBe(1);
  });

  it("stops at max_pages within a run, and just behind a full one", () => {
    for (let page = SLOT + 10; page < SLOT + 20; page++) place(space, page, WRITTEN);
    prepare(CATEGORY_PRESENT, 0, 100);
    store<u64>(scanBlock, 5, SCAN_MAX_PAGES);
    expect(scan(space, SLOT + 8, 504)).toBe(ENOSPC);
    expect(output()).toBe("10+5=10");
    expect(found()).toBe(5);
    expect(walkEnd()).toBe(SLOT + 15);
    prepare(CATEGORY_PRESENT, 0, 100);
    store<u64>(scanBlock, 10, SCAN_MAX_PAGES);
    expect(scan(space, SLOT + 8, 504)).toBe(OK);
    expect(found()).toBe(10);
    place(space, SLOT + 30, WRITTEN);
    prepare(CATEGORY_PRESENT, 0, 100);
    store<u64>(scanBlock, 10, SCAN_MAX_PAGES);
    expect(scan(space, SLOT + 8, 504)).toBe(ENOSPC);
    expect(walkEnd()).toBe(SLOT + 30);
    expect(output()).toBe("10+10=10");
  });

  it("stops at max_pages within a hole", () => {
    prepare(CATEGORY_WRITTEN, 0, 100);
    prepareRegistered();
    store<u64>(scanBlock, 7, SCAN_MAX_PAGES);
    expect(scan(space, SLOT + 512, 3000)).toBe(ENOSPC);
    expect(output()).toBe("512+7=3");
    expect(walkEnd()).toBe(SLOT + 519);
  });

  it("stops when the vector is full, but lengthens its last region", () => {
    prepare(CATEGORY_PRESENT, 0, 2);
    expect(scan(space, SLOT, 8)).toBe(ENOSPC);
    expect(output()).toBe("2+1=10 3+1=8");
    expect(walkEnd()).toBe(SLOT + 4);
    expect(found()).toBe(2);
    prepare(CATEGORY_PRESENT, 0, 1);
    store<u32>(scanBlock, CATEGORY_PRESENT, SCAN_RETURN);
    expect(scan(space, SLOT, 8)).toBe(OK);
    expect(output()).toBe("2+4=8");
  });

  it("stops after 512 regions, however long the vector is, and goes on behind them", () => {
    for (let page = SLOT + 512; page < SLOT + 512 + 1200; page += 2) place(space, page, WRITTEN);
    prepare(CATEGORY_PRESENT, 0, 2000);
    expect(scan(space, SLOT + 512, 1200)).toBe(ENOSPC);
    expect(load<u32>(scanBlock, SCAN_BUFFERED)).toBe(512);
    expect(walkEnd()).toBe(SLOT + 512 + 1024);
    store<u32>(scanBlock, 0, SCAN_BUFFERED);
    store<u32>(scanBlock, 2000 - 512, SCAN_VECTOR_LEFT);
    expect(scan(space, walkEnd(), 1200 - 1024)).toBe(OK);
    expect(load<u32>(scanBlock, SCAN_BUFFERED)).toBe(88);
    expect(found()).toBe(600);
  });

  it("changes nothing and does nothing for an empty range", () => {
    prepare(0, 0, 100);
    expect(scan(space, SLOT, 0)).toBe(OK);
    expect(output()).toBe("");
    scan(space, SLOT, 1 << 20);
    expect(flagsAt(space, SLOT + 2)).toBe(WRITTEN);
    expect(counterOf(space, COUNTER_SCAN_PROTECTED)).toBe(0);
    expectConsistent(space);
  });
});

describe("a scan that protects", () => {
  beforeEach(() => {
    space = createSpace();
    placeKinds();
  });

  it("reports the state before, and protects the written pages that it puts out", () => {
    prepare(CATEGORY_PRESENT, SCAN_WP_MATCHING, 100);
    prepareRegistered();
    expect(scan(space, SLOT, 8)).toBe(OK);
    expect(output()).toBe("2+1=11 3+1=9 4+1=43 5+1=41");
    expect(entryAt(space, SLOT)).toBe(0);
    expect(entryAt(space, SLOT + 1)).toBe(MARKER);
    expect(countEntries(space, SLOT, 8, WRITTEN_WP)).toBe(2);
    expect(countEntries(space, SLOT, 8, ZERO_WP)).toBe(2);
    expectEvents(space, [COUNTER_SCAN_PAGES, 4, COUNTER_SCAN_PROTECTED, 2]);
    expectConsistent(space);
  });

  it("leaves markers in none entries that match", () => {
    prepare(CATEGORY_WRITTEN, SCAN_WP_MATCHING, 100);
    prepareRegistered();
    scan(space, SLOT, 8);
    expect(output()).toBe("0+1=3 2+1=11 4+1=43 6+2=3");
    expect(countEntries(space, SLOT, 512, MARKER)).toBe(4);
    expect(counterOf(space, COUNTER_SCAN_PROTECTED)).toBe(5);
    expectConsistent(space);
    prepare(CATEGORY_WRITTEN, SCAN_WP_MATCHING, 100);
    prepareRegistered();
    expect(scan(space, SLOT, 8)).toBe(OK);
    expect(output()).toBe("");
  });

  it("protects no more than it puts out: max_pages and the vector are limits for both", () => {
    for (let page = SLOT + 10; page < SLOT + 20; page++) place(space, page, WRITTEN);
    prepare(CATEGORY_PRESENT, SCAN_WP_MATCHING, 100);
    prepareRegistered();
    store<u64>(scanBlock, 5, SCAN_MAX_PAGES);
    expect(scan(space, SLOT + 8, 504)).toBe(ENOSPC);
    expect(walkEnd()).toBe(SLOT + 15);
    expect(countEntries(space, SLOT + 8, 20, WRITTEN_WP)).toBe(5);
    expect(flagsAt(space, SLOT + 15)).toBe(WRITTEN);
    prepare(CATEGORY_WRITTEN, SCAN_WP_MATCHING, 1);
    prepareRegistered();
    expect(scan(space, SLOT, 8)).toBe(ENOSPC);
    expect(output()).toBe("0+1=3");
    expect(walkEnd()).toBe(SLOT + 2);
    expect(flagsAt(space, SLOT + 2)).toBe(WRITTEN);
    expectConsistent(space);
  });

  it("allocates tables and leaves markers in holes that match, as far as they are put out", () => {
    prepare(CATEGORY_WRITTEN, SCAN_WP_MATCHING, 100);
    prepareRegistered();
    store<u64>(scanBlock, 700, SCAN_MAX_PAGES);
    expect(scan(space, SLOT + 512, 3000)).toBe(ENOSPC);
    expect(output()).toBe("512+700=3");
    expect(countEntries(space, SLOT + 512, 3000, MARKER)).toBe(700);
    expect(entryAt(space, SLOT + 512 + 699)).toBe(MARKER);
    expect(walkEnd()).toBe(SLOT + 512 + 700);
    expect(counterOf(space, COUNTER_PTE_TABLES)).toBe(3);
    expect(counterOf(space, COUNTER_SCAN_PROTECTED)).toBe(700);
    expectConsistent(space);
  });

  it("protects every entry of a table without a vector, whatever the mask says, but not holes that do not match", () => {
    prepare(CATEGORY_PRESENT, SCAN_WP_MATCHING, 0);
    prepareRegistered();
    expect(scan(space, SLOT, 2048)).toBe(OK);
    expect(countEntries(space, SLOT, 512, MARKER)).toBe(508);
    expect(countEntries(space, SLOT, 512, WRITTEN_WP)).toBe(2);
    expect(countEntries(space, SLOT, 512, ZERO_WP)).toBe(2);
    expect(counterOf(space, COUNTER_PTE_TABLES)).toBe(1);
    expectEvents(space, [COUNTER_SCAN_PROTECTED, 509]);
    expectConsistent(space);
  });

  it("protects holes that match without a vector", () => {
    prepare(CATEGORY_WRITTEN, SCAN_WP_MATCHING, 0);
    prepareRegistered();
    expect(scan(space, LAST_OF_SLOT - 5, 12)).toBe(OK);
    expect(countEntries(space, LAST_OF_SLOT - 10, 10, MARKER)).toBe(5);
    expect(countEntries(space, SLOT, 6, MARKER)).toBe(2);
    expect(flagsAt(space, SLOT + 2)).toBe(WRITTEN_WP);
    expect(entryAt(space, SLOT + 6)).toBe(0);
    expectConsistent(space);
  });

  it("reports ENOMEM when a hole cannot be protected, and goes on when there is memory again", () => {
    setSharing(false);
    exhaustMemory();
    giveBlocks(2);
    prepare(CATEGORY_WRITTEN, SCAN_WP_MATCHING, 0);
    prepareRegistered();
    const status = scan(space, SLOT + 512, 4096);
    restoreMemory();
    setSharing(true);
    expect(status).toBe(ENOMEM);
    expect(countEntries(space, SLOT + 512, 4096, MARKER)).toBe(1024);
    expectConsistent(space);
    expect(scan(space, SLOT + 512, 4096)).toBe(OK);
    expect(countEntries(space, SLOT + 512, 4096, MARKER)).toBe(4096);
    expectConsistent(space);
  });

  it("counts as protected what it has protected when the memory runs out", () => {
    const empty = createSpace();
    setSharing(false);
    exhaustMemory();
    giveBlocks(3);
    prepare(CATEGORY_WRITTEN, SCAN_WP_MATCHING, 0);
    prepareRegistered();
    scan(empty, SLOT, 4096);
    restoreMemory();
    setSharing(true);
    expect(counterOf(empty, COUNTER_PUD_TABLES)).toBe(1);
    expect(countEntries(empty, SLOT, 4096, MARKER)).toBe(512);
    expect(counterOf(empty, COUNTER_SCAN_PROTECTED)).toBe(512);
  });
});
