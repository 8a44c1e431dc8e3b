import "./support/heap";
import { ENOMEM, ENOSPC, OK } from "../abi";
import { createSpace } from "../space";
import { ensurePteTable, findPteTable } from "../table";
import { isWholeTable, slotIn, slotsEnd, walk } from "../walk";
import { exhaustMemory, giveBlocks, restoreMemory } from "./support/memory";
import { expectConsistent } from "./support/recount";
import { LAST_OF_SLOT, SLOT } from "./support/spaces";

/** The pieces of the last walk: "slice first+count" and "hole first+count". */
let pieces = "";
let wrongTables = 0;
/** What the operation answers at the piece with this number. */
let stopAt = -1;
let pieceCount = 0;
let space: usize = 0;

const LAST_PAGE: u64 = 0x7ffffffff;

function note(kind: string, page: u64, pageCount: u64): i32 {
  pieces += `${kind} ${page}+${pageCount} `;
  return pieceCount++ == stopAt ? ENOSPC : OK;
}


@unmanaged
@final
class Note {
  slice(space: usize, table: usize, page: u64, pageCount: u32): i32 {
    if (table != findPteTable(space, page) || table == 0) wrongTables++;
    return note("slice", page, pageCount);
  }

  hole(space: usize, page: u64, pageCount: u64, shift: u32): i32 {
    return note("hole", page, pageCount);
  }
}


@unmanaged
@final
class NoteSlices {
  slice(space: usize, table: usize, page: u64, pageCount: u32): i32 {
    return note("slice", page, pageCount);
  }
}


@unmanaged
@final
class MakeTables {
  fillsHoles(): void {}

  slice(space: usize, table: usize, page: u64, pageCount: u32): i32 {
    if (table != findPteTable(space, page) || table == 0) wrongTables++;
    return note("slice", page, pageCount);
  }
}

function walked(first: u64, pageCount: u64): string {
  pieces = "";
  pieceCount = 0;
  expect(walk<Note>(space, first, pageCount)).toBe(OK);
  return pieces.trimEnd();
}

