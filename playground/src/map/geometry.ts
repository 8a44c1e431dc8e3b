/**
 * The user half of the address space as a plane of pages, as `assembly/plane.ts` has it: a last-level table is 32 × 16 pages, row by row; above
 * it, bits of the page number belong to y and to x in turn, so that every table at every level is a rectangle.
 */

/** A part of the plane, in pages. */
export interface Rect {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** A line on the plane, from one corner of pages to another. */
export interface Segment {
  readonly x1: number;
  readonly y1: number;
  readonly x2: number;
  readonly y2: number;
}

/** Tables below the PGD, from the top. */
export const TABLE_LEVELS = ["pud", "pmd", "pte"] as const;

/** The level of a table, by the kernel's name for its entries. */
export type TableLevel = (typeof TABLE_LEVELS)[number];

/** log2 of the pages that a table of a level is for. */
export const TABLE_SHIFT: Readonly<Record<TableLevel, number>> = { pud: 27, pmd: 18, pte: 9 };

export const PLANE: Rect = { x: 0, y: 0, width: 2 ** 18, height: 2 ** 17 };

/** Columns and rows of a last-level table. */
export const COLUMNS = 32;
export const ROWS = 16;

const ROW_BITS = 5;
const TABLE_BITS = 9;
const ENTRIES = 512;

/** Returns the place of a page. */
export function placeOf(page: number): { x: number; y: number } {
  const table = Math.floor(page / ENTRIES);
  const slot = page % ENTRIES;
  return {
    x: evenBits(table >>> 1) * COLUMNS + (slot % COLUMNS),
    y: evenBits(table) * ROWS + (slot >>> ROW_BITS),
  };
}

/** Returns the page at a place, which may be between the corners of the page. */
export function pageAt(x: number, y: number): number {
  const [column, row] = [Math.floor(x), Math.floor(y)];
  const table = spread(Math.floor(row / ROWS)) + 2 * spread(Math.floor(column / COLUMNS));
  return table * ENTRIES + (row % ROWS) * COLUMNS + (column % COLUMNS);
}

/** Tells whether a place is on the plane. */
export function isOnPlane(x: number, y: number): boolean {
  return x >= 0 && y >= 0 && x < PLANE.width && y < PLANE.height;
}

/** Returns the rectangle of `2 ** shift` pages from `page` on, which is a multiple of that. */
export function runRect(page: number, shift: number): Rect {
  return { ...placeOf(page), ...runSize(shift) };
}

/** Returns the rectangle of the table of a level that is for `page`. */
export function tableRect(level: TableLevel, page: number): Rect {
  const pages = 2 ** TABLE_SHIFT[level];
  return runRect(Math.floor(page / pages) * pages, TABLE_SHIFT[level]);
}

/** Returns the rectangles of a range, few of them large: runs of a power of two. */
export function blocksOf(firstPage: number, endPage: number): Rect[] {
  const blocks: Rect[] = [];
  for (let page = firstPage; page < endPage;) {
    let shift = 0;
    while (page % 2 ** (shift + 1) === 0 && page + 2 ** (shift + 1) <= endPage) shift++;
    blocks.push(runRect(page, shift));
    page += 2 ** shift;
  }
  return blocks;
}

/** Returns the smallest rectangle around others, or null if there are none. */
export function boundsOf(rects: readonly Rect[]): Rect | null {
  const [first, ...others] = rects;
  if (first === undefined) return null;
  return others.reduce((all, rect) => {
    const [x, y] = [Math.min(all.x, rect.x), Math.min(all.y, rect.y)];
    const right = Math.max(all.x + all.width, rect.x + rect.width);
    const bottom = Math.max(all.y + all.height, rect.y + rect.height);
    return { x, y, width: right - x, height: bottom - y };
  }, first);
}

/** Returns the line around blocks that do not overlap: their edges, but for the parts where another block begins. */
export function outlineOf(blocks: readonly Rect[]): Segment[] {
  return blocks.flatMap((block) => {
    const { x, y, width, height } = block;
    const above = blocks.filter((other) => other.y + other.height === y);
    const below = blocks.filter((other) => other.y === y + height);
    const before = blocks.filter((other) => other.x + other.width === x);
    const behind = blocks.filter((other) => other.x === x + width);
    const horizontal = (others: readonly Rect[], at: number): Segment[] =>
      uncovered(x, x + width, others.map(spanX)).map(([x1, x2]) => ({ x1, x2, y1: at, y2: at }));
    const vertical = (others: readonly Rect[], at: number): Segment[] =>
      uncovered(y, y + height, others.map(spanY)).map(([y1, y2]) => ({ y1, y2, x1: at, x2: at }));
    return [
      ...horizontal(above, y),
      ...horizontal(below, y + height),
      ...vertical(before, x),
      ...vertical(behind, x + width),
    ];
  });
}

/** Indexes of a page in the tables of its four levels: PGD, PUD, PMD, PTE. */
export function indexesOf(page: number): readonly [number, number, number, number] {
  const index = (shift: number): number => Math.floor(page / 2 ** shift) % ENTRIES;
  return [index(27), index(18), index(9), index(0)];
}

type Span = readonly [from: number, to: number];

function spanX({ x, width }: Rect): Span {
  return [x, x + width];
}

function spanY({ y, height }: Rect): Span {
  return [y, y + height];
}

/** The parts of a span that no other span covers. */
function uncovered(from: number, to: number, others: readonly Span[]): Span[] {
  const parts: Span[] = [];
  let at = from;
  for (const [start, end] of [...others].sort((a, b) => a[0] - b[0])) {
    if (start > at) parts.push([at, Math.min(start, to)]);
    at = Math.max(at, end);
    if (at >= to) break;
  }
  if (at < to) parts.push([at, to]);
  return parts.filter(([start, end]) => start < end);
}

function runSize(shift: number): { width: number; height: number } {
  if (shift <= ROW_BITS) return { width: 2 ** shift, height: 1 };
  if (shift <= TABLE_BITS) return { width: COLUMNS, height: 2 ** (shift - ROW_BITS) };
  const above = shift - TABLE_BITS;
  return { width: COLUMNS * 2 ** Math.floor(above / 2), height: ROWS * 2 ** Math.ceil(above / 2) };
}

/** Gathers bits 0, 2, 4, … of 26. */
function evenBits(bits: number): number {
  let x = bits & 0x55555555;
  x = (x | (x >>> 1)) & 0x33333333;
  x = (x | (x >>> 2)) & 0x0f0f0f0f;
  x = (x | (x >>> 4)) & 0x00ff00ff;
  return (x | (x >>> 8)) & 0xffff;
}

/** Puts 13 bits where `evenBits` gathers them from. */
function spread(bits: number): number {
  let x = bits & 0xffff;
  x = (x | (x << 8)) & 0x00ff00ff;
  x = (x | (x << 4)) & 0x0f0f0f0f;
  x = (x | (x << 2)) & 0x33333333;
  return (x | (x << 1)) & 0x55555555;
}
