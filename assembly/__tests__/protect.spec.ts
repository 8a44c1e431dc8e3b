import "./support/heap";
import {
  COUNTER_ARMED_NONE,
  COUNTER_ARMED_PAGE,
  COUNTER_ARMED_ZERO,
  COUNTER_DISARMED_MARKER,
  COUNTER_DISARMED_PAGE,
  COUNTER_DISARMED_ZERO,
  COUNTER_PMD_TABLES,
  COUNTER_PROTECT_VISITED,
  COUNTER_PTE_TABLES,
  COUNTER_PUD_TABLES,
  ENOMEM,
  OK,
  PROTECT_UNPOPULATED,
  UPGRADE_WRITABLE,
} from "../abi";
import { protect, unprotect } from "../protect";
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
  frameAt,
  LAST_OF_SLOT,
  MARKER,
  place,
  SLOT,
  WRITTEN,
  WRITTEN_READ_ONLY,
  WRITTEN_WP,
  ZERO,
  ZERO_WP,
} from "./support/spaces";

const CLEAN_READ_ONLY: u64 = 0x8000000000000025;
const CLEAN_WRITABLE: u64 = 0x8000000000000027;
const CLEAN_WP: u64 = 0x8000000000000425;
const WRITTEN_NONE: u64 = 0x0400000000000120;
const WRITTEN_NONE_WP: u64 = 0x0400000000000520;
const ZERO_NONE: u64 = 0x0000000000000320;
const ZERO_NONE_WP: u64 = 0x0000000000000720;

/** Every state that an entry can be in, from page SLOT + 1 on; SLOT and what follows are none. */
const STATES: u64[] = [
  0,
  WRITTEN,
  WRITTEN_WP,
  WRITTEN_READ_ONLY,
  CLEAN_READ_ONLY,
  CLEAN_WRITABLE,
  CLEAN_WP,
  ZERO,
  ZERO_WP,
  WRITTEN_NONE,
  WRITTEN_NONE_WP,
  ZERO_NONE,
  ZERO_NONE_WP,
  MARKER,
];
const PROTECTED: u64[] = [
  0,
  WRITTEN_WP,
  WRITTEN_WP,
  WRITTEN_WP,
  CLEAN_WP,
  CLEAN_WP,
  CLEAN_WP,
  ZERO_WP,
  ZERO_WP,
  WRITTEN_NONE_WP,
  WRITTEN_NONE_WP,
  ZERO_NONE_WP,
  ZERO_NONE_WP,
  MARKER,
];
const UNPROTECTED_READ_ONLY: u64[] = [
  0,
  WRITTEN,
  WRITTEN_READ_ONLY,
  WRITTEN_READ_ONLY,
  CLEAN_READ_ONLY,
  CLEAN_WRITABLE,
  CLEAN_READ_ONLY,
  ZERO,
  ZERO,
  WRITTEN_NONE,
  WRITTEN_NONE,
  ZERO_NONE,
  ZERO_NONE,
  0,
];
const UNPROTECTED_WRITABLE: u64[] = [
  0,
  WRITTEN,
  WRITTEN,
  WRITTEN,
  CLEAN_WRITABLE,
  CLEAN_WRITABLE,
  CLEAN_WRITABLE,
  ZERO,
  ZERO,
  WRITTEN_NONE,
  WRITTEN_NONE,
  ZERO_NONE,
  ZERO_NONE,
  0,
];
const FIRST: u64 = SLOT + 1;
const COUNT: u64 = 14;

let space: usize = 0;

function placeStates(): void {
  for (let i = 0; i < STATES.length; i++) {
    if (STATES[i] != 0) place(space, FIRST + i, STATES[i]);
  }
}

/** Expects the entries of all states, and that each still maps its frame. */
function expectStates(expected: u64[]): void {
  for (let i = 0; i < expected.length; i++) {
    expect(flagsAt(space, FIRST + i)).toBe(expected[i], `state ${i}`);
    const isZero = (STATES[i] & 0x200) != 0;
    if (expected[i] != 0 && expected[i] != MARKER) expect(frameAt(space, FIRST + i) == 0).toBe(isZero, `frame ${i}`);
  }
}

