import "./support/heap";
import {
  COUNTER_PMD_TABLES,
  COUNTER_PTE_TABLES,
  COUNTER_PTE_TABLES_ALLOCATED,
  COUNTER_PTE_TABLES_FREED,
  COUNTER_PUD_TABLES,
} from "../abi";
import { createSpace } from "../space";
import { counterOf } from "../stats";
import {
  adjustCounts,
  ensurePteTable,
  findPteTable,
  freePteTable,
  holeShift,
  mapsNothing,
  markers,
  occupied,
  pgdOf,
  pmdSlot,
} from "../table";
import { exhaustMemory, giveBlocks, restoreMemory } from "./support/memory";
import { expectConsistent } from "./support/recount";
import { LAST_OF_SLOT, MARKER, place, SLOT, WRITTEN } from "./support/spaces";

let space: usize = 0;
let table: usize = 0;

function tables(): u64 {
  return (
    counterOf(space, COUNTER_PUD_TABLES) * 10000 +
    counterOf(space, COUNTER_PMD_TABLES) * 100 +
    counterOf(space, COUNTER_PTE_TABLES)
  );
}

describe("table", () => {
  beforeEach(() => {
    space = createSpace();
  });

  it("tells the size of the hole at each level", () => {
    expect(findPteTable(space, SLOT)).toBe(0);
    expect(holeShift).toBe(27);
    ensurePteTable(space, SLOT);
    expect(findPteTable(space, SLOT + (1 << 18))).toBe(0);
    expect(holeShift).toBe(18);
    expect(findPteTable(space, SLOT + 512)).toBe(0);
    expect(holeShift).toBe(9);
    expect(findPteTable(space, SLOT + (1 << 27))).toBe(0);
    expect(holeShift).toBe(27);
  });

  it("finds for all 512 pages the table that was made for one, and only for them", () => {
    const made = ensurePteTable(space, SLOT + 1000);
    expect(made).not.toBe(0);
    expect(made & 4095).toBe(0);
    expect(findPteTable(space, SLOT + 512)).toBe(made);
    expect(findPteTable(space, SLOT + 1023)).toBe(made);
    expect(findPteTable(space, SLOT + 511)).toBe(0);
    expect(findPteTable(space, SLOT + 1024)).toBe(0);
    expect(ensurePteTable(space, SLOT + 600)).toBe(made);
    expect(tables()).toBe(10101);
    expectConsistent(space);
  });

  it("counts three tables for the first page of a 512 GiB slot, and what is missing for others", () => {
    ensurePteTable(space, SLOT);
    expect(tables()).toBe(10101);
    ensurePteTable(space, SLOT + 512);
    expect(tables()).toBe(10102);
    ensurePteTable(space, SLOT + (1 << 18));
    expect(tables()).toBe(10203);
    ensurePteTable(space, LAST_OF_SLOT);
    expect(tables()).toBe(20304);
    ensurePteTable(space, 0x7ffffffff);
    ensurePteTable(space, 0);
    expect(tables()).toBe(40506);
    expect(counterOf(space, COUNTER_PTE_TABLES_ALLOCATED)).toBe(6);
    expectConsistent(space);
  });

  it("gives the slot of the PMD entry, and frees an empty table through it", () => {
    const made = ensurePteTable(space, SLOT + 512);
    ensurePteTable(space, SLOT + 1024);
    const slot = pmdSlot(space, SLOT + 700);
    expect(load<u64>(slot)).toBe(made | 0x67);
    freePteTable(space, slot);
    expect(load<u64>(slot)).toBe(0);
    expect(findPteTable(space, SLOT + 512)).toBe(0);
    expect(holeShift).toBe(9);
    expect(counterOf(space, COUNTER_PTE_TABLES_FREED)).toBe(1);
    expect(tables()).toBe(10101);
    expectConsistent(space);
  });

  it("does not free a table that is in use", () => {
    place(space, SLOT, MARKER);
    expect(() => {
      freePteTable(space, pmdSlot(space, SLOT));
    }).toThrow("a marker keeps its table");
  });

  it("keeps two counts for each table", () => {
    table = ensurePteTable(space, SLOT);
    expect(occupied(table)).toBe(0);
    expect(markers(table)).toBe(0);
    expect(mapsNothing(table)).toBe(true);
    adjustCounts(table, 512, 512);
    expect(occupied(table)).toBe(512);
    expect(markers(table)).toBe(512);
    expect(mapsNothing(table)).toBe(true);
    adjustCounts(table, 0, -1);
    expect(occupied(table)).toBe(512);
    expect(markers(table)).toBe(511);
    expect(mapsNothing(table)).toBe(false);
    adjustCounts(table, -512, -511);
    expect(occupied(table)).toBe(0);
    expect(markers(table)).toBe(0);
  });

  it("allows no counts that cannot be", () => {
    table = ensurePteTable(space, SLOT);
    expect(() => adjustCounts(table, -1, 0)).toThrow("fewer than none");
    expect(() => adjustCounts(table, 0, 1)).toThrow("more markers than entries");
    expect(() => adjustCounts(table, 513, 0)).toThrow("more than a table holds");
    expect(() => adjustCounts(table, 1, -1)).toThrow("fewer markers than none");
    expectConsistent(space);
  });

  it("has a recount that notices wrong counts", () => {
    place(space, SLOT, WRITTEN);
    place(space, SLOT + 1, MARKER);
    expectConsistent(space);
    table = findPteTable(space, SLOT);
    adjustCounts(table, 1, 0);
    expect(() => expectConsistent(space)).toThrow("an entry too many");
    adjustCounts(table, -1, -1);
    expect(() => expectConsistent(space)).toThrow("a marker too few");
    adjustCounts(table, 0, 1);
    expectConsistent(space);
  });

  it("returns 0 when the memory is used up at any level, and stays consistent", () => {
    exhaustMemory();
    const none = ensurePteTable(space, SLOT);
    const afterNone = tables();
    giveBlocks(1);
    const onePud = ensurePteTable(space, SLOT);
    const afterPud = tables();
    giveBlocks(1);
    const onePmd = ensurePteTable(space, SLOT);
    const afterPmd = tables();
    giveBlocks(1);
    const made = ensurePteTable(space, SLOT);
    restoreMemory();
    expect(none).toBe(0);
    expect(afterNone).toBe(0);
    expect(onePud).toBe(0);
    expect(afterPud).toBe(10000);
    expect(onePmd).toBe(0);
    expect(afterPmd).toBe(10100);
    expect(made).not.toBe(0);
    expect(tables()).toBe(10101);
    expect(pgdOf(space)).not.toBe(0);
    expectConsistent(space);
  });
});
