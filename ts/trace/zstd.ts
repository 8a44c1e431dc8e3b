import { Decompress } from "fzstd";
import createXxhash from "xxhash-wasm";
import { ByteSource } from "./byte-source.js";

const FRAME_MAGIC = 0xfd2fb528;

/** Skippable frames have one of sixteen magic numbers, which differ in the low four bits. */
const SKIPPABLE_MAGIC = 0x184d2a50;

/** Block type whose stated size is that of the repeated byte's run; one byte is stored. */
const BLOCK_RLE = 1;

/** Largest stored block (RFC 8878, 3.1.1.2.4). */
const MAX_BLOCK_BYTES = 131072;

/** Extra header bytes by the two dictionary bits. */
const DICTIONARY_BYTES = [0, 1, 2, 4] as const;

/**
 * Decompresses zstd data, any number of frames (RFC 8878), and verifies the content checksums, which the decoder
 * library does not. For that it has to see where frames end, so blocks are handed to the library one by one.
 *
 * @throws Error for a damaged or truncated stream.
 */
export async function* decompressZstd(stored: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const xxhash = await createXxhash();
  const source = new ByteSource(stored);
  while (!(await source.isAtEnd())) {
    const offset = source.offset;
    const magicBytes = await source.take(4);
    const magic = uint32(magicBytes);
    if ((magic & ~0xf) >>> 0 === SKIPPABLE_MAGIC) await source.skip(uint32(await source.take(4)));
    else if (magic === FRAME_MAGIC) yield* decompressFrame(source, magicBytes, xxhash.create64());
    else throw new Error(`no zstd frame at byte ${offset}`);
  }
}

/** The part of xxhash-wasm's hash objects that is needed. */
interface Hash64 {
  update(data: Uint8Array): unknown;
  digest(): bigint;
}

async function* decompressFrame(source: ByteSource, magic: Uint8Array, hash: Hash64): AsyncGenerator<Uint8Array> {
  const ready: Uint8Array[] = [];
  const decoder = new Decompress((data) => ready.push(data));
  decoder.push(magic);
  const descriptor = await source.take(1);
  decoder.push(descriptor);
  const flags = descriptor[0] as number;
  decoder.push(await source.take(headerBytes(flags)));
  for (let isLast = false; !isLast;) {
    const head = await source.take(3);
    isLast = ((head[0] as number) & 1) !== 0;
    decoder.push(head);
    decoder.push(await source.take(blockBytes(head)));
    for (const data of ready.splice(0)) {
      hash.update(data);
      yield data;
    }
  }
  if ((flags & 4) !== 0) checkContent(uint32(await source.take(4)), hash);
}

/** Bytes of the frame header behind its descriptor: window, dictionary id, content size. */
function headerBytes(flags: number): number {
  const isSingleSegment = (flags & 0x20) !== 0;
  const sizeField = flags >>> 6;
  const windowBytes = isSingleSegment ? 0 : 1;
  const contentSizeBytes = sizeField === 0 ? 1 - windowBytes : 1 << sizeField;
  return windowBytes + (DICTIONARY_BYTES[flags & 3] as number) + contentSizeBytes;
}

function blockBytes(head: Uint8Array): number {
  const field = (head[0] as number) | ((head[1] as number) << 8) | ((head[2] as number) << 16);
  if (((field >>> 1) & 3) === BLOCK_RLE) return 1;
  const bytes = field >>> 3;
  if (bytes > MAX_BLOCK_BYTES) throw new Error(`a block of ${bytes} bytes, more than zstd allows`);
  return bytes;
}

/** Compares the checksum, the low half of XXH64, with that of the decompressed bytes. */
function checkContent(stated: number, hash: Hash64): void {
  if (stated !== Number(hash.digest() & 0xffffffffn)) throw new Error("the content checksum is wrong");
}

function uint32(bytes: Uint8Array): number {
  return new DataView(bytes.buffer, bytes.byteOffset, 4).getUint32(0, true);
}
