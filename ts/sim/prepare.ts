import { ACCESS_FETCH, ACCESS_WRITE, type AccessBlock, pageOf } from "../trace/access.js";
import { TraceStore } from "../trace/store.js";
import { type LayoutMapping, RAM_FIRST_PAGE } from "./layout.js";

/** What becomes of a trace before it is replayed. */
export interface PrepareOptions {
  /** Instruction fetches are left out (default), or replayed as reads. */
  readonly fetches?: "skip" | "read";
  /** Pages of guest RAM: each page of the trace becomes the next free one when it is first touched, as a fresh guest hands them out. */
  readonly ramPages?: number;
  /** Accesses that none of these mappings allows are left out. In ascending order, without overlap. */
  readonly mappings?: readonly LayoutMapping[];
}

/** A trace ready to be replayed. */
export interface PreparedTrace {
  readonly store: TraceStore;
  readonly reads: number;
  readonly writes: number;
  /** Fetches that were left out. */
  readonly skippedFetches: number;
  /** Accesses that no mapping allows. */
  readonly skippedOutside: number;
}

/** Records of up to 22 million accesses that differ are kept as they are: encoding and decoding them takes longer than replaying them. */
const PLAIN_BYTES = 2 ** 28;

/** Reads a trace into memory as it will be replayed. @throws what the reader throws; RangeError if the RAM is too small. */
export async function prepareTrace(
  blocks: AsyncIterable<AccessBlock> | Iterable<AccessBlock>,
  options: PrepareOptions = {},
): Promise<PreparedTrace> {
  const store = new TraceStore({ plainBytes: PLAIN_BYTES });
  const rewriter = new Rewriter(options);
  for await (const block of blocks) store.append(rewriter.rewrite(block));
  const { reads, writes, skippedFetches, skippedOutside } = rewriter;
  return { store, reads, writes, skippedFetches, skippedOutside };
}

class Rewriter {
  readonly #keepsFetches: boolean;
  readonly #ramPages: number;
  readonly #mappings: readonly LayoutMapping[] | undefined;
  readonly #guestPages = new Map<number, number>();
  #words = new Uint32Array(0);
  #counts = new Uint32Array(0);
  reads = 0;
  writes = 0;
  skippedFetches = 0;
  skippedOutside = 0;

  constructor(options: PrepareOptions) {
    this.#keepsFetches = options.fetches === "read";
    this.#ramPages = options.ramPages ?? 0;
    this.#mappings = options.mappings;
  }

  /** The block that comes back shares its arrays with the next one. */
  rewrite(block: AccessBlock): AccessBlock {
    if (this.#counts.length < block.length) {
      this.#words = new Uint32Array(2 * block.length);
      this.#counts = new Uint32Array(block.length);
    }
    let length = 0;
    let accesses = 0;
    for (let i = 0; i < block.length; i++) {
      const high = block.words[2 * i + 1] as number;
      const count = block.counts[i] as number;
      if (!this.#isWanted(pageOf(block, i), high, count)) continue;
      this.#put(length++, pageOf(block, i), high, count);
      accesses += count;
    }
    return { words: this.#words, counts: this.#counts, length, accesses };
  }

  #isWanted(page: number, high: number, count: number): boolean {
    if ((high & ACCESS_FETCH) !== 0 && !this.#keepsFetches) {
      this.skippedFetches += count;
      return false;
    }
    if (this.#mappings === undefined || isAllowed(this.#mappings, page, high)) return true;
    this.skippedOutside += count;
    return false;
  }

  #put(index: number, page: number, high: number, count: number): void {
    if ((high & ACCESS_WRITE) !== 0) this.writes += count;
    else this.reads += count;
    const placed = this.#ramPages === 0 ? page : this.#guestPage(page);
    this.#words[2 * index] = placed;
    this.#words[2 * index + 1] = Math.floor(placed / 2 ** 32) | (high & ACCESS_WRITE);
    this.#counts[index] = count;
  }

  #guestPage(page: number): number {
    const known = this.#guestPages.get(page);
    if (known !== undefined) return known;
    if (this.#guestPages.size === this.#ramPages) {
      throw new RangeError(`the trace touches more than the ${this.#ramPages} pages of RAM; give it more with --ram`);
    }
    const next = RAM_FIRST_PAGE + this.#guestPages.size;
    this.#guestPages.set(page, next);
    return next;
  }
}

function isAllowed(mappings: readonly LayoutMapping[], page: number, high: number): boolean {
  let low = 0;
  for (let end = mappings.length; low < end;) {
    const middle = (low + end) >>> 1;
    const mapping = mappings[middle] as LayoutMapping;
    if (mapping.firstPage + mapping.pageCount <= page) low = middle + 1;
    else end = middle;
  }
  const mapping = mappings[low];
  if (mapping === undefined || page < mapping.firstPage) return false;
  return mapping.protection === "rw" || (mapping.protection === "r" && (high & ACCESS_WRITE) === 0);
}
