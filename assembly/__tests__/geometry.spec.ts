import "./support/heap";
import {
  ENTRIES_PER_TABLE,
  ENTRY_BYTES,
  entryOffset,
  firstPageOfEntry,
  nextEntryPage,
  PGD_SHIFT,
  PMD_SHIFT,
  PTE_SHIFT,
  PUD_SHIFT,
  TABLE_BYTES,
} from "../geometry";

/** Page of the address whose four indices are 1, 2, 3 and 4. */
const PAGE_1_2_3_4: u64 = ((1 * 512 + 2) * 512 + 3) * 512 + 4;
const LAST_PAGE: u64 = 0x7ffffffff;

describe("geometry", () => {
  it("has tables of 512 entries of 8 bytes in 4 KiB", () => {
    expect(ENTRIES_PER_TABLE * ENTRY_BYTES).toBe(4096);
    expect(TABLE_BYTES).toBe(4096);
  });

  it("spans 4 KiB, 2 MiB, 1 GiB and 512 GiB with an entry of each level", () => {
    expect((<u64>4096) << PTE_SHIFT).toBe(4096);
    expect((<u64>4096) << PMD_SHIFT).toBe(2 * 1024 * 1024);
    expect((<u64>4096) << PUD_SHIFT).toBe(1024 * 1024 * 1024);
    expect((<u64>4096) << PGD_SHIFT).toBe(<u64>512 * 1024 * 1024 * 1024);
  });

  it("takes the index at each level from its own nine bits", () => {
    expect(entryOffset(PAGE_1_2_3_4, PGD_SHIFT)).toBe(1 * 8);
    expect(entryOffset(PAGE_1_2_3_4, PUD_SHIFT)).toBe(2 * 8);
    expect(entryOffset(PAGE_1_2_3_4, PMD_SHIFT)).toBe(3 * 8);
    expect(entryOffset(PAGE_1_2_3_4, PTE_SHIFT)).toBe(4 * 8);
  });

  it("puts the last user page into entry 255 of the PGD and entry 511 of the rest", () => {
    expect(entryOffset(LAST_PAGE, PGD_SHIFT)).toBe(255 * 8);
    expect(entryOffset(LAST_PAGE, PUD_SHIFT)).toBe(511 * 8);
    expect(entryOffset(LAST_PAGE, PMD_SHIFT)).toBe(511 * 8);
    expect(entryOffset(LAST_PAGE, PTE_SHIFT)).toBe(511 * 8);
  });

  it("finds the next entry from the first, a middle and the last page of an entry", () => {
    expect(nextEntryPage(512, PMD_SHIFT)).toBe(1024);
    expect(nextEntryPage(700, PMD_SHIFT)).toBe(1024);
    expect(nextEntryPage(1023, PMD_SHIFT)).toBe(1024);
    expect(nextEntryPage(7, PTE_SHIFT)).toBe(8);
    expect(nextEntryPage(LAST_PAGE, PUD_SHIFT)).toBe(0x800000000);
    expect(nextEntryPage(LAST_PAGE, PGD_SHIFT)).toBe(0x800000000);
  });

  it("finds the first page of an entry from its first, a middle and its last page", () => {
    expect(firstPageOfEntry(512, PMD_SHIFT)).toBe(512);
    expect(firstPageOfEntry(700, PMD_SHIFT)).toBe(512);
    expect(firstPageOfEntry(1023, PMD_SHIFT)).toBe(512);
    expect(firstPageOfEntry(LAST_PAGE, PUD_SHIFT)).toBe(0x7fffc0000);
    expect(firstPageOfEntry(LAST_PAGE, PGD_SHIFT)).toBe(0x7f8000000);
    expect(firstPageOfEntry(LAST_PAGE, PTE_SHIFT)).toBe(LAST_PAGE);
  });
});
