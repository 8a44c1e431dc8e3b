import "./support/heap";
import {
  ACCESS_READ,
  ACCESS_WRITE,
  CATEGORY_GUARD,
  CATEGORY_SWAPPED,
  CATEGORY_WRITTEN,
  COUNTER_ANON_PAGES,
  COUNTER_PTE_TABLES,
  COUNTER_SIGBUS,
  COUNTER_SIGSEGV,
  COUNTER_ZAPPED_MARKER,
  EEXIST,
  ENOMEM,
  OK,
  OUTCOME_POISONED,
  OUTCOME_SIGSEGV,
  PROTECT_UNPOPULATED,
  RESULT_REASON,
  SCAN_FLAGS,
  SCAN_VECTOR,
  SCAN_WP_MATCHING,
  UPGRADE_WRITABLE,
  ZAP_DROP_MARKERS,
  ZAP_RECLAIM,
} from "../abi";
import { accessPage } from "../access";

import { fillCopy, fillPoison, fillZero } from "../fill";
import { installGuards, removeGuards } from "../guard";
import { pagemapWord } from "../pagemap";
import { populate } from "../populate";
import { protect, unprotect } from "../protect";
import { result } from "../result";
import { categoriesOf, scan, scanBlock } from "../scan";
import { counterOf } from "../stats";

import { zap } from "../zap";
import { exhaustMemory, restoreMemory } from "./support/memory";
import { expectConsistent } from "./support/recount";
import { entryAt, MARKER, MISSING, place, SLOT, spaceWith, WP, WRITTEN, ZERO } from "./support/spaces";

const GUARD: u64 = 0xfffffffffffff600;
const POISON: u64 = 0xfffffffffffffa00;

let space: usize = 0;

function reason(): i32 {
  return load<i32>(result, RESULT_REASON);
}

