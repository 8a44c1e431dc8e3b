import { type AccessBlock } from "./access.js";
import { MAX_RECORDS_PER_ACCESS, type ParseContext, reportMalformed, type TraceParser } from "./parser.js";
import { quoteBytes, TraceError } from "./trace-error.js";

/** Longest line that is read, in bytes; anything longer is no trace line. */
const MAX_LINE_BYTES = 65536;

const NEWLINE = 0x0a;
const RETURN = 0x0d;

/** What a text format adds: the meaning of one line. */
export interface LineFormat {
  /**
   * Reads the line that starts at `start` of `bytes` and returns the offset behind its newline. A newline is
   * guaranteed to be there, so stopping at the first unexpected byte also stops at the end of the line.
   */
  readLine(bytes: Uint8Array, start: number, context: ParseContext): number;
}

/** Cuts a byte stream into lines without copying, except for lines that cross a chunk boundary. */
export class LineParser implements TraceParser {
  readonly #format: LineFormat;
  readonly #context: ParseContext;
  /** Start of the line that the previous chunk left unfinished. */
  readonly #carry = new Uint8Array(MAX_LINE_BYTES + 2);
  #carryLength = 0;
  /** True while the rest of an overlong, already reported line is being passed over. */
  #isSkippingLine = false;

  constructor(format: LineFormat, context: ParseContext) {
    this.#format = format;
    this.#context = context;
  }

  *push(chunk: Uint8Array): Iterable<AccessBlock> {
    let start = 0;
    if (this.#carryLength > 0 || this.#isSkippingLine) {
      const newline = chunk.indexOf(NEWLINE);
      start = newline < 0 ? chunk.length : newline + 1;
      yield* this.#continueLine(chunk.subarray(0, start));
    }
    const end = chunk.lastIndexOf(NEWLINE) + 1;
    if (end > start) yield* this.#readLines(chunk, start, end);
    if (chunk.length > Math.max(start, end)) this.#keep(chunk.subarray(Math.max(start, end)));
  }

  *finish(): Iterable<AccessBlock> {
    if (this.#carryLength === 0) return;
    this.#carry[this.#carryLength] = NEWLINE;
    yield* this.#readLines(this.#carry, 0, this.#carryLength + 1);
    this.#carryLength = 0;
  }

  /** Adds `part`, which ends with the next newline if there is one, to the unfinished line. */
  *#continueLine(part: Uint8Array): Iterable<AccessBlock> {
    const isComplete = part[part.length - 1] === NEWLINE;
    if (this.#isSkippingLine) {
      this.#isSkippingLine = !isComplete;
      return;
    }
    if (!this.#keep(part)) {
      this.#isSkippingLine = !isComplete;
      return;
    }
    if (!isComplete) return;
    const end = this.#carryLength;
    this.#carryLength = 0;
    yield* this.#readLines(this.#carry, 0, end);
  }

  /** Appends to the unfinished line; reports the line, drops it and returns false when it gets too long. */
  #keep(part: Uint8Array): boolean {
    const room = MAX_LINE_BYTES - this.#carryLength;
    this.#carry.set(part.subarray(0, room), this.#carryLength);
    const isTooLong = part.length > room && !(part.length === room + 1 && part[room] === NEWLINE);
    if (!isTooLong) {
      this.#carry.set(part.subarray(room), this.#carryLength + room);
      this.#carryLength += part.length;
      return true;
    }
    this.#carryLength = 0;
    this.#isSkippingLine = true;
    this.#context.summary.lines++;
    reportOverlong(this.#carry, 0, this.#context);
    return false;
  }

  *#readLines(bytes: Uint8Array, start: number, end: number): Iterable<AccessBlock> {
    let position = start;
    while (position < end) {
      position = this.#fillBlock(bytes, position, end);
      if (this.#context.builder.room < MAX_RECORDS_PER_ACCESS) yield this.#context.builder.take();
    }
  }

  /** Reads lines until the block is full or the bytes are used up. */
  #fillBlock(bytes: Uint8Array, start: number, end: number): number {
    const { builder, summary } = this.#context;
    const format = this.#format;
    let position = start;
    while (position < end && builder.room >= MAX_RECORDS_PER_ACCESS) {
      summary.lines++;
      position = format.readLine(bytes, position, this.#context);
    }
    return position;
  }
}

/** Returns the offset of the newline that ends the line which starts at `start`, or that of its carriage return. */
export function lineEnd(bytes: Uint8Array, start: number): number {
  const newline = bytes.indexOf(NEWLINE, start);
  return newline > start && bytes[newline - 1] === RETURN ? newline - 1 : newline;
}

/** Passes over a line that holds no access and returns the offset of the next one. */
export function skipLine(bytes: Uint8Array, start: number, context: ParseContext): number {
  const newline = bytes.indexOf(NEWLINE, start);
  if (newline - start > MAX_LINE_BYTES) reportOverlong(bytes, start, context);
  return newline + 1;
}

/** Reports the current line as malformed and returns the offset of the next one. */
export function malformedLine(bytes: Uint8Array, start: number, expected: string, context: ParseContext): number {
  const newline = bytes.indexOf(NEWLINE, start);
  if (newline - start > MAX_LINE_BYTES) reportOverlong(bytes, start, context);
  else reportLine(bytes, start, lineEnd(bytes, start), expected, context);
  return newline + 1;
}

function reportOverlong(bytes: Uint8Array, start: number, context: ParseContext): void {
  reportLine(bytes, start, start + MAX_LINE_BYTES, `a line of at most ${MAX_LINE_BYTES} bytes`, context);
}

function reportLine(bytes: Uint8Array, start: number, end: number, expected: string, context: ParseContext): void {
  const position = { file: context.file, line: context.summary.lines };
  reportMalformed(context, new TraceError(position, expected, quoteBytes(bytes, start, end)));
}

/** Says whether the line that starts at `position` is empty or ends right here, with or without a carriage return. */
export function isLineEnd(bytes: Uint8Array, position: number): boolean {
  const byte = bytes[position];
  return byte === NEWLINE || (byte === RETURN && bytes[position + 1] === NEWLINE);
}
