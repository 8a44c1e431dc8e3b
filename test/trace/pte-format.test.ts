import { crc32 as zlibCrc32 } from "node:zlib";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { crc32 } from "../../ts/trace/crc32.js";
import {
  createBuffers,
  decodeBlock,
  encodeBlock,
  MAX_BLOCK_RECORDS,
  PayloadError,
  TraceWriter,
  writeTrace,
} from "../../ts/trace/pte-format.js";
import { TraceError } from "../../ts/trace/trace-error.js";
import { blockOf, readAll, recordsOf } from "./support/blocks.js";
import { type Run } from "./support/naive.js";

const LAST_PAGE = 2 ** 35 - 1;

const SMALL: readonly Run[] = [
  { page: 5, kind: "F", count: 1 },
  { page: LAST_PAGE, kind: "W", count: 4 },
  { page: 5, kind: "F", count: 3 },
  { page: 2 ** 32, kind: "R", count: 0xffffffff },
  { page: 0, kind: "R", count: 2 },
];

function fileOf(blocks: readonly (readonly Run[])[], header = {}): Uint8Array {
  const writer = new TraceWriter(header);
  const parts = [writer.header(), ...blocks.map((runs) => writer.block(blockOf(runs))), writer.end()];
  return Uint8Array.from(parts.flatMap((part) => [...part]));
}

async function errorOf(bytes: Uint8Array): Promise<TraceError> {
  const outcome: unknown = await readAll(bytes, { name: "f", format: "pte" }).catch((error: unknown) => error);
  if (!(outcome instanceof TraceError)) throw new Error("expected a TraceError");
  return outcome;
}

/** Replaces a 32-bit number and makes the checksum of the structure at `start` right again. */
function patched(bytes: Uint8Array, offset: number, value: number, seal: (view: DataView) => void): Uint8Array {
  const copy = bytes.slice();
  const view = new DataView(copy.buffer);
  view.setUint32(offset, value, true);
  seal(view);
  return copy;
}

function noSeal(): void {
  // the length is checked before the checksum
}

const page = fc.oneof(fc.nat({ max: 40 }), fc.integer({ min: 0, max: LAST_PAGE }), fc.constant(LAST_PAGE));
const count = fc.oneof(fc.integer({ min: 1, max: 6 }), fc.integer({ min: 1, max: 0xffffffff }));
const runs = fc.array(fc.record({ page, kind: fc.constantFrom("R", "W", "F"), count }), {
  minLength: 1,
  maxLength: 200,
});

describe("the own format", () => {
  it("gives back blocks, header and totals", async () => {
    const header = { source: "a", command: "b c", note: "ä" };
    const { blocks, summary } = await readAll(fileOf([SMALL, SMALL.slice(0, 2)], header), { name: "f" });
    expect(blocks).toEqual([SMALL, SMALL.slice(0, 2)]);
    const accesses = 1 + 4 + 3 + 0xffffffff + 2 + 1 + 4;
    expect(summary).toMatchObject({ format: "pte", header, lines: 7, accesses, writes: 8, fetches: 5 });
  });

  it("keeps every record of random blocks", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(runs, { maxLength: 4 }), async (blocks) => {
        expect((await readAll(fileOf(blocks))).blocks).toEqual(blocks);
      }),
      { numRuns: 150 },
    );
  });

  it("has a trace without accesses, and leaves empty blocks out", async () => {
    expect(fileOf([[]])).toEqual(fileOf([]));
    expect((await readAll(fileOf([]))).summary).toMatchObject({ format: "pte", accesses: 0 });
  });

  it("takes one byte for a record that returns to one of the fifteen pages before", () => {
    const pages = Array.from({ length: 15 }, (_, index) => 1000 * (15 - index) * (index + 1));
    const visits = [...pages, ...pages, ...pages].map((page): Run => ({ page, kind: "W", count: 3 }));
    const first = encodeBlock(blockOf(visits.slice(0, 15))).length;
    expect(encodeBlock(blockOf(visits)).length).toBe(first + 30);
  });

  it("writes the bytes that docs/traces.md gives as an example", () => {
    const payload = encodeBlock(
      blockOf([
        { page: 0x401a, kind: "F", count: 2 },
        { page: 0x1fff000, kind: "W", count: 1 },
        { page: 0x401a, kind: "F", count: 6 },
      ]),
    );
    const example = [0x9f, 0xb4, 0x80, 0x02, 0x4f, 0xcc, 0xbf, 0xfd, 0x1f, 0xb1, 0x02];
    expect([...payload]).toEqual(example);
  });

  it("is what writeTrace makes of a sequence of blocks", async () => {
    const parts: number[] = [];
    for await (const part of writeTrace([blockOf(SMALL)], { note: "n" })) parts.push(...part);
    expect(Uint8Array.from(parts)).toEqual(fileOf([SMALL], { note: "n" }));
  });

  it("refuses to write blocks and headers beyond its limits", () => {
    const records = MAX_BLOCK_RECORDS + 1;
    const block = { ...createBuffers(records), length: records, accesses: records };
    expect(() => new TraceWriter({}).block(block)).toThrow(/^"block" expected at most 262144 records, got 262145$/);
    expect(() => new TraceWriter({ note: "x".repeat(65536) }).header()).toThrow(/^"header" expected at most 65536/);
  });
});

