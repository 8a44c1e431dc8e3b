import "./support/heap";
import {
  ACCESS_READ,
  ACCESS_WRITE,
  COUNTER_ANON_PAGES,
  COUNTER_FILE_PAGES,
  COUNTER_MAJFLT,
  COUNTER_MINFLT,
  COUNTER_MINOR_MESSAGES,
  COUNTER_PTE_TABLES,
  COUNTER_PUD_TABLES,
  COUNTER_SHMEM_PAGES,
  KERNEL_SMALL_FAULT_AROUND,
  OBJECT_FILE,
  OBJECT_SHMEM,
  OUTCOME_DONE,
  OUTCOME_MINOR,
  OUTCOME_MISSING,
  OUTCOME_SIGBUS,
  PROTECT_OBJECT,
  PROTECT_UNPOPULATED,
  REGION_FILE,
  REGION_SHARED,
  REGION_SHMEM,
  REGION_MAKES_HUGE,
  REGION_THP,
  REGION_UFFD_MINOR,
  REGION_UFFD_MISSING,
  REGION_UFFD_WP,
  ZAP_OBJECT,
  ZAP_UFFD_WP,
} from "../abi";
import { accessPage } from "../access";
import { frameOf } from "../entry";
import { FRAME_DIRTY, mapCount, setContent, wordOf } from "../frames";
import { protect } from "../protect";
import { addCachedHugePage, addCachedPage, cachedEntry, createObject } from "../object";
import { createSpace, setKernel } from "../space";
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
  pmdAt,
  SLOT,
  valueRead,
  WRITTEN,
} from "./support/spaces";

const SHMEM: u32 = ANON | REGION_SHMEM;
const SHARED: u32 = SHMEM | REGION_SHARED;
const FILE: u32 = ANON | REGION_FILE;
const HUGE_PFN_BITS: u64 = 0x000fffffffe00000;

let object: usize = 0;
let space: usize = 0;

/** Maps 100 pages of an object of 64, from its first one on, at SLOT. */
function prepare(flags: u32): void {
  object = createObject((flags & REGION_FILE) != 0 ? OBJECT_FILE : OBJECT_SHMEM, 64);
  space = createSpace();
  addObjectRegion(space, SLOT, 100, flags, object);
}

function expectAccess(page: u64, access: u32, value: u64, outcome: i32): void {
  expect(accessPage(space, page, access, value)).toBe(outcome);
  expectConsistent(space);
}

function cachedFrame(index: u64): u32 {
  return frameOf(cachedEntry(object, index));
}

