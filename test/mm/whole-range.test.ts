import { beforeAll, describe, expect, it } from "vitest";
import {
  ADDRESS_LIMIT,
  AddressSpace,
  createEngine,
  type Engine,
  type Feature,
  PAGE_SIZE,
  Userfaultfd,
} from "../../ts/node.js";
import { engineUrl } from "../support/engine-url.js";

const TIB = 2 ** 40;
const START = 16 * TIB;
const LENGTH = 64 * TIB;
const PAGES = LENGTH / PAGE_SIZE;
const PTE_TABLES = PAGES / 2 ** 9;
const PMD_TABLES = PAGES / 2 ** 18;
const PUD_TABLES = PAGES / 2 ** 27;
const EVERY_TABLE = { pudTables: PUD_TABLES, pmdTables: PMD_TABLES, pteTables: PTE_TABLES };

let engine: Engine;

beforeAll(async () => {
  engine = await createEngine({}, engineUrl);
});

function mapped(features: readonly Feature[]): { space: AddressSpace; uffd: Userfaultfd } {
  const space = new AddressSpace(engine);
  space.mmap({ at: START, length: LENGTH });
  const uffd = Userfaultfd.open(space, { features });
  uffd.register(START, LENGTH, ["wp"]);
  return { space, uffd };
}

function scan(space: AddressSpace, wpMatching: boolean, vectorLength = 100): readonly (readonly [number, number])[] {
  const what = { mask: ["written"], return: ["written"], wpMatching, vectorLength } as const;
  const { regions, walkEnd } = space.pagemapScan({ start: START, end: START + LENGTH, ...what });
  expect(walkEnd).toBe(START + LENGTH);
  return regions.map(({ start, end }) => [(start - START) / PAGE_SIZE, (end - START) / PAGE_SIZE]);
}

