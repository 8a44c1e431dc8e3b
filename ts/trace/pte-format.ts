import { type AccessBlock } from "./access.js";
import { crc32 } from "./crc32.js";
import { encodeBlock } from "./pte-payload.js";

export { type BlockBuffers, createBuffers, decodeBlock, encodeBlock, PayloadError } from "./pte-payload.js";

/**
 * The project's own trace file, all numbers little-endian:
 *
 * ```
 * file    preamble, blocks, end
 * preamble  0 magic (8)   8 version u32  12 n u32          16 JSON (n)      16+n CRC-32 of bytes 0 to 16+n
 * block     0 "PBLK"      4 records u32   8 accesses u64   16 p u32         20 CRC-32 of bytes 0 to 20 and payload
 *          24 payload (p)
 * end       0 "PEND"      4 blocks u32    8 records u64    16 accesses u64  24 CRC-32 of bytes 0 to 24
 * ```
 *
 * docs/traces.md specifies it in full; pte-payload.ts holds the payload.
 */

/** A byte above 0x7f, CR LF and control-Z: a transfer in text mode damages the first eight bytes already. */
export const PTE_MAGIC: Uint8Array = Uint8Array.of(0x89, 0x50, 0x54, 0x45, 0x54, 0x0d, 0x0a, 0x1a);

/** The one version there is. */
export const PTE_VERSION = 1;

/** Bytes before the header's JSON. */
export const PREAMBLE_BYTES = 16;

/** Longest JSON header in bytes. */
export const MAX_HEADER_BYTES = 65536;

/** "PBLK" as a little-endian number. */
export const BLOCK_TAG = 0x4b4c4250;

/** Bytes of a block before its payload. */
export const BLOCK_HEAD_BYTES = 24;

/** Offset of the CRC inside a block's head. */
export const BLOCK_CRC_OFFSET = 20;

/** Most records in one block, so that no reader needs more than 3 MiB for a payload. */
export const MAX_BLOCK_RECORDS: number = 2 ** 18;

/** "PEND" as a little-endian number. */
export const END_TAG = 0x444e4550;

/** Bytes of the end block. */
export const END_BYTES = 28;

/** Offset of the CRC inside the end block. */
export const END_CRC_OFFSET = 24;

/** What the file says about itself; free text. */
export interface TraceHeader {
  /** The tool and the format the accesses came from, for instance "valgrind 3.19.0 lackey". */
  readonly source?: string;
  /** The command line of the traced program. */
  readonly command?: string;
  readonly note?: string;
}

/** Produces the bytes of a trace file: once `header()`, then `block()` for each block, once `end()`. */
export class TraceWriter {
  readonly #header: TraceHeader;
  #blocks = 0;
  #records = 0;
  #accesses = 0;

  constructor(header: TraceHeader) {
    this.#header = header;
  }

  /** Returns the preamble. Throws a RangeError when the header is longer than 64 KiB of JSON. */
  header(): Uint8Array {
    const json = new TextEncoder().encode(JSON.stringify(this.#header));
    if (json.length > MAX_HEADER_BYTES) {
      throw new RangeError(`"header" expected at most ${MAX_HEADER_BYTES} bytes of JSON, got ${json.length}`);
    }
    const crcOffset = PREAMBLE_BYTES + json.length;
    const bytes = new Uint8Array(crcOffset + 4);
    const view = viewOf(bytes);
    bytes.set(PTE_MAGIC);
    view.setUint32(8, PTE_VERSION, true);
    view.setUint32(12, json.length, true);
    bytes.set(json, PREAMBLE_BYTES);
    view.setUint32(crcOffset, crc32(bytes, 0, crcOffset), true);
    return bytes;
  }

  /** Returns one block; nothing for a block without records. Throws a RangeError beyond 2^18 records. */
  block(block: AccessBlock): Uint8Array {
    if (block.length === 0) return new Uint8Array(0);
    if (block.length > MAX_BLOCK_RECORDS) {
      throw new RangeError(`"block" expected at most ${MAX_BLOCK_RECORDS} records, got ${block.length}`);
    }
    this.#blocks++;
    this.#records += block.length;
    this.#accesses += block.accesses;
    const payload = encodeBlock(block);
    const bytes = new Uint8Array(BLOCK_HEAD_BYTES + payload.length);
    const view = viewOf(bytes);
    view.setUint32(0, BLOCK_TAG, true);
    view.setUint32(4, block.length, true);
    setUint64(view, 8, block.accesses);
    view.setUint32(16, payload.length, true);
    bytes.set(payload, BLOCK_HEAD_BYTES);
    view.setUint32(BLOCK_CRC_OFFSET, blockCrc(bytes, bytes.length), true);
    return bytes;
  }

  /** Returns the end block; nothing may follow it. */
  end(): Uint8Array {
    const bytes = new Uint8Array(END_BYTES);
    const view = viewOf(bytes);
    view.setUint32(0, END_TAG, true);
    view.setUint32(4, this.#blocks, true);
    setUint64(view, 8, this.#records);
    setUint64(view, 16, this.#accesses);
    view.setUint32(END_CRC_OFFSET, crc32(bytes, 0, END_CRC_OFFSET), true);
    return bytes;
  }
}

/** Converts blocks, for instance those of a TraceReader, into the bytes of a trace file. */
export async function* writeTrace(
  blocks: AsyncIterable<AccessBlock> | Iterable<AccessBlock>,
  header: TraceHeader,
): AsyncGenerator<Uint8Array> {
  const writer = new TraceWriter(header);
  yield writer.header();
  for await (const block of blocks) yield writer.block(block);
  yield writer.end();
}

/** Checksum of a block of `length` bytes: head and payload, without the four bytes of the checksum itself. */
export function blockCrc(bytes: Uint8Array, length: number): number {
  return crc32(bytes, BLOCK_HEAD_BYTES, length, crc32(bytes, 0, BLOCK_CRC_OFFSET));
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
}

function setUint64(view: DataView, offset: number, value: number): void {
  view.setUint32(offset, value % 2 ** 32, true);
  view.setUint32(offset + 4, Math.floor(value / 2 ** 32), true);
}
