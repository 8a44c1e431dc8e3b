/** Traces that were dropped on the page, read into memory. */
import { TraceReader } from "../../../ts/trace/reader.js";
import { TraceStore } from "../../../ts/trace/store.js";

/** A file with a trace; each file that comes to the page has a number of its own. */
export interface TraceFile {
  readonly id: number;
  readonly name: string;
  /** Its bytes as they are, compressed or not. */
  readonly blob: Blob;
}

/** The file that was read last: films with other parameters need not read it again. */
let last: { readonly id: number; readonly store: Promise<TraceStore> } | null = null;

/** Reads a trace; malformed lines and output of the traced program are passed over. @throws TraceError */
export async function readTrace(file: TraceFile): Promise<TraceStore> {
  if (last?.id !== file.id) last = { id: file.id, store: read(file) };
  return last.store;
}

async function read({ name, blob }: TraceFile): Promise<TraceStore> {
  const bytes = await decompressed(blob);
  return TraceStore.read(new TraceReader(bytes, { name, lenient: "skip", programOutput: "skip" }));
}

const MAGIC_BYTES = 6;
const GZIP = [0x1f, 0x8b];
const ZSTD = [0x28, 0xb5, 0x2f, 0xfd];
const XZ = [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00];

/** Gzip is the browser's; the others are loaded when somebody drops one. */
async function decompressed(blob: Blob): Promise<AsyncIterable<Uint8Array>> {
  const head = new Uint8Array(await blob.slice(0, MAGIC_BYTES).arrayBuffer());
  const isOf = (magic: readonly number[]): boolean => magic.every((byte, i) => head[i] === byte);
  if (isOf(GZIP)) return chunksOf(blob.stream().pipeThrough(new DecompressionStream("gzip")));
  if (isOf(ZSTD)) return (await import("../../../ts/trace/zstd.js")).decompressZstd(chunksOf(blob.stream()));
  if (isOf(XZ)) {
    const { default: xz } = await import("xz-decompress");
    return chunksOf(new xz.XzReadableStream(blob.stream()));
  }
  return chunksOf(blob.stream());
}

/** Not every browser iterates streams. */
async function* chunksOf(stream: ReadableStream<Uint8Array>): AsyncGenerator<Uint8Array> {
  const reader = stream.getReader();
  for (let next = await reader.read(); !next.done; next = await reader.read()) yield next.value;
}
