/** Flags of a touched page. */
export const PAGE_READ = 1;
export const PAGE_WRITTEN = 2;
export const PAGE_FETCHED = 4;

/** Pages of a trace, in ascending order, each with what was done to it. */
export interface TouchedPages {
  /** Page numbers, ascending. */
  readonly pages: Float64Array;
  /** PAGE_READ, PAGE_WRITTEN and PAGE_FETCHED, or-ed, for the page at the same index. */
  readonly flags: Uint8Array;
}

const EMPTY = -1;

const INITIAL_SLOTS = 1024;

/** A set of page numbers with flags: open addressing in typed arrays, as a Map would be the slowest part of a scan. */
export class PageSet {
  #pages = new Float64Array(INITIAL_SLOTS).fill(EMPTY);
  #flags = new Uint8Array(INITIAL_SLOTS);
  #size = 0;

  /** Number of distinct pages. */
  get size(): number {
    return this.#size;
  }

  /** Adds `flags` to those of `page`, an integer in [0, 2^53). */
  add(page: number, flags: number): void {
    const slot = this.#slotOf(page);
    if (this.#pages[slot] === EMPTY) {
      this.#pages[slot] = page;
      this.#size++;
    }
    this.#flags[slot] = (this.#flags[slot] as number) | flags;
    if (this.#size * 2 > this.#pages.length) this.#grow();
  }

  /** Returns the pages that have any of the `wanted` flags, sorted. */
  sorted(wanted: number): TouchedPages {
    const found = this.#pages.filter((page, slot) => page !== EMPTY && ((this.#flags[slot] as number) & wanted) !== 0);
    const pages = found.sort();
    return { pages, flags: Uint8Array.from(pages, (page) => this.#flags[this.#slotOf(page)] as number) };
  }

  /** Returns the slot that holds `page`, or the free one where it belongs. */
  #slotOf(page: number): number {
    const mask = this.#pages.length - 1;
    let slot = hash(page) & mask;
    while (this.#pages[slot] !== page && this.#pages[slot] !== EMPTY) slot = (slot + 1) & mask;
    return slot;
  }

  #grow(): void {
    const pages = this.#pages;
    const flags = this.#flags;
    this.#pages = new Float64Array(2 * pages.length).fill(EMPTY);
    this.#flags = new Uint8Array(2 * pages.length);
    pages.forEach((page, old) => {
      if (page === EMPTY) return;
      const slot = this.#slotOf(page);
      this.#pages[slot] = page;
      this.#flags[slot] = flags[old] as number;
    });
  }
}

/** Mixes the low and the high bits; neighbouring pages land in neighbouring slots, which suits the cache. */
function hash(page: number): number {
  return (page | 0) ^ (Math.floor(page / 2 ** 32) * 0x9e3779b1);
}
