import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { TraceWriter } from "../../ts/trace/pte-format.js";
import { blockOf, readAll } from "./support/blocks.js";
import { type Run } from "./support/naive.js";
import { sample } from "./support/samples.js";

const encoder = new TextEncoder();

function firstLines(name: string, count: number): Uint8Array {
  const text = new TextDecoder("latin1").decode(sample(name));
  return encoder.encode(text.split("\n").slice(0, count).join("\n"));
}

function smallPteTrace(): Uint8Array {
  const runs: Run[] = Array.from({ length: 300 }, (_, index) => ({
    page: (index * 7919) % 40 === 0 ? 2 ** 34 + index : index % 23,
    kind: index % 3 === 0 ? "W" : index % 3 === 1 ? "R" : "F",
    count: 1 + (index % 6),
  }));
  const writer = new TraceWriter({ source: "test" });
  const parts = [writer.header(), writer.block(blockOf(runs.slice(0, 100))), writer.block(blockOf(runs.slice(100)))];
  return Uint8Array.from([...parts, writer.end()].flatMap((part) => [...part]));
}

const INPUTS = [
  { name: "lackey", bytes: firstLines("sqlite.lackey.txt.gz", 600) },
  { name: "lackey with damaged and CRLF lines", bytes: damagedLackey() },
  { name: "perf", bytes: firstLines("sqlite.perf.txt.gz", 150) },
  { name: "ftrace", bytes: firstLines("sqlite.ftrace.txt.gz", 100) },
  { name: "champsim", bytes: sample("sqlite.champsim.gz").slice(0, 64 * 120) },
  { name: "pte", bytes: smallPteTrace() },
];

function damagedLackey(): Uint8Array {
  const lines = new TextDecoder().decode(firstLines("sqlite.lackey.txt.gz", 300)).split("\n");
  return encoder.encode(lines.map((line, index) => (index % 50 === 9 ? `hello ${line}` : line)).join("\r\n"));
}

describe("chunk boundaries", () => {
  it.each(INPUTS)("do not change the blocks of $name", async ({ bytes }) => {
    const options = { blockRecords: 64, lenient: "skip" } as const;
    const whole = await readAll(bytes, options);
    expect(whole.blocks.length).toBeGreaterThan(1);
    const cuts = fc.array(fc.nat({ max: bytes.length }), { maxLength: 60 });
    await fc.assert(
      fc.asyncProperty(cuts, async (where) => {
        expect(await readAll(bytes, options, where)).toEqual(whole);
      }),
      { numRuns: 60 },
    );
  });

  it.each(INPUTS)("may lie between any two bytes of $name", async ({ bytes }) => {
    const options = { lenient: "skip" } as const;
    const everywhere = Array.from(bytes.keys()).slice(1);
    expect(await readAll(bytes, options, everywhere)).toEqual(await readAll(bytes, options));
  });

  it("do not decide whether a line is too long", async () => {
    const fits = `==1== ${"x".repeat(65530)}\n S 1fff000768,8\n`;
    const tooLong = `==1== ${"x".repeat(65531)}\n S 1fff000768,8\n`;
    for (const cuts of [[], [10], [65535], [65536], [65537], [65538], [1, 70_000], [5000, 65536]]) {
      const options = { format: "lackey", lenient: "skip" } as const;
      expect((await readAll(fits, options, cuts)).summary, String(cuts)).toMatchObject({
        lines: 2,
        skipped: 0,
        writes: 1,
      });
      const result = await readAll(tooLong, options, cuts);
      expect(result.summary, String(cuts)).toMatchObject({ lines: 2, skipped: 1, writes: 1 });
      expect(result.summary.firstSkipped).toMatch(/^trace:1: expected a line of at most 65536 bytes, found "==1== xxx/);
    }
  });
});
