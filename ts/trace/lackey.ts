import { HexReader } from "./hex.js";
import { isLineEnd, type LineFormat, malformedLine, skipLine } from "./lines.js";
import { addAccess, FETCH, MAX_ACCESS_BYTES, type ParseContext, READ, WRITE } from "./parser.js";

/** The first three bytes of a line as one number. */
const HEAD_FETCH = 0x492020; // "I  "
const HEAD_LOAD = 0x204c20; // " L "
const HEAD_STORE = 0x205320; // " S "
const HEAD_MODIFY = 0x204d20; // " M "

const COMMA = 0x2c;
const NEWLINE = 0x0a;
/** Decimal digits of MAX_ACCESS_BYTES. */
const MAX_SIZE_DIGITS = 5;

const NOT_AN_ACCESS = -1;

const EXPECTED =
  'a lackey line such as "I  0401ab70,3" or " S 1fff000768,8" (output of the traced program mixed in? ' +
  "give valgrind --log-file=FILE, or --log-fd=9 9>FILE, or read with --lenient)";

/**
 * `valgrind --tool=lackey --trace-mem=yes`: one line per instruction fetch (I), load (L), store (S) and modify (M,
 * a load and a store by one instruction). A modify is a write: the store decides what happens to the page.
 */
export class LackeyFormat implements LineFormat {
  readonly #hex = new HexReader();

  readLine(bytes: Uint8Array, start: number, context: ParseContext): number {
    const kind = kindAt(bytes, start);
    if (kind === NOT_AN_ACCESS) return skipRemark(bytes, start, context);
    const hex = this.#hex;
    let position = hex.read(bytes, start + 3);
    if (position < 0 || bytes[position] !== COMMA) return malformedLine(bytes, start, EXPECTED, context);
    const sizeLimit = position + MAX_SIZE_DIGITS;
    let sizeBytes = 0;
    let digit = (bytes[++position] as number) - 0x30;
    while (digit >= 0 && digit <= 9 && position <= sizeLimit) {
      sizeBytes = sizeBytes * 10 + digit;
      digit = (bytes[++position] as number) - 0x30;
    }
    const isSize = sizeBytes >= 1 && sizeBytes <= MAX_ACCESS_BYTES;
    if (!isSize || !isLineEnd(bytes, position)) return malformedLine(bytes, start, EXPECTED, context);
    addAccess(context, hex.high, hex.low, sizeBytes, kind);
    return position + (bytes[position] === NEWLINE ? 1 : 2);
  }
}

function kindAt(bytes: Uint8Array, start: number): number {
  const head = ((bytes[start] as number) << 16) | ((bytes[start + 1] as number) << 8) | (bytes[start + 2] as number);
  if (head === HEAD_FETCH) return FETCH;
  if (head === HEAD_LOAD) return READ;
  if (head === HEAD_STORE || head === HEAD_MODIFY) return WRITE;
  return NOT_AN_ACCESS;
}

/** Passes over blank lines, on request what the program has printed, and valgrind's own lines, which start with "==", "--" or "**" and its process id. */
function skipRemark(bytes: Uint8Array, start: number, context: ParseContext): number {
  const first = bytes[start] as number;
  const isMark = first === 0x3d || first === 0x2d || first === 0x2a;
  if ((isMark && bytes[start + 1] === first) || isLineEnd(bytes, start)) return skipLine(bytes, start, context);
  if (context.onProgramOutput === "fail") return malformedLine(bytes, start, EXPECTED, context);
  context.summary.programLines++;
  return skipLine(bytes, start, context);
}
