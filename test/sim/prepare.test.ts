import { describe, expect, it } from "vitest";
import { RAM_FIRST_PAGE } from "../../ts/sim/layout.js";
import { prepareTrace, type PrepareOptions, type PreparedTrace } from "../../ts/sim/prepare.js";
import { type AccessBlock, pageOf } from "../../ts/trace/access.js";

/** "w5*3": three writes to page 5; r reads, f fetches. */
function blockOf(...texts: string[]): AccessBlock {
  const words = new Uint32Array(2 * texts.length);
  const counts = new Uint32Array(texts.length);
  texts.forEach((text, i) => {
    const [, kind, page, count] = /^([rwf])(\d+)(?:\*(\d+))?$/.exec(text) ?? [];
    words[2 * i] = Number(page) % 2 ** 32;
    words[2 * i + 1] = Math.floor(Number(page) / 2 ** 32) + (kind === "w" ? 2 ** 31 : kind === "f" ? 2 ** 30 : 0);
    counts[i] = Number(count ?? 1);
  });
  return { words, counts, length: texts.length, accesses: counts.reduce((a, b) => a + b, 0) };
}

function recordsIn(trace: PreparedTrace): string[] {
  const texts: string[] = [];
  for (const block of trace.store.blocks()) {
    for (let i = 0; i < block.length; i++) {
      const high = block.words[2 * i + 1] as number;
      const kind = high >= 2 ** 31 ? "w" : (high & (2 ** 30)) !== 0 ? "f" : "r";
      texts.push(`${kind}${pageOf(block, i)}${block.counts[i] === 1 ? "" : `*${block.counts[i] ?? 0}`}`);
    }
  }
  return texts;
}

async function prepare(options: PrepareOptions, ...blocks: AccessBlock[]): Promise<PreparedTrace> {
  return prepareTrace(blocks, options);
}

describe("preparing a trace", () => {
  it("leaves fetches out and counts them", async () => {
    const trace = await prepare({}, blockOf("r1", "f2*5", "w3*2"), blockOf("f9"));
    expect(recordsIn(trace)).toEqual(["r1", "w3*2"]);
    expect(trace).toMatchObject({ reads: 1, writes: 2, skippedFetches: 6, skippedOutside: 0 });
    expect(trace.store.accesses).toBe(3);
  });

  it("takes fetches for reads when asked to", async () => {
    const trace = await prepare({ fetches: "read" }, blockOf("r1", "f2*5", "w3*2"));
    expect(recordsIn(trace)).toEqual(["r1", "r2*5", "w3*2"]);
    expect(trace).toMatchObject({ reads: 6, writes: 2, skippedFetches: 0 });
  });

  it("hands out RAM in the order of first touch", async () => {
    const high = 2 ** 34;
    const trace = await prepare({ ramPages: 3 }, blockOf(`w${high}`, "r7", `r${high}`), blockOf("f8", "r7", "w9"));
    const first = RAM_FIRST_PAGE;
    expect(recordsIn(trace)).toEqual([`w${first}`, `r${first + 1}`, `r${first}`, `r${first + 1}`, `w${first + 2}`]);
  });

  it("says when the RAM is too small", async () => {
    await expect(prepare({ ramPages: 2 }, blockOf("r1", "r2", "r1", "r3"))).rejects.toThrow(
      "more than the 2 pages of RAM",
    );
  });

  it("leaves out what no mapping allows", async () => {
    const mappings = [
      { firstPage: 10, pageCount: 2, protection: "rw" as const },
      { firstPage: 20, pageCount: 1, protection: "r" as const },
      { firstPage: 21, pageCount: 1, protection: "none" as const },
    ];
    const texts = ["r9", "w10", "r11", "r12*4", "r20", "w20*2", "r21", "f20", "f21", "r22"];
    const trace = await prepare({ mappings, fetches: "read" }, blockOf(...texts));
    expect(recordsIn(trace)).toEqual(["w10", "r11", "r20", "r20"]);
    expect(trace.skippedOutside).toBe(10);
  });

  it("of nothing is empty", async () => {
    expect((await prepare({})).store.accesses).toBe(0);
  });

  it("passes on what the reader throws", async () => {
    function* broken(): Generator<AccessBlock> {
      yield blockOf("r1");
      throw new Error("line 7");
    }
    await expect(prepareTrace(broken())).rejects.toThrow("line 7");
  });
});
