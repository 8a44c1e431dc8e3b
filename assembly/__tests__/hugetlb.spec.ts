import "./support/heap";
import {
  ACCESS_READ,
  ACCESS_WRITE,
  COPY_PRIVATE,
  COPY_UFFD_WP,
  COUNTER_ANON_PAGES,
  COUNTER_PMD_TABLES,
  COUNTER_PTE_TABLES,
  EEXIST,
  FILL_WP,
  OBJECT_HUGETLB,
  OK,
  OUTCOME_DONE,
  OUTCOME_POISONED,
  OUTCOME_SIGBUS,
  OUTCOME_WP,
  REGION_HUGETLB,
  REGION_SHARED,
  REGION_UFFD_MISSING,
  REGION_UFFD_WP,
  ZAP_DROP_MARKERS,
} from "../abi";
import { accessPage } from "../access";
import { fillCopy, fillPoison } from "../fill";
import { changeHugetlb, copyHugetlb, moveHugetlb, protectHugetlb, punchHugetlb, zapHugetlb } from "../hugetlb";
import { configureHugePool, reserveHugePages, unreserveHugePages } from "../hugetlb-pool";
import { createObject } from "../object";
import { createSpace } from "../space";
import { counterOf } from "../stats";
import { expectConsistent } from "./support/recount";
import { addObjectRegion, ANON, MARKER, pmdAt, reason, SLOT, valueRead } from "./support/spaces";

const HUGE_PFN_BITS: u64 = 0x000fffffffe00000;
const PRIVATE: u32 = ANON | REGION_HUGETLB;
const SHARED: u32 = PRIVATE | REGION_SHARED;
const FAR: u64 = SLOT + (1 << 20);

let object: usize = 0;
let space: usize = 0;

/** Maps four huge pages with a pool of so many, without a reservation. */
function prepare(flags: u32, pool: u32): void {
  configureHugePool(pool);
  object = createObject(OBJECT_HUGETLB, 2048);
  space = createSpace();
  addObjectRegion(space, SLOT, 2048, flags, object);
}

function expectAccess(page: u64, access: u32, value: u64, outcome: i32): void {
  expect(accessPage(space, page, access, value)).toBe(outcome);
  expectConsistent(space);
}

function flagsOf(page: u64): u64 {
  const entry = pmdAt(space, page);
  return entry >> 59 == 31 ? entry : entry & ~HUGE_PFN_BITS;
}

describe("the pool", () => {
  it("reserves what it has", () => {
    configureHugePool(2);
    expect(reserveHugePages(3)).toBe(false);
    expect(reserveHugePages(2)).toBe(true);
    expect(reserveHugePages(1)).toBe(false);
    unreserveHugePages(1);
    expect(reserveHugePages(1)).toBe(true);
  });
});

