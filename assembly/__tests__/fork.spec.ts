import "./support/heap";
import {
  ACCESS_READ,
  ACCESS_WRITE,
  COPY_OBJECT,
  COPY_PRIVATE,
  COPY_UFFD_WP,
  COUNTER_ANON_PAGES,
  COUNTER_COPY_FAULTS,
  COUNTER_PMD_TABLES,
  COUNTER_PTE_TABLES,
  COUNTER_PUD_TABLES,
  COUNTER_REUSE_FAULTS,
  OBJECT_SHMEM,
  OK,
  OUTCOME_DONE,
  REGION_SHARED,
  REGION_SHMEM,
  REGION_THP,
  ZAP_DROP_MARKERS,
} from "../abi";
import { accessPage } from "../access";
import { copyRange } from "../fork";
import { isExclusive, mapCount } from "../frames";
import { createObject } from "../object";
import { counterOf } from "../stats";
import { zap } from "../zap";
import { expectConsistent } from "./support/recount";
import {
  addObjectRegion,
  ANON,
  entryAt,
  flagsAt,
  frameAt,
  MARKER,
  place,
  pmdAt,
  SLOT,
  spaceWith,
  valueRead,
  WP,
  WRITTEN,
  WRITTEN_READ_ONLY,
  WRITTEN_WP,
  ZERO,
} from "./support/spaces";
import { createSpace } from "../space";

const GUARD: u64 = 0xfffffffffffff600;
const HUGE_PFN_BITS: u64 = 0x000fffffffe00000;

let parent: usize = 0;
let child: usize = 0;

function fork(flags: u32): void {
  expect(copyRange(parent, child, SLOT, 2048, flags)).toBe(OK);
  expectConsistent(parent);
  expectConsistent(child);
}

function use(space: usize, page: u64, access: u32, value: u64 = 0): void {
  expect(accessPage(space, page, access, value)).toBe(OUTCOME_DONE);
  expectConsistent(parent);
  expectConsistent(child);
}

describe("copyRange of a private mapping", () => {
  beforeEach(() => {
    parent = spaceWith(SLOT, 2048, WP);
    child = spaceWith(SLOT, 2048, WP);
  });

  it("lets both sides read the same page and write to neither, the child's not accessed yet", () => {
    place(parent, SLOT, WRITTEN);
    place(parent, SLOT + 1, ZERO);
    fork(COPY_PRIVATE);
    expect(flagsAt(parent, SLOT)).toBe(WRITTEN_READ_ONLY);
    expect(flagsAt(child, SLOT)).toBe(0x8400000000000005);
    expect(flagsAt(child, SLOT + 1)).toBe(0x8000000000000205);
    expect(frameAt(child, SLOT)).toBe(frameAt(parent, SLOT));
    expect(mapCount(<u32>frameAt(child, SLOT))).toBe(2);
    expect(counterOf(child, COUNTER_ANON_PAGES)).toBe(1);
  });

  it("copies the page for who writes first, and gives it to who writes last", () => {
    place(parent, SLOT, WRITTEN);
    fork(COPY_PRIVATE);
    use(parent, SLOT, ACCESS_WRITE, 9);
    expect(counterOf(parent, COUNTER_COPY_FAULTS)).toBe(1);
    expect(frameAt(parent, SLOT)).not.toBe(frameAt(child, SLOT));
    use(child, SLOT, ACCESS_READ);
    expect(valueRead()).toBe(SLOT);
    const frame = <u32>frameAt(child, SLOT);
    expect(isExclusive(frame)).toBe(false);
    use(child, SLOT, ACCESS_WRITE, 8);
    expect(counterOf(child, COUNTER_REUSE_FAULTS)).toBe(1);
    expect(frameAt(child, SLOT)).toBe(frame);
    expect(isExclusive(frame)).toBe(true);
    use(parent, SLOT, ACCESS_READ);
    expect(valueRead()).toBe(9);
  });

  it("copies protection and markers only for a child that is registered", () => {
    place(parent, SLOT, WRITTEN_WP);
    place(parent, SLOT + 1, MARKER);
    place(parent, SLOT + 2, GUARD);
    fork(COPY_PRIVATE | COPY_UFFD_WP);
    expect(flagsAt(child, SLOT)).toBe(0x8400000000000405);
    expect(entryAt(child, SLOT + 1)).toBe(MARKER);
    expect(flagsAt(parent, SLOT)).toBe(WRITTEN_WP);
    const other = createSpace();
    expect(copyRange(parent, other, SLOT, 2048, COPY_PRIVATE)).toBe(OK);
    expect(flagsAt(other, SLOT)).toBe(0x8400000000000005);
    expect(entryAt(other, SLOT + 1)).toBe(0);
    expect(entryAt(other, SLOT + 2)).toBe(entryAt(parent, SLOT + 2));
    expectConsistent(other);
  });

  it("makes a table for the child wherever the parent has one, whatever is in it", () => {
    place(parent, SLOT, WRITTEN);
    place(parent, SLOT + 1024, WRITTEN);
    zap(parent, SLOT, 2048, ZAP_DROP_MARKERS);
    fork(COPY_PRIVATE);
    expect(counterOf(child, COUNTER_PTE_TABLES)).toBe(2);
    expect(counterOf(child, COUNTER_ANON_PAGES)).toBe(0);
  });

  it("makes nothing where the parent has nothing", () => {
    fork(COPY_PRIVATE);
    expect(counterOf(child, COUNTER_PUD_TABLES)).toBe(0);
    expect(counterOf(child, COUNTER_PMD_TABLES)).toBe(0);
  });
});

describe("copyRange of huge pages", () => {
  it("shares an anonymous one, with a table in reserve on both sides", () => {
    parent = spaceWith(SLOT, 2048, ANON | REGION_THP);
    child = spaceWith(SLOT, 2048, ANON | REGION_THP);
    use(parent, SLOT + 5, ACCESS_WRITE, 3);
    fork(COPY_PRIVATE);
    expect(pmdAt(parent, SLOT) & ~HUGE_PFN_BITS).toBe(0x84000000000000a5);
    expect(pmdAt(child, SLOT) & ~HUGE_PFN_BITS).toBe(0x8400000000000085);
    expect(counterOf(child, COUNTER_PTE_TABLES)).toBe(1);
    expect(counterOf(child, COUNTER_ANON_PAGES)).toBe(512);
    use(child, SLOT + 5, ACCESS_READ);
    expect(valueRead()).toBe(3);
    use(child, SLOT + 5, ACCESS_WRITE, 4);
    expect(flagsAt(child, SLOT + 5)).toBe(WRITTEN);
    use(parent, SLOT + 5, ACCESS_READ);
    expect(valueRead()).toBe(3);
  });
});

describe("copyRange of a shared mapping", () => {
  it("keeps write permission, and leaves the child's copy clean", () => {
    const object = createObject(OBJECT_SHMEM, 2048);
    const flags = ANON | REGION_SHARED | REGION_SHMEM;
    parent = createSpace();
    child = createSpace();
    addObjectRegion(parent, SLOT, 2048, flags, object);
    addObjectRegion(child, SLOT, 2048, flags, object);
    use(parent, SLOT, ACCESS_WRITE, 6);
    fork(COPY_OBJECT | COPY_UFFD_WP);
    expect(flagsAt(parent, SLOT)).toBe(WRITTEN);
    expect(flagsAt(child, SLOT)).toBe(0x8000000000000007);
    use(child, SLOT, ACCESS_WRITE, 7);
    use(parent, SLOT, ACCESS_READ);
    expect(valueRead()).toBe(7);
  });
});
