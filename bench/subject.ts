import { PAGE_SIZE } from "../ts/base/pages.js";
import type { Counters } from "../ts/engine/counters.js";
import { AccessBuffer } from "../ts/engine/access-buffer.js";
import { type Engine, type EngineOptions, SCAN_REGION_NUMBERS } from "../ts/engine/engine.js";
import { AddressSpace } from "../ts/mm/address-space.js";
import { Machine } from "../ts/mm/machine.js";
import { ACCESS_WRITE } from "../ts/trace/access.js";
import { Userfaultfd } from "../ts/uffd/userfaultfd.js";
import { expectEqual } from "./harness.js";

/** Where the range is mapped: 16 TiB. */
export const FIRST_PAGE: number = 2 ** 32;
/** Room for regions, as the kernel's caller and C's have it: more than 1 % of a million pages at random are. */
const MAX_REGIONS = 2 ** 14;
/** What writes store. */
export const VALUE = 1;

/** "templates": page tables whose entries are all equal are shared; "materialised": every table is there. */
export type Tables = "templates" | "materialised";

/** Makes an engine; a fresh one has memory that nobody has touched. */
export type MakeEngine = (tables: Tables) => Engine;

/** Turns the engine's own way of making engines into one that knows how tables are to be. */
export function engineMaker(make: (options: EngineOptions) => Engine): MakeEngine {
  return (tables) => make({ materialize: tables === "materialised" });
}

export interface SubjectOptions {
  readonly firstPage?: number;
  /** Who answers write-protect faults: the kernel, or whoever reads the messages. */
  readonly faults?: "sync" | "async";
  readonly swapPages?: number;
}

/** An address space with one registered range: what all rows do something with. */
export class Subject {
  readonly space: AddressSpace;
  readonly firstPage: number;
  readonly pages: number;
  readonly #uffd: Userfaultfd;
  readonly #regions = new Float64Array(MAX_REGIONS * SCAN_REGION_NUMBERS);

  constructor(engine: Engine, pages: number, options: SubjectOptions = {}) {
    const { firstPage = FIRST_PAGE, faults = "sync", swapPages = 0 } = options;
    this.firstPage = firstPage;
    this.pages = pages;
    this.space = new AddressSpace(engine, swapPages > 0 ? { machine: new Machine(engine, { swapPages }) } : {});
    this.space.mmap({ at: firstPage * PAGE_SIZE, length: pages * PAGE_SIZE });
    const features = faults === "sync" ? (["wp-unpopulated"] as const) : (["wp-unpopulated", "wp-async"] as const);
    this.#uffd = Userfaultfd.open(this.space, { features: [...features] });
    this.#uffd.register(firstPage * PAGE_SIZE, pages * PAGE_SIZE, ["wp"]);
  }

  protect(index = 0, pages: number = this.pages): void {
    this.#uffd.writeProtect((this.firstPage + index) * PAGE_SIZE, pages * PAGE_SIZE);
  }

  unprotect(): void {
    this.#uffd.removeWriteProtection(this.firstPage * PAGE_SIZE, this.pages * PAGE_SIZE);
  }

  advise(advice: "populate-read" | "populate-write" | "pageout"): void {
    this.space.madvise(this.firstPage * PAGE_SIZE, this.pages * PAGE_SIZE, advice);
  }

  /** Accesses some pages, in their order. */
  access(indexes: readonly number[], kind: "read" | "write"): void {
    this.replay(recordsFor(this.firstPage, indexes, kind));
  }

  replay(records: Uint32Array | AccessBuffer): void {
    const { done } = this.space.replay(records, { value: VALUE, wp: "unprotect", records: "count" });
    expectEqual(done, records instanceof AccessBuffer ? records.length : records.length / 2, "accesses replayed");
  }

  /** Returns the regions of written pages as PAGEMAP_SCAN gives them: three numbers each, the first two being pages. */
  scanWritten(): Float64Array {
    const start = this.firstPage * PAGE_SIZE;
    return this.space.pagemapScan({
      start,
      end: start + this.pages * PAGE_SIZE,
      vector: this.#regions,
      mask: ["written"],
      return: ["written"],
    }).raw;
  }

  counters(): Counters {
    return this.space.counters();
  }

  /** Pages that pagemap calls write-protected. */
  protectedPages(): number {
    const words = new Uint32Array(this.space.pagemap(this.firstPage * PAGE_SIZE, this.pages).buffer);
    let found = 0;
    for (let high = 1; high < words.length; high += 2) found += ((words[high] as number) >>> PAGEMAP_WP_BIT_HIGH) & 1;
    return found;
  }

  /** The same of a few pages of a range that is too long to be read out. */
  expectSampled(isProtected: boolean): void {
    for (const share of [0, 1 / 3, 0.5, 0.9]) {
      const page = this.firstPage + Math.floor(share * this.pages);
      const word = this.space.pagemap(page * PAGE_SIZE, 1)[0] ?? 0n;
      expectEqual(Number((word >> PAGEMAP_WP_BIT) & 1n), isProtected ? 1 : 0, `protection of page ${page}`);
    }
  }

  dispose(): void {
    this.space.dispose();
  }
}

const PAGEMAP_WP_BIT = 57n;
const PAGEMAP_WP_BIT_HIGH = 25;

/** Places records in an engine's memory, where it replays them as the other sides do theirs: where they are. */
export function placed(engine: Engine, records: Uint32Array): AccessBuffer {
  const buffer = engine.createAccessBuffer(records.length / 2);
  buffer.words.set(records);
  return buffer;
}

/** Makes access records for pages of a range. */
export function recordsFor(firstPage: number, indexes: Iterable<number>, kind: "read" | "write"): Uint32Array {
  const list = [...indexes];
  const records = new Uint32Array(2 * list.length);
  list.forEach((index, i) => {
    const page = firstPage + index;
    records[2 * i] = page;
    records[2 * i + 1] = Math.floor(page / 2 ** 32) | (kind === "write" ? ACCESS_WRITE : 0);
  });
  return records;
}

/** Makes the records of a write to every page, in order. */
export function writeAll(firstPage: number, pages: number): Uint32Array {
  return recordsFor(firstPage, Array(pages).keys(), "write");
}
