import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  blocksOf,
  boundsOf,
  indexesOf,
  outlineOf,
  pageAt,
  placeOf,
  PLANE,
  type Rect,
  TABLE_SHIFT,
  tableRect,
} from "../../playground/src/map/geometry.js";

const anyPage = fc.integer({ min: 0, max: 2 ** 35 - 1 });
/** Bits of a page number that make x, and those that make y, from the lowest. */
const BITS_OF_X = [0, 1, 2, 3, 4, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30, 32, 34];
const BITS_OF_Y = [5, 6, 7, 8, 9, 11, 13, 15, 17, 19, 21, 23, 25, 27, 29, 31, 33];

function gathered(page: number, bits: readonly number[]): number {
  return bits.reduce((sum, bit, i) => sum + (Math.floor(page / 2 ** bit) % 2) * 2 ** i, 0);
}

function area(rects: readonly Rect[]): number {
  return rects.reduce((sum, { width, height }) => sum + width * height, 0);
}

describe("the plane", () => {
  it("has each page at the place that the bits of its number say, and back", () => {
    fc.assert(
      fc.property(anyPage, (page) => {
        const { x, y } = placeOf(page);
        expect({ x, y }).toEqual({ x: gathered(page, BITS_OF_X), y: gathered(page, BITS_OF_Y) });
        expect(pageAt(x + 0.99, y + 0.5)).toBe(page);
      }),
    );
    expect(placeOf(2 ** 35 - 1)).toEqual({ x: PLANE.width - 1, y: PLANE.height - 1 });
  });

  it("has a rectangle for each table, with its first page and its last in the corners", () => {
    const level = fc.constantFrom("pud", "pmd", "pte" as const);
    fc.assert(
      fc.property(anyPage, level, (page, which) => {
        const pages = 2 ** TABLE_SHIFT[which];
        const first = Math.floor(page / pages) * pages;
        const { x, y, width, height } = tableRect(which, page);
        expect(width * height).toBe(pages);
        expect(placeOf(first)).toEqual({ x, y });
        expect(placeOf(first + pages - 1)).toEqual({ x: x + width - 1, y: y + height - 1 });
      }),
    );
    expect([tableRect("pte", 0), tableRect("pmd", 0), tableRect("pud", 0)]).toMatchObject([
      { width: 32, height: 16 },
      { width: 512, height: 512 },
      { width: 16384, height: 8192 },
    ]);
  });

  it("names the indexes of a page", () => {
    expect(indexesOf(32 * 2 ** 27 + 3 * 2 ** 18 + 511 * 512 + 7)).toEqual([32, 3, 511, 7]);
  });
});

describe("a range on the plane", () => {
  const anyRange = fc.tuple(fc.integer({ min: 0, max: 2 ** 34 }), fc.integer({ min: 1, max: 5000 }));

  it("is made of blocks that hold its pages and no other", () => {
    fc.assert(
      fc.property(anyRange, ([first, pages]) => {
        const blocks = blocksOf(first, first + pages);
        expect(area(blocks)).toBe(pages);
        for (const page of [first, first + pages - 1, first + Math.floor(pages / 2)]) {
          const { x, y } = placeOf(page);
          const around = blocks.filter(
            (block) => x >= block.x && x < block.x + block.width && y >= block.y && y < block.y + block.height,
          );
          expect(around).toHaveLength(1);
        }
      }),
    );
    expect(blocksOf(2 ** 32, 2 ** 32 + 2 ** 28)).toHaveLength(1);
    expect(blocksOf(0, 2 ** 35)).toEqual([PLANE]);
    expect([blocksOf(5, 5), boundsOf([])]).toEqual([[], null]);
  });

  it("has an outline that is as long as its pages have free sides", () => {
    fc.assert(
      fc.property(
        fc.tuple(fc.integer({ min: 0, max: 2 ** 20 }), fc.integer({ min: 1, max: 700 })),
        ([first, pages]) => {
          const isInside = (x: number, y: number): boolean => {
            if (x < 0 || y < 0) return false;
            const page = pageAt(x, y);
            return page >= first && page < first + pages;
          };
          let free = 0;
          for (let page = first; page < first + pages; page++) {
            const { x, y } = placeOf(page);
            const sides = [isInside(x - 1, y), isInside(x + 1, y), isInside(x, y - 1), isInside(x, y + 1)];
            free += sides.filter((side) => !side).length;
          }
          const outline = outlineOf(blocksOf(first, first + pages));
          expect(outline.reduce((sum, { x1, x2, y1, y2 }) => sum + (x2 - x1) + (y2 - y1), 0)).toBe(free);
        },
      ),
      { numRuns: 60 },
    );
  });
});
