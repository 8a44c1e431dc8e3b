import { describe, expect, it } from "vitest";
import { readAll } from "./support/blocks.js";

function record(words: readonly bigint[]): Uint8Array {
  return new Uint8Array(BigUint64Array.from({ length: 8 }, (_, index) => words[index] ?? 0n).buffer);
}

const joined = (...parts: Uint8Array[]): Uint8Array => Uint8Array.from(parts.flatMap((part) => [...part]));

describe("ChampSim records", () => {
  it("give the fetch, the loads, then the stores; 0 is an unused slot", async () => {
    const bytes = record([0x401000n, 0n, 0x9000n, 0n, 0x5000n, 0n, 0n, 0x6ffcn]);
    const { blocks, summary } = await readAll(bytes);
    expect(blocks.flat()).toEqual([
      { page: 0x401, kind: "F", count: 1 },
      { page: 5, kind: "R", count: 1 },
      { page: 6, kind: "R", count: 1 },
      { page: 7, kind: "R", count: 1 },
      { page: 9, kind: "W", count: 1 },
    ]);
    expect(summary).toMatchObject({ format: "champsim", lines: 1, accesses: 5 });
  });

  it("count kernel addresses", async () => {
    const bytes = record([0x401000n, 0n, 0xffff888000000000n, 0n, 0x800000000000n]);
    expect((await readAll(bytes)).summary).toMatchObject({ accesses: 1, kernelAddresses: 2 });
  });

  it("must end with a whole record", async () => {
    const bytes = joined(record([0x401000n]), record([0x401004n]).subarray(0, 10));
    await expect(readAll(bytes, { name: "c" })).rejects.toThrow(
      "c: byte 64: expected records of 64 bytes, found 10 bytes at the end",
    );
    expect((await readAll(bytes, { lenient: "skip" })).summary).toMatchObject({ lines: 1, skipped: 1, accesses: 1 });
  });

  it("are rejected where a flag is neither 0 nor 1, as in records of another size", async () => {
    const bytes = joined(record([0x401000n]), record([0x401004n, 2n]));
    await expect(readAll(bytes, { format: "champsim", name: "c" })).rejects.toThrow(/^c: byte 64: expected 0 or 1 in/);
    await expect(readAll(bytes, { name: "c" })).rejects.toThrow(/^c: expected valgrind lackey text, /);
  });
});
