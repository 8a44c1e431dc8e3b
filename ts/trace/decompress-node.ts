import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import * as zlib from "node:zlib";
import xz from "xz-decompress";
import { decompressZstd } from "./zstd.js";

/** A way to decompress a stream of bytes; `decompress` throws any Error for a damaged stream. */
export interface Decompressor {
  readonly name: string;
  decompress(stored: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array>;
}

/** Bytes needed to tell the compressions apart. */
export const MAGIC_BYTES = 6;

const GZIP: Decompressor = { name: "gzip", decompress: (stored) => through(stored, zlib.createGunzip()) };
const XZ: Decompressor = { name: "xz", decompress: decompressXz };
const ZSTD: Decompressor = { name: "zstd", decompress: decompressZstd };

/** Returns the decompressor for data that starts with `head`, or undefined for data that is not compressed. */
export function decompressorFor(head: Uint8Array): Decompressor | undefined {
  if (startsWith(head, [0x1f, 0x8b])) return GZIP;
  if (startsWith(head, [0x28, 0xb5, 0x2f, 0xfd]) || isSkippableZstdFrame(head)) return ZSTD;
  if (startsWith(head, [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00])) return XZ;
  return undefined;
}

/** pzstd begins its files with a frame that decoders are to pass over; its magic is 0x184d2a50 to 0x184d2a5f. */
function isSkippableZstdFrame(head: Uint8Array): boolean {
  return ((head[0] as number) & 0xf0) === 0x50 && startsWith(head.subarray(1), [0x2a, 0x4d, 0x18]);
}

function startsWith(head: Uint8Array, magic: readonly number[]): boolean {
  return magic.every((byte, index) => head[index] === byte);
}

async function* through(stored: AsyncIterable<Uint8Array>, transform: zlib.Gunzip): AsyncGenerator<Uint8Array> {
  // The pipeline's own rejection repeats the error that the iteration below throws.
  const fed = pipeline(Readable.from(stored, { objectMode: false }), transform).catch(() => undefined);
  yield* transform as AsyncIterable<Uint8Array>;
  await fed;
}

async function* decompressXz(stored: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const reader = new xz.XzReadableStream(asWebStream(stored)).getReader();
  for (let next = await reader.read(); !next.done; next = await reader.read()) yield next.value;
}

/** Does what `ReadableStream.from` does, which not every supported Node has. */
function asWebStream(stored: AsyncIterable<Uint8Array>): ReadableStream<Uint8Array> {
  const chunks = stored[Symbol.asyncIterator]();
  return new ReadableStream<Uint8Array>({
    async pull(controller) {
      const next = await chunks.next();
      if (next.done === true) controller.close();
      else controller.enqueue(next.value);
    },
  });
}