describe("walk", () => {
  beforeEach(() => {
    space = createSpace();
    pieces = "";
    pieceCount = 0;
    stopAt = -1;
    wrongTables = 0;
  });

  it("does nothing for an empty range", () => {
    ensurePteTable(space, SLOT);
    expect(walked(SLOT, 0)).toBe("");
    expect(walked(SLOT + 512, 0)).toBe("");
  });

  it("hands out one page", () => {
    ensurePteTable(space, SLOT);
    expect(walked(SLOT + 5, 1)).toBe(`slice ${SLOT + 5}+1`);
    expect(walked(SLOT + 512, 1)).toBe(`hole ${SLOT + 512}+1`);
    expect(walked(5, 1)).toBe("hole 5+1");
  });

  it("cuts slices where a table ends", () => {
    ensurePteTable(space, SLOT);
    ensurePteTable(space, SLOT + 512);
    expect(walked(SLOT, 512)).toBe(`slice ${SLOT}+512`);
    expect(walked(SLOT, 511)).toBe(`slice ${SLOT}+511`);
    expect(walked(SLOT + 511, 2)).toBe(`slice ${SLOT + 511}+1 slice ${SLOT + 512}+1`);
    expect(walked(SLOT + 1, 1023)).toBe(`slice ${SLOT + 1}+511 slice ${SLOT + 512}+512`);
    expect(wrongTables).toBe(0);
  });

  it("hands out holes as large as the entry that is missing", () => {
    ensurePteTable(space, SLOT);
    const gib: u64 = 1 << 18;
    const slot: u64 = 1 << 27;
    expect(walked(SLOT + 513, 600)).toBe(`hole ${SLOT + 513}+511 hole ${SLOT + 1024}+89`);
    expect(walked(SLOT + gib + 5, 2 * gib)).toBe(
      `hole ${SLOT + gib + 5}+${gib - 5} hole ${SLOT + 2 * gib}+${gib} hole ${SLOT + 3 * gib}+5`,
    );
    expect(walked(SLOT + slot + 5, 2 * slot)).toBe(
      `hole ${SLOT + slot + 5}+${slot - 5} hole ${SLOT + 2 * slot}+${slot} hole ${SLOT + 3 * slot}+5`,
    );
  });

  it("crosses from one 512 GiB slot into the next", () => {
    ensurePteTable(space, LAST_OF_SLOT);
    ensurePteTable(space, SLOT);
    expect(walked(LAST_OF_SLOT, 2)).toBe(`slice ${LAST_OF_SLOT}+1 slice ${SLOT}+1`);
    expect(walked(LAST_OF_SLOT - 512, 514)).toBe(
      `hole ${LAST_OF_SLOT - 512}+1 slice ${LAST_OF_SLOT - 511}+512 slice ${SLOT}+1`,
    );
    expect(wrongTables).toBe(0);
  });

  it("crosses from one GiB into the next", () => {
    ensurePteTable(space, SLOT + (1 << 18) - 1);
    ensurePteTable(space, SLOT + (1 << 18));
    expect(walked(SLOT + (1 << 18) - 3, 6)).toBe(`slice ${SLOT + (1 << 18) - 3}+3 slice ${SLOT + (1 << 18)}+3`);
  });

  it("walks all of the address space up to its last page", () => {
    const slot: u64 = 1 << 27;
    expect(walked(LAST_PAGE, 1)).toBe(`hole ${LAST_PAGE}+1`);
    ensurePteTable(space, LAST_PAGE);
    expect(walked(LAST_PAGE, 1)).toBe(`slice ${LAST_PAGE}+1`);
    expect(walked(LAST_PAGE - 511, 512)).toBe(`slice ${LAST_PAGE - 511}+512`);
    walked(0, LAST_PAGE + 1);
    expect(pieces.startsWith(`hole 0+${slot} hole ${slot}+${slot} `)).toBe(true);
    expect(pieces.endsWith(`hole ${LAST_PAGE + 1 - 1024}+512 slice ${LAST_PAGE - 511}+512 `)).toBe(true);
    // 255 empty slots, 511 empty GiB, 511 empty 2 MiB, one table
    expect(pieceCount).toBe(255 + 511 + 511 + 1);
  });

  it("passes over holes for an operation that does not care", () => {
    ensurePteTable(space, SLOT + 512);
    expect(walk<NoteSlices>(space, SLOT, 2048)).toBe(OK);
    expect(pieces).toBe(`slice ${SLOT + 512}+512 `);
  });

  it("stops where an operation says so and returns its status", () => {
    ensurePteTable(space, SLOT);
    ensurePteTable(space, SLOT + 512);
    stopAt = 0;
    expect(walk<Note>(space, SLOT, 2048)).toBe(ENOSPC);
    expect(pieces).toBe(`slice ${SLOT}+512 `);
    pieces = "";
    pieceCount = 0;
    stopAt = 2;
    expect(walk<Note>(space, SLOT, 2048)).toBe(ENOSPC);
    expect(pieces).toBe(`slice ${SLOT}+512 slice ${SLOT + 512}+512 hole ${SLOT + 1024}+512 `);
  });

  it("has no holes when the operation makes tables", () => {
    expect(walk<MakeTables>(space, LAST_OF_SLOT, 514)).toBe(OK);
    expect(pieces).toBe(`slice ${LAST_OF_SLOT}+1 slice ${SLOT}+512 slice ${SLOT + 512}+1 `);
    expect(wrongTables).toBe(0);
    expectConsistent(space);
  });

  it("reports ENOMEM behind the part done when no table can be made", () => {
    exhaustMemory();
    giveBlocks(3);
    const status = walk<MakeTables>(space, SLOT, 1024);
    restoreMemory();
    expect(status).toBe(ENOMEM);
    expect(pieces).toBe(`slice ${SLOT}+512 `);
    expectConsistent(space);
  });

  it("addresses the entries of a slice", () => {
    expect(slotIn(0x10000, SLOT + 513)).toBe(0x10008);
    expect(slotIn(0x10000, LAST_PAGE)).toBe(0x10ff8);
    expect(slotsEnd(0x10008, 511)).toBe(0x11000);
    expect(slotsEnd(0x10008, 0)).toBe(0x10008);
  });

  it("knows a whole table", () => {
    expect(isWholeTable(SLOT, 512)).toBe(true);
    expect(isWholeTable(SLOT, 511)).toBe(false);
    expect(isWholeTable(SLOT + 1, 512)).toBe(false);
  });
});
