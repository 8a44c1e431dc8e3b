import "./support/heap";
import {
  COUNTER_ANON_PAGES,
  COUNTER_PMD_TABLES,
  COUNTER_PTE_TABLES,
  COUNTER_PTE_TABLES_FREED,
  COUNTER_PUD_TABLES,
  COUNTER_ZAPPED_MARKER,
  COUNTER_ZAPPED_PAGE,
  COUNTER_ZAPPED_ZERO,
  OK,
  PROTECT_UNPOPULATED,
  ZAP_DROP_MARKERS,
  ZAP_RECLAIM,
} from "../abi";
import { freeTables } from "../free-tables";
import { allocateFrame, contentOf } from "../frames";
import { protect } from "../protect";
import { createSpace } from "../space";
import { counterOf } from "../stats";
import { zap } from "../zap";
import { exhaustMemory, restoreMemory } from "./support/memory";
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

const WRITTEN_NONE_WP: u64 = 0x0400000000000520;
const ZERO_NONE: u64 = 0x0000000000000320;
const LIMIT: u64 = 0x800000000;

let space: usize = 0;

function kib(): u64 {
  const tables = counterOf(space, COUNTER_PUD_TABLES) + counterOf(space, COUNTER_PMD_TABLES);
  return 4 * (tables + counterOf(space, COUNTER_PTE_TABLES));
}

/** Unmaps a range whose neighbours end at `floor` and begin at `ceiling`. */
function unmap(first: u64, pageCount: u64, floor: u64, ceiling: u64): void {
  zap(space, first, pageCount, ZAP_DROP_MARKERS);
  freeTables(space, first, pageCount, floor, ceiling);
  expectConsistent(space);
}

describe("zap", () => {
  beforeEach(() => {
    space = createSpace();
  });

  it("removes pages, zero pages and markers and counts them", () => {
    place(space, SLOT, WRITTEN);
    place(space, SLOT + 1, WRITTEN_WP);
    place(space, SLOT + 2, ZERO);
    place(space, SLOT + 3, ZERO_WP);
    place(space, SLOT + 4, MARKER);
    place(space, SLOT + 6, WRITTEN_NONE_WP);
    place(space, SLOT + 7, ZERO_NONE);
    expect(zap(space, SLOT, 8, ZAP_DROP_MARKERS)).toBe(OK);
    expect(countEntries(space, SLOT, 8, 0)).toBe(8);
    expectEvents(space, [COUNTER_ZAPPED_PAGE, 3, COUNTER_ZAPPED_ZERO, 3, COUNTER_ZAPPED_MARKER, 1]);
    expect(counterOf(space, COUNTER_ANON_PAGES)).toBe(0);
    expect(kib()).toBe(12);
    expectConsistent(space);
  });

  it("keeps to its range", () => {
    for (let page: u64 = SLOT; page < SLOT + 6; page++) place(space, page, page % 2 == 0 ? WRITTEN : MARKER);
    zap(space, SLOT + 1, 4, ZAP_DROP_MARKERS);
    expect(flagsAt(space, SLOT)).toBe(WRITTEN);
    expect(entryAt(space, SLOT + 5)).toBe(MARKER);
    expect(countEntries(space, SLOT, 6, 0)).toBe(4);
    zap(space, SLOT, 0, ZAP_DROP_MARKERS);
    expect(flagsAt(space, SLOT)).toBe(WRITTEN);
    expectConsistent(space);
  });

  it("removes pages among markers, and markers of a part of a full table", () => {
    protect(space, SLOT, 512, PROTECT_UNPOPULATED);
    zap(space, SLOT + 10, 2, ZAP_DROP_MARKERS);
    place(space, SLOT + 10, WRITTEN);
    zap(space, SLOT + 9, 2, ZAP_DROP_MARKERS);
    expect(countEntries(space, SLOT, 512, MARKER)).toBe(509);
    expect(counterOf(space, COUNTER_ZAPPED_PAGE)).toBe(1);
    expect(counterOf(space, COUNTER_ZAPPED_MARKER)).toBe(3);
    expectConsistent(space);
  });

  it("gives the frames back, to be handed out with content 0", () => {
    place(space, SLOT + 7, WRITTEN);
    zap(space, SLOT, 512, ZAP_DROP_MARKERS);
    exhaustMemory();
    const none = allocateFrame();
    restoreMemory();
    place(space, SLOT + 7, WRITTEN);
    exhaustMemory();
    zap(space, SLOT, 512, ZAP_DROP_MARKERS);
    const frame = allocateFrame();
    const second = allocateFrame();
    const content = contentOf(frame);
    restoreMemory();
    expect(none).toBe(0);
    expect(frame).not.toBe(0);
    expect(content).toBe(0);
    expect(second).toBe(0);
  });

  it("works on the last page of the address space and across 512 GiB slots", () => {
    place(space, LIMIT - 1, WRITTEN);
    place(space, LAST_OF_SLOT, MARKER);
    place(space, SLOT, WRITTEN);
    expect(zap(space, 0, LIMIT, ZAP_DROP_MARKERS)).toBe(OK);
    expectEvents(space, [COUNTER_ZAPPED_PAGE, 2, COUNTER_ZAPPED_MARKER, 1]);
    expectConsistent(space);
  });
});

