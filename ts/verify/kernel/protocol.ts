/**
 * What executor.ts and executor.c say to each other, in words of 64 bits.
 *
 * Request: a record with the number of steps and a step's time limit in ms, then a record for each step: operation, process,
 * arguments. All records have RECORD_WORDS words.
 *
 * Reply: the number of words that follow, then records of as many words as their first word says in its bits 8 and up; bits
 * 0 to 7 are the kind. Each step ends with a `result` or a `hang`; messages that were read during it come before that.
 */

/** In the order of `enum operation`. */
export const OPERATIONS = [
  "mmap",
  "munmap",
  "mprotect",
  "madvise",
  "mremap",
  "fork",
  "uffd",
  "move",
  "exit",
  "close",
  "register",
  "unregister",
  "wake",
  "writeprotect",
  "copy",
  "zeropage",
  "continue",
  "poison",
  "access",
  "resume",
  "pagemap",
  "scan",
  "stat",
] as const;

export type Operation = (typeof OPERATIONS)[number];

/** In the order of `enum record`. */
export const RECORDS = ["result", "hang", "message"] as const;

/** `enum limit`. */
export const MAX_PROCESSES = 16;
export const MAX_DESCRIPTORS = 64;
export const MAX_MAPPINGS = 512;
export const MAX_STEPS = 16384;
export const MAX_REGIONS = 65536;
export const RECORD_WORDS = 16;
export const PATH_BYTES = 16;

/** `enum status`: what a result starts with beside 0 and the numbers of errno. */
export const STATUS_BLOCKED = 1000;
export const STATUS_UNSUPPORTED = 1001;

/** The exit code of an executor that could not begin a scenario. */
export const NOT_BEGUN = 97;

/** An argument that stands for "none" where 0 has a meaning: all bits set. */
export const NO_NUMBER = -1;

const WORD_BYTES = 8;
const HIGH = 2 ** 32;

/** A word to send: an integer up to 2^53 - 1, NO_NUMBER, or any 64 bits. */
export type Word = number | bigint;

/** A step as the executor knows it. */
export interface Command {
  readonly operation: Operation;
  readonly process: number;
  readonly args: readonly Word[];
}

export function encodeRequest(commands: readonly Command[], timeoutMs: number): Buffer {
  const halves = new Uint32Array((commands.length + 1) * RECORD_WORDS * 2);
  writeWords(halves, 0, [commands.length, timeoutMs]);
  commands.forEach(({ operation, process, args }, i) => {
    writeWords(halves, i + 1, [OPERATIONS.indexOf(operation), process, ...args]);
  });
  return Buffer.from(halves.buffer);
}

function writeWords(halves: Uint32Array, record: number, words: readonly Word[]): void {
  words.forEach((word, i) => {
    const at = (record * RECORD_WORDS + i) * 2;
    halves[at] = Number(typeof word === "bigint" ? word & 0xffffffffn : word);
    halves[at + 1] = typeof word === "bigint" ? Number((word >> 32n) & 0xffffffffn) : Math.floor(word / HIGH);
  });
}

/** The words of one record after its first. */
export class Words {
  readonly #halves: Uint32Array;

  constructor(halves: Uint32Array) {
    this.#halves = halves;
  }

  get length(): number {
    return this.#halves.length / 2;
  }

  low(index: number): number {
    return this.#halves[index * 2] ?? 0;
  }

  high(index: number): number {
    return this.#halves[index * 2 + 1] ?? 0;
  }

  /** The word as an unsigned number, exact below 2^53. */
  number(index: number): number {
    return this.high(index) * HIGH + this.low(index);
  }

  signed(index: number): number {
    return (this.high(index) | 0) * HIGH + this.low(index);
  }

  /** Bytes of the first words. */
  bytes(count: number): Uint8Array {
    return new Uint8Array(this.#halves.buffer, this.#halves.byteOffset, count);
  }
}

/** A record of a reply. */
export interface ReplyRecord {
  readonly kind: (typeof RECORDS)[number];
  readonly words: Words;
}

/** Returns the records of a reply, or of the part of one that is there. `bytes` starts after the number of words. */
export function decodeReply(bytes: Uint8Array): ReplyRecord[] {
  const halves = new Uint32Array(new Uint8Array(bytes).buffer);
  const records: ReplyRecord[] = [];
  for (let at = 0; at < halves.length;) {
    const first = halves[at] ?? 0;
    const kind = RECORDS[first & 0xff];
    const end = at + 2 + (((halves[at + 1] ?? 0) * HIGH + first - (first & 0xff)) / 256) * 2;
    if (kind === undefined || end > halves.length) throw new Error("the executor gave a reply that makes no sense");
    records.push({ kind, words: new Words(halves.subarray(at + 2, end)) });
    at = end;
  }
  return records;
}

/** Bytes of the number that a reply starts with. */
export const REPLY_HEADER_BYTES: number = WORD_BYTES;

/** Returns how many bytes a reply has after the number that it starts with. */
export function replyBytes(header: Buffer): number {
  return Number(header.readBigUInt64LE(0)) * WORD_BYTES;
}

/** Bytes in the executor's file of replies before the latest reply, which is there as it is sent, as far as it goes. */
export const REPLY_FILE_HEADER_BYTES: number = 2 * WORD_BYTES;

/** The header of that file. */
export interface ReplyFileHeader {
  /** Rises with each step. */
  readonly heartbeat: bigint;
  /** The reply belongs to the last of them. */
  readonly scenariosBegun: number;
}

export function decodeReplyFileHeader(bytes: Buffer): ReplyFileHeader {
  return { heartbeat: bytes.readBigUInt64LE(0), scenariosBegun: Number(bytes.readBigUInt64LE(WORD_BYTES)) };
}