describe("memory of hugetlbfs", () => {
  it("has PMD tables alone, and is not resident memory", () => {
    prepare(SHARED, 2);
    expectAccess(SLOT + 5, ACCESS_WRITE, 9, OUTCOME_DONE);
    expect(flagsOf(SLOT)).toBe(0x80000000000000e7);
    expect(counterOf(space, COUNTER_PMD_TABLES)).toBe(1);
    expect(counterOf(space, COUNTER_PTE_TABLES)).toBe(0);
    expect(counterOf(space, COUNTER_ANON_PAGES)).toBe(0);
    expectAccess(SLOT + 5, ACCESS_READ, 0, OUTCOME_DONE);
    expect(valueRead()).toBe(9);
  });

  it("ends in SIGBUS when the pool is empty", () => {
    prepare(PRIVATE, 1);
    expectAccess(SLOT, ACCESS_WRITE, 1, OUTCOME_DONE);
    expectAccess(SLOT + 512, ACCESS_WRITE, 1, OUTCOME_SIGBUS);
    zapHugetlb(space, SLOT, 512, ZAP_DROP_MARKERS, 0, 0);
    expectAccess(SLOT + 512, ACCESS_WRITE, 1, OUTCOME_DONE);
    expectAccess(SLOT, ACCESS_READ, 0, OUTCOME_SIGBUS);
  });

  it("ends in SIGBUS when all free pages are reserved for others", () => {
    prepare(PRIVATE, 1);
    reserveHugePages(1);
    expectAccess(SLOT, ACCESS_READ, 0, OUTCOME_SIGBUS);
    unreserveHugePages(1);
    expectAccess(SLOT, ACCESS_READ, 0, OUTCOME_DONE);
  });

  it("takes markers, keeps their protection, and is unprotected again", () => {
    prepare(SHARED | REGION_UFFD_WP, 2);
    expect(protectHugetlb(space, SLOT, 1024)).toBe(OK);
    expect(flagsOf(SLOT + 512)).toBe(MARKER);
    expectConsistent(space);
    expectAccess(SLOT, ACCESS_READ, 0, OUTCOME_DONE);
    expect(flagsOf(SLOT)).toBe(0x84000000000004a5);
    expectAccess(SLOT, ACCESS_WRITE, 1, OUTCOME_WP);
    changeHugetlb(space, SLOT, 1024, 0, true);
    expect(flagsOf(SLOT)).toBe(0x84000000000000a5);
    expect(flagsOf(SLOT + 512)).toBe(0);
    expectConsistent(space);
  });

  it("is copied for the child that writes, and for the parent after that not", () => {
    prepare(PRIVATE, 2);
    expectAccess(SLOT, ACCESS_WRITE, 5, OUTCOME_DONE);
    const parent = space;
    const child = createSpace();
    addObjectRegion(child, SLOT, 2048, PRIVATE, object);
    expect(copyHugetlb(parent, child, SLOT, 2048, COPY_PRIVATE | COPY_UFFD_WP)).toBe(OK);
    space = child;
    expectAccess(SLOT, ACCESS_WRITE, 6, OUTCOME_DONE);
    space = parent;
    expectAccess(SLOT, ACCESS_READ, 0, OUTCOME_DONE);
    expect(valueRead()).toBe(5);
    expectAccess(SLOT, ACCESS_WRITE, 7, OUTCOME_DONE);
    expect(pmdAt(child, SLOT) & HUGE_PFN_BITS).not.toBe(pmdAt(parent, SLOT) & HUGE_PFN_BITS);
  });

  it("moves with its entries", () => {
    prepare(SHARED, 1);
    expectAccess(SLOT, ACCESS_WRITE, 5, OUTCOME_DONE);
    const entry = pmdAt(space, SLOT);
    expect(moveHugetlb(space, SLOT, FAR, 2048, 0)).toBe(OK);
    expect(pmdAt(space, SLOT)).toBe(0);
    expect(pmdAt(space, FAR)).toBe(entry);
    expectConsistent(space);
  });

  it("goes back to the pool when it is punched out of its file", () => {
    prepare(SHARED, 1);
    expectAccess(SLOT, ACCESS_WRITE, 5, OUTCOME_DONE);
    expectAccess(SLOT + 512, ACCESS_WRITE, 5, OUTCOME_SIGBUS);
    zapHugetlb(space, SLOT, 512, ZAP_DROP_MARKERS, 0, 0);
    punchHugetlb(object, 0, 1);
    expectAccess(SLOT + 512, ACCESS_WRITE, 5, OUTCOME_DONE);
  });

  it("is filled a huge page at a time, with a running content", () => {
    prepare(PRIVATE | REGION_UFFD_MISSING | REGION_UFFD_WP, 2);
    expect(fillCopy(space, SLOT, 1536, FILL_WP, 100, 1)).toBe(1024);
    expect(reason()).toBe(EEXIST);
    expect(flagsOf(SLOT)).toBe(0x84000000000004a5);
    expectAccess(SLOT + 700, ACCESS_READ, 0, OUTCOME_DONE);
    expect(valueRead()).toBe(800);
    expect(fillCopy(space, SLOT, 512, 0, 1, 1)).toBe(0);
    expect(reason()).toBe(EEXIST);
    expect(fillPoison(space, SLOT + 1024, 512)).toBe(512);
    expectAccess(SLOT + 1030, ACCESS_READ, 0, OUTCOME_POISONED);
  });
});
