import { ACCESS_FETCH, ACCESS_WRITE, type AccessBlock, pageOf } from "./access.js";
import { PAGE_FETCHED, PAGE_READ, PAGE_WRITTEN, PageSet, type TouchedPages } from "./page-set.js";
import { createBuffers, decodeBlock, encodeBlock } from "./pte-payload.js";
import { type TraceReader } from "./reader.js";

export { PAGE_FETCHED, PAGE_READ, PAGE_WRITTEN, type TouchedPages } from "./page-set.js";

/** Which pages `touchedPages` returns. */
export interface TouchedPagesOptions {
  /** Position of the first access looked at, counted from 0; 0 by default. */
  readonly firstAccess?: number;
  /** Position behind the last access looked at; the end of the trace by default. */
  readonly endAccess?: number;
  /** "all" (default), "data" (pages read or written) or "written". */
  readonly include?: "all" | "data" | "written";
}

const WANTED_FLAGS = {
  all: PAGE_READ | PAGE_WRITTEN | PAGE_FETCHED,
  data: PAGE_READ | PAGE_WRITTEN,
  written: PAGE_WRITTEN,
} as const;

interface StoredBlock {
  readonly payload: Uint8Array;
  readonly records: number;
  readonly accesses: number;
}

/**
 * A whole trace in memory, encoded like a trace file (one to two bytes per record), so that it can be replayed
 * often and even when it came through a pipe.
 */
export class TraceStore {
  readonly #blocks: StoredBlock[] = [];
  #records = 0;
  #accesses = 0;
  #bytes = 0;
  #largestBlock = 0;

  /** Reads everything the reader has left. Throws what the reader throws. */
  static async read(reader: TraceReader): Promise<TraceStore> {
    const store = new TraceStore();
    for await (const block of reader) store.append(block);
    return store;
  }

  /** Number of records; see AccessBlock. */
  get records(): number {
    return this.#records;
  }

  /** Number of page accesses. */
  get accesses(): number {
    return this.#accesses;
  }

  /** Bytes of encoded trace held in memory. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Adds a copy of the block's accesses at the end. */
  append(block: AccessBlock): void {
    if (block.length === 0) return;
    const payload = encodeBlock(block);
    this.#blocks.push({ payload, records: block.length, accesses: block.accesses });
    this.#records += block.length;
    this.#accesses += block.accesses;
    this.#bytes += payload.length;
    this.#largestBlock = Math.max(this.#largestBlock, block.length);
  }

  /**
   * Yields the blocks as they were appended, decoding each when it is asked for. One iteration uses the same arrays
   * for all its blocks, so a block is valid until the next one; several iterations do not disturb each other.
   */
  *blocks(): Generator<AccessBlock, void, undefined> {
    const buffers = createBuffers(this.#largestBlock);
    for (const { payload, records } of this.#blocks) yield decodeBlock(payload, records, buffers);
  }

  /**
   * Returns the distinct pages touched by the accesses in [firstAccess, endAccess), in ascending order. The flags
   * tell everything that was done to a page in that range, whatever `include` asks for.
   */
  touchedPages(options: TouchedPagesOptions = {}): TouchedPages {
    const first = options.firstAccess ?? 0;
    const end = options.endAccess ?? this.#accesses;
    const set = new PageSet();
    let position = 0;
    if (end <= first) return set.sorted(WANTED_FLAGS.all);
    for (const block of this.blocks()) {
      if (position < end && position + block.accesses > first) addRange(set, block, first - position, end - position);
      position += block.accesses;
    }
    return set.sorted(WANTED_FLAGS[options.include ?? "all"]);
  }
}

/** Adds the pages of the accesses at positions [first, end) of the block; both may lie outside it. */
function addRange(set: PageSet, block: AccessBlock, first: number, end: number): void {
  let position = 0;
  for (let index = 0; index < block.length && position < end; index++) {
    const next = position + (block.counts[index] as number);
    if (next > first) set.add(pageOf(block, index), flagsOf(block.words[2 * index + 1] as number));
    position = next;
  }
}

function flagsOf(high: number): number {
  if ((high & ACCESS_WRITE) !== 0) return PAGE_WRITTEN;
  return (high & ACCESS_FETCH) !== 0 ? PAGE_FETCHED : PAGE_READ;
}
