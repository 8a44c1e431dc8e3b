/** Where in a trace something was wrong; text formats know a line, binary ones a byte offset. */
export interface TracePosition {
  /** File name as given by the caller; "-" or similar for a pipe. */
  readonly file: string;
  /** Line number, counted from 1. */
  readonly line?: number;
  /** Offset in bytes from the start of the (decompressed) trace, counted from 0. */
  readonly byteOffset?: number;
}

/**
 * A trace that cannot be read. The message is `FILE:LINE: expected …, found "…"` for text,
 * `FILE: byte OFFSET: expected …` for binary formats, and `FILE: expected …` where no position applies.
 */
export class TraceError extends Error {
  readonly file: string;
  readonly line: number | undefined;
  readonly byteOffset: number | undefined;
  /** What should have been there, without the word "expected". */
  readonly expected: string;

  constructor(position: TracePosition, expected: string, found?: string, options?: ErrorOptions) {
    super(messageOf(position, expected, found), options);
    this.name = "TraceError";
    this.file = position.file;
    this.line = position.line;
    this.byteOffset = position.byteOffset;
    this.expected = expected;
  }
}

function messageOf(position: TracePosition, expected: string, found: string | undefined): string {
  const tail = found === undefined ? "" : `, found ${found}`;
  if (position.line !== undefined) return `${position.file}:${position.line}: expected ${expected}${tail}`;
  if (position.byteOffset !== undefined) {
    return `${position.file}: byte ${position.byteOffset}: expected ${expected}${tail}`;
  }
  return `${position.file}: expected ${expected}${tail}`;
}

/** Longest excerpt of a damaged line that a message quotes, in bytes. */
const EXCERPT_BYTES = 80;

/**
 * Quotes the bytes `[start, end)` for a message: printable ASCII as it is, everything else as `\xNN`,
 * cut after 80 bytes.
 */
export function quoteBytes(bytes: Uint8Array, start: number, end: number): string {
  const stop = Math.min(end, start + EXCERPT_BYTES);
  let text = "";
  for (let index = start; index < stop; index++) {
    const byte = bytes[index] as number;
    const isPlain = byte >= 0x20 && byte < 0x7f && byte !== 0x22 && byte !== 0x5c;
    text += isPlain ? String.fromCharCode(byte) : `\\x${byte.toString(16).padStart(2, "0")}`;
  }
  return stop < end ? `"${text}…"` : `"${text}"`;
}
