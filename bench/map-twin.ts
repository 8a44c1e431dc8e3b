import { type Faults, NO_FAULTS } from "./faults.js";
import type { Twin } from "./twin-model.js";

/** Bits of an entry; the frame number is above them. A marker is WP alone, a page in swap is SWAPPED. */
const PRESENT = 1;
const WRITABLE = 2;
const ZERO_PAGE = 4;
const WP = 8;
const SWAPPED = 16;
const FRAME_SHIFT = 5;

/** The engine's work over a Map from page number to entry, which is what comes to mind first. Entries are small integers, not objects. */
export class MapTwin implements Twin {
  readonly #firstPage: number;
  readonly #pages: number;
  readonly #entries = new Map<number, number>();
  readonly #contents: Float64Array;
  #frames = 1;
  faults: Faults = { ...NO_FAULTS };

  constructor(firstPage: number, pages: number) {
    this.#firstPage = firstPage;
    this.#pages = pages;
    this.#contents = new Float64Array(pages + 1);
  }

  protect(): void {
    const entries = this.#entries;
    for (let page = this.#firstPage; page < this.#firstPage + this.#pages; page++) {
      const entry = entries.get(page) ?? 0;
      entries.set(page, (entry & ~WRITABLE) | WP);
    }
  }

  unprotect(): void {
    const entries = this.#entries;
    for (let page = this.#firstPage; page < this.#firstPage + this.#pages; page++) {
      const entry = entries.get(page);
      if (entry === undefined) continue;
      if (entry === WP) entries.delete(page);
      else entries.set(page, (entry & ~WP) | ((entry & (PRESENT | ZERO_PAGE)) === PRESENT ? WRITABLE : 0));
    }
  }

  mark(index: number): void {
    this.#entries.set(this.#firstPage + index, WP);
  }

  swapOut(index: number): void {
    this.#entries.set(this.#firstPage + index, SWAPPED);
  }

  get protectedPages(): number {
    let count = 0;
    for (const entry of this.#entries.values()) if ((entry & WP) !== 0 && (entry & SWAPPED) === 0) count++;
    return count;
  }

  scan(): number[] {
    const edges: number[] = [];
    let wasWritten = false;
    for (let index = 0; index < this.#pages; index++) {
      const isWritten = ((this.#entries.get(this.#firstPage + index) ?? 0) & WP) === 0;
      if (isWritten !== wasWritten) edges.push(index);
      wasWritten = isWritten;
    }
    if (wasWritten) edges.push(this.#pages);
    return edges;
  }

  replay(records: Uint32Array, value: number): void {
    for (let i = 0; i < records.length; i += 2) {
      const high = records[i + 1] as number;
      const page = (records[i] as number) + (high & 7) * 2 ** 32;
      const entry = this.#entries.get(page) ?? 0;
      if (high >>> 31 !== 0) this.#write(page, entry, value);
      else if ((entry & PRESENT) === 0) this.#mapZeroPage(page, entry);
    }
  }

  #mapZeroPage(page: number, entry: number): void {
    this.faults.zeroPage++;
    this.#entries.set(page, PRESENT | ZERO_PAGE | (entry & WP));
  }

  #write(page: number, entry: number, value: number): void {
    let frame = entry >>> FRAME_SHIFT;
    if ((entry & WRITABLE) === 0) {
      if ((entry & WP) !== 0) this.faults.wp++;
      if ((entry & PRESENT) === 0) this.faults.allocate++;
      else if ((entry & ZERO_PAGE) !== 0) this.faults.copy++;
      if (frame === 0) frame = this.#frames++;
      this.#entries.set(page, (frame << FRAME_SHIFT) | PRESENT | WRITABLE);
    }
    this.#contents[frame] = value;
  }
}