describe("64 TiB in one address space", () => {
  it("are armed, written to, unprotected and unmapped, and every count is what arithmetic says", () => {
    const { space, uffd } = mapped(["wp-unpopulated"]);
    uffd.writeProtect(START, LENGTH);
    expect(space.counters()).toMatchObject({
      ...EVERY_TABLE,
      armedNone: PAGES,
      protectVisited: PAGES,
      pteTablesAllocated: PTE_TABLES,
      realTables: 0,
    });
    expect(space.status().tableBytes).toBe((PUD_TABLES + PMD_TABLES + PTE_TABLES) * PAGE_SIZE);
    uffd.writeProtect(START, LENGTH);
    expect(space.counters()).toMatchObject({ armedNone: PAGES, protectVisited: 2 * PAGES });
    for (const address of [START, START + 20 * TIB + 12345 * PAGE_SIZE, START + LENGTH - PAGE_SIZE]) {
      expect(space.write(address, 7).outcome).toBe("blocked");
      uffd.removeWriteProtection(address, PAGE_SIZE);
      expect(space.read(address).value).toBe(7);
    }
    expect(space.counters()).toMatchObject({ ...EVERY_TABLE, anonPages: 3, disarmedPage: 3, realTables: 9 });
    uffd.removeWriteProtection(START, LENGTH);
    expect(space.counters()).toMatchObject({ ...EVERY_TABLE, disarmedMarker: PAGES - 3, realTables: 9 });
    space.munmap(START, LENGTH);
    expect(space.counters()).toMatchObject({
      pudTables: 0,
      pmdTables: 0,
      pteTables: 0,
      realTables: 0,
      anonPages: 0,
      zappedPage: 3,
      zappedMarker: 0,
      pteTablesFreed: PTE_TABLES,
    });
    space.dispose();
  });

  it("are scanned as one run, armed by the scan with and without output, and found written where they are", () => {
    for (const vectorLength of [100, 0]) {
      const { space } = mapped(["wp-async"]);
      expect(scan(space, false)).toEqual([[0, PAGES]]);
      expect(scan(space, true, vectorLength)).toEqual(vectorLength === 0 ? [] : [[0, PAGES]]);
      expect(space.counters()).toMatchObject({ ...EVERY_TABLE, armedNone: PAGES, scanProtected: PAGES, realTables: 0 });
      expect(scan(space, false)).toEqual([]);
      const written = [1, 2 ** 27, PAGES - 1];
      for (const page of written) expect(space.write(START + page * PAGE_SIZE, 1).outcome).toBe("ok");
      expect(scan(space, false)).toEqual(written.map((page) => [page, page + 1]));
      expect(scan(space, true)).toEqual(written.map((page) => [page, page + 1]));
      expect(scan(space, true)).toEqual([]);
      const puts = vectorLength === 0 ? PAGES : 2 * PAGES;
      expect(space.counters()).toMatchObject({ scanPages: puts + 6, scanProtected: PAGES + 3, wpAsyncFaults: 3 });
      space.dispose();
    }
  });

  it("are read throughout, armed and disarmed as zero pages, and dropped with their tables", () => {
    const { space, uffd } = mapped(["wp-async"]);
    uffd.writeProtect(START, LENGTH / 2);
    expect(space.madvise(START, LENGTH, "populate-read")).toBeNull();
    expect(space.counters()).toMatchObject({
      ...EVERY_TABLE,
      zeroPageFaults: PAGES,
      markerFaults: PAGES / 2,
      minflt: PAGES,
      anonPages: 0,
      realTables: 0,
    });
    expect(scan(space, false)).toEqual([[PAGES / 2, PAGES]]);
    uffd.writeProtect(START, LENGTH);
    expect(scan(space, false)).toEqual([]);
    expect(space.counters()).toMatchObject({ armedNone: PAGES / 2, armedZeroPage: PAGES / 2, realTables: 0 });
    uffd.removeWriteProtection(START, LENGTH);
    expect(space.counters()).toMatchObject({ disarmedZeroPage: PAGES, realTables: 0 });
    expect(scan(space, true)).toEqual([[0, PAGES]]);
    space.madvise(START, LENGTH, "dontneed");
    expect(space.counters()).toMatchObject({
      pudTables: PUD_TABLES,
      pmdTables: PMD_TABLES,
      pteTables: 0,
      zappedZeroPage: PAGES,
      scanProtected: PAGES,
      realTables: 0,
    });
    space.dispose();
  });

  it("are inherited by a child that stays armed, and by one that does not", () => {
    for (const hears of [true, false]) {
      const { space, uffd } = mapped(hears ? ["wp-unpopulated", "event-fork"] : ["wp-unpopulated"]);
      uffd.writeProtect(START, LENGTH);
      space.write(START + 5 * PAGE_SIZE, 9);
      uffd.removeWriteProtection(START + 5 * PAGE_SIZE, PAGE_SIZE);
      const child = space.fork();
      expect(child.counters()).toMatchObject({ ...EVERY_TABLE, anonPages: 1, pteTablesAllocated: PTE_TABLES });
      expect(child.counters().realTables).toBe(3);
      expect(child.engine.readEntries(child.handle, START / PAGE_SIZE + 6, 1)[0]).toBe(
        hears ? 0xfffffffffffffc00n : 0n,
      );
      expect(child.read(START + 5 * PAGE_SIZE).value).toBe(9);
      child.munmap(START, LENGTH);
      expect(child.counters()).toMatchObject({ pudTables: 0, pteTables: 0, zappedMarker: hears ? PAGES - 1 : 0 });
      expect(space.counters()).toMatchObject({ ...EVERY_TABLE, zappedMarker: 0 });
      child.dispose();
      space.dispose();
    }
  });

  it("leave nothing behind", () => {
    const { memoryBytes } = engine;
    for (let i = 0; i < 20; i++) {
      const { space, uffd } = mapped(["wp-unpopulated"]);
      uffd.writeProtect(START + i * 700 * PAGE_SIZE, LENGTH / 4);
      space.start({ address: START, access: "write", count: 100, stride: 2 ** 26, value: 1 });
      space.dispose();
    }
    expect(engine.memoryBytes).toBe(memoryBytes);
  });
});

describe("all of user space", () => {
  it("is one mapping that can be armed, scanned and disarmed", () => {
    const space = new AddressSpace(engine);
    const length = ADDRESS_LIMIT;
    space.mmap({ at: 0, length });
    const uffd = Userfaultfd.open(space, { features: ["wp-async"] });
    uffd.register(0, length, ["wp"]);
    uffd.writeProtect(0, length);
    const pages = length / PAGE_SIZE;
    expect(space.counters().armedNone).toBe(pages);
    expect(space.counters().realTables).toBeLessThan(4);
    space.start({ address: 0, access: "write", count: 255, stride: 2 ** 27, value: 3 });
    const { regions } = space.pagemapScan({ start: 0, end: length, mask: ["written"], return: ["written"] });
    expect(regions).toHaveLength(255);
    uffd.removeWriteProtection(0, length);
    expect(space.counters()).toMatchObject({ disarmedMarker: pages - 255, wpAsyncFaults: 255 });
    space.dispose();
  });
});
