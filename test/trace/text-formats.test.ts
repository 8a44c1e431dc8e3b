import { describe, expect, it } from "vitest";
import { TraceError } from "../../ts/trace/trace-error.js";
import { readAll } from "./support/blocks.js";
import { naiveLackey, runsOf } from "./support/naive.js";

async function errorOf(text: string, options = {}): Promise<TraceError> {
  const outcome: unknown = await readAll(text, { name: "t", ...options }).catch((error: unknown) => error);
  if (!(outcome instanceof TraceError)) throw new Error("expected a TraceError");
  return outcome;
}

describe("lackey text", () => {
  const lackey = { format: "lackey" } as const;

  it.each([
    ["a fetch", "I  0401ab70,3\n", [{ page: 0x401a, kind: "F", count: 1 }]],
    ["a load above 4 GiB", " L 1fff000768,8\n", [{ page: 0x1fff000, kind: "R", count: 1 }]],
    ["a modify as one write", " M 04222c80,8\n", [{ page: 0x4222, kind: "W", count: 1 }]],
    ["the last byte of a page", " S 04222fff,1\n", [{ page: 0x4222, kind: "W", count: 1 }]],
    ["the highest user page", " S 7fffffffffff,1\n", [{ page: 2 ** 35 - 1, kind: "W", count: 1 }]],
    ["page 0", " L 00000000,4\n", [{ page: 0, kind: "R", count: 1 }]],
    ["a page number beyond 32 bits", " L 123456789abc,4\n", [{ page: 0x123456789, kind: "R", count: 1 }]],
    [
      "equal neighbours as one record",
      " L 04222000,4\n L 04222ff8,8\n S 04222000,4\n",
      [
        { page: 0x4222, kind: "R", count: 2 },
        { page: 0x4222, kind: "W", count: 1 },
      ],
    ],
    [
      "both pages of a straddling access",
      " S 04222ffc,8\n",
      [
        { page: 0x4222, kind: "W", count: 1 },
        { page: 0x4223, kind: "W", count: 1 },
      ],
    ],
    [
      "all 17 pages of the largest access",
      " S 00000fff,65536\n",
      Array.from({ length: 17 }, (_, page) => ({ page, kind: "W", count: 1 })),
    ],
    [
      "a straddle over the 32-bit carry",
      " S fffffffffff,2\n",
      [
        { page: 0xffffffff, kind: "W", count: 1 },
        { page: 0x100000000, kind: "W", count: 1 },
      ],
    ],
    ["a last line without newline", "I  0401ab70,3", [{ page: 0x401a, kind: "F", count: 1 }]],
    [
      "CRLF line ends",
      "I  0401ab70,3\r\n S 1fff000768,8\r\n",
      [
        { page: 0x401a, kind: "F", count: 1 },
        { page: 0x1fff000, kind: "W", count: 1 },
      ],
    ],
  ])("gives %s", async (_name, text, records) => {
    const { blocks } = await readAll(text, lackey);
    expect(blocks.flat()).toEqual(records);
    expect(blocks.flat()).toEqual(runsOf(naiveLackey(text)));
  });

  it("passes over valgrind's own lines and blank ones", async () => {
    const text = "==12== Lackey\n--12-- warning\n**12** client\n\n\r\nI  0401ab70,3\n==12== Exit code: 0\n";
    expect((await readAll(text, lackey)).summary).toMatchObject({ lines: 7, accesses: 1, fetches: 1, skipped: 0 });
  });

  it("counts kernel addresses and goes on", async () => {
    const text = "I  ffffffffff600000,7\n L 800000000000,8\n S 7ffffffffffc,8\n";
    const { blocks, summary } = await readAll(text, lackey);
    expect(blocks.flat()).toEqual([{ page: 2 ** 35 - 1, kind: "W", count: 1 }]);
    expect(summary).toMatchObject({ kernelAddresses: 3, accesses: 1, skipped: 0 });
  });

  it("names file, line and text of a damaged line, and what helps against mixed-in output", async () => {
    const error = await errorOf("I  0401ab70,3\nresult: 42\n", lackey);
    expect(error).toMatchObject({ name: "TraceError", file: "t", line: 2, byteOffset: undefined });
    expect(error.message).toMatch(
      /^t:2: expected a lackey line such as .*--log-fd=9 9>FILE.*--lenient\), found "result: 42"$/,
    );
  });

  it.each([
    ["no size", "I  0401ab70\n"],
    ["an empty size", "I  0401ab70,\n"],
    ["size 0", "I  0401ab70,0\n"],
    ["a size beyond 64 KiB", " L 0401ab70,65537\n"],
    ["a size of many zeros", ` L 0401ab70,${"0".repeat(70_000)}8\n`],
    ["no address", "I  ,3\n"],
    ["17 digits", " L 00000000000000001,8\n"],
    ["something behind the size", " L 0401ab70,8 x\n"],
    ["an unknown letter", " X 0401ab70,8\n"],
    ["a lone carriage return", " L 0401ab70,8\rx\n"],
    ["a cut-off head", "I\n"],
    ["binary junk", "\u0000\u0001\u0002\n"],
  ])("rejects a line with %s, and skips just it when lenient", async (_name, line) => {
    const text = `I  0401ab70,3\n${line} S 04222000,8\n`;
    const error = await errorOf(text, lackey);
    expect(error.line).toBe(2);
    const { summary } = await readAll(text, { ...lackey, name: "t", lenient: "skip" });
    expect(summary).toMatchObject({ lines: 3, accesses: 2, skipped: 1, firstSkipped: error.message });
  });

  it("survives a line of some megabytes without keeping it", async () => {
    const text = `I  0401ab70,3\n${"y".repeat(5_000_000)}\n S 04222000,8\n`;
    const cuts = Array.from({ length: 80 }, (_, index) => index * 65_536);
    expect((await errorOf(text, lackey)).message).toMatch(/^t:2: expected a line of at most 65536 bytes, found "yyyy/);
    const { summary } = await readAll(text, { ...lackey, lenient: "skip" }, cuts);
    expect(summary).toMatchObject({ lines: 3, skipped: 1, accesses: 2 });
  });

  it("is an empty trace when the file is empty and the format was named", async () => {
    expect((await readAll("", lackey)).summary).toMatchObject({ accesses: 0, lines: 0, bytes: 0 });
  });
});

