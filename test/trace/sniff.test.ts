import { describe, expect, it } from "vitest";
import { readAll } from "./support/blocks.js";

describe("recognising a trace", () => {
  it("passes over what the traced program printed first", async () => {
    const text = "hello\nI  0401ab70,3\n";
    expect((await readAll(text, { lenient: "skip" })).summary).toMatchObject({ format: "lackey", skipped: 1 });
  });

  it("waits for enough bytes", async () => {
    const text = "==1== Lackey\nI  0401ab70,3\n";
    expect((await readAll(text, {}, [1, 2, 3])).summary).toMatchObject({ format: "lackey", accesses: 1 });
  });

  it.each([
    ["nothing", new Uint8Array(0), /found nothing \(0 bytes\)$/],
    ["prose", new TextEncoder().encode('Dear "reader",\n'), /found "Dear \\x22reader\\x22,\\x0a"$/],
    ["junk", Uint8Array.from({ length: 300 }, (_, index) => 255 - index), /found "\\xff\\xfe/],
    ["gzip data", Uint8Array.of(0x1f, 0x8b, 8, 0), /\(gzip data: decompress it first\)$/],
  ])("lists the formats and quotes the first bytes of %s", async (_name, bytes, found) => {
    const reading = readAll(bytes, { name: "f" });
    await expect(reading).rejects.toThrow(
      /^f: expected valgrind lackey text, perf script .* ChampSim.* \.pte-trace file, /,
    );
    await expect(readAll(bytes, { name: "f" })).rejects.toThrow(found);
  });
});
