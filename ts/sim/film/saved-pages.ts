import type { AddressSpace } from "../../mm/address-space.js";
import type { Layout } from "../layout.js";

/** Who saved a page. */
export type SavedBy = "copier" | "fault";

/** A page whose saved content is not what it held at the snapshot. */
export interface InconsistentPage {
  readonly page: number;
  /** What it held at the snapshot, and what was saved. */
  readonly expected: number;
  readonly saved: number;
  /** When it was first written after the snapshot, and when it was saved, in nanoseconds since the snapshot. */
  readonly writtenNs: number;
  readonly savedNs: number;
  readonly why: string;
}

/** Whether the snapshot is one: told by comparing contents, not by trusting anybody. */
export interface Verdict {
  /** Pages that have been saved so far. */
  readonly saved: number;
  readonly inconsistent: number;
  /** The first of them that were saved. */
  readonly first: readonly InconsistentPage[];
}

/** What has become of the pages of a part of a guest's memory, as numbers of pages in this order; `wrong` ones have been saved, but not as they were. */
export const SAVED_STATES = ["unsaved", "copier", "fault", "wrong"] as const;

/** Bits 57 and 63 of a word of /proc/PID/pagemap, as they are in its upper half. */
const UFFD_WP_HIGH = 1 << 25;
const PRESENT_HIGH = 1 << 31;
const LISTED = 20;
const [BY_NOBODY, BY_COPIER, BY_FAULT, WRONG] = [0, 1, 2, 3];
const LOW_WORDS = 2 ** 32;

/** What each page of a guest held at the snapshot, whether it was protected then, when it was first written, and what was saved of it. */
export class SavedPages {
  readonly #mappings: readonly { readonly firstPage: number; readonly pageCount: number; readonly index: number }[];
  readonly #truth: Float64Array;
  readonly #armed: Uint8Array;
  readonly #existed: Uint8Array;
  readonly #by: Uint8Array;
  /** Who has saved a page, or that it is wrong: numbers of SAVED_STATES. */
  readonly #state: Uint8Array;
  readonly #writtenNs: Float64Array;
  readonly #first: InconsistentPage[] = [];
  #inconsistent = 0;
  #byCopier = 0;
  #byFault = 0;
  #dirty = 0;

