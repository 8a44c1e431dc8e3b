import { readFileSync, existsSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { layoutAroundPages, layoutFromMaps, layoutRam, pagesOf, RAM_FIRST_PAGE } from "../../ts/sim/layout.js";

const MAPS = `55d0c0a00000-55d0c0a02000 r--p 00000000 08:01 1234                       /usr/bin/cat
55d0c0a02000-55d0c0a07000 r-xp 00002000 08:01 1234                       /usr/bin/cat
55d0c0a0b000-55d0c0a0c000 rw-p 0000a000 08:01 1234                       /usr/bin/a name with spaces
7f1200000000-7f1200021000 rw-p 00000000 00:00 0 
7f1200021000-7f1204000000 ---p 00000000 00:00 0 
7ffd11000000-7ffd11021000 rw-p 00000000 00:00 0                          [stack]
ffffffffff600000-ffffffffff601000 --xp 00000000 00:00 0                  [vsyscall]
`;

describe("the mappings of /proc/PID/maps", () => {
  it("keep their addresses and what may be done to them", () => {
    expect(layoutFromMaps(MAPS, "maps").mappings).toEqual([
      { firstPage: 0x55d0c0a00, pageCount: 2, protection: "r" },
      { firstPage: 0x55d0c0a02, pageCount: 5, protection: "r" },
      { firstPage: 0x55d0c0a0b, pageCount: 1, protection: "rw" },
      { firstPage: 0x7f1200000, pageCount: 0x21, protection: "rw" },
      { firstPage: 0x7f1200021, pageCount: 0x4000 - 0x21, protection: "none" },
      { firstPage: 0x7ffd11000, pageCount: 0x21, protection: "rw" },
    ]);
  });

  it.runIf(existsSync("/proc/self/maps"))("of this very process can be read", () => {
    const layout = layoutFromMaps(readFileSync("/proc/self/maps", "utf8"), "/proc/self/maps");
    expect(layout.mappings.length).toBeGreaterThan(20);
    expect(layout.mappings.some((mapping) => mapping.protection === "rw")).toBe(true);
    expect(layout.description).toContain("/proc/self/maps");
  });

  it("may end without a line break, have blank lines and carriage returns", () => {
    const text = "00001000-00002000 rw-p 00000000 00:00 0 \r\n\n00003000-00004000 r--p 00000000 00:00 0";
    expect(layoutFromMaps(text, "maps").mappings).toHaveLength(2);
  });

  const good = "00001000-00002000 rw-p 00000000 00:00 0";
  it.each([
    { name: "no range", line: "hello" },
    { name: "a range that ends where it starts", line: "00005000-00005000 rw-p 00000000 00:00 0" },
    { name: "a range that ends before it starts", line: "00006000-00005000 rw-p 00000000 00:00 0" },
    { name: "a start beside a page", line: "00005001-00006000 rw-p 00000000 00:00 0" },
    { name: "permissions that do not exist", line: "00005000-00006000 rwzp 00000000 00:00 0" },
    { name: "a line that is cut off", line: "00005000-000060" },
    { name: "an overlap with the line before", line: "00001000-00003000 rw-p 00000000 00:00 0" },
    { name: "a line that belongs before the one before", line: "00000000-00001000 rw-p 00000000 00:00 0" },
  ])("with $name are refused with the line's number", ({ line }) => {
    expect(() => layoutFromMaps(`${good}\n${line}\n`, "x.maps")).toThrow(RangeError);
    expect(() => layoutFromMaps(`${good}\n${line}\n`, "x.maps")).toThrow("x.maps:2:");
  });

  it.each(["", "\n\n", "ffffffffff600000-ffffffffff601000 --xp 00000000 00:00 0 [vsyscall]\n"])(
    "are refused when there are none: %j",
    (text) => {
      expect(() => layoutFromMaps(text, "x.maps")).toThrow("x.maps: expected");
    },
  );
});

describe("mappings around the pages of a trace", () => {
  const around = (...pages: number[]): number[][] =>
    layoutAroundPages(Float64Array.from(pages)).mappings.map((mapping) => [mapping.firstPage, mapping.pageCount]);

  it("are whole 2 MiB areas, joined where they touch", () => {
    expect(around(5)).toEqual([[0, 512]]);
    expect(around(511, 512)).toEqual([[0, 1024]]);
    expect(around(0, 1024)).toEqual([
      [0, 512],
      [1024, 512],
    ]);
    expect(around(1, 2, 600, 601, 2000)).toEqual([
      [0, 1024],
      [1536, 512],
    ]);
  });

  it("end where user space ends", () => {
    expect(around(2 ** 35 - 2)).toEqual([[2 ** 35 - 512, 511]]);
  });

  it("are none without pages", () => {
    expect(around()).toEqual([]);
  });
});

describe("RAM", () => {
  it("is one mapping, rounded down to pages", () => {
    const layout = layoutRam(10 * 2 ** 30 + 100);
    expect(layout.mappings).toEqual([{ firstPage: RAM_FIRST_PAGE, pageCount: 2_621_440, protection: "rw" }]);
    expect(pagesOf(layout)).toBe(2_621_440);
    expect(layout.description).toBe("10.0 GiB of RAM at 0x100000000000");
  });

  const most = (2 ** 35 - 1 - RAM_FIRST_PAGE) * 4096;
  it("is at least a page and at most what is left of user space", () => {
    expect(pagesOf(layoutRam(4096))).toBe(1);
    expect(pagesOf(layoutRam(most))).toBe(most / 4096);
  });

  it.each([0, 4095, -4096, NaN, Infinity, most + 4096])("of %s bytes is refused", (bytes) => {
    expect(() => layoutRam(bytes)).toThrow('"ram"');
  });
});