describe("a damaged file in the own format", () => {
  const file = fileOf([SMALL, SMALL.slice(2)], { source: "test" });

  it("is detected wherever a bit has flipped", async () => {
    for (let bit = 0; bit < 8 * file.length; bit++) {
      const damaged = file.slice();
      damaged[bit >> 3] = (damaged[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      const options = { format: "pte", blockRecords: 64, lenient: bit % 2 === 0 ? "skip" : "fail" } as const;
      const outcome: unknown = await readAll(damaged, options).catch((error: unknown) => error);
      expect(outcome, `bit ${bit}`).toBeInstanceOf(TraceError);
    }
  });

  it("is detected wherever it was cut off", async () => {
    for (let length = 1; length < file.length; length++) {
      const error = await errorOf(file.subarray(0, length));
      expect(error.message, `${length} bytes`).toMatch(
        /^f: byte \d+: expected \d+ more bytes .* found the end of the file$/,
      );
      expect(error.byteOffset).toBe(length);
    }
  });

  it("is detected when something follows", async () => {
    const longer = Uint8Array.from([...file, 0]);
    expect((await errorOf(longer)).message).toBe(
      `f: byte ${file.length}: expected the end of the file after the end block`,
    );
  });

  it("is detected when a block is missing or there twice", async () => {
    const writer = new TraceWriter({});
    const parts = [writer.header(), writer.block(blockOf(SMALL)), writer.block(blockOf(SMALL)), writer.end()];
    const [header = [], first = [], , end = []] = parts.map((part) => [...part]);
    for (const blocks of [first, [...first, ...first, ...first]]) {
      const error = await errorOf(Uint8Array.from([...header, ...blocks, ...end]));
      expect(error.message).toMatch(/expected \d blocks in total, as the file has, found 2$/);
    }
  });

  it("names another version", async () => {
    const other = patched(file, 8, 2, noSeal);
    expect((await errorOf(other)).message).toBe("f: byte 8: expected format version 1, found 2");
  });

  it.each([
    ["header", 12, 0xffffffff, /^f: byte 12: expected a header of at most 65536 bytes, found 4294967295$/],
    ["block's record count", 40, 0x7fffffff, /^f: byte 40: expected 1 to 262144 records in block 1, found 2147483647$/],
    ["empty block", 40, 0, /expected 1 to 262144 records in block 1, found 0$/],
    ["payload", 52, 0xfffffff0, /^f: byte 52: expected 5 to 60 bytes of payload in block 1, found 4294967280$/],
  ])("does not trust an absurd length of the %s", async (_name, offset, value, message) => {
    const bytes = fileOf([SMALL], {});
    expect(new TextDecoder().decode(bytes.subarray(22, 26))).toBe("PBLK");
    const shift = offset > 12 ? 22 + 4 - 40 : 0;
    const damaged = patched(bytes, offset + shift, value, noSeal);
    const at = String(offset + shift);
    expect((await errorOf(damaged)).message.replace(`byte ${at}:`, `byte ${offset}:`)).toMatch(message);
  });

  it("is found out when the sums are wrong although the checksum is right", async () => {
    const bytes = fileOf([SMALL.slice(0, 1)], {});
    const wrongSum = patched(bytes, 22 + 8, 7, (view) => {
      const head = crc32(bytesOf(view), 22, 42);
      view.setUint32(42, crc32(bytesOf(view), 46, bytes.length - 28, head), true);
    });
    expect((await errorOf(wrongSum)).message).toMatch(
      /^f: byte 30: expected 1 accesses, as the records have in block 1, found 7$/,
    );
  });

  it.each([
    ["blocks", 4, 1],
    ["records", 8, 5],
    ["accesses", 16, 20],
  ])("is found out when the end block states other %s", async (what, offset, actual) => {
    const runs = SMALL.map((run): Run => ({ ...run, count: 4 }));
    const bytes = fileOf([runs], {});
    const end = bytes.length - 28;
    const wrong = patched(bytes, end + offset, 99, (view) => {
      view.setUint32(end + 24, crc32(bytesOf(view), end, end + 24), true);
    });
    expect((await errorOf(wrong)).message).toBe(
      `f: byte ${end + offset}: expected ${actual} ${what} in total, as the file has, found 99`,
    );
  });

  it("must have a JSON object as header", async () => {
    for (const text of ["[1]", "3", "nul", "\u00ff"]) {
      const json = Uint8Array.from(text, (letter) => letter.charCodeAt(0));
      const start = new TraceWriter({}).header().subarray(0, 16);
      const bytes = Uint8Array.from([...start, ...json, 0, 0, 0, 0]);
      const sealed = patched(bytes, 12, json.length, (view) => {
        view.setUint32(16 + json.length, crc32(bytesOf(view), 0, 16 + json.length), true);
      });
      expect((await errorOf(sealed)).message).toBe("f: byte 16: expected a JSON object as header");
    }
  });
});

function bytesOf(view: DataView): Uint8Array {
  return new Uint8Array(view.buffer);
}

describe("decodeBlock", () => {
  it.each([
    ["a reserved kind", [0xc0], 1, 0, "an access kind of 0, 1 or 2"],
    ["a slot that is still empty", [0x0f, 2, 0x01], 2, 2, "a slot that holds a page"],
    ["a page below 0", [0x0f, 1], 1, 1, "a page number in [0, 2^35)"],
    ["page 2^35", [0x0f, 0x80, 0x80, 0x80, 0x80, 0x80, 0x02], 1, 1, "a page number in [0, 2^35)"],
    ["a number without end", [0x0f, 0x80], 1, 1, "a complete number"],
    ["a number of seven bytes", [0x0f, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0], 1, 1, "a number of at most 6 bytes"],
    ["a count of 2^32", [0x3f, 0xfc, 0xff, 0xff, 0xff, 0x0f, 2], 1, 1, "a count below 2^32"],
    ["too few records", [0x0f, 2], 2, 2, "another record"],
    ["too many bytes", [0x0f, 2, 0x00], 1, 2, "the end of the payload"],
  ])("rejects %s", (_name, payload, records, offset, expected) => {
    const decode = (): unknown => decodeBlock(Uint8Array.from(payload), records, createBuffers(records));
    expect(decode).toThrow(PayloadError);
    expect(decode).toThrow(`payload byte ${offset}: expected ${expected}`);
  });

  it("never fails otherwise, whatever the bytes are", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), fc.integer({ min: 1, max: 40 }), (payload, records) => {
        try {
          const block = decodeBlock(payload, records, createBuffers(records));
          expect(recordsOf(decodeBlock(encodeBlock(block), records, createBuffers(records)))).toEqual(recordsOf(block));
        } catch (error) {
          if (!(error instanceof PayloadError)) throw error;
        }
      }),
    );
  });
});

describe("crc32", () => {
  it("is the one of zlib, in one part or two", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 100 }), fc.nat(100), (bytes, cut) => {
        const middle = Math.min(cut, bytes.length);
        expect(crc32(bytes, 0, bytes.length)).toBe(zlibCrc32(bytes));
        expect(crc32(bytes, middle, bytes.length, crc32(bytes, 0, middle))).toBe(zlibCrc32(bytes));
      }),
    );
  });
});