describe("protect", () => {
  beforeEach(() => {
    space = createSpace();
  });

  it("arms every entry that maps a page and leaves none alone without WP_UNPOPULATED", () => {
    placeStates();
    expect(protect(space, FIRST, COUNT, 0)).toBe(OK);
    expectStates(PROTECTED);
    expectEvents(space, [COUNTER_PROTECT_VISITED, 14, COUNTER_ARMED_PAGE, 5, COUNTER_ARMED_ZERO, 2]);
    expectConsistent(space);
  });

  it("arms every entry and leaves a marker where there is none with WP_UNPOPULATED", () => {
    placeStates();
    expect(protect(space, FIRST, COUNT, PROTECT_UNPOPULATED)).toBe(OK);
    PROTECTED[0] = MARKER;
    expectStates(PROTECTED);
    PROTECTED[0] = 0;
    expectEvents(space, [
      COUNTER_PROTECT_VISITED,
      14,
      COUNTER_ARMED_NONE,
      1,
      COUNTER_ARMED_PAGE,
      5,
      COUNTER_ARMED_ZERO,
      2,
    ]);
    expectConsistent(space);
  });

  it("keeps to its range", () => {
    for (let page: u64 = SLOT; page < SLOT + 8; page++) place(space, page, WRITTEN);
    protect(space, SLOT + 2, 3, 0);
    expect(countEntries(space, SLOT, 8, WRITTEN_WP)).toBe(3);
    expect(flagsAt(space, SLOT + 1)).toBe(WRITTEN);
    expect(flagsAt(space, SLOT + 5)).toBe(WRITTEN);
    protect(space, SLOT + 9, 2, PROTECT_UNPOPULATED);
    expect(entryAt(space, SLOT + 8)).toBe(0);
    expect(entryAt(space, SLOT + 9)).toBe(MARKER);
    expect(entryAt(space, SLOT + 10)).toBe(MARKER);
    expect(entryAt(space, SLOT + 11)).toBe(0);
    expectConsistent(space);
  });

  it("changes nothing the second time", () => {
    placeStates();
    protect(space, FIRST, COUNT, PROTECT_UNPOPULATED);
    const armed = counterOf(space, COUNTER_ARMED_PAGE) + counterOf(space, COUNTER_ARMED_NONE);
    protect(space, FIRST, COUNT, PROTECT_UNPOPULATED);
    protect(space, FIRST, COUNT, 0);
    expect(counterOf(space, COUNTER_ARMED_PAGE) + counterOf(space, COUNTER_ARMED_NONE)).toBe(armed);
    expect(counterOf(space, COUNTER_PROTECT_VISITED)).toBe(42);
    expectConsistent(space);
  });

  it("allocates tables for the whole range with WP_UNPOPULATED: 12 kB for a page, 24 kB for 8 MiB", () => {
    protect(space, SLOT, 1, PROTECT_UNPOPULATED);
    expect(counterOf(space, COUNTER_PTE_TABLES)).toBe(1);
    expect(entryAt(space, SLOT + 1)).toBe(0);
    protect(space, SLOT + 511, 1, PROTECT_UNPOPULATED);
    expect(counterOf(space, COUNTER_PTE_TABLES)).toBe(1);
    protect(space, SLOT + 512, 1, PROTECT_UNPOPULATED);
    expect(counterOf(space, COUNTER_PTE_TABLES)).toBe(2);
    protect(space, SLOT, 2048, PROTECT_UNPOPULATED);
    expect(counterOf(space, COUNTER_PTE_TABLES)).toBe(4);
    expect(counterOf(space, COUNTER_PMD_TABLES) + counterOf(space, COUNTER_PUD_TABLES)).toBe(2);
    expect(countEntries(space, SLOT, 2048, MARKER)).toBe(2048);
    expect(counterOf(space, COUNTER_ARMED_NONE)).toBe(2048);
    expectConsistent(space);
  });

  it("allocates nothing and visits nothing without WP_UNPOPULATED", () => {
    expect(protect(space, SLOT, 2048, 0)).toBe(OK);
    expect(counterOf(space, COUNTER_PUD_TABLES)).toBe(0);
    expectEvents(space, []);
    expectConsistent(space);
  });

  it("crosses from one 512 GiB slot into the next", () => {
    protect(space, LAST_OF_SLOT - 1, 4, PROTECT_UNPOPULATED);
    expect(countEntries(space, LAST_OF_SLOT - 2, 6, MARKER)).toBe(4);
    expect(counterOf(space, COUNTER_PUD_TABLES)).toBe(2);
    expect(counterOf(space, COUNTER_PTE_TABLES)).toBe(2);
    expectConsistent(space);
  });

  it("protects the last page of the address space", () => {
    protect(space, 0x7ffffffff, 1, PROTECT_UNPOPULATED);
    expect(entryAt(space, 0x7ffffffff)).toBe(MARKER);
    unprotect(space, 0x7ffffffff, 1, 0);
    expect(entryAt(space, 0x7ffffffff)).toBe(0);
    expectConsistent(space);
  });

  it("completes a table that holds 511 markers, and one that holds a single page", () => {
    protect(space, SLOT + 1, 511, PROTECT_UNPOPULATED);
    protect(space, SLOT, 512, PROTECT_UNPOPULATED);
    expect(countEntries(space, SLOT, 512, MARKER)).toBe(512);
    place(space, SLOT + 600, WRITTEN);
    protect(space, SLOT + 512, 512, PROTECT_UNPOPULATED);
    expect(countEntries(space, SLOT + 512, 512, MARKER)).toBe(511);
    expect(flagsAt(space, SLOT + 600)).toBe(WRITTEN_WP);
    expect(counterOf(space, COUNTER_ARMED_NONE)).toBe(512 + 511);
    expectConsistent(space);
  });

  it("does nothing for an empty range", () => {
    place(space, SLOT, WRITTEN);
    expect(protect(space, SLOT, 0, PROTECT_UNPOPULATED)).toBe(OK);
    expect(unprotect(space, SLOT, 0, UPGRADE_WRITABLE)).toBe(OK);
    expect(flagsAt(space, SLOT)).toBe(WRITTEN);
    expectEvents(space, []);
  });

  it("reports ENOMEM with the range protected in part, and completes it when there is memory again", () => {
    setSharing(false);
    exhaustMemory();
    giveBlocks(4);
    const status = protect(space, SLOT, 2048, PROTECT_UNPOPULATED);
    const armed = counterOf(space, COUNTER_ARMED_NONE);
    const again = protect(space, SLOT, 2048, PROTECT_UNPOPULATED);
    restoreMemory();
    setSharing(true);
    expect(status).toBe(ENOMEM);
    expect(again).toBe(ENOMEM);
    expect(armed).toBe(1024);
    expect(countEntries(space, SLOT, 2048, MARKER)).toBe(1024);
    expectConsistent(space);
    expect(protect(space, SLOT, 2048, PROTECT_UNPOPULATED)).toBe(OK);
    expect(countEntries(space, SLOT, 2048, MARKER)).toBe(2048);
    expectConsistent(space);
  });
});

