import * as abi from "../../../assembly/abi.js";
import type { Point } from "./camera.js";
import { pageAt } from "./geometry.js";
import type { TileSource } from "./tile-cache.js";

/** Returns a page in the notable state of a cell: in each zoom on the way in, one of the four parts of the cell has one. */
export async function findNotable(
  source: TileSource,
  process: string,
  zoom: number,
  place: Point,
  state: number,
): Promise<number | null> {
  let [x, y] = [Math.floor(place.x / 2 ** zoom), Math.floor(place.y / 2 ** zoom)];
  for (let inner = zoom - 1; inner >= 0; inner--) {
    const [column, row] = [Math.floor((2 * x) / abi.TILE_CELLS), Math.floor((2 * y) / abi.TILE_CELLS)];
    const cells = await source.tile(process, inner, column, row);
    const found = PARTS.map(([dx, dy]) => ({ x: 2 * x + dx, y: 2 * y + dy })).find((part) => {
      const cell = cells[(part.y % abi.TILE_CELLS) * abi.TILE_CELLS + (part.x % abi.TILE_CELLS)] ?? 0;
      return hasState(cell, state);
    });
    if (found === undefined) return null;
    ({ x, y } = found);
  }
  return pageAt(x, y);
}

const PARTS = [
  [0, 0],
  [1, 0],
  [0, 1],
  [1, 1],
] as const;

function hasState(cell: number, state: number): boolean {
  return (cell & 0xff) === state || ((cell >>> abi.CELL_NOTABLE_SHIFT) & 0xff) === state;
}
