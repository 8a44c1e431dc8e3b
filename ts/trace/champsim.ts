import { type AccessBlock } from "./access.js";
import {
  addAccess,
  FETCH,
  MAX_RECORDS_PER_ACCESS,
  type ParseContext,
  READ,
  reportMalformed,
  type TraceParser,
  WRITE,
} from "./parser.js";
import { TraceError } from "./trace-error.js";

/**
 * One instruction, little-endian:
 *
 * ```
 *  0        8          9      10       12       16              32             64
 * ┌────────┬──────────┬──────┬────────┬────────┬───────────────┬──────────────┐
 * │ ip u64 │is_branch │taken │dst regs│src regs│ stores u64[2] │ loads u64[4] │
 * └────────┴──────────┴──────┴────────┴────────┴───────────────┴──────────────┘
 * ```
 */
export const CHAMPSIM_RECORD_BYTES = 64;

const IS_BRANCH_OFFSET = 8;
const TAKEN_OFFSET = 9;
const STORES_OFFSET = 16;
const LOADS_OFFSET = 32;

/** The format has no access size; most data accesses of the traced 64-bit programs are of one word. */
const ASSUMED_ACCESS_BYTES = 8;

/** One fetch, four loads, two stores, each on two pages at most; less than one access of the largest size. */
const MAX_RECORDS_PER_INSTRUCTION = Math.max(14, MAX_RECORDS_PER_ACCESS);

/** Reads ChampSim's 64-byte instruction records: the fetch, then the loads, then the stores. A 0 is an unused slot. */
export class ChampsimParser implements TraceParser {
  readonly #context: ParseContext;
  readonly #carry = new Uint8Array(CHAMPSIM_RECORD_BYTES);
  #carryLength = 0;

  constructor(context: ParseContext) {
    this.#context = context;
  }

  *push(chunk: Uint8Array): Iterable<AccessBlock> {
    let start = 0;
    if (this.#carryLength > 0) {
      start = Math.min(CHAMPSIM_RECORD_BYTES - this.#carryLength, chunk.length);
      this.#keep(chunk.subarray(0, start));
      if (this.#carryLength < CHAMPSIM_RECORD_BYTES) return;
      yield* this.#readRecords(this.#carry);
      this.#carryLength = 0;
    }
    const wholeBytes = (chunk.length - start) & -CHAMPSIM_RECORD_BYTES;
    yield* this.#readRecords(chunk.subarray(start, start + wholeBytes));
    this.#keep(chunk.subarray(start + wholeBytes));
  }

  /** Yields nothing: the last block stays in the builder. */
  *finish(): Iterable<AccessBlock> {
    if (this.#carryLength === 0) return;
    const found = `${this.#carryLength} bytes at the end`;
    this.#reportAtRecord(this.#context.summary.lines, `records of ${CHAMPSIM_RECORD_BYTES} bytes`, found);
  }

  #keep(part: Uint8Array): void {
    this.#carry.set(part, this.#carryLength);
    this.#carryLength += part.length;
  }

  *#readRecords(bytes: Uint8Array): Iterable<AccessBlock> {
    const { builder, summary } = this.#context;
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    for (let offset = 0; offset < bytes.length; offset += CHAMPSIM_RECORD_BYTES) {
      this.#readRecord(view, offset);
      summary.lines++;
      if (builder.room < MAX_RECORDS_PER_INSTRUCTION) yield builder.take();
    }
  }

  #readRecord(view: DataView, offset: number): void {
    if (view.getUint8(offset + IS_BRANCH_OFFSET) > 1 || view.getUint8(offset + TAKEN_OFFSET) > 1) {
      const expected = "0 or 1 in is_branch and branch_taken (only ChampSim's 64-byte records are read)";
      this.#reportAtRecord(this.#context.summary.lines, expected, undefined);
      return;
    }
    this.#addSlot(view, offset, 1, FETCH);
    for (let slot = LOADS_OFFSET; slot < CHAMPSIM_RECORD_BYTES; slot += 8) {
      this.#addSlot(view, offset + slot, ASSUMED_ACCESS_BYTES, READ);
    }
    for (let slot = STORES_OFFSET; slot < LOADS_OFFSET; slot += 8) {
      this.#addSlot(view, offset + slot, ASSUMED_ACCESS_BYTES, WRITE);
    }
  }

  #addSlot(view: DataView, offset: number, sizeBytes: number, kind: number): void {
    const low = view.getInt32(offset, true);
    const high = view.getInt32(offset + 4, true);
    if ((low | high) !== 0) addAccess(this.#context, high, low, sizeBytes, kind);
  }

  #reportAtRecord(record: number, expected: string, found: string | undefined): void {
    const position = { file: this.#context.file, byteOffset: record * CHAMPSIM_RECORD_BYTES };
    reportMalformed(this.#context, new TraceError(position, expected, found));
  }
}
