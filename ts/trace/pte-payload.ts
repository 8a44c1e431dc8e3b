import { ACCESS_FETCH, ACCESS_PAGE_HIGH_MASK, ACCESS_WRITE, type AccessBlock, TRACE_PAGE_LIMIT } from "./access.js";

/**
 * The payload of a block, one to twelve bytes per record:
 *
 * ```
 *  7   6 5   4 3           0
 * ┌─────┬─────┬─────────────┐
 * │kind │count│    slot     │ [count - 4, varint, iff the count field is 3] [page, varint, iff slot is 15]
 * └─────┴─────┴─────────────┘
 * kind   0 read, 1 write, 2 instruction fetch, 3 not used
 * count  0, 1, 2: one, two, three accesses; 3: four or more
 * slot   0 to 14: the page introduced last, the one before it, and so on; 15: a page not among those, which is hereby
 *        introduced; it is given by its distance from the page introduced last, zigzag coded
 * ```
 *
 * Programs move to and fro between a few pages (code, stack, the data at hand), which is why most records are one
 * byte. Counting slots from the newest makes a loop that does the same things to other pages nearly the same bytes,
 * which general compressors then find. Every block starts with no page introduced (the first distance is from 0), so
 * blocks can be decoded alone.
 */
const RECENT_SLOTS = 15;

/** Entries of the ring that holds the recent pages; a power of two, one more than the slots. */
const RING_SIZE = 16;

/** Slot number that announces a page. */
const SLOT_NEW_PAGE = 15;

/** Count field that announces a count; also the largest count without one. */
const COUNT_FOLLOWS = 3;

const KIND_READ = 0;
const KIND_WRITE = 1;
const KIND_FETCH = 2;

/** Largest payload of one record: token, count in 5 bytes, page distance in 6. */
export const MAX_RECORD_BYTES = 12;

const MAX_COUNT = 0xffffffff;

/** A payload that does not follow the format; `offset` is where, in bytes from its start. */
export class PayloadError extends Error {
  readonly offset: number;
  readonly expected: string;

  constructor(offset: number, expected: string) {
    super(`payload byte ${offset}: expected ${expected}`);
    this.name = "PayloadError";
    this.offset = offset;
    this.expected = expected;
  }
}

/** Where decoded records are put. */
export interface BlockBuffers {
  readonly words: Uint32Array;
  readonly counts: Uint32Array;
}

/** Makes room for blocks of up to `records` records. */
export function createBuffers(records: number): BlockBuffers {
  return { words: new Uint32Array(2 * records), counts: new Uint32Array(records) };
}

/** The encoder's memory of the pages introduced last. */
class RecentPages {
  readonly #ring = new Float64Array(RING_SIZE).fill(-1);
  #newest = 0;

  /** The page introduced last; 0 before the first. */
  lastPage = 0;

  introduce(page: number): void {
    this.#newest = (this.#newest + 1) % RING_SIZE;
    this.#ring[this.#newest] = page;
    this.lastPage = page;
  }

