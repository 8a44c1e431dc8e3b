import "./support/heap";
import {
  ACCESS_READ,
  ACCESS_WRITE,
  COUNTER_ALLOCATE_FAULTS,
  COUNTER_ANON_PAGES,
  COUNTER_MISSING_MESSAGES,
  COUNTER_PTE_TABLES,
  COUNTER_WP_MESSAGES,
  COUNTER_ZAPPED_PAGE,
  COUNTER_ZERO_PAGE_FAULTS,
  KERNEL_SPLITS_HUGE_ZERO,
  OK,
  OUTCOME_DONE,
  OUTCOME_MISSING,
  OUTCOME_WP,
  PROTECT_UNPOPULATED,
  PROTECTION_NONE,
  REGION_THP,
  REGION_UFFD_MISSING,
  UPGRADE_NOT_UFFD_WP,
  UPGRADE_WRITABLE,
  ZAP_DROP_MARKERS,
} from "../abi";
import { accessPage } from "../access";
import { splitHugeAt } from "../huge";
import { changeProtection } from "../mprotect";
import { protect, unprotect } from "../protect";
import { setKernel } from "../space";
import { counterOf } from "../stats";
import { zap } from "../zap";
import { expectConsistent } from "./support/recount";
import {
  ANON,
  ASYNC,
  countEntries,
  flagsAt,
  pmdAt,
  SLOT,
  spaceWith,
  valueRead,
  WP,
  WRITTEN,
  WRITTEN_WP,
  ZERO,
} from "./support/spaces";

const HUGE_PFN_BITS: u64 = 0x000fffffffe00000;
const HUGE_WRITTEN: u64 = 0x80000000000000e7;
const HUGE_WP: u64 = 0x84000000000004a5;
const HUGE_ZERO: u64 = 0x80000000000002a5;
const HUGE_ZERO_WP: u64 = 0x80000000000006a5;

let space: usize = 0;

function prepare(flags: u32): void {
  space = spaceWith(SLOT, 2048, flags | REGION_THP);
}

function access(page: u64, kind: u32, value: u64 = 0): void {
  expect(accessPage(space, page, kind, value)).toBe(OUTCOME_DONE);
}

/** Expects the huge entry at SLOT, the tables of the last level with those in reserve, and the resident pages. */
function expectHuge(entry: u64, tables: u64, pages: u64): void {
  expect(pmdAt(space, SLOT) & ~HUGE_PFN_BITS).toBe(entry);
  expect(counterOf(space, COUNTER_PTE_TABLES)).toBe(tables);
  expect(counterOf(space, COUNTER_ANON_PAGES)).toBe(pages);
  expectConsistent(space);
}