describe("a fault on shared memory", () => {
  it("makes the page in the object and maps it: writable without notice, clean for a read", () => {
    prepare(SHARED);
    expectAccess(SLOT, ACCESS_READ, 0, OUTCOME_DONE);
    expect(flagsAt(space, SLOT)).toBe(0x8000000000000027);
    expect(frameAt(space, SLOT)).toBe(cachedFrame(0));
    expectAccess(SLOT + 1, ACCESS_WRITE, 5, OUTCOME_DONE);
    expect(flagsAt(space, SLOT + 1)).toBe(WRITTEN);
    expect(wordOf(cachedFrame(1)) & FRAME_DIRTY).toBe(FRAME_DIRTY);
    expect(counterOf(space, COUNTER_SHMEM_PAGES)).toBe(2);
    expect(counterOf(space, COUNTER_ANON_PAGES)).toBe(0);
    expect(counterOf(space, COUNTER_MINFLT)).toBe(2);
  });

  it("maps read-only where a userfaultfd write-protects", () => {
    prepare(SHARED | REGION_UFFD_WP);
    expectAccess(SLOT, ACCESS_READ, 0, OUTCOME_DONE);
    expect(flagsAt(space, SLOT)).toBe(0x8000000000000025);
  });

  it("ends in SIGBUS behind the end of the object, without a table", () => {
    prepare(SHARED);
    expectAccess(SLOT + 64, ACCESS_READ, 0, OUTCOME_SIGBUS);
    expect(counterOf(space, COUNTER_PTE_TABLES)).toBe(0);
  });

  it("asks the userfaultfd for a page that is missing, or about one that is there", () => {
    prepare(SHARED | REGION_UFFD_MISSING);
    expectAccess(SLOT, ACCESS_READ, 0, OUTCOME_MISSING);
    expect(counterOf(space, COUNTER_PTE_TABLES)).toBe(0);
    addCachedPage(object, 0);
    expectAccess(SLOT, ACCESS_READ, 0, OUTCOME_DONE);
    prepare(SHARED | REGION_UFFD_MINOR);
    addCachedPage(object, 3);
    expectAccess(SLOT + 3, ACCESS_WRITE, 1, OUTCOME_MINOR);
    expect(counterOf(space, COUNTER_MINOR_MESSAGES)).toBe(1);
    expectAccess(SLOT + 4, ACCESS_WRITE, 1, OUTCOME_DONE);
  });

  it("keeps the protection of a marker, which zapping leaves for a page that was protected", () => {
    prepare(SHARED | REGION_UFFD_WP);
    expectAccess(SLOT, ACCESS_WRITE, 7, OUTCOME_DONE);
    protect(space, SLOT, 1, PROTECT_UNPOPULATED | PROTECT_OBJECT);
    zap(space, SLOT, 100, ZAP_OBJECT | ZAP_UFFD_WP);
    expect(entryAt(space, SLOT)).toBe(MARKER);
    expectConsistent(space);
    expectAccess(SLOT, ACCESS_READ, 0, OUTCOME_DONE);
    expect(valueRead()).toBe(7);
    expect(flagsAt(space, SLOT)).toBe(0x8000000000000425);
  });
});

describe("a fault around", () => {
  it("maps those of 16 pages that the object has already, clean", () => {
    prepare(SHARED);
    for (let i: u64 = 0; i < 40; i += 2) addCachedPage(object, i);
    expectAccess(SLOT + 18, ACCESS_READ, 0, OUTCOME_DONE);
    for (let i: u64 = 0; i < 64; i++) {
      expect(flagsAt(space, SLOT + i)).toBe(i >= 16 && i < 32 && i % 2 == 0 ? 0x8000000000000027 : 0, `page ${i}`);
    }
    expect(counterOf(space, COUNTER_SHMEM_PAGES)).toBe(8);
    expect(counterOf(space, COUNTER_MINFLT)).toBe(1);
  });

  it("is not for writes, nor for memory that is write-protected or of minor faults", () => {
    prepare(SHARED);
    addCachedPage(object, 1);
    expectAccess(SLOT, ACCESS_WRITE, 1, OUTCOME_DONE);
    expect(entryAt(space, SLOT + 1)).toBe(0);
    prepare(SHARED | REGION_UFFD_WP);
    addCachedPage(object, 0);
    addCachedPage(object, 1);
    expectAccess(SLOT, ACCESS_READ, 0, OUTCOME_DONE);
    expect(entryAt(space, SLOT + 1)).toBe(0);
  });

  it("makes no table for the last page of a file, but uses one that is there", () => {
    prepare(FILE);
    addCachedPage(object, 63);
    expectAccess(SLOT + 64, ACCESS_READ, 0, OUTCOME_SIGBUS);
    expect(entryAt(space, SLOT + 63)).toBe(0);
    expect(counterOf(space, COUNTER_PTE_TABLES)).toBe(0);
    expectAccess(SLOT, ACCESS_READ, 0, OUTCOME_DONE);
    expectAccess(SLOT + 62, ACCESS_READ, 0, OUTCOME_DONE);
    expect(flagsAt(space, SLOT + 63)).toBe(0x8000000000000025);
  });
});

