import { type AccessBlock } from "./access.js";
import { crc32 } from "./crc32.js";
import { type ParseContext, type TraceParser } from "./parser.js";
import {
  BLOCK_CRC_OFFSET,
  BLOCK_HEAD_BYTES,
  BLOCK_TAG,
  blockCrc,
  END_BYTES,
  END_CRC_OFFSET,
  END_TAG,
  MAX_BLOCK_RECORDS,
  MAX_HEADER_BYTES,
  PREAMBLE_BYTES,
  PTE_MAGIC,
  PTE_VERSION,
  type TraceHeader,
} from "./pte-format.js";
import { type BlockBuffers, createBuffers, decodeBlock, MAX_RECORD_BYTES, PayloadError } from "./pte-payload.js";
import { quoteBytes, TraceError } from "./trace-error.js";

/** What the buffered bytes are the start of. */
type State = "preamble" | "header" | "blockHead" | "block" | "end" | "done";

/**
 * Reads the own format. Every structure is gathered in one buffer first; the buffer grows only after the lengths in
 * front of it were found to be within the format's limits. Being lenient makes no difference here: what a checksum
 * rejects cannot be skipped without losing accesses unseen.
 */
export class PteParser implements TraceParser {
  readonly #context: ParseContext;
  #bytes = new Uint8Array(BLOCK_HEAD_BYTES + 65536);
  /** Bytes gathered of the current structure, and bytes it needs. */
  #have = 0;
  #need = PREAMBLE_BYTES;
  #state: State = "preamble";
  /** Offset of the current structure in the file. */
  #offset = 0;
  #buffers: BlockBuffers = createBuffers(0);
  #blocks = 0;
  #accesses = 0;

  constructor(context: ParseContext) {
    this.#context = context;
  }

