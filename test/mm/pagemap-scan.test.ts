import { describe, expect, it } from "vitest";
import { ACCESS_WRITE, type Category, type PagemapScan } from "../../ts/node.js";
import { MARKER_WORD, PAGE, setUp, type Setup, word, WP_BIT } from "../support/setup.js";

/** [first page, end page, categories] of each region, pages counted from the start of the mapping; and the end of the walk. */
function scan(setup: Setup, changes: Partial<PagemapScan>): [regions: unknown[], walkEnd: number] {
  const { space, at, bytes } = setup;
  const { regions, walkEnd } = space.pagemapScan({ start: at, end: at + bytes, ...changes });
  const relative = regions.map((region) => [
    (region.start - at) / PAGE,
    (region.end - at) / PAGE,
    region.categories.join(),
  ]);
  return [relative, (walkEnd - at) / PAGE];
}

const WRITTEN = { mask: ["written"], return: ["written"] } as const;
const ALL: readonly Category[] = ["wpallowed", "written", "present", "swapped", "pfnzero"];

async function withWrites(pages: number, written: (page: number) => boolean): Promise<Setup> {
  const setup = await setUp({ features: ["wp-async"], pages });
  setup.uffd.writeProtect(setup.at, setup.bytes);
  for (let page = 0; page < pages; page++) if (written(page)) setup.space.write(setup.at + page * PAGE, 1);
  return setup;
}

