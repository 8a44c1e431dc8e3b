import "./support/heap";
import {
  COUNTER_PTE_TABLES,
  ENOMEM,
  MOVE_CLEAR_UFFD_WP,
  MOVE_TABLES,
  OK,
  REGION_THP,
  ACCESS_READ,
  ACCESS_WRITE,
  OUTCOME_DONE,
} from "../abi";
import { accessPage } from "../access";
import { moveTables } from "../move-tables";
import { createSpace } from "../space";
import { counterOf } from "../stats";
import { exhaustMemory, restoreMemory } from "./support/memory";
import { expectConsistent } from "./support/recount";
import {
  ANON,
  entryAt,
  flagsAt,
  LAST_OF_SLOT,
  MARKER,
  place,
  pmdAt,
  SLOT,
  spaceWith,
  valueRead,
  WRITTEN,
  WRITTEN_WP,
  ZERO,
} from "./support/spaces";

const FAR: u64 = SLOT + (1 << 20);

let space: usize = 0;

describe("moveTables", () => {
  beforeEach(() => {
    space = createSpace();
  });

  it("moves entries of every state one by one between places that are not aligned alike", () => {
    place(space, LAST_OF_SLOT, WRITTEN);
    place(space, SLOT, MARKER);
    place(space, SLOT + 1, WRITTEN_WP);
    place(space, SLOT + 600, ZERO);
    const entry = entryAt(space, SLOT + 1);
    expect(moveTables(space, LAST_OF_SLOT, FAR, 700, MOVE_TABLES)).toBe(OK);
    expect(flagsAt(space, FAR)).toBe(WRITTEN);
    expect(entryAt(space, FAR + 1)).toBe(MARKER);
    expect(entryAt(space, FAR + 2)).toBe(entry);
    expect(flagsAt(space, FAR + 601)).toBe(ZERO);
    expect(entryAt(space, LAST_OF_SLOT)).toBe(0);
    expect(entryAt(space, SLOT + 600)).toBe(0);
    expectConsistent(space);
  });

  it("leaves protection behind where the registration ends", () => {
    place(space, SLOT, MARKER);
    place(space, SLOT + 1, WRITTEN_WP);
    moveTables(space, SLOT, FAR, 8, MOVE_CLEAR_UFFD_WP);
    expect(entryAt(space, FAR)).toBe(0);
    expect(flagsAt(space, FAR + 1)).toBe(0x8400000000000025);
    expectConsistent(space);
  });

  it("hangs a whole table up at its new place, and makes none", () => {
    for (let i: u64 = 0; i < 512; i++) place(space, SLOT + i, i % 2 == 0 ? WRITTEN : MARKER);
    place(space, SLOT + 512, WRITTEN);
    expect(moveTables(space, SLOT, FAR, 512, MOVE_TABLES)).toBe(OK);
    expect(counterOf(space, COUNTER_PTE_TABLES)).toBe(2);
    expect(flagsAt(space, FAR + 510)).toBe(WRITTEN);
    expect(entryAt(space, FAR + 511)).toBe(MARKER);
    expect(pmdAt(space, SLOT)).toBe(0);
    expect(flagsAt(space, SLOT + 512)).toBe(WRITTEN);
    moveTables(space, FAR, SLOT, 512, 0);
    expect(counterOf(space, COUNTER_PTE_TABLES)).toBe(3);
    expect(flagsAt(space, SLOT)).toBe(WRITTEN);
    expectConsistent(space);
  });

  it("moves a huge page whole or, to a place that is not aligned, in its parts", () => {
    space = spaceWith(SLOT, 1 << 21, ANON | REGION_THP);
    expect(accessPage(space, SLOT + 7, ACCESS_WRITE, 9)).toBe(OUTCOME_DONE);
    const entry = pmdAt(space, SLOT);
    expect(moveTables(space, SLOT, FAR, 512, MOVE_TABLES)).toBe(OK);
    expect(pmdAt(space, FAR)).toBe(entry);
    expect(pmdAt(space, SLOT)).toBe(0);
    expect(counterOf(space, COUNTER_PTE_TABLES)).toBe(1);
    expectConsistent(space);
    expect(moveTables(space, FAR, SLOT + 1, 512, MOVE_TABLES)).toBe(OK);
    expect(flagsAt(space, SLOT + 8)).toBe(WRITTEN);
    expect(accessPage(space, SLOT + 8, ACCESS_READ, 0)).toBe(OUTCOME_DONE);
    expect(valueRead()).toBe(9);
    expectConsistent(space);
  });

  it("makes no table where nothing is", () => {
    expect(moveTables(space, SLOT, FAR, 1 << 19, MOVE_TABLES)).toBe(OK);
    expect(counterOf(space, COUNTER_PTE_TABLES)).toBe(0);
    expectConsistent(space);
  });

  it("is ENOMEM without room for a table", () => {
    place(space, SLOT, WRITTEN);
    exhaustMemory();
    const status = moveTables(space, SLOT, FAR, 1, 0);
    restoreMemory();
    expect(status).toBe(ENOMEM);
    expect(flagsAt(space, SLOT)).toBe(WRITTEN);
    expectConsistent(space);
  });
});