  /** Returns the slot of `page`, or SLOT_NEW_PAGE. */
  slotOf(page: number): number {
    const ring = this.#ring;
    let slot = 0;
    while (slot < RECENT_SLOTS && ring[(this.#newest - slot) & (RING_SIZE - 1)] !== page) slot++;
    return slot;
  }
}

/** Returns the payload of a block. Every page must be below 2^35 and every count at least 1. */
export function encodeBlock(block: AccessBlock): Uint8Array {
  const out = new Uint8Array(block.length * MAX_RECORD_BYTES);
  const recent = new RecentPages();
  let position = 0;
  for (let index = 0; index < block.length; index++) {
    const high = block.words[2 * index + 1] as number;
    const page = (high & ACCESS_PAGE_HIGH_MASK) * 2 ** 32 + (block.words[2 * index] as number);
    const count = block.counts[index] as number;
    const slot = recent.slotOf(page);
    out[position++] = (kindOf(high) << 6) | (Math.min(count - 1, COUNT_FOLLOWS) << 4) | slot;
    if (count > COUNT_FOLLOWS) position = writeVarint(out, position, count - COUNT_FOLLOWS - 1);
    if (slot !== SLOT_NEW_PAGE) continue;
    position = writeVarint(out, position, zigzag(page - recent.lastPage));
    recent.introduce(page);
  }
  return out.slice(0, position);
}

function kindOf(high: number): number {
  if ((high & ACCESS_WRITE) !== 0) return KIND_WRITE;
  return (high & ACCESS_FETCH) !== 0 ? KIND_FETCH : KIND_READ;
}

/** Maps 0, -1, 1, -2, … to 0, 1, 2, 3, … by arithmetic: the distance has up to 36 bits. */
function zigzag(distance: number): number {
  return distance < 0 ? -2 * distance - 1 : 2 * distance;
}

function writeVarint(out: Uint8Array, start: number, value: number): number {
  let rest = value;
  let position = start;
  while (rest >= 128) {
    out[position++] = (rest % 128) + 128;
    rest = Math.floor(rest / 128);
  }
  out[position++] = rest;
  return position;
}

/**
 * Decodes a payload of `records` records into `into`, which must have room for them, and returns the block, whose
 * arrays are those of `into`.
 *
 * @throws PayloadError when the payload breaks a rule, is too short or too long; nothing outside `into` is touched.
 */
export function decodeBlock(payload: Uint8Array, records: number, into: BlockBuffers): AccessBlock {
  const decoder = new PayloadDecoder(payload, into);
  for (let index = 0; index < records; index++) decoder.decodeRecord(index);
  return decoder.finish(records);
}

/** Word with the kind's flag, by kind field. */
const FLAGS_OF_KIND = [0, ACCESS_WRITE, ACCESS_FETCH] as const;

/** Marks a ring entry that no page was put into yet; no page has such high bits. */
const NO_PAGE = 0xffffffff;

class PayloadDecoder {
  readonly #payload: Uint8Array;
  readonly #words: Uint32Array;
  readonly #counts: Uint32Array;
  readonly #ringLow = new Uint32Array(RING_SIZE);
  /** High bits of the page, or NO_PAGE. */
  readonly #ringHigh = new Uint32Array(RING_SIZE).fill(NO_PAGE);
  /** Where in the ring the page introduced last is. */
  #newest = 0;
  #lastPage = 0;
  #position = 0;
  #accesses = 0;

  constructor(payload: Uint8Array, into: BlockBuffers) {
    this.#payload = payload;
    this.#words = into.words;
    this.#counts = into.counts;
  }

  decodeRecord(index: number): void {
    const start = this.#position;
    if (start >= this.#payload.length) throw new PayloadError(start, "another record");
    const token = this.#payload[start] as number;
    this.#position = start + 1;
    const kind = token >>> 6;
    if (kind > KIND_FETCH) throw new PayloadError(start, "an access kind of 0, 1 or 2");
    const countField = (token >>> 4) & 3;
    const count = countField < COUNT_FOLLOWS ? countField + 1 : this.#readCount();
    let slot = token & 15;
    if (slot === SLOT_NEW_PAGE) {
      this.#readPage();
      slot = 0;
    }
    const entry = (this.#newest - slot) & (RING_SIZE - 1);
    const high = this.#ringHigh[entry] as number;
    if (high === NO_PAGE) throw new PayloadError(start, "a slot that holds a page");
    this.#words[2 * index] = this.#ringLow[entry] as number;
    this.#words[2 * index + 1] = high + (FLAGS_OF_KIND[kind] as number);
    this.#counts[index] = count;
    this.#accesses += count;
  }

  /** Checks that everything was used and returns the block. */
  finish(records: number): AccessBlock {
    if (this.#position < this.#payload.length) throw new PayloadError(this.#position, "the end of the payload");
    return { words: this.#words, counts: this.#counts, length: records, accesses: this.#accesses };
  }

  #readCount(): number {
    const start = this.#position;
    const count = this.#readVarint(5) + COUNT_FOLLOWS + 1;
    if (count > MAX_COUNT) throw new PayloadError(start, "a count below 2^32");
    return count;
  }

  /** Reads a page and introduces it. */
  #readPage(): void {
    const start = this.#position;
    const coded = this.#readVarint(6);
    const distance = coded % 2 === 0 ? coded / 2 : -(coded + 1) / 2;
    const page = this.#lastPage + distance;
    if (page < 0 || page >= TRACE_PAGE_LIMIT) throw new PayloadError(start, "a page number in [0, 2^35)");
    this.#lastPage = page;
    this.#newest = (this.#newest + 1) % RING_SIZE;
    this.#ringLow[this.#newest] = page;
    this.#ringHigh[this.#newest] = Math.floor(page / 2 ** 32);
  }

  /** Reads seven bits per byte, the lowest first, from at most `maxBytes` bytes; sums, since 32 bits are not enough. */
  #readVarint(maxBytes: number): number {
    const start = this.#position;
    let value = 0;
    let scale = 1;
    for (let index = 0; index < maxBytes; index++) {
      const byte = this.#payload[start + index];
      if (byte === undefined) throw new PayloadError(start, "a complete number");
      value += (byte & 0x7f) * scale;
      scale *= 128;
      if (byte < 0x80) {
        this.#position = start + index + 1;
        return value;
      }
    }
    throw new PayloadError(start, `a number of at most ${maxBytes} bytes`);
  }
}
