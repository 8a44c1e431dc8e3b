import { describe, expect, it } from "vitest";
import { readAll } from "./support/blocks.js";
import { naiveChampsim, naiveFtrace, naiveLackey, naivePerf, runsOf, type Access } from "./support/naive.js";
import { sample, sampleText } from "./support/samples.js";

interface Case {
  readonly file: string;
  readonly format: string;
  readonly lines: number;
  readonly naive: () => Access[];
}

const CASES: readonly Case[] = [
  {
    file: "sqlite.lackey.txt.gz",
    format: "lackey",
    lines: 100_000,
    naive: () => naiveLackey(sampleText("sqlite.lackey.txt.gz")),
  },
  { file: "sqlite.perf.txt.gz", format: "perf", lines: 1333, naive: () => naivePerf(sampleText("sqlite.perf.txt.gz")) },
  {
    file: "perf-with-symbols.txt",
    format: "perf",
    lines: 200,
    naive: () => naivePerf(sampleText("perf-with-symbols.txt")),
  },
  {
    file: "sqlite.ftrace.txt.gz",
    format: "ftrace",
    lines: 1342,
    naive: () => naiveFtrace(sampleText("sqlite.ftrace.txt.gz")),
  },
  {
    file: "sqlite.champsim.gz",
    format: "champsim",
    lines: 25_015,
    naive: () => naiveChampsim(sample("sqlite.champsim.gz")),
  },
];

describe("the shipped samples", () => {
  it.each(CASES)("$file gives what a naive parser finds", async ({ file, format, lines, naive }) => {
    const bytes = sample(file);
    const { blocks, summary } = await readAll(bytes, { blockRecords: 2 ** 18 });
    const expected = naive();
    expect(blocks.flat()).toEqual(runsOf(expected));
    expect(summary).toMatchObject({
      format,
      lines,
      bytes: bytes.length,
      accesses: expected.length,
      reads: expected.filter((access) => access.kind === "R").length,
      writes: expected.filter((access) => access.kind === "W").length,
      fetches: expected.filter((access) => access.kind === "F").length,
      skipped: 0,
      kernelAddresses: 0,
    });
    expect(expected.length).toBeGreaterThan(lines / 2);
  });

  it("name the instruction pointer printed by perf script without -F as the mistake", async () => {
    await expect(readAll(sample("perf-default-fields.txt"), { name: "faults.txt" })).rejects.toThrow(
      /^faults\.txt:1: expected the data address: run "perf script -F comm,tid,time,event,addr".* found " +sqlite3 /,
    );
  });

  it("agree about the first instruction between lackey and ChampSim", async () => {
    const lackey = await readAll(sample("sqlite.lackey.txt.gz"));
    const champsim = await readAll(sample("sqlite.champsim.gz"));
    expect(champsim.blocks[0]?.slice(0, 2)).toEqual(lackey.blocks[0]?.slice(0, 2));
  });
});