describe("a huge page of anonymous memory", () => {
  it("comes with the first write, whole, and a table in reserve", () => {
    prepare(ANON);
    access(SLOT + 100, ACCESS_WRITE, 7);
    expectHuge(HUGE_WRITTEN, 1, 512);
    expect(counterOf(space, COUNTER_ALLOCATE_FAULTS)).toBe(1);
    access(SLOT + 100, ACCESS_READ);
    expect(valueRead()).toBe(7);
    access(SLOT + 101, ACCESS_READ);
    expect(valueRead()).toBe(0);
  });

  it("is the huge zero page after a read, and becomes a page with a write", () => {
    prepare(ANON);
    access(SLOT, ACCESS_READ);
    expectHuge(HUGE_ZERO, 1, 0);
    expect(counterOf(space, COUNTER_ZERO_PAGE_FAULTS)).toBe(1);
    access(SLOT + 5, ACCESS_WRITE, 1);
    expectHuge(HUGE_WRITTEN, 1, 512);
  });

  it("is the huge zero page that older kernels split for a write", () => {
    prepare(ANON);
    setKernel(space, KERNEL_SPLITS_HUGE_ZERO);
    access(SLOT, ACCESS_READ);
    access(SLOT + 5, ACCESS_WRITE, 1);
    expect(flagsAt(space, SLOT + 5)).toBe(WRITTEN);
    expect(countEntries(space, SLOT, 512, ZERO)).toBe(511);
    expect(counterOf(space, COUNTER_ANON_PAGES)).toBe(1);
    expectConsistent(space);
  });

  it("comes only where all of its 2 MiB lie in the mapping", () => {
    space = spaceWith(SLOT + 1, 1000, ANON | REGION_THP);
    access(SLOT + 1, ACCESS_WRITE);
    access(SLOT + 600, ACCESS_WRITE);
    expect(counterOf(space, COUNTER_ANON_PAGES)).toBe(2);
    expectConsistent(space);
  });

  it("is missing as a whole where a userfaultfd answers for that", () => {
    prepare(ANON | REGION_UFFD_MISSING);
    expect(accessPage(space, SLOT, ACCESS_READ, 0)).toBe(OUTCOME_MISSING);
    expect(counterOf(space, COUNTER_MISSING_MESSAGES)).toBe(1);
    expectHuge(0, 0, 0);
  });

  it("is protected whole, asks the userfaultfd once, and is writable again when it is resolved", () => {
    prepare(WP);
    access(SLOT, ACCESS_WRITE, 3);
    expect(protect(space, SLOT, 512, PROTECT_UNPOPULATED)).toBe(OK);
    expectHuge(HUGE_WP, 1, 512);
    expect(accessPage(space, SLOT + 1, ACCESS_WRITE, 4)).toBe(OUTCOME_WP);
    expect(counterOf(space, COUNTER_WP_MESSAGES)).toBe(1);
    expect(unprotect(space, SLOT, 512, UPGRADE_WRITABLE)).toBe(OK);
    expectHuge(HUGE_WRITTEN, 1, 512);
  });

  it("is protected in part after a split", () => {
    prepare(WP);
    access(SLOT, ACCESS_WRITE, 3);
    expect(protect(space, SLOT + 1, 2, PROTECT_UNPOPULATED)).toBe(OK);
    expect(countEntries(space, SLOT, 512, WRITTEN)).toBe(510);
    expect(countEntries(space, SLOT, 512, WRITTEN_WP)).toBe(2);
    expect(counterOf(space, COUNTER_PTE_TABLES)).toBe(1);
    expect(counterOf(space, COUNTER_ANON_PAGES)).toBe(512);
    expectConsistent(space);
  });

  it("is split by a write in async mode, which unprotects one page of it", () => {
    prepare(ASYNC);
    access(SLOT, ACCESS_WRITE, 3);
    protect(space, SLOT, 512, PROTECT_UNPOPULATED);
    access(SLOT + 9, ACCESS_WRITE, 4);
    expect(flagsAt(space, SLOT + 9)).toBe(WRITTEN);
    expect(countEntries(space, SLOT, 512, WRITTEN_WP)).toBe(511);
    expectConsistent(space);
  });

  it("of zeros keeps its protection", () => {
    prepare(WP);
    access(SLOT, ACCESS_READ);
    protect(space, SLOT, 512, PROTECT_UNPOPULATED);
    expectHuge(HUGE_ZERO_WP, 1, 0);
    splitHugeAt(space, SLOT + 1);
    expect(countEntries(space, SLOT, 512, 0x8000000000000625)).toBe(512);
    expectConsistent(space);
  });

  it("goes with its table in reserve, or loses a part of itself", () => {
    prepare(ANON);
    access(SLOT, ACCESS_WRITE);
    access(SLOT + 512, ACCESS_WRITE);
    zap(space, SLOT, 513, ZAP_DROP_MARKERS);
    expectHuge(0, 1, 511);
    expect(counterOf(space, COUNTER_ZAPPED_PAGE)).toBe(513);
    expect(countEntries(space, SLOT + 512, 512, WRITTEN)).toBe(511);
  });

  it("stays whole through mprotect of all of it, with its frame found again", () => {
    prepare(ANON);
    access(SLOT + 3, ACCESS_WRITE, 8);
    const before = pmdAt(space, SLOT);
    changeProtection(space, SLOT, 512, PROTECTION_NONE);
    expect(pmdAt(space, SLOT) & ~HUGE_PFN_BITS).toBe(0x04000000000001a0);
    changeProtection(space, SLOT, 512, UPGRADE_WRITABLE | UPGRADE_NOT_UFFD_WP);
    expect(pmdAt(space, SLOT)).toBe(before);
    expectConsistent(space);
  });
});
