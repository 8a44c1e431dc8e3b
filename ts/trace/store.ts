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

/** Settings of a store. */
export interface TraceStoreOptions {
  /** Bytes of records that are kept as they are, 12 each, before others are encoded: they take no time to be decoded. 0 by default. */
  readonly plainBytes?: number;
}

/** Records encoded as in a trace file. */
interface EncodedBlock {
  readonly payload: Uint8Array;
  readonly records: number;
  readonly accesses: number;
}

/** Records as they are. */
type StoredBlock = EncodedBlock | AccessBlock;

/** A trace that several threads read: what `postMessage` takes, without copying the trace itself. */
export type SharedTrace = readonly StoredBlock[];

/**
 * A whole trace in memory, encoded like a trace file (one to two bytes per record) or, up to a limit, as it is, so that it can be replayed
 * often and even when it came through a pipe.
 */
export class TraceStore {
  readonly #plainBytes: number;
  readonly #blocks: StoredBlock[] = [];
  #records = 0;
  #accesses = 0;
  #bytes = 0;
  #largestBlock = 0;

  constructor({ plainBytes = 0 }: TraceStoreOptions = {}) {
    this.#plainBytes = plainBytes;
  }

  /** Reads everything the reader has left. Throws what the reader throws. */
  static async read(reader: TraceReader): Promise<TraceStore> {
    const store = new TraceStore();
    for await (const block of reader) store.append(block);
    return store;
  }

  /** Returns the trace that `share` of a store in another thread has given. */
  static fromShared(blocks: SharedTrace): TraceStore {
    const store = new TraceStore();
    for (const block of blocks) store.#add(block);
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

  /** Bytes of the trace held in memory. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Adds a copy of the block's accesses at the end. */
  append(block: AccessBlock): void {
    const { length, accesses } = block;
    if (length === 0) return;
    const isPlain = this.#bytes + PLAIN_RECORD_BYTES * length <= this.#plainBytes;
    this.#add(isPlain ? copyOf(block) : { payload: encodeBlock(block), records: length, accesses });
  }

  /** Moves the trace to memory that other threads can read, once and for all of them. Appending afterwards does not change what they have. */
  share(): SharedTrace {
    this.#blocks.forEach((block, i) => (this.#blocks[i] = sharedBlock(block)));
    return [...this.#blocks];
  }

  #add(block: StoredBlock): void {
    this.#blocks.push(block);
    this.#accesses += block.accesses;
    if ("payload" in block) {
      this.#records += block.records;
      this.#bytes += block.payload.length;
      this.#largestBlock = Math.max(this.#largestBlock, block.records);
    } else {
      this.#records += block.length;
      this.#bytes += PLAIN_RECORD_BYTES * block.length;
    }
  }

  /**
   * Yields the blocks as they were appended, decoding each that is encoded when it is asked for. One iteration uses the same arrays
   * for all its blocks, so a block is valid until the next one, and is not to be changed; several iterations do not disturb each other.
   */
  *blocks(): Generator<AccessBlock, void, undefined> {
    const buffers = createBuffers(this.#largestBlock);
    for (const block of this.#blocks) {
      yield "payload" in block ? decodeBlock(block.payload, block.records, buffers) : block;
    }
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

/** Two words and a count. */
const PLAIN_RECORD_BYTES = 12;

function copyOf({ words, counts, length, accesses }: AccessBlock): AccessBlock {
  return { words: copied(words.subarray(0, 2 * length)), counts: copied(counts.subarray(0, length)), length, accesses };
}

/** In memory that threads can share, where there is such: not in browsers without cross-origin isolation. */
function copied(numbers: Uint32Array): Uint32Array {
  return typeof SharedArrayBuffer === "undefined" ? numbers.slice() : toShared(numbers, Uint32Array);
}

/** What is plain is there already. */
function sharedBlock(block: StoredBlock): StoredBlock {
  if (!("payload" in block) || block.payload.buffer instanceof SharedArrayBuffer) return block;
  return { ...block, payload: toShared(block.payload, Uint8Array) };
}

function toShared<Numbers extends Uint8Array | Uint32Array>(
  numbers: Numbers,
  kind: new (buffer: SharedArrayBuffer) => Numbers,
): Numbers {
  const moved = new kind(new SharedArrayBuffer(numbers.byteLength));
  moved.set(numbers);
  return moved;
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