describe("PAGEMAP_SCAN", () => {
  it("tells what each page is", async () => {
    const setup = await setUp({ features: ["wp-async"], pages: 600 });
    const { space, uffd, at } = setup;
    uffd.writeProtect(at + PAGE, PAGE); // 1: marker
    space.read(at + 2 * PAGE); // 2: zero page
    space.write(at + 3 * PAGE, 1); // 3: page
    for (const page of [4, 5]) space.read(at + page * PAGE);
    space.write(at + 5 * PAGE, 1);
    uffd.writeProtect(at + 4 * PAGE, 2 * PAGE); // 4: protected zero page, 5: protected page
    expect(scan(setup, { return: ALL })).toEqual([
      [
        [0, 1, "wpallowed,written"],
        [1, 2, "wpallowed,swapped"],
        [2, 3, "wpallowed,written,present,pfnzero"],
        [3, 4, "wpallowed,written,present"],
        [4, 5, "wpallowed,present,pfnzero"],
        [5, 6, "wpallowed,present"],
        [6, 600, "wpallowed,written"],
      ],
      600,
    ]);
  });

  it("takes a page without a table for written only where wp is registered", async () => {
    const setup = await setUp({ modes: [], pages: 600 });
    setup.space.read(setup.at);
    expect(scan(setup, { return: ALL })[0]).toEqual([
      [0, 1, "written,present,pfnzero"],
      [1, 512, "written"],
      [512, 600, ""],
    ]);
    setup.uffd.register(setup.at, setup.bytes, ["wp"]);
    expect(scan(setup, { return: ALL })[0]).toEqual([
      [0, 1, "written,present,pfnzero"],
      [1, 600, "written"],
    ]);
  });

  it("finds each second page, and the walk stops where the next one does not fit", async () => {
    const setup = await withWrites(1000, (page) => page % 2 === 0);
    expect(scan(setup, WRITTEN)[0]).toHaveLength(500);
    const [regions, walkEnd] = scan(setup, { ...WRITTEN, vectorLength: 3 });
    expect([regions.length, walkEnd]).toEqual([3, 6]);
    expect(scan(setup, { ...WRITTEN, maxPages: 1 })).toEqual([[[0, 1, "written"]], 2]);
    expect(scan(setup, { ...WRITTEN, maxPages: 500 })[1]).toBe(1000);
    expect(scan(setup, { ...WRITTEN, maxPages: 499 })).toMatchObject([{ length: 499 }, 998]);
  });

  it("cuts a region at the limit", async () => {
    const setup = await withWrites(1000, () => true);
    expect(scan(setup, { ...WRITTEN, vectorLength: 1 })).toEqual([[[0, 1000, "written"]], 1000]);
    expect(scan(setup, { ...WRITTEN, maxPages: 500 })).toEqual([[[0, 500, "written"]], 500]);
    expect(scan(setup, { ...WRITTEN, maxPages: 1 })).toEqual([[[0, 1, "written"]], 1]);
  });

  it("puts out more than 512 regions, and then names the end of an earlier round", async () => {
    const setup = await withWrites(2048, (page) => page % 2 === 0 && page < 1026);
    const [regions, walkEnd] = scan(setup, WRITTEN);
    expect([regions.length, walkEnd]).toEqual([513, 1024]);
  });

  it("puts regions where the caller has room for them, as many as fit", async () => {
    const { space, at } = await withWrites(2000, (page) => page % 2 === 0);
    const range = { start: at, end: at + 2000 * PAGE, ...WRITTEN };
    const vector = new Float64Array(3 * 700 + 2);
    const found = space.pagemapScan({ ...range, vector });
    expect(found.raw.buffer).toBe(vector.buffer);
    expect(found.regions).toHaveLength(700);
    expect(found.walkEnd).toBe(at + 1400 * PAGE);
    expect(found.raw).toEqual(space.pagemapScan({ ...range, vectorLength: 700 }).raw);
    expect(space.pagemapScan({ ...range, vector, vectorLength: 1 }).raw).toHaveLength(3);
    expect(space.pagemapScan({ ...range, vector, vectorLength: 0 }).raw).toHaveLength(0);
    expect(() => space.pagemapScan({ ...range, vector, vectorLength: 701 })).toThrow(RangeError);
  });

  it("protects what it puts out: the second time nothing is written", async () => {
    const setup = await withWrites(1000, (page) => page % 3 === 0);
    const clear = { ...WRITTEN, wpMatching: true, checkWpAsync: true };
    expect(scan(setup, clear)[0]).toHaveLength(334);
    expect(scan(setup, clear)[0]).toEqual([]);
    expect(word(setup.space, setup.at) & WP_BIT).toBe(WP_BIT);
    setup.space.write(setup.at + 7 * PAGE, 1);
    expect(scan(setup, clear)[0]).toEqual([[7, 8, "written"]]);
  });

  it.each(["none", "zero page", "page"])(
    "finds what a replay has written since the last scan, %s before",
    async (before) => {
      const setup = await setUp({ features: ["wp-async"], pages: 1000 });
      const { space, at, bytes } = setup;
      if (before === "zero page") space.madvise(at, bytes, "populate-read");
      if (before === "page") space.madvise(at, bytes, "populate-write");
      setup.uffd.writeProtect(at, bytes);
      expect(scan(setup, WRITTEN)[0]).toEqual([]);
      const pages = [0, 5, 6, 511, 512, 999];
      const words = pages.flatMap((page) => [
        (at / PAGE + page) % 2 ** 32,
        Math.floor((at / PAGE + page) / 2 ** 32) | ACCESS_WRITE,
      ]);
      space.replay(new Uint32Array(words), { value: 1 });
      const ranges = [
        [0, 1],
        [5, 7],
        [511, 513],
        [999, 1000],
      ];
      expect(scan(setup, WRITTEN)[0]).toEqual(ranges.map(([first, end]) => [first, end, "written"]));
    },
  );

  it("protects only as much as the limit allows", async () => {
    const setup = await withWrites(10, () => true);
    expect(scan(setup, { ...WRITTEN, maxPages: 5, wpMatching: true })).toEqual([[[0, 5, "written"]], 5]);
    expect(scan(setup, WRITTEN)[0]).toEqual([[5, 10, "written"]]);
  });

  it("without an output protects every entry of a table, whatever the masks say", async () => {
    const setup = await setUp({ features: ["wp-async"], pages: 600 });
    setup.space.write(setup.at, 1);
    expect(scan(setup, { mask: ["present"], return: ["present"], vectorLength: 0, wpMatching: true })).toEqual([
      [],
      600,
    ]);
    expect(word(setup.space, setup.at) & WP_BIT).toBe(WP_BIT);
    expect([word(setup.space, setup.at + PAGE), word(setup.space, setup.at + 599 * PAGE)]).toEqual([MARKER_WORD, 0n]);
  });

  it("passes over what it may not protect", async () => {
    const setup = await setUp({ features: ["wp-unpopulated"] });
    setup.space.write(setup.at, 1);
    expect(scan(setup, { ...WRITTEN, wpMatching: true })).toEqual([[], 8]);
    expect(word(setup.space, setup.at) & WP_BIT).toBe(0n);
  });

  it("has protected what lies before a mapping that it may not protect, when it fails there", async () => {
    const setup = await withWrites(4, () => true);
    setup.space.mmap({ at: setup.at + setup.bytes, length: PAGE });
    const scanAll = {
      start: setup.at,
      end: setup.at + setup.bytes + PAGE,
      ...WRITTEN,
      wpMatching: true,
      checkWpAsync: true,
    };
    expect(() => setup.space.pagemapScan(scanAll)).toThrow("EPERM");
    expect(word(setup.space, setup.at) & WP_BIT).toBe(WP_BIT);
  });

  it("inverts categories for choosing, not for telling", async () => {
    const setup = await withWrites(4, (page) => page === 1);
    expect(scan(setup, { inverted: ["written"], mask: ["written"], return: ["written", "swapped"] })[0]).toEqual([
      [0, 1, "swapped"],
      [2, 4, "swapped"],
    ]);
    expect(scan(setup, { anyOf: ["present", "pfnzero"], return: ["present"] })[0]).toEqual([[1, 2, "present"]]);
  });

  it("of nothing ends where it starts, and an end beside a page is rounded up", async () => {
    const setup = await withWrites(4, () => true);
    expect(scan(setup, { ...WRITTEN, end: setup.at })).toEqual([[], 0]);
    expect(scan(setup, { ...WRITTEN, end: setup.at + 1 })).toEqual([[[0, 1, "written"]], 1]);
  });

  it("leaves gaps out and joins regions over the border of mappings", async () => {
    const setup = await withWrites(8, () => true);
    setup.space.munmap(setup.at + 2 * PAGE, PAGE);
    setup.space.mprotect(setup.at + 5 * PAGE, PAGE, "r");
    expect(scan(setup, { ...WRITTEN, checkWpAsync: true })[0]).toEqual([
      [0, 2, "written"],
      [3, 8, "written"],
    ]);
  });
});
