import { HexReader } from "./hex.js";
import { isLineEnd, lineEnd, type LineFormat, malformedLine, skipLine } from "./lines.js";
import { addAccess, FETCH, type ParseContext, READ, WRITE } from "./parser.js";

const EXPECTED =
  'an ftrace line such as "ls-16284 [000] d.... 1155.290151: page_fault_user: address=0x7ff02ddea000 ' +
  'ip=0x561846949f5c error_code=0x7"';

const EXPECTED_COMPLETE = "a complete trace (the kernel lost events here: raise buffer_size_kb or trace less)";

const HASH = 0x23;
const BLANK = 0x20;
const ZERO = 0x30;
const LETTER_X = 0x78;

/** Bits of the x86 page-fault error code, arch/x86/include/asm/trap_pf.h. */
const ERROR_CODE_WRITE = 1 << 1;
const ERROR_CODE_FETCH = 1 << 4;

const USER_EVENT = asciiBytes("page_fault_user:");
const KERNEL_EVENT = asciiBytes("page_fault_kernel:");
const ADDRESS = asciiBytes("address=");
const ERROR_CODE = asciiBytes(" error_code=0x");
const LOST = asciiBytes("[LOST ");

/**
 * The tracefs events exceptions:page_fault_user and page_fault_kernel (a fault the kernel took, for instance while
 * copying into a user's buffer). A line is understood from the event's name, which is longer than a command name can
 * be (15 bytes), so blanks, dashes and colons in front of it do no harm; `perf script` and `trace-cmd report` lines
 * of the same events are read too.
 */
export class FtraceFormat implements LineFormat {
  readonly #hex = new HexReader();

  readLine(bytes: Uint8Array, start: number, context: ParseContext): number {
    if (bytes[start] === HASH || isLineEnd(bytes, start)) return skipLine(bytes, start, context);
    const end = lineEnd(bytes, start);
    const address = findAddress(bytes, start, end);
    if (address < 0) {
      const hasLost = find(bytes, LOST, start, end) >= 0;
      return malformedLine(bytes, start, hasLost ? EXPECTED_COMPLETE : EXPECTED, context);
    }
    const isNumber = bytes[address] === ZERO && bytes[address + 1] === LETTER_X;
    // The kernel prints a symbol where it knows one, and it knows only its own.
    if (!isNumber && bytes[address] !== BLANK) {
      context.summary.kernelAddresses++;
      return skipLine(bytes, start, context);
    }
    if (!this.#readFault(bytes, address + 2, end, context)) return malformedLine(bytes, start, EXPECTED, context);
    return skipLine(bytes, start, context);
  }

  /** Reads the address at `position` and the error code behind it; false when one of them is not there. */
  #readFault(bytes: Uint8Array, position: number, end: number, context: ParseContext): boolean {
    const hex = this.#hex;
    const errorCode = find(bytes, ERROR_CODE, position, end);
    if (errorCode < 0) return false;
    const codeEnd = hex.read(bytes, errorCode + ERROR_CODE.length);
    if (codeEnd < 0 || (codeEnd < end && bytes[codeEnd] !== BLANK)) return false;
    const kind = kindOf(hex.low);
    const addressEnd = hex.read(bytes, position);
    if (addressEnd < 0 || bytes[addressEnd] !== BLANK) return false;
    addAccess(context, hex.high, hex.low, 1, kind);
    return true;
  }
}

function kindOf(errorCode: number): number {
  if ((errorCode & ERROR_CODE_WRITE) !== 0) return WRITE;
  return (errorCode & ERROR_CODE_FETCH) !== 0 ? FETCH : READ;
}

/** Returns the offset behind "address=" of a page-fault event, or -1. */
function findAddress(bytes: Uint8Array, start: number, end: number): number {
  const user = find(bytes, USER_EVENT, start, end);
  const event = user >= 0 ? user : find(bytes, KERNEL_EVENT, start, end);
  if (event < 0) return -1;
  let position = event + (user >= 0 ? USER_EVENT : KERNEL_EVENT).length;
  while (bytes[position] === BLANK) position++;
  return startsWith(bytes, ADDRESS, position) ? position + ADDRESS.length : -1;
}

function find(bytes: Uint8Array, wanted: Uint8Array, start: number, end: number): number {
  const first = wanted[0];
  for (let at = start; at + wanted.length <= end; at++) {
    if (bytes[at] === first && startsWith(bytes, wanted, at)) return at;
  }
  return -1;
}

function startsWith(bytes: Uint8Array, wanted: Uint8Array, position: number): boolean {
  for (let index = 0; index < wanted.length; index++) {
    if (bytes[position + index] !== wanted[index]) return false;
  }
  return true;
}

function asciiBytes(text: string): Uint8Array {
  return Uint8Array.from(text, (letter) => letter.charCodeAt(0));
}