describe("guard markers", () => {
  beforeEach(() => {
    space = spaceWith(SLOT, 2048, WP);
  });

  it("take the place of pages, zero pages and other markers, and allocate tables for the whole range", () => {
    place(space, SLOT, WRITTEN);
    place(space, SLOT + 1, ZERO);
    place(space, SLOT + 2, MARKER);
    fillPoison(space, SLOT + 3, 1);
    expect(installGuards(space, SLOT, 2048, 0)).toBe(OK);
    for (let page = SLOT; page < SLOT + 2048; page++) expect(entryAt(space, page)).toBe(GUARD);
    expect(entryAt(space, SLOT + 3)).toBe(GUARD);
    expect(counterOf(space, COUNTER_PTE_TABLES)).toBe(4);
    expect(counterOf(space, COUNTER_ANON_PAGES)).toBe(0);
    expectConsistent(space);
  });

  it("go by removal only where they are, and leave write protection alone", () => {
    protect(space, SLOT, 4, PROTECT_UNPOPULATED);
    installGuards(space, SLOT + 1, 2, 0);
    expect(removeGuards(space, SLOT, 2048)).toBe(OK);
    expect(entryAt(space, SLOT)).toBe(MARKER);
    expect(entryAt(space, SLOT + 1)).toBe(0);
    expect(entryAt(space, SLOT + 2)).toBe(0);
    expect(entryAt(space, SLOT + 3)).toBe(MARKER);
    expectConsistent(space);
  });

  it("end accesses and populates with SIGSEGV, whatever is registered", () => {
    installGuards(space, SLOT, 1, 0);
    expect(accessPage(space, SLOT, ACCESS_READ, 0)).toBe(OUTCOME_SIGSEGV);
    expect(accessPage(space, SLOT, ACCESS_WRITE, 1)).toBe(OUTCOME_SIGSEGV);
    expect(populate(space, SLOT, 1, ACCESS_READ)).toBe(0);
    expect(reason()).toBe(OUTCOME_SIGSEGV);
    expect(counterOf(space, COUNTER_SIGSEGV)).toBe(3);
  });

  it("survive MADV_DONTNEED, keep their table, and go with unmapping", () => {
    installGuards(space, SLOT, 1, 0);
    protect(space, SLOT + 1, 511, PROTECT_UNPOPULATED);
    zap(space, SLOT, 512, ZAP_RECLAIM);
    expect(entryAt(space, SLOT)).toBe(GUARD);
    expect(counterOf(space, COUNTER_PTE_TABLES)).toBe(1);
    expect(counterOf(space, COUNTER_ZAPPED_MARKER)).toBe(511);
    zap(space, SLOT, 512, ZAP_DROP_MARKERS);
    expect(entryAt(space, SLOT)).toBe(0);
    expectConsistent(space);
  });

  it("are passed over by write-protecting and unprotecting", () => {
    installGuards(space, SLOT, 3, 0);
    protect(space, SLOT, 512, PROTECT_UNPOPULATED);
    unprotect(space, SLOT, 512, UPGRADE_WRITABLE);
    expect(entryAt(space, SLOT + 2)).toBe(GUARD);
    expect(entryAt(space, SLOT + 3)).toBe(0);
    expectConsistent(space);
  });

  it("are replaced by UFFDIO_COPY and in the way of the others", () => {
    installGuards(space, SLOT, 1, 0);
    expect(fillZero(space, SLOT, 1)).toBe(0);
    expect(reason()).toBe(EEXIST);
    expect(fillPoison(space, SLOT, 1)).toBe(0);
    expect(fillCopy(space, SLOT, 1, 0, 7, 0)).toBe(1);
    expectConsistent(space);
  });

  it("read as published, also with the bit that a scan leaves", () => {
    expect(pagemapWord(GUARD)).toBe(0x440000000000009f);
    expect(categoriesOf(GUARD)).toBe(CATEGORY_GUARD | CATEGORY_SWAPPED | CATEGORY_WRITTEN);
    installGuards(space, SLOT, 1, 0);
    fillPoison(space, SLOT + 1, 1);
    store<u32>(scanBlock, SCAN_WP_MATCHING, SCAN_FLAGS);
    store<u32>(scanBlock, 0, SCAN_VECTOR);
    expect(scan(space, SLOT, 2)).toBe(OK);
    expect(pagemapWord(entryAt(space, SLOT))).toBe(0x460000000000009f);
    expect(pagemapWord(entryAt(space, SLOT + 1))).toBe(0x420000000000005f);
    expect(categoriesOf(entryAt(space, SLOT))).toBe(CATEGORY_GUARD | CATEGORY_SWAPPED);
    unprotect(space, SLOT, 2, UPGRADE_WRITABLE);
    expect(pagemapWord(entryAt(space, SLOT))).toBe(0x460000000000009f);
    removeGuards(space, SLOT, 1);
    expect(entryAt(space, SLOT)).toBe(0);
    expectConsistent(space);
  });

  it("are installed in part when the memory runs out, and in whole when there is more", () => {
    exhaustMemory();
    expect(installGuards(space, SLOT, 512, 0)).toBe(ENOMEM);
    expectConsistent(space);
    restoreMemory();
    expect(installGuards(space, SLOT, 512, 0)).toBe(OK);
    expect(entryAt(space, SLOT + 511)).toBe(GUARD);
    expectConsistent(space);
  });
});

describe("poison markers", () => {
  beforeEach(() => {
    space = spaceWith(SLOT, 2048, MISSING);
  });

  it("go into entries that are none, and nowhere else", () => {
    place(space, SLOT + 2, MARKER);
    expect(fillPoison(space, SLOT, 4)).toBe(2);
    expect(reason()).toBe(EEXIST);
    expect(entryAt(space, SLOT + 1)).toBe(POISON);
    expect(pagemapWord(POISON)).toBe(0x400000000000005f);
    expect(categoriesOf(POISON)).toBe(CATEGORY_SWAPPED | CATEGORY_WRITTEN);
    expectConsistent(space);
  });

  it("come before a missing message", () => {
    fillPoison(space, SLOT, 1);
    expect(accessPage(space, SLOT, ACCESS_READ, 0)).toBe(OUTCOME_POISONED);
    expect(accessPage(space, SLOT, ACCESS_WRITE, 0)).toBe(OUTCOME_POISONED);
    expect(counterOf(space, COUNTER_SIGBUS)).toBe(2);
  });

  it("go with MADV_DONTNEED, and their table too", () => {
    fillPoison(space, SLOT, 2);
    zap(space, SLOT, 512, ZAP_RECLAIM);
    expect(counterOf(space, COUNTER_PTE_TABLES)).toBe(0);
    expect(entryAt(space, SLOT)).toBe(0);
    expectConsistent(space);
  });

  it("are healed by UFFDIO_COPY", () => {
    fillPoison(space, SLOT, 1);
    expect(fillCopy(space, SLOT, 1, 0, 9, 0)).toBe(1);
    expect(accessPage(space, SLOT, ACCESS_READ, 0)).toBe(OK);
    expectConsistent(space);
  });
});
