import { type AccessBlock } from "../../../ts/trace/access.js";
import { TraceReader, type TraceReadOptions, type TraceSummary } from "../../../ts/trace/reader.js";
import { type Kind, type Run } from "./naive.js";

/** Everything a reader yields, blocks kept apart. */
export interface ReadResult {
  readonly blocks: Run[][];
  readonly summary: TraceSummary;
}

const KINDS: readonly Kind[] = ["R", "F", "W"];

/** Copies a block's records. */
export function recordsOf(block: AccessBlock): Run[] {
  return Array.from({ length: block.length }, (_, index) => {
    const low = BigInt(block.words[2 * index] ?? -1);
    const high = BigInt(block.words[2 * index + 1] ?? -1);
    const record = (high << 32n) | low;
    const kind = KINDS[Number(record >> 62n)];
    if (kind === undefined) throw new Error("a record is both a write and a fetch");
    return { page: Number(record & ((1n << 62n) - 1n)), kind, count: block.counts[index] ?? -1 };
  });
}

/** Makes a block of the given records. */
export function blockOf(runs: readonly Run[]): AccessBlock {
  const words = new Uint32Array(2 * runs.length);
  const flags = { R: 0, W: 0x80000000, F: 0x40000000 };
  runs.forEach(({ page, kind }, index) => {
    words[2 * index] = page % 2 ** 32;
    words[2 * index + 1] = Math.floor(page / 2 ** 32) + flags[kind];
  });
  const counts = Uint32Array.from(runs, (run) => run.count);
  return { words, counts, length: runs.length, accesses: runs.reduce((sum, run) => sum + run.count, 0) };
}

/** Cuts bytes into chunks at the given offsets; every chunk is wiped when the next one is asked for. */
export function* chunksOf(bytes: Uint8Array, cuts: readonly number[] = []): Generator<Uint8Array> {
  const ends = [...cuts.filter((cut) => cut < bytes.length).sort((a, b) => a - b), bytes.length];
  let start = 0;
  for (const end of ends) {
    const chunk = bytes.slice(start, end);
    yield chunk;
    chunk.fill(0x58);
    start = end;
  }
}

/** Reads a whole trace and copies what comes out. */
export async function readAll(
  input: Uint8Array | string,
  options: TraceReadOptions = {},
  cuts: readonly number[] = [],
): Promise<ReadResult> {
  const bytes = typeof input === "string" ? new TextEncoder().encode(input) : input;
  const reader = new TraceReader(chunksOf(bytes, cuts), options);
  const blocks: Run[][] = [];
  for await (const block of reader) {
    const records = recordsOf(block);
    if (records.reduce((sum, run) => sum + run.count, 0) !== block.accesses) throw new Error("wrong sum of counts");
    blocks.push(records);
  }
  return { blocks, summary: reader.summary };
}