describe("unprotect", () => {
  beforeEach(() => {
    space = createSpace();
  });

  it("clears bits and markers and leaves the write bit alone in a region that is not writable", () => {
    placeStates();
    expect(unprotect(space, FIRST, COUNT, 0)).toBe(OK);
    expectStates(UNPROTECTED_READ_ONLY);
    expectEvents(space, [COUNTER_DISARMED_MARKER, 1, COUNTER_DISARMED_PAGE, 3, COUNTER_DISARMED_ZERO, 2]);
    expectConsistent(space);
  });

  it("makes exclusive pages writable at once in a writable region, but neither the zero page nor PROT_NONE", () => {
    placeStates();
    expect(unprotect(space, FIRST, COUNT, UPGRADE_WRITABLE)).toBe(OK);
    expectStates(UNPROTECTED_WRITABLE);
    expectEvents(space, [COUNTER_DISARMED_MARKER, 1, COUNTER_DISARMED_PAGE, 5, COUNTER_DISARMED_ZERO, 2]);
    expectConsistent(space);
  });

  it("undoes protect for pages and markers, with tables kept", () => {
    place(space, SLOT, WRITTEN);
    place(space, SLOT + 1, ZERO);
    protect(space, SLOT, 1024, PROTECT_UNPOPULATED);
    unprotect(space, SLOT, 1024, UPGRADE_WRITABLE);
    expect(flagsAt(space, SLOT)).toBe(WRITTEN);
    expect(flagsAt(space, SLOT + 1)).toBe(ZERO);
    expect(countEntries(space, SLOT, 1024, 0)).toBe(1022);
    expect(counterOf(space, COUNTER_PTE_TABLES)).toBe(2);
    expect(counterOf(space, COUNTER_DISARMED_MARKER)).toBe(1022);
    expectConsistent(space);
  });

  it("clears a part of a table that is full of markers", () => {
    protect(space, SLOT, 512, PROTECT_UNPOPULATED);
    unprotect(space, SLOT + 100, 200, 0);
    expect(countEntries(space, SLOT, 512, MARKER)).toBe(312);
    expect(entryAt(space, SLOT + 99)).toBe(MARKER);
    expect(entryAt(space, SLOT + 100)).toBe(0);
    expect(entryAt(space, SLOT + 299)).toBe(0);
    expect(entryAt(space, SLOT + 300)).toBe(MARKER);
    expect(counterOf(space, COUNTER_DISARMED_MARKER)).toBe(200);
    expectConsistent(space);
  });

  it("allocates nothing where there is nothing", () => {
    expect(unprotect(space, SLOT, 1 << 20, UPGRADE_WRITABLE)).toBe(OK);
    expect(counterOf(space, COUNTER_PUD_TABLES)).toBe(0);
    expectEvents(space, []);
  });

  it("needs no memory", () => {
    placeStates();
    exhaustMemory();
    const status = unprotect(space, SLOT, 4096, UPGRADE_WRITABLE);
    restoreMemory();
    expect(status).toBe(OK);
    expectStates(UNPROTECTED_WRITABLE);
    expectConsistent(space);
  });
});
