import "./support/heap";
import {
  ACCESS_READ,
  ACCESS_WRITE,
  COUNTER_ARMED_NONE,
  COUNTER_DISARMED_MARKER,
  COUNTER_PMD_TABLES,
  COUNTER_PTE_TABLES,
  COUNTER_PUD_TABLES,
  COUNTER_REAL_TABLES,
  OK,
  OUTCOME_DONE,
  PROTECT_UNPOPULATED,
  REGION_READ,
  REGION_WRITE,
  UPGRADE_WRITABLE,
  ZAP_RECLAIM,
} from "../abi";
import { accessPage } from "../access";
import { UFFD_WP_MARKER } from "../entry";
import { copyRange } from "../fork";
import { freeTables } from "../free-tables";
import { populate } from "../populate";
import { protect, unprotect } from "../protect";
import { createSpace, destroySpace } from "../space";
import { counterOf } from "../stats";
import { findPteTable } from "../table";
import { entryOfKind, isShared, KIND_HOLE, KIND_MARKER, KIND_NONE, KIND_ZERO, kindOf, templateOf } from "../uniform";
import { zap } from "../zap";
import { expectConsistent } from "./support/recount";
import { addRegion, entryAt, SLOT } from "./support/spaces";

const GIB: u64 = 1 << 18;
const SLOT_PAGES: u64 = 1 << 27;

let space: usize = 0;

function expectTables(puds: u64, pmds: u64, ptes: u64, real: u64): void {
  expect(counterOf(space, COUNTER_PUD_TABLES)).toBe(puds, "PUD tables");
  expect(counterOf(space, COUNTER_PMD_TABLES)).toBe(pmds, "PMD tables");
  expect(counterOf(space, COUNTER_PTE_TABLES)).toBe(ptes, "PTE tables");
  expect(counterOf(space, COUNTER_REAL_TABLES)).toBe(real, "real tables");
}

function arm(first: u64, pageCount: u64): void {
  expect(protect(space, first, pageCount, PROTECT_UNPOPULATED)).toBe(OK);
}