  *push(chunk: Uint8Array): Iterable<AccessBlock> {
    let position = 0;
    while (position < chunk.length) {
      if (this.#state === "done") throw this.#error(0, "the end of the file after the end block");
      const part = chunk.subarray(position, position + this.#need - this.#have);
      this.#bytes.set(part, this.#have);
      this.#have += part.length;
      position += part.length;
      if (this.#have < this.#need) return;
      const block = this.#step();
      if (block !== undefined) yield block;
    }
  }

  /** Yields nothing: blocks are yielded when they are complete. */
  *finish(): Iterable<AccessBlock> {
    if (this.#state === "done") return;
    throw this.#error(this.#have, `${this.#need - this.#have} more bytes (${this.#what()})`, "the end of the file");
  }

  /** Handles the complete structure in the buffer; returns a block when it was one. */
  #step(): AccessBlock | undefined {
    if (this.#state === "block") return this.#readBlock();
    if (this.#state === "preamble") this.#readPreamble();
    else if (this.#state === "header") this.#readHeader();
    else if (this.#state === "blockHead") this.#readBlockHead();
    else this.#readEnd();
    return undefined;
  }

  #readPreamble(): void {
    if (!PTE_MAGIC.every((byte, index) => this.#bytes[index] === byte)) {
      throw this.#error(0, "the magic bytes of a .pte-trace file", quoteBytes(this.#bytes, 0, PTE_MAGIC.length));
    }
    const version = this.#uint32(8);
    if (version !== PTE_VERSION) throw this.#error(8, `format version ${PTE_VERSION}`, String(version));
    const jsonBytes = this.#uint32(12);
    if (jsonBytes > MAX_HEADER_BYTES) {
      throw this.#error(12, `a header of at most ${MAX_HEADER_BYTES} bytes`, String(jsonBytes));
    }
    this.#await("header", PREAMBLE_BYTES + jsonBytes + 4);
  }

  #readHeader(): void {
    const crcOffset = this.#need - 4;
    this.#checkCrc(crcOffset, crc32(this.#bytes, 0, crcOffset));
    this.#context.summary.header = this.#parseHeader(crcOffset);
    this.#next("blockHead", BLOCK_HEAD_BYTES);
  }

  #parseHeader(end: number): TraceHeader {
    try {
      const text = new TextDecoder("utf-8", { fatal: true }).decode(this.#bytes.subarray(PREAMBLE_BYTES, end));
      const header: unknown = JSON.parse(text);
      if (typeof header === "object" && header !== null && !Array.isArray(header)) return header;
    } catch {
      // the error below says where
    }
    throw this.#error(PREAMBLE_BYTES, "a JSON object as header");
  }

  #readBlockHead(): void {
    const tag = this.#uint32(0);
    if (tag === END_TAG) {
      this.#await("end", END_BYTES);
      return;
    }
    if (tag !== BLOCK_TAG) throw this.#error(0, 'the tag "PBLK" or "PEND"', quoteBytes(this.#bytes, 0, 4));
    const records = this.#uint32(4);
    if (records < 1 || records > MAX_BLOCK_RECORDS) {
      throw this.#error(4, `1 to ${MAX_BLOCK_RECORDS} records`, String(records));
    }
    const payloadBytes = this.#uint32(16);
    if (payloadBytes < records || payloadBytes > records * MAX_RECORD_BYTES) {
      throw this.#error(16, `${records} to ${records * MAX_RECORD_BYTES} bytes of payload`, String(payloadBytes));
    }
    this.#await("block", BLOCK_HEAD_BYTES + payloadBytes);
  }

  #readBlock(): AccessBlock {
    this.#checkCrc(BLOCK_CRC_OFFSET, blockCrc(this.#bytes, this.#need));
    const records = this.#uint32(4);
    if (this.#buffers.counts.length < records) this.#buffers = createBuffers(records);
    const block = this.#decode(records);
    if (block.accesses !== this.#uint64(8)) {
      throw this.#error(8, `${block.accesses} accesses, as the records have`, String(this.#uint64(8)));
    }
    this.#blocks++;
    this.#accesses += block.accesses;
    this.#context.summary.lines += records;
    this.#next("blockHead", BLOCK_HEAD_BYTES);
    return block;
  }

  #decode(records: number): AccessBlock {
    try {
      return decodeBlock(this.#bytes.subarray(BLOCK_HEAD_BYTES, this.#need), records, this.#buffers);
    } catch (error) {
      if (error instanceof PayloadError) throw this.#error(BLOCK_HEAD_BYTES + error.offset, error.expected);
      throw error;
    }
  }

  #readEnd(): void {
    this.#checkCrc(END_CRC_OFFSET, crc32(this.#bytes, 0, END_CRC_OFFSET));
    this.#checkTotal(4, this.#uint32(4), this.#blocks, "blocks");
    this.#checkTotal(8, this.#uint64(8), this.#context.summary.lines, "records");
    this.#checkTotal(16, this.#uint64(16), this.#accesses, "accesses");
    this.#next("done", 0);
  }

  #checkTotal(offset: number, stated: number, seen: number, what: string): void {
    if (stated !== seen) throw this.#error(offset, `${seen} ${what} in total, as the file has`, String(stated));
  }

  #checkCrc(offset: number, actual: number): void {
    const stated = this.#uint32(offset);
    if (stated !== actual) throw this.#error(offset, `the checksum ${hex32(actual)}`, hex32(stated));
  }

  /** Goes on gathering the same structure, now that its length is known. */
  #await(state: State, need: number): void {
    this.#state = state;
    this.#need = need;
    if (need <= this.#bytes.length) return;
    const larger = new Uint8Array(need);
    larger.set(this.#bytes.subarray(0, this.#have));
    this.#bytes = larger;
  }

  /** Starts the next structure. */
  #next(state: State, need: number): void {
    this.#offset += this.#have;
    this.#have = 0;
    this.#state = state;
    this.#need = need;
  }

  #uint32(offset: number): number {
    return new DataView(this.#bytes.buffer).getUint32(offset, true);
  }

  #uint64(offset: number): number {
    return this.#uint32(offset + 4) * 2 ** 32 + this.#uint32(offset);
  }

  #what(): string {
    if (this.#state === "preamble" || this.#state === "header") return "header";
    return this.#state === "end" ? "end block" : `block ${this.#blocks + 1}`;
  }

  #error(offset: number, expected: string, found?: string): TraceError {
    const where = this.#state === "block" || this.#state === "blockHead" ? ` in block ${this.#blocks + 1}` : "";
    return new TraceError({ file: this.#context.file, byteOffset: this.#offset + offset }, expected + where, found);
  }
}

function hex32(value: number): string {
  return `0x${value.toString(16).padStart(8, "0")}`;
}
