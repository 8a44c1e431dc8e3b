import { HexReader } from "./hex.js";
import { isLineEnd, lineEnd, type LineFormat, malformedLine, skipLine } from "./lines.js";
import { addAccess, type ParseContext } from "./parser.js";

const EXPECTED =
  'a line of "perf script -F comm,tid,time,event,addr" such as "ls 16032 17.336359: page-faults: 55ff2a5795c0"';

const EXPECTED_ADDRESS =
  'the data address: run "perf script -F comm,tid,time,event,addr" (without -F it prints a count, the event and the ' +
  "instruction pointer instead)";

const BLANK = 0x20;
const COLON = 0x3a;
const HASH = 0x23;
const DOT = 0x2e;
const SLASH = 0x2f;
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;

/**
 * `perf script` of a page-faults recording: `COMM PID[/TID] [CPU] TIME: [EVENT:] ADDRESS …`, blanks between the
 * fields. Command names may hold blanks, so the line is understood from its time stamp, the first `digits.digits:`
 * that follows a thread id. perf does not say whether a fault read or wrote; `kind` is what to make of it.
 */
export class PerfFormat implements LineFormat {
  readonly #hex = new HexReader();
  readonly #kind: number;

  constructor(kind: number) {
    this.#kind = kind;
  }

  readLine(bytes: Uint8Array, start: number, context: ParseContext): number {
    if (bytes[start] === HASH || isLineEnd(bytes, start)) return skipLine(bytes, start, context);
    const end = lineEnd(bytes, start);
    const time = findTimeEnd(bytes, start, end);
    if (time < 0) return malformedLine(bytes, start, EXPECTED, context);
    const first = skipBlanks(bytes, time + 1);
    const firstEnd = tokenEnd(bytes, first, end);
    const isEvent = bytes[firstEnd - 1] === COLON;
    const address = isEvent ? skipBlanks(bytes, firstEnd) : first;
    const addressEnd = this.#hex.read(bytes, address);
    if (addressEnd < 0 || tokenEnd(bytes, address, end) !== addressEnd) {
      return malformedLine(bytes, start, EXPECTED, context);
    }
    if (!isEvent && isFollowedByEvent(bytes, addressEnd, end)) {
      return malformedLine(bytes, start, EXPECTED_ADDRESS, context);
    }
    addAccess(context, this.#hex.high, this.#hex.low, 1, this.#kind);
    return skipLine(bytes, start, context);
  }
}

/** Returns the offset of the colon that ends the time stamp, or -1. */
function findTimeEnd(bytes: Uint8Array, start: number, end: number): number {
  for (let colon = start; colon < end; colon++) {
    if (bytes[colon] === COLON && isTimeBefore(bytes, start, colon)) return colon;
  }
  return -1;
}

/** Says whether the bytes before `colon` are `TID [CPU] seconds.fraction`, the CPU being optional. */
function isTimeBefore(bytes: Uint8Array, start: number, colon: number): boolean {
  const dot = digitsBefore(bytes, start, colon);
  if (dot === colon || bytes[dot - 1] !== DOT) return false;
  const seconds = digitsBefore(bytes, start, dot - 1);
  if (seconds === dot - 1) return false;
  let position = blanksBefore(bytes, start, seconds);
  if (position === seconds) return false;
  if (bytes[position - 1] === CLOSE_BRACKET) {
    const cpu = digitsBefore(bytes, start, position - 1);
    if (bytes[cpu - 1] !== OPEN_BRACKET) return false;
    position = blanksBefore(bytes, start, cpu - 1);
  }
  const thread = digitsBefore(bytes, start, position);
  const before = bytes[thread - 1];
  return thread < position && thread > start && (before === BLANK || before === SLASH);
}

/** Returns the start of the digits that end before `position`. */
function digitsBefore(bytes: Uint8Array, start: number, position: number): number {
  let at = position;
  while (at > start && isDigit(bytes[at - 1] as number)) at--;
  return at;
}

function blanksBefore(bytes: Uint8Array, start: number, position: number): number {
  let at = position;
  while (at > start && bytes[at - 1] === BLANK) at--;
  return at;
}

function isDigit(byte: number): boolean {
  return byte >= 0x30 && byte <= 0x39;
}

function skipBlanks(bytes: Uint8Array, position: number): number {
  let at = position;
  while (bytes[at] === BLANK) at++;
  return at;
}

function tokenEnd(bytes: Uint8Array, position: number, end: number): number {
  let at = position;
  while (at < end && bytes[at] !== BLANK) at++;
  return at;
}

/** Says whether the next field ends with a colon, as an event does: the field before it is then an event count. */
function isFollowedByEvent(bytes: Uint8Array, position: number, end: number): boolean {
  return bytes[tokenEnd(bytes, skipBlanks(bytes, position), end) - 1] === COLON;
}
