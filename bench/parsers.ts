import { readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import { TraceReader } from "../ts/trace/reader.js";
import { type TraceHeader, writeTrace } from "../ts/trace/pte-format.js";
import { deviation, expectEqual, median } from "./harness.js";
import type { ParserResult } from "./results.js";

const CHUNK_BYTES = 262144;
const REPEAT_TO_BYTES = 64 * 2 ** 20;

/** Measures the readers on the text that comes with the project, repeated until it is long enough; MB/s per round. */
export async function measureParsers(rounds: number): Promise<ParserResult[]> {
  const text = repeated(gunzipSync(readFileSync("traces/sqlite.lackey.txt.gz")));
  const expected = naiveLackey(text.toString("latin1"));
  const lackey = await rates(text, expected, rounds);
  const twin = timed(rounds, text.length, () =>
    expectEqual(naiveLackey(text.toString("latin1")), expected, "accesses"),
  );
  const stored = await collect(writeTrace(new TraceReader(chunks(text)), {} satisfies TraceHeader));
  const own = await rates(stored, expected, rounds);
  const results = [
    result(
      { id: "parse-lackey", title: "lackey text", megabytes: text.length / 1e6, accesses: expected },
      lackey,
      twin,
    ),
    result({ id: "parse-own", title: "own format", megabytes: stored.length / 1e6, accesses: expected }, own, null),
  ];
  for (const { id, ours } of results) console.log(`${id.padEnd(26)} ${ours.toFixed(0).padStart(18)} MB/s`);
  return results;
}

function result(
  what: Pick<ParserResult, "id" | "title" | "megabytes" | "accesses">,
  ours: readonly number[],
  js: readonly number[] | null,
): ParserResult {
  return {
    ...what,
    ours: median(ours),
    js: js === null ? null : median(js),
    spread: { ours: deviation(ours), js: js === null ? null : deviation(js) },
  };
}

async function rates(bytes: Uint8Array, accesses: number, rounds: number): Promise<number[]> {
  const samples: number[] = [];
  for (let round = -1; round < rounds; round++) {
    const started = performance.now();
    const reader = new TraceReader(chunks(bytes));
    for await (const block of reader) if (block.length === 0) throw new Error("an empty block"); // blocks are only counted
    const elapsed = performance.now() - started;
    expectEqual(reader.summary.accesses, accesses, "accesses");
    if (round >= 0) samples.push(bytes.length / 1e3 / elapsed);
  }
  return samples;
}

function timed(rounds: number, bytes: number, run: () => void): number[] {
  const samples: number[] = [];
  for (let round = -1; round < rounds; round++) {
    const started = performance.now();
    run();
    if (round >= 0) samples.push(bytes / 1e3 / (performance.now() - started));
  }
  return samples;
}

/** Page accesses of lackey text, the way one would write it in a hurry. */
function naiveLackey(text: string): number {
  let accesses = 0;
  for (const line of text.split("\n")) {
    const match = /^([I ])([ SLM]) ([0-9a-f]+),(\d+)$/.exec(line);
    if (match === null) continue;
    const address = parseInt(match[3] ?? "", 16);
    accesses += Math.floor((address + Number(match[4]) - 1) / 4096) - Math.floor(address / 4096) + 1;
  }
  return accesses;
}

function repeated(sample: Uint8Array): Buffer {
  const whole = Buffer.from(sample.subarray(0, Buffer.from(sample).lastIndexOf(10) + 1));
  return Buffer.concat(Array.from({ length: Math.ceil(REPEAT_TO_BYTES / whole.length) }, () => whole));
}

function* chunks(bytes: Uint8Array): Generator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += CHUNK_BYTES) yield bytes.subarray(at, at + CHUNK_BYTES);
}

async function collect(parts: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const all: Uint8Array[] = [];
  for await (const part of parts) all.push(part.slice());
  return Buffer.concat(all);
}
