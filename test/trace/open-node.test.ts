import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { spawnSync } from "node:child_process";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openTrace } from "../../ts/trace/open-node.js";
import { TraceReader, type TraceSummary } from "../../ts/trace/reader.js";
import { TraceError } from "../../ts/trace/trace-error.js";
import { sample, samplePath } from "./support/samples.js";

/** Time for a test that reads much or often, on a busy machine too. */
const LONG_MS = 60_000;

let folder = "";

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "pte-trace-"));
});

afterAll(() => {
  rmSync(folder, { recursive: true });
});

function stored(name: string, bytes: Uint8Array): string {
  const path = join(folder, name);
  writeFileSync(path, bytes);
  return path;
}

async function summaryOf(path: string): Promise<TraceSummary> {
  const { bytes, name } = openTrace(path);
  const reader = new TraceReader(bytes, { name });
  for await (const block of reader) expect(block.length).toBeGreaterThan(0);
  return reader.summary;
}

/** Lackey text of 1 MB, long enough for several compressed blocks. */
const text = sample("sqlite.lackey.txt.gz").subarray(0, 1_000_000);
const whole = text.subarray(0, text.lastIndexOf(10) + 1);

function compress(program: string, args: readonly string[], bytes: Uint8Array): Uint8Array | undefined {
  const result = spawnSync(program, args, { input: bytes, maxBuffer: 1 << 26 });
  return result.status === 0 ? new Uint8Array(result.stdout) : undefined;
}

interface Case {
  readonly name: string;
  readonly file: string;
  readonly compressed: Uint8Array | undefined;
}

/** The compressors of zstd and xz are programs: a machine without them leaves these cases out. */
const CASES: readonly Case[] = [
  { name: "gzip", file: "t.gz", compressed: new Uint8Array(gzipSync(whole)) },
  { name: "zstd", file: "t.zst", compressed: compress("zstd", ["-q", "-c"], whole) },
  { name: "xz", file: "t.xz", compressed: compress("xz", ["-c"], whole) },
];

describe("openTrace", () => {
  it("reads a plain file and tells its size", async () => {
    const path = stored("plain", whole);
    expect(openTrace(path)).toMatchObject({ name: path, size: whole.length });
    expect(await summaryOf(path)).toMatchObject({ format: "lackey", bytes: whole.length });
  });

  it(
    "reads the shipped trace",
    async () => {
      expect(await summaryOf(samplePath("sqlite.pte-trace.gz"))).toMatchObject({
        format: "pte",
        accesses: 20_010_864,
        header: { command: "sqlite3 -batch -init /dev/null :memory: < sqlite.sql" },
      });
    },
    LONG_MS,
  );

  it("reads files of a few bytes and of none", async () => {
    expect(await summaryOf(stored("tiny", new TextEncoder().encode(" L 0,1")))).toMatchObject({ reads: 1 });
    await expect(summaryOf(stored("empty", new Uint8Array(0)))).rejects.toThrow(/empty: expected .* found nothing/);
  });

  it("names a file that is not there, and a directory", () => {
    const path = join(folder, "missing");
    expect(() => openTrace(path)).toThrow(TraceError);
    expect(() => openTrace(path)).toThrow(`${path}: expected a readable file, found ENOENT`);
    expect(() => openTrace(folder)).toThrow(`${folder}: expected a readable file, found a directory`);
  });
});

describe.each(CASES)("a trace compressed by $name", ({ name, file, compressed }) => {
  const bytes = compressed ?? new Uint8Array(0);
  const test = it.skipIf(compressed === undefined);

  test("is decompressed, whatever its name", async () => {
    expect(await summaryOf(stored(file, bytes))).toEqual(await summaryOf(stored("plain", whole)));
    expect(bytes.length).toBeLessThan(whole.length / 5);
  });

  test("may consist of several streams", async () => {
    const twice = await summaryOf(stored(`2${file}`, Uint8Array.from([...bytes, ...bytes])));
    expect(twice.bytes).toBe(2 * whole.length);
  });

  test("is an error when cut off", async () => {
    for (const length of [7, 30, bytes.length >> 1, bytes.length - 5, bytes.length - 1]) {
      const path = stored(`cut-${length}-${file}`, bytes.subarray(0, length));
      await expect(summaryOf(path), String(length)).rejects.toThrow(
        `${path}: expected a complete and undamaged ${name} stream, found `,
      );
    }
  });

  test(
    "is an error when damaged, wherever that is",
    async () => {
      for (let sampleIndex = 1; sampleIndex < 40; sampleIndex++) {
        const damaged = bytes.slice();
        // From the tenth byte on: gzip's header has fields before it (time, system) that mean nothing to us.
        const at = 10 + Math.floor((sampleIndex * (bytes.length - 11)) / 40);
        damaged[at] = (damaged[at] ?? 0) ^ (1 << (sampleIndex & 7));
        await expect(summaryOf(stored(`bad-${file}`, damaged)), `byte ${at}`).rejects.toThrow(TraceError);
      }
    },
    LONG_MS,
  );
});

describe("zstd data", () => {
  const plain = compress("zstd", ["-q", "-c", "--no-check"], whole) ?? new Uint8Array(0);
  const test = it.skipIf(plain.length === 0);
  const skippable = [0x53, 0x2a, 0x4d, 0x18, 3, 0, 0, 0, 1, 2, 3];

  test("may have skippable frames, and frames without a checksum", async () => {
    const bytes = Uint8Array.from([...skippable, ...plain, ...skippable, ...plain]);
    expect(await summaryOf(stored("skip.zst", bytes))).toMatchObject({ format: "lackey", bytes: 2 * whole.length });
  });

  test("is an error when something else follows", async () => {
    const bytes = Uint8Array.from([...plain, 1, 2, 3, 4, 5]);
    await expect(summaryOf(stored("junk.zst", bytes))).rejects.toThrow(/found no zstd frame at byte \d+$/);
  });
});
