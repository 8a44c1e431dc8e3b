/**
 * The engine's work in plain JavaScript, as somebody who knows typed arrays would write it: real 4-level tables with 64-bit entries as pairs of
 * 32-bit words in one Int32Array, no BigInt, no objects in the loops. It is what the benchmarks compare with, and as exact as they need.
 */
const PRESENT = 1;
const WRITABLE = 2;
const DIRTY = 0x40;
const SPECIAL = 0x200;
const UFFD_WP = 0x400;
const SAVED_DIRTY_HIGH = 1 << 26; // bit 58
const PAGE_LOW = 0x67;
const ZERO_PAGE_LOW = 0x225;
const NO_EXECUTE_HIGH = 0x80000000 | 0;
const MARKER_LOW = 0xfffffc00 | 0;
const MARKER_HIGH = -1;
const WORDS_PER_TABLE = 1024;

/** One address space in plain JavaScript. Tables are numbered from 1; an upper entry holds the number of a table, or 0. */
export class TwinSpace {
  #words: Int32Array;
  #tables = 1;
  readonly #pgd: number;
  #contents: Float64Array;
  #frames = 1;
  wpFaults = 0;

  constructor(tables: number, frames: number) {
    this.#words = new Int32Array(tables * WORDS_PER_TABLE);
    this.#contents = new Float64Array(frames);
    this.#pgd = this.#newTable();
  }

  /** Write-protects a range and leaves markers in entries that are none. */
  protect(firstPage: number, pageCount: number): void {
    for (let page = firstPage; page < firstPage + pageCount;) {
      const end = Math.min(firstPage + pageCount, (Math.floor(page / 512) + 1) * 512);
      const slot = this.#slot(page);
      protectSlots(this.#words, slot, slot + (end - page) * 2);
      page = end;
    }
  }

  /** Removes write protection; pages become writable again. */
  unprotect(firstPage: number, pageCount: number): void {
    for (let page = firstPage; page < firstPage + pageCount;) {
      const end = Math.min(firstPage + pageCount, (Math.floor(page / 512) + 1) * 512);
      const slot = this.#slot(page);
      unprotectSlots(this.#words, slot, slot + (end - page) * 2);
      page = end;
    }
  }

  /** Accesses every page once. */
  populate(firstPage: number, pageCount: number, write: 0 | 1): void {
    for (let page = firstPage; page < firstPage + pageCount; page++) this.#access(page, write, 0);
  }

  /** Replays access records; write-protect faults unprotect the page. */
  replay(records: Uint32Array, value: number): void {
    for (let i = 0; i < records.length; i += 2) {
      const high = records[i + 1] as number;
      this.#access((records[i] as number) + (high & 7) * 2 ** 32, (high >>> 31) as 0 | 1, value);
    }
  }

  /** Counts entries by what they are, to prove that the work was done. */
  count(firstPage: number, pageCount: number): { markers: number; protected: number; writable: number } {
    const counts = { markers: 0, protected: 0, writable: 0 };
    for (let page = firstPage; page < firstPage + pageCount; page++) {
      const low = this.#words[this.#slot(page)] as number;
      if (low === MARKER_LOW) counts.markers++;
      else if ((low & UFFD_WP) !== 0) counts.protected++;
      else if ((low & WRITABLE) !== 0) counts.writable++;
    }
    return counts;
  }

  #access(page: number, write: 0 | 1, value: number): void {
    const slot = this.#slot(page);
    const needed = PRESENT | (write * WRITABLE);
    while (((this.#words[slot] as number) & needed) !== needed) this.#fault(slot, write);
    if (write !== 0) this.#contents[this.#frameAt(slot)] = value;
  }

  #fault(slot: number, write: 0 | 1): void {
    const low = this.#words[slot] as number;
    if ((low & PRESENT) === 0) {
      const isMarked = low === MARKER_LOW;
      const entry = write !== 0 ? PAGE_LOW : ZERO_PAGE_LOW;
      const frame = write !== 0 ? this.#frames++ : 0;
      const isDirty = isMarked && write !== 0;
      this.#store(
        slot,
        isMarked ? (entry & ~(WRITABLE | DIRTY)) | UFFD_WP : entry,
        frame,
        isDirty ? SAVED_DIRTY_HIGH : 0,
      );
      return;
    }
    if ((low & UFFD_WP) !== 0) this.wpFaults++;
    this.#store(slot, PAGE_LOW, (low & SPECIAL) !== 0 ? this.#frames++ : this.#frameAt(slot), 0);
  }

  #store(slot: number, flags: number, frame: number, high: number): void {
    this.#words[slot] = flags | (frame << 12);
    this.#words[slot + 1] = (frame >>> 20) | high | NO_EXECUTE_HIGH;
  }

  #frameAt(slot: number): number {
    return ((this.#words[slot] as number) >>> 12) | (((this.#words[slot + 1] as number) & 0x3ff) << 20);
  }

  #slot(page: number): number {
    const low = page % 2 ** 27;
    const pud = this.#child(this.#pgd * WORDS_PER_TABLE + Math.floor(page / 2 ** 27) * 2);
    const pmd = this.#child(pud * WORDS_PER_TABLE + (low >>> 18) * 2);
    const pte = this.#child(pmd * WORDS_PER_TABLE + ((low >>> 9) & 511) * 2);
    return pte * WORDS_PER_TABLE + (low & 511) * 2;
  }

  #child(slot: number): number {
    const table = this.#words[slot] as number;
    if (table !== 0) return table;
    const fresh = this.#newTable();
    this.#words[slot] = fresh;
    return fresh;
  }

  #newTable(): number {
    return this.#tables++;
  }
}

function protectSlots(words: Int32Array, first: number, end: number): void {
  for (let slot = first; slot < end; slot += 2) {
    const low = words[slot] as number;
    const high = words[slot + 1] as number;
    if ((low & 0x101) !== 0) {
      words[slot] = (low & ~(WRITABLE | DIRTY)) | UFFD_WP;
      if ((low & DIRTY) !== 0) words[slot + 1] = high | SAVED_DIRTY_HIGH;
    } else if ((low & ~0x60) === 0 && high === 0) {
      words[slot] = MARKER_LOW;
      words[slot + 1] = MARKER_HIGH;
    }
  }
}

function unprotectSlots(words: Int32Array, first: number, end: number): void {
  for (let slot = first; slot < end; slot += 2) {
    const low = words[slot] as number;
    const high = words[slot + 1] as number;
    if ((low & PRESENT) !== 0) {
      const writable = (low & SPECIAL) !== 0 ? 0 : WRITABLE | ((high & SAVED_DIRTY_HIGH) !== 0 ? DIRTY : 0);
      words[slot] = (low & ~UFFD_WP) | writable;
      words[slot + 1] = high & ~SAVED_DIRTY_HIGH;
    } else if (low === MARKER_LOW && high === MARKER_HIGH) {
      words[slot] = 0;
      words[slot + 1] = 0;
    }
  }
}