  /** Takes down what a guest's memory holds now, which is the moment of the snapshot. */
  constructor(space: AddressSpace, layout: Layout) {
    let pages = 0;
    this.#mappings = layout.mappings.map(({ firstPage, pageCount }) => {
      const index = pages;
      pages += pageCount;
      return { firstPage, pageCount, index };
    });
    this.#truth = new Float64Array(pages);
    this.#armed = new Uint8Array(pages);
    this.#existed = new Uint8Array(pages);
    this.#by = new Uint8Array(pages);
    this.#state = new Uint8Array(pages);
    this.#writtenNs = new Float64Array(pages).fill(NaN);
    this.#noteFlag(space, PRESENT_HIGH, this.#existed);
    for (const { firstPage, pageCount, index } of this.#mappings) {
      const contents = contentsOf(space, firstPage, pageCount);
      for (let i = 0; i < pageCount; i++) this.#truth[index + i] = contents(i);
    }
  }

  /** Notes what is protected now, after arming. */
  noteArmed(space: AddressSpace): void {
    this.#noteFlag(space, UFFD_WP_HIGH, this.#armed);
  }

  /** Pages of the guest. */
  get pages(): number {
    return this.#by.length;
  }

  get byCopier(): number {
    return this.#byCopier;
  }

  get byFault(): number {
    return this.#byFault;
  }

  /** Pages that were written since the snapshot. */
  get dirty(): number {
    return this.#dirty;
  }

  get verdict(): Verdict {
    return { saved: this.#byCopier + this.#byFault, inconsistent: this.#inconsistent, first: [...this.#first] };
  }

  /** Tells who saved a page, or null if nobody has yet. */
  savedBy(page: number): SavedBy | null {
    const by = this.#by[this.#indexOf(page)];
    if (by === BY_COPIER) return "copier";
    return by === BY_FAULT ? "fault" : null;
  }

  /**
   * Cuts the guest's memory into `parts` of equal length and counts the pages of each by what has become of them: one number for each of
   * SAVED_STATES, part after part.
   */
  countParts(parts: number): Uint32Array {
    const counts = new Uint32Array(parts * SAVED_STATES.length);
    const { length } = this.#state;
    for (let part = 0; part < parts; part++) {
      const end = Math.floor(((part + 1) * length) / parts);
      for (let i = Math.floor((part * length) / parts); i < end; i++) {
        const at = part * SAVED_STATES.length + (this.#state[i] as number);
        counts[at] = (counts[at] as number) + 1;
      }
    }
    return counts;
  }

  /** Tells whether the page existed at the snapshot, before the tracker did anything. */
  existed(page: number): boolean {
    return this.#existed[this.#indexOf(page)] === 1;
  }

  /** Notes a write. */
  noteWrite(page: number, ns: number): void {
    const index = this.#indexOf(page);
    if (!Number.isNaN(this.#writtenNs[index])) return;
    this.#writtenNs[index] = ns;
    this.#dirty++;
  }

  /** Pages of a range that nobody has saved yet. */
  unsavedIn(firstPage: number, count: number): number {
    const index = this.#indexOf(firstPage);
    let unsaved = 0;
    for (let i = index; i < index + count; i++) if (this.#by[i] === BY_NOBODY) unsaved++;
    return unsaved;
  }

  /** Saves what the pages of a range hold now, but for those that have been saved. */
  saveRange(space: AddressSpace, firstPage: number, count: number, ns: number): void {
    const index = this.#indexOf(firstPage);
    const contents = contentsOf(space, firstPage, count);
    for (let i = 0; i < count; i++) {
      if (this.#by[index + i] !== BY_NOBODY) continue;
      this.#by[index + i] = BY_COPIER;
      this.#byCopier++;
      this.#compare(firstPage + i, index + i, contents(i), ns);
    }
  }

  /** Saves what a page held when a write to it faulted. */
  saveFaulted(page: number, content: number, ns: number): void {
    const index = this.#indexOf(page);
    if (this.#by[index] !== BY_NOBODY) return;
    this.#by[index] = BY_FAULT;
    this.#byFault++;
    this.#compare(page, index, content, ns);
  }

  #noteFlag(space: AddressSpace, flag: number, into: Uint8Array): void {
    for (const { firstPage, pageCount, index } of this.#mappings) {
      const words = new Uint32Array(space.engine.readPagemap(space.handle, firstPage, pageCount).buffer);
      for (let i = 0; i < pageCount; i++) into[index + i] = ((words[2 * i + 1] as number) & flag) !== 0 ? 1 : 0;
    }
  }

  #compare(page: number, index: number, saved: number, savedNs: number): void {
    const expected = this.#truth[index] as number;
    this.#state[index] = saved === expected ? (this.#by[index] as number) : WRONG;
    if (saved === expected) return;
    this.#inconsistent++;
    if (this.#first.length >= LISTED) return;
    const writtenNs = this.#writtenNs[index] as number;
    this.#first.push({ page, expected, saved, writtenNs, savedNs, why: this.#why(index) });
  }

  #why(index: number): string {
    if (this.#armed[index] === 1) return "the page was protected, and was saved after it had changed";
    if (this.#existed[index] === 1) return "the page was not protected, so nobody was told of the write";
    return "the page did not exist when the tracker armed: there was no entry to protect, so nobody was told of the write";
  }

  #indexOf(page: number): number {
    const { length } = this.#mappings;
    let low = 0;
    for (let high = length - 1; low < high;) {
      const middle = Math.ceil((low + high) / 2);
      if ((this.#mappings[middle]?.firstPage ?? Infinity) <= page) low = middle;
      else high = middle - 1;
    }
    const mapping = this.#mappings[low];
    if (mapping === undefined || page < mapping.firstPage || page >= mapping.firstPage + mapping.pageCount) {
      throw new RangeError(`"page" expected a page of the guest, got ${page}`);
    }
    return mapping.index + (page - mapping.firstPage);
  }
}

function contentsOf(space: AddressSpace, firstPage: number, count: number): (i: number) => number {
  const words = new Uint32Array(space.engine.readContents(space.handle, firstPage, count).buffer);
  return (i) => (words[2 * i] as number) + (words[2 * i + 1] as number) * LOW_WORDS;
}