describe("perf script text", () => {
  const perf = { format: "perf" } as const;

  it.each([
    ["comm,tid,time,addr", "              ls 16032  1117.336359:     55ff2a5795c0"],
    ["an event", "  ls 16032  1117.336359: page-faults:     55ff2a5795c0"],
    ["an event with a modifier", "  ls 16032  1117.336359: page-faults:u:     55ff2a5795c0"],
    ["symbols", "  ls 16032/16032  1117.336359: page-faults:     55ff2a5795c0 __progname ffffffff8175336a elf_load"],
    ["a CPU", "  ls 16032 [003]  1117.336359: page-faults:     55ff2a5795c0"],
    ["blanks in the command", "  Web Content 12 16032/16040 [003]  1117.336359: minor-faults: 55ff2a5795c0 [unknown]"],
    ["colons in the command", "  kworker/0:1 16032  1117.336359: page-faults: 55ff2a5795c0"],
  ])("is understood with %s", async (_name, line) => {
    const { blocks } = await readAll(`# header\n\n${line}\n`, perf);
    expect(blocks.flat()).toEqual([{ page: 0x55ff2a579, kind: "W", count: 1 }]);
    expect((await readAll(`${line}\n`)).summary.format).toBe("perf");
  });

  it("is taken for reads on request", async () => {
    const options = { ...perf, perfFaults: "read" } as const;
    expect((await readAll("ls 1 2.3: 1000\n", options)).summary).toMatchObject({ reads: 1, writes: 0 });
  });

  it.each([
    ["no time", "ls 16032 55ff2a5795c0"],
    ["no thread id", "1117.336359: 55ff2a5795c0"],
    ["no address", "ls 16032 1117.336359: page-faults:"],
    ["a symbol for an address", "ls 16032 1117.336359: page-faults: main"],
    ["a call chain", "\t    7fd3a0aeeb70 _start"],
  ])("is rejected with %s", async (_name, line) => {
    const text = `ls 1 2.3: 1000\n${line}\n`;
    expect((await errorOf(text, perf)).message).toMatch(/^t:2: expected a line of "perf script -F comm,tid,time/);
    expect((await readAll(text, { ...perf, lenient: "skip" })).summary).toMatchObject({ skipped: 1, writes: 1 });
  });
});

describe("ftrace text", () => {
  const ftrace = { format: "ftrace" } as const;
  const fault = "page_fault_user: address=0x7ff02ddea123 ip=0x561846949f5c error_code=";

  it.each([
    ["0x4", "R"],
    ["0x5", "R"],
    ["0x6", "W"],
    ["0x7", "W"],
    ["0x14", "F"],
    ["0x15", "F"],
  ])("takes error code %s for %s", async (code, kind) => {
    const { blocks } = await readAll(` ls-16284   [000] d....  1155.290151: ${fault}${code}\n`, ftrace);
    expect(blocks.flat()).toEqual([{ page: 0x7ff02ddea, kind, count: 1 }]);
  });

  it.each([
    ["blanks and dashes in the command", "  my - prog-1-16284   [000] d....  1155.290151: "],
    ["an event's name in the command", " page_fault_test-16284   [000] d....  1155.290151: "],
    ["no flags", " ls-16284 [000] 1155.290151: "],
    ["perf's prefix", " ls 16284 [000] 1155.290151: exceptions:"],
  ])("is understood with %s", async (_name, prefix) => {
    const { blocks, summary } = await readAll(`${prefix}${fault}0x6\n`);
    expect(summary.format).toBe("ftrace");
    expect(blocks.flat()).toEqual([{ page: 0x7ff02ddea, kind: "W", count: 1 }]);
  });

  it("reads faults taken by the kernel, and trace-cmd's blanks behind the colon", async () => {
    const text =
      " ls-1 [000] d.... 1.2: page_fault_kernel: address=0x558a44388640 ip=elf_load error_code=0x2\n" +
      " ls-1 [000] d.... 1.2: page_fault_user:      address=0x558a44388640 ip=foo [kvm] error_code=0x6\n";
    expect((await readAll(text, ftrace)).blocks.flat()).toEqual([{ page: 0x558a44388, kind: "W", count: 2 }]);
  });

  it("counts symbols and high addresses as kernel addresses", async () => {
    const text =
      " ls-1 [000] d.... 1.2: page_fault_user: address=__per_cpu_start ip=0x1 error_code=0x6\n" +
      " ls-1 [000] d.... 1.2: page_fault_user: address=0xffff888012345678 ip=0x1 error_code=0x6\n";
    expect((await readAll(text, ftrace)).summary).toMatchObject({ kernelAddresses: 2, accesses: 0, skipped: 0 });
  });

  it.each([
    ["another event", " ls-1 [000] d.... 1.2: sched_switch: prev_comm=ls"],
    ["no error code", " ls-1 [000] d.... 1.2: page_fault_user: address=0x1000 ip=0x1"],
    ["a damaged error code", " ls-1 [000] d.... 1.2: page_fault_user: address=0x1000 ip=0x1 error_code=0x6z"],
    ["a damaged address", " ls-1 [000] d.... 1.2: page_fault_user: address=0x10g0 ip=0x1 error_code=0x6"],
    ["an empty address", " ls-1 [000] d.... 1.2: page_fault_user: address= ip=0x1 error_code=0x6"],
  ])("is rejected with %s", async (_name, line) => {
    const text = `# tracer: nop\n${line}\n ls-1 [000] d.... 1.2: ${fault}0x6\n`;
    expect((await errorOf(text, ftrace)).message).toMatch(/^t:2: expected an ftrace line such as /);
    expect((await readAll(text, { ...ftrace, lenient: "skip" })).summary).toMatchObject({ skipped: 1, writes: 1 });
  });

  it("says so when the kernel lost events", async () => {
    const error = await errorOf("CPU:1 [LOST 812 EVENTS]\n", ftrace);
    expect(error.message).toMatch(/lost events here: raise buffer_size_kb/);
  });
});