describe("a fault on a private mapping of an object", () => {
  it("maps the object's page for a read, and a copy for a write", () => {
    prepare(SHMEM);
    setContent(addCachedPage(object, 0), 5);
    expectAccess(SLOT, ACCESS_READ, 0, OUTCOME_DONE);
    expect(valueRead()).toBe(5);
    expect(flagsAt(space, SLOT)).toBe(0x8000000000000025);
    expect(counterOf(space, COUNTER_SHMEM_PAGES)).toBe(1);
    expectAccess(SLOT, ACCESS_WRITE, 6, OUTCOME_DONE);
    expect(flagsAt(space, SLOT)).toBe(WRITTEN);
    expect(counterOf(space, COUNTER_SHMEM_PAGES)).toBe(0);
    expect(counterOf(space, COUNTER_ANON_PAGES)).toBe(1);
    expect(mapCount(cachedFrame(0))).toBe(0);
    expectAccess(SLOT + 1, ACCESS_WRITE, 6, OUTCOME_DONE);
    expect(flagsAt(space, SLOT + 1)).toBe(WRITTEN);
    expect(cachedEntry(object, 1)).not.toBe(0);
    expect(counterOf(space, COUNTER_ANON_PAGES)).toBe(2);
  });
});

describe("a fault on a file", () => {
  it("is major when the page has to be read, and notices writes to a shared page", () => {
    prepare(FILE | REGION_SHARED);
    expectAccess(SLOT, ACCESS_READ, 0, OUTCOME_DONE);
    expect(flagsAt(space, SLOT)).toBe(0x8000000000000025);
    expect(counterOf(space, COUNTER_MAJFLT)).toBe(1);
    expect(counterOf(space, COUNTER_FILE_PAGES)).toBe(1);
    expectAccess(SLOT, ACCESS_WRITE, 3, OUTCOME_DONE);
    expect(flagsAt(space, SLOT)).toBe(WRITTEN);
    expect(counterOf(space, COUNTER_MINFLT)).toBe(1);
    expect(wordOf(cachedFrame(0)) & FRAME_DIRTY).toBe(FRAME_DIRTY);
  });
});

describe("a huge page of shared memory", () => {
  beforeEach(() => {
    object = createObject(OBJECT_SHMEM, 1024);
    space = createSpace();
  });

  it("is made by the policy and mapped by one entry, with no table in reserve", () => {
    addObjectRegion(space, SLOT, 1024, SHARED | REGION_THP | REGION_MAKES_HUGE, object);
    expectAccess(SLOT + 700, ACCESS_WRITE, 5, OUTCOME_DONE);
    expect(pmdAt(space, SLOT + 512) & ~HUGE_PFN_BITS).toBe(0x80000000000000e7);
    expect(counterOf(space, COUNTER_PTE_TABLES)).toBe(0);
    expect(counterOf(space, COUNTER_SHMEM_PAGES)).toBe(512);
    expect(cachedEntry(object, 0)).toBe(0);
    expect(counterOf(space, COUNTER_PUD_TABLES)).toBe(1);
  });

  it("is unmapped where it is protected, since markers need a table", () => {
    addObjectRegion(space, SLOT, 1024, SHARED | REGION_UFFD_WP | REGION_THP, object);
    addCachedHugePage(object, 0);
    expectAccess(SLOT, ACCESS_READ, 0, OUTCOME_DONE);
    expect(pmdAt(space, SLOT) & ~HUGE_PFN_BITS).toBe(0x80000000000000a5);
    protect(space, SLOT + 1, 1, PROTECT_UNPOPULATED | PROTECT_OBJECT);
    expect(entryAt(space, SLOT)).toBe(0);
    expect(entryAt(space, SLOT + 1)).toBe(MARKER);
    expect(counterOf(space, COUNTER_SHMEM_PAGES)).toBe(0);
    expectConsistent(space);
  });

  it("is mapped whole by its parts where no huge entry may be, except by older kernels", () => {
    addObjectRegion(space, SLOT, 1024, SHARED, object);
    addCachedHugePage(object, 0);
    expectAccess(SLOT + 40, ACCESS_READ, 0, OUTCOME_DONE);
    expect(counterOf(space, COUNTER_SHMEM_PAGES)).toBe(512);
    space = createSpace();
    setKernel(space, KERNEL_SMALL_FAULT_AROUND);
    addObjectRegion(space, SLOT, 1024, SHARED, object);
    expectAccess(SLOT + 40, ACCESS_READ, 0, OUTCOME_DONE);
    expect(counterOf(space, COUNTER_SHMEM_PAGES)).toBe(16);
  });
});
