import type { Faults } from "./faults.js";

/** What the rows ask of plain JavaScript: one range of pages in one address space. `index` counts pages from its start. */
export interface Twin {
  readonly faults: Faults;
  /** Entries that are write-protected now, those of pages in swap not included. */
  readonly protectedPages: number;
  /** Write-protects the whole range and leaves markers in entries that are none. */
  protect(): void;
  /** Removes write protection; pages become writable again. */
  unprotect(): void;
  /** Makes an entry that is none a marker. */
  mark(index: number): void;
  /** Puts a page in swap whose entry is none. */
  swapOut(index: number): void;
  /** Returns where runs of written pages start and end, alternately. */
  scan(): number[];
  /** Replays access records; a write-protect fault is answered by unprotecting the page. */
  replay(records: Uint32Array, value: number): void;
}

export type MakeTwin = (firstPage: number, pages: number) => Twin;