describe("reclaim of tables", () => {
  beforeEach(() => {
    space = createSpace();
  });

  it("frees the last-level tables of MADV_DONTNEED over whole 2 MiB: 24 kB become 8", () => {
    for (let i: u64 = 0; i < 4; i++) place(space, SLOT + i * 512 + 5, WRITTEN);
    expect(kib()).toBe(24);
    zap(space, SLOT, 2048, ZAP_RECLAIM);
    expect(kib()).toBe(8);
    expect(counterOf(space, COUNTER_PTE_TABLES_FREED)).toBe(4);
    expectConsistent(space);
  });

  it("frees exactly the tables whose 2 MiB lie in the range", () => {
    for (let i: u64 = 0; i < 4; i++) place(space, SLOT + i * 512 + 5, WRITTEN);
    zap(space, SLOT + 1, 1024, ZAP_RECLAIM);
    expect(kib()).toBe(20);
    expect(entryAt(space, SLOT + 5)).toBe(0);
    expect(flagsAt(space, SLOT + 1024 + 5)).toBe(WRITTEN);
    expectConsistent(space);
  });

  it("frees a table also when it was empty before", () => {
    place(space, SLOT, WRITTEN);
    zap(space, SLOT, 1, ZAP_RECLAIM);
    expect(kib()).toBe(12);
    zap(space, SLOT, 512, ZAP_RECLAIM);
    expect(kib()).toBe(8);
    expectConsistent(space);
  });

  it("frees the table of markers", () => {
    protect(space, SLOT, 512, PROTECT_UNPOPULATED);
    zap(space, SLOT, 511, ZAP_RECLAIM);
    expect(kib()).toBe(12);
    expect(entryAt(space, SLOT + 511)).toBe(MARKER);
    zap(space, SLOT, 512, ZAP_RECLAIM);
    expect(kib()).toBe(8);
    expectConsistent(space);
  });

  it("keeps every table without the flag", () => {
    place(space, SLOT, WRITTEN);
    zap(space, SLOT, 512, ZAP_DROP_MARKERS);
    expect(kib()).toBe(12);
    expectConsistent(space);
  });
});

describe("freeTables", () => {
  beforeEach(() => {
    space = createSpace();
  });

  it("frees everything when no neighbour is near", () => {
    place(space, SLOT, WRITTEN);
    place(space, SLOT + (1 << 18), ZERO);
    expect(kib()).toBe(20);
    unmap(SLOT, 1 << 19, 0, LIMIT);
    expect(kib()).toBe(0);
  });

  it("keeps the tables that a neighbour's 2 MiB, 1 GiB or 512 GiB need, whatever they hold", () => {
    place(space, SLOT, WRITTEN);
    unmap(SLOT, 100, 0, SLOT + 511);
    expect(kib()).toBe(12);
    unmap(SLOT, 100, 0, SLOT + 512);
    expect(kib()).toBe(8);
    unmap(SLOT, 100, 0, SLOT + (1 << 18) - 1);
    expect(kib()).toBe(8);
    unmap(SLOT, 100, 0, SLOT + (1 << 18));
    expect(kib()).toBe(4);
    unmap(SLOT, 100, 0, SLOT + (1 << 27) - 1);
    expect(kib()).toBe(4);
    unmap(SLOT, 100, 0, SLOT + (1 << 27));
    expect(kib()).toBe(0);
  });

  it("keeps the tables that the neighbour before needs", () => {
    const first = SLOT + (1 << 26) + 600;
    place(space, first, WRITTEN);
    unmap(first, 10, first, LIMIT);
    expect(kib()).toBe(12);
    unmap(first, 10, SLOT + (1 << 26) + 513, LIMIT);
    expect(kib()).toBe(12);
    unmap(first, 10, SLOT + (1 << 26) + 512, LIMIT);
    expect(kib()).toBe(8);
    unmap(first, 10, SLOT + (1 << 26), LIMIT);
    expect(kib()).toBe(4);
    unmap(first, 10, SLOT + 1, LIMIT);
    expect(kib()).toBe(4);
    unmap(first, 10, SLOT, LIMIT);
    expect(kib()).toBe(0);
  });

  it("follows a mapping that is unmapped piece by piece", () => {
    place(space, SLOT, WRITTEN);
    place(space, SLOT + 512, WRITTEN);
    place(space, SLOT + 1023, WRITTEN);
    unmap(SLOT, 512, 0, SLOT + 512);
    expect(kib()).toBe(12);
    unmap(SLOT + 512, 511, 0, SLOT + 1023);
    expect(kib()).toBe(12);
    expect(flagsAt(space, SLOT + 1023)).toBe(WRITTEN);
    unmap(SLOT + 1023, 1, 0, LIMIT);
    expect(kib()).toBe(0);
  });

  it("frees tables in several 512 GiB slots, up to the last page", () => {
    place(space, LAST_OF_SLOT, WRITTEN);
    place(space, SLOT, WRITTEN);
    place(space, LIMIT - 1, WRITTEN);
    unmap(LAST_OF_SLOT, 2, 0, LIMIT - 1);
    expect(kib()).toBe(12);
    expect(counterOf(space, COUNTER_PTE_TABLES_FREED)).toBe(2);
    unmap(LIMIT - 1, 1, 0, LIMIT);
    expect(kib()).toBe(0);
  });

  it("does nothing where there are no tables", () => {
    unmap(0, LIMIT, 0, LIMIT);
    expect(kib()).toBe(0);
    place(space, SLOT, WRITTEN);
    unmap(SLOT + (1 << 19), 1 << 20, SLOT + 1, LIMIT);
    expect(kib()).toBe(12);
  });
});
