import { createReadStream, type Stats, statSync } from "node:fs";
import { decompressorFor, MAGIC_BYTES } from "./decompress-node.js";
import { TraceError } from "./trace-error.js";

/** An opened trace: hand `bytes` and `name` to a TraceReader. */
export interface OpenTrace {
  /** The decompressed bytes. Errors of the file or of its compression come out as TraceErrors. */
  readonly bytes: AsyncIterable<Uint8Array>;
  /** The path, or "stdin". */
  readonly name: string;
  /** Size in bytes of the file as it is stored, that is compressed; not there for pipes. */
  readonly size?: number;
}

/** Large enough that the cost per chunk does not show, small enough to stay in the cache. */
const READ_BYTES = 262144;

/**
 * Opens the trace at `path`, or standard input for "-". Data compressed by gzip, zstd or xz is recognised by its
 * first bytes, whatever its name, and decompressed on the way.
 *
 * @throws TraceError when there is no such file.
 */
export function openTrace(path: string): OpenTrace {
  if (path === "-") return { bytes: decompressed(process.stdin, "stdin"), name: "stdin" };
  const status = statusOf(path);
  const bytes = decompressed(createReadStream(path, { highWaterMark: READ_BYTES }), path);
  return status.isFile() ? { bytes, name: path, size: status.size } : { bytes, name: path };
}

function statusOf(path: string): Stats {
  try {
    const status = statSync(path);
    if (!status.isDirectory()) return status;
  } catch (error) {
    throw new TraceError({ file: path }, "a readable file", messageOf(error), { cause: error });
  }
  throw new TraceError({ file: path }, "a readable file", "a directory");
}

async function* decompressed(stored: AsyncIterable<Uint8Array>, name: string): AsyncGenerator<Uint8Array> {
  const chunks = readable(stored, name)[Symbol.asyncIterator]();
  const head = await readHead(chunks);
  const decompressor = decompressorFor(head);
  const all = rejoined(head, chunks);
  if (decompressor === undefined) {
    yield* all;
    return;
  }
  try {
    yield* decompressor.decompress(all);
  } catch (error) {
    if (error instanceof TraceError) throw error;
    const expected = `a complete and undamaged ${decompressor.name} stream`;
    throw new TraceError({ file: name }, expected, messageOf(error), { cause: error });
  }
}

/** Passes the chunks on and gives errors of the file system a name. */
async function* readable(stored: AsyncIterable<Uint8Array>, name: string): AsyncGenerator<Uint8Array> {
  try {
    yield* stored;
  } catch (error) {
    throw new TraceError({ file: name }, "a readable file", messageOf(error), { cause: error });
  }
}

/** Reads chunks until the first bytes are there, or all there is. */
async function readHead(chunks: AsyncIterator<Uint8Array>): Promise<Uint8Array> {
  let head = Buffer.alloc(0);
  while (head.length < MAGIC_BYTES) {
    const next = await chunks.next();
    if (next.done === true) break;
    head = Buffer.concat([head, next.value]);
  }
  return head;
}

async function* rejoined(head: Uint8Array, rest: AsyncIterator<Uint8Array>): AsyncGenerator<Uint8Array> {
  if (head.length > 0) yield head;
  for (let next = await rest.next(); next.done !== true; next = await rest.next()) yield next.value;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
