import { describe, expect, it } from "vitest";
import * as abi from "../../assembly/abi.js";
import {
  clamped,
  fitted,
  flight,
  MAX_SCALE,
  panned,
  placeAt,
  pointOf,
  zoomed,
} from "../../playground/src/map/camera.js";
import { factsOf } from "../../playground/src/map/cell-facts.js";
import { findNotable } from "../../playground/src/map/find-notable.js";
import { PLANE, placeOf, tableRect } from "../../playground/src/map/geometry.js";
import { LiveCache } from "../../playground/src/map/live-cache.js";
import { cellText, summaryText } from "../../playground/src/map/map-facts.js";
import { mainShapes, mappingAt, shapesOf } from "../../playground/src/map/mappings.js";
import type { TileSource } from "../../playground/src/map/tile-cache.js";
import { PAGE, setUp } from "../support/setup.js";

const SIZE = { width: 800, height: 600 };
const GIB = 2 ** 18;

/** Answers that the test gives when it likes. */
function slowSource(): {
  load: (key: string) => Promise<string>;
  asked: string[];
  answer: (value: string) => Promise<void>;
} {
  const asked: string[] = [];
  const waiting: ((value: string) => void)[] = [];
  return {
    asked,
    load: (key) => {
      asked.push(key);
      return new Promise((resolve) => waiting.push(resolve));
    },
    answer: async (value) => {
      waiting.shift()?.(value);
      await new Promise((resolve) => setTimeout(resolve));
    },
  };
}

const pairs = (...ids: string[]): (readonly [string, string])[] => ids.map((id) => [id, id]);

describe("values that grow old", () => {
  it("are asked for once, stay while they are asked for again, and are replaced by the answer", async () => {
    const source = slowSource();
    let changes = 0;
    const cache = new LiveCache(source.load, () => changes++, 10);
    cache.want(pairs("a"));
    cache.want(pairs("a"));
    expect([source.asked, cache.get("a")]).toEqual([["a"], null]);
    await source.answer("first");
    expect([cache.get("a"), changes]).toEqual(["first", 1]);
    cache.invalidate();
    expect([source.asked, cache.get("a")]).toEqual([["a", "a"], "first"]);
    await source.answer("second");
    expect([cache.get("a"), changes]).toEqual(["second", 2]);
  });

  it("are asked for in their order, what is missing before what is old, a few at once", async () => {
    const source = slowSource();
    const cache = new LiveCache(source.load, () => undefined, 10);
    cache.want(pairs("a"));
    await source.answer("a");
    cache.invalidate();
    await source.answer("a again");
    cache.want(pairs("a", "b", "c", "d", "e", "f"));
    expect(source.asked.slice(2)).toEqual(["b", "c", "d", "e"]);
    cache.want(pairs("a", "g"));
    await source.answer("b");
    expect(source.asked.slice(6)).toEqual(["g"]);
  });

  it("are forgotten when there are too many, and outlive a source that fails", async () => {
    let fails = false;
    const load = (key: string): Promise<string> => (fails ? Promise.reject(new Error("gone")) : Promise.resolve(key));
    const cache = new LiveCache(load, () => undefined, 2);
    for (const id of ["a", "b", "c"]) {
      cache.want(pairs(id));
      await Promise.resolve();
    }
    expect(["a", "b", "c"].map((id) => cache.get(id))).toEqual([null, "b", "c"]);
    fails = true;
    cache.invalidate();
    await new Promise((resolve) => setTimeout(resolve));
    expect(cache.get("c")).toBe("c");
  });
});

