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

/** A trace that several threads read: what `postMessage` takes, without copying the trace itself. */
export interface SharedTrace {
  readonly bytes: SharedArrayBuffer;
  /** Of each block: where its payload ends in `bytes`, its records, its accesses. */
  readonly blocks: Float64Array;
}

const BLOCK_WORDS = 3;

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

  /** Returns the trace that `share` of a store in another thread has given. */
  static fromShared({ bytes, blocks }: SharedTrace): TraceStore {
    const store = new TraceStore();
    let start = 0;
    for (let i = 0; i < blocks.length; i += BLOCK_WORDS) {
      const [end = 0, records = 0, accesses = 0] = blocks.subarray(i, i + BLOCK_WORDS);
      store.#add({ payload: new Uint8Array(bytes, start, end - start), records, accesses });
      start = end;
    }
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
    this.#add({ payload: encodeBlock(block), records: block.length, accesses: block.accesses });
  }

  /** Moves the trace to memory that other threads can read, once and for all of them. Appending afterwards does not change what they have. */
  share(): SharedTrace {
    const bytes = new SharedArrayBuffer(this.#bytes);
    const blocks = new Float64Array(BLOCK_WORDS * this.#blocks.length);
    let start = 0;
    this.#blocks.forEach(({ payload, records, accesses }, i) => {
      const moved = new Uint8Array(bytes, start, payload.length);
      moved.set(payload);
      start += payload.length;
      blocks.set([start, records, accesses], BLOCK_WORDS * i);
      this.#blocks[i] = { payload: moved, records, accesses };
    });
    return { bytes, blocks };
  }

  #add(block: StoredBlock): void {
    this.#blocks.push(block);
    this.#records += block.records;
    this.#accesses += block.accesses;
    this.#bytes += block.payload.length;
    this.#largestBlock = Math.max(this.#largestBlock, block.records);
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