describe("templates", () => {
  beforeEach(() => {
    space = createSpace();
  });

  it("hold what they stand for on every level", () => {
    const marked = templateOf(KIND_MARKER, 9);
    for (let i = 0; i < 512; i++) {
      expect(load<u64>(marked + i * 8)).toBe(UFFD_WP_MARKER);
      expect(load<u64>(templateOf(KIND_MARKER, 18) + i * 8) & ~0xfff).toBe(marked);
      expect(load<u64>(templateOf(KIND_MARKER, 27) + i * 8) & ~0xfff).toBe(templateOf(KIND_MARKER, 18));
      expect(load<u64>(templateOf(KIND_HOLE, 18) + i * 8)).toBe(0);
    }
    expect(kindOf(marked)).toBe(KIND_MARKER);
    expect(isShared(marked)).toBe(true);
    expect(entryOfKind(KIND_NONE)).toBe(0);
  });

  it("stand for 512 GiB by one entry, and count as the tables that there would be", () => {
    arm(SLOT, SLOT_PAGES);
    expectTables(1, 512, 512 * 512, 0);
    expect(counterOf(space, COUNTER_ARMED_NONE)).toBe(SLOT_PAGES);
    expect(entryAt(space, SLOT + 12345)).toBe(UFFD_WP_MARKER);
    destroySpace(space);
  });

  it("are used as far as a range reaches", () => {
    arm(SLOT + 511, GIB + 2);
    // at both ends a PUD table, a PMD table and a last-level table in part
    expectTables(1, 2, 514, 5);
    expectConsistent(space);
    expect(entryAt(space, SLOT + 510)).toBe(0);
    expect(entryAt(space, SLOT + 511 + GIB + 1)).toBe(UFFD_WP_MARKER);
    expect(entryAt(space, SLOT + 511 + GIB + 2)).toBe(0);
  });

  it("are exchanged side by side, up to a table between them and to the end of the range", () => {
    addRegion(space, SLOT, GIB, REGION_READ | REGION_WRITE);
    arm(SLOT, GIB);
    expect(accessPage(space, SLOT + 5 * 512 + 7, ACCESS_WRITE, 7)).toBe(OUTCOME_DONE);
    expect(unprotect(space, SLOT + 512, 8 * 512 + 1, UPGRADE_WRITABLE)).toBe(OK);
    expectTables(1, 1, 512, 4); // the table of the page, and the last one, which changes in part
    expect(counterOf(space, COUNTER_DISARMED_MARKER)).toBe(8 * 512);
    for (let page: u64 = 0; page < 12 * 512; page++) {
      const isPage = page == 5 * 512 + 7;
      const isInside = page >= 512 && page <= 9 * 512;
      const entry = entryAt(space, SLOT + page);
      if (isPage ? entry == 0 || entry == UFFD_WP_MARKER : entry != (isInside ? 0 : UFFD_WP_MARKER)) {
        expect(page).toBe(u64.MAX_VALUE, "a page that is wrong");
      }
    }
    expectConsistent(space);
  });

  it("are copied on the way to an entry that changes", () => {
    addRegion(space, SLOT, GIB, REGION_READ | REGION_WRITE);
    arm(SLOT, GIB);
    expectTables(1, 1, 512, 1);
    expect(accessPage(space, SLOT + 1000, ACCESS_WRITE, 7)).toBe(OUTCOME_DONE);
    expectTables(1, 1, 512, 3);
    expect(entryAt(space, SLOT + 999)).toBe(UFFD_WP_MARKER);
    expect(entryAt(space, SLOT + 1001)).toBe(UFFD_WP_MARKER);
    expect(load<u64>(templateOf(KIND_MARKER, 9) + 488 * 8)).toBe(UFFD_WP_MARKER);
    expectConsistent(space);
  });

  it("become others under passes that change all entries alike", () => {
    addRegion(space, SLOT, GIB, REGION_READ | REGION_WRITE);
    expect(populate(space, SLOT, GIB, ACCESS_READ)).toBe(GIB);
    expectTables(1, 1, 512, 1);
    expect(kindOf(findPteTable(space, SLOT))).toBe(KIND_ZERO);
    arm(SLOT, GIB);
    expect(unprotect(space, SLOT, GIB, UPGRADE_WRITABLE)).toBe(OK);
    expect(kindOf(findPteTable(space, SLOT))).toBe(KIND_ZERO);
    expect(zap(space, SLOT, GIB, 0)).toBe(OK);
    expect(kindOf(findPteTable(space, SLOT))).toBe(KIND_NONE);
    expectTables(1, 1, 512, 1);
    expect(zap(space, SLOT, GIB, ZAP_RECLAIM)).toBe(OK);
    expectTables(1, 1, 0, 1);
    arm(SLOT, GIB);
    expectTables(1, 1, 512, 1);
    expectConsistent(space);
  });

  it("go with the mapping, and stay where a neighbour needs the table", () => {
    arm(SLOT, 2 * GIB);
    expect(zap(space, SLOT, GIB + 512, 0)).toBe(OK);
    freeTables(space, SLOT, GIB + 512, 0, SLOT + GIB + 512);
    expectTables(1, 1, 511, 2);
    expect(entryAt(space, SLOT + GIB + 512)).toBe(UFFD_WP_MARKER);
    expectConsistent(space);
  });

  it("take the place of an empty table that is to be filled throughout", () => {
    arm(SLOT, 511);
    expect(unprotect(space, SLOT, 512, UPGRADE_WRITABLE)).toBe(OK);
    expectTables(1, 1, 1, 3);
    arm(SLOT, 512);
    expectTables(1, 1, 1, 2);
    expectConsistent(space);
  });

  it("are inherited", () => {
    arm(SLOT, GIB);
    const child = createSpace();
    expect(copyRange(space, child, SLOT, GIB, 0)).toBe(OK);
    expect(counterOf(child, COUNTER_PTE_TABLES)).toBe(512);
    expect(counterOf(child, COUNTER_REAL_TABLES)).toBe(1);
    expect(entryAt(child, SLOT)).toBe(0);
    destroySpace(child);
    expectConsistent(space);
  });
});