describe("what is shown", () => {
  it("is put on the screen and back", () => {
    const camera = { x: 1000, y: 500, scale: 3 };
    const place = { x: 1003, y: 498 };
    expect(pointOf(camera, SIZE, place)).toEqual({ x: 409, y: 294 });
    expect(placeAt(camera, SIZE, { x: 409, y: 294 })).toEqual(place);
  });

  it("keeps the place under the pointer while it is enlarged, within limits", () => {
    const point = { x: 100, y: 500 };
    const before = { x: 5000, y: 3000, scale: 0.5 };
    const after = zoomed(before, SIZE, point, 4);
    expect(after.scale).toBe(2);
    expect(placeAt(after, SIZE, point)).toEqual(placeAt(before, SIZE, point));
    expect(zoomed(before, SIZE, point, 1e9).scale).toBe(MAX_SCALE);
    expect(zoomed(before, SIZE, point, 1e-9).scale).toBeCloseTo((0.8 * 800) / 2 ** 18, 12);
  });

  it("stays on the plane", () => {
    expect(panned({ x: 10, y: 10, scale: 1 }, SIZE, 5000, 5000)).toMatchObject({ x: 0, y: 0 });
    expect(clamped({ x: 1e9, y: 1e9, scale: 1 }, SIZE)).toMatchObject({ x: PLANE.width, y: PLANE.height });
  });

  it("leaves room for a name above what is fitted in, however low the map is", () => {
    for (const height of [80, 160, 320, 900]) {
      const rect = tableRect("pte", 3 * GIB);
      const { y } = pointOf(fitted(rect, { width: 2000, height }), { width: 2000, height }, rect);
      expect(y).toBeGreaterThanOrEqual(Math.min(22, height / 5));
    }
  });

  it("flies to where it is to be, and out on the way", () => {
    const from = fitted(tableRect("pte", 3 * GIB), SIZE);
    const to = fitted(tableRect("pte", 5000 * GIB), SIZE);
    const way = flight(from, to, SIZE);
    const near = (a: number, b: number): void => expect(Math.abs(a / b - 1)).toBeLessThan(1e-6);
    near(way.at(0).x, from.x);
    near(way.at(0).scale, from.scale);
    expect(way.at(1)).toEqual(to);
    expect(way.at(0.5).scale).toBeLessThan(from.scale / 100);
    const straight = flight(from, { ...from, scale: from.scale * 16 }, SIZE);
    expect(straight.at(0.5).scale).toBeCloseTo(from.scale * 4, 6);
  });
});

describe("mappings", () => {
  const mappings = [
    { name: "ram", firstPage: 32 * 2 ** 27, endPage: 32 * 2 ** 27 + 10 * GIB },
    { name: "heap", firstPage: 32 * 2 ** 27 + 16 * GIB, endPage: 32 * 2 ** 27 + 16 * GIB + 100 },
    { name: "stack", firstPage: 2 ** 35 - 600, endPage: 2 ** 35 - 1 },
    { name: "none", firstPage: 5, endPage: 5 },
  ];

  it("are shown first where most of them are", () => {
    expect(mainShapes(shapesOf(mappings), null).map(({ mapping }) => mapping.name)).toEqual(["ram", "heap"]);
    expect(mainShapes([], null)).toEqual([]);
  });

  it("are shown where a page is", () => {
    const shown = mainShapes(shapesOf(mappings), 2 ** 35 - 500).map(({ mapping }) => mapping.name);
    expect(shown).toEqual(["stack"]);
  });

  it("are found by page", () => {
    expect(mappingAt(mappings, 32 * 2 ** 27 + 7)?.name).toBe("ram");
    expect(mappingAt(mappings, 5)).toBeNull();
  });

  it("are told in words, with what they hold", () => {
    const pages = new Array<number>(abi.STATE_COUNT).fill(0);
    pages[abi.STATE_MARKER] = 1999;
    pages[abi.STATE_DIRTY] = 1;
    const text = summaryText([{ name: "ram", firstPage: 0, endPage: 2000, pages }]);
    expect(text).toBe("ram, 2,000 pages: 1,999 marker, 1 dirty.");
    expect(summaryText([])).toBe("Nothing is mapped.");
  });
});

describe("a cell", () => {
  it("leads to the page that it is coloured for, and says what it holds", async () => {
    const { space, uffd, at } = await setUp({ pages: 4 * GIB, features: ["wp-async"] });
    uffd.writeProtect(at, 4 * GIB * PAGE);
    const dirty = at / PAGE + 777_777;
    space.write(dirty * PAGE, 1);
    const source: TileSource = {
      tile: (_, zoom, column, row) => Promise.resolve(space.engine.readTile(space.handle, zoom, column, row)),
      entries: (_, first, count) => Promise.resolve(space.engine.readEntries(space.handle, first, count)),
    };
    const place = placeOf(at / PAGE);
    const cells = await source.tile("main", 10, 0, 0);
    const cell = cells[Math.floor(place.y / 1024) * abi.TILE_CELLS + Math.floor(place.x / 1024)] ?? 0;
    const facts = factsOf(cell, 10, at / PAGE, [{ name: "ram", firstPage: at / PAGE, endPage: at / PAGE + 4 * GIB }]);
    expect(cellText(facts)).toBe(
      "0x100000000000 and 1,048,575 more: marker, under 1 % dirty · ram · real PUD table, mixed PMD table, mixed PTE table",
    );
    expect(await findNotable(source, "main", 10, place, facts.notable)).toBe(dirty);
    expect(await findNotable(source, "main", 10, place, abi.STATE_POISON)).toBeNull();
  });
});
