import { describeEntry, type PageEntry } from "../../engine/entry.js";
import { entryOf } from "../../engine/page-walk.js";
import type { AddressSpace } from "../../mm/address-space.js";

/** A change of the entry of a page during a film. */
export interface FilmChange {
  /** When, in nanoseconds since the snapshot; what is done before it ends has 0. */
  readonly timeNs: number;
  readonly before: PageEntry;
  readonly after: PageEntry;
  /** The states, in words. */
  readonly what: string;
  readonly cause: string;
}

/** Watches the entry of one page. */
export class PageWatch {
  readonly page: number;
  readonly changes: FilmChange[] = [];
  #last: PageEntry = { entry: 0n, level: "pgd" };

  constructor(page: number) {
    this.page = page;
  }

  /** Notes what `cause` has changed since the last look. */
  look(space: AddressSpace, timeNs: number, cause: string): void {
    const [before, after] = [this.#last, entryOf(space.engine, space.handle, this.page)];
    this.#last = after;
    if (before.entry === after.entry) return;
    this.changes.push({ timeNs, before, after, what: `${describeEntry(before)} → ${describeEntry(after)}`, cause });
  }
}
