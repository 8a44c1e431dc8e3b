import { TILE_CELLS } from "../../../assembly/abi.js";
import type { Camera } from "./camera.js";
import type { Frame } from "./frame.js";
import type { Rect } from "./geometry.js";
import { OUTERMOST_ZOOM, type TileKey } from "./tile-cache.js";

/** CSS pixels that a cell is large at least: one that differs from those around it is to be seen. */
const LEAST_CELL = 1.5;

/** Returns the zoom whose cells are at least so large and less than twice that, as far as there is one. */
export function zoomFor(camera: Camera): number {
  return Math.min(OUTERMOST_ZOOM, Math.max(0, Math.ceil(Math.log2(LEAST_CELL / camera.scale))));
}

/** Returns the tiles that are shown, from the middle outwards. */
export function tilesIn(process: string, part: Rect, zoom: number): TileKey[] {
  const side = TILE_CELLS * 2 ** zoom;
  const keys: TileKey[] = [];
  for (let row = Math.floor(part.y / side); row * side < part.y + part.height; row++) {
    for (let column = Math.floor(part.x / side); column * side < part.x + part.width; column++) {
      keys.push({ process, zoom, column, row });
    }
  }
  const middle = { column: (part.x + part.width / 2) / side - 0.5, row: (part.y + part.height / 2) / side - 0.5 };
  const distance = ({ column, row }: TileKey): number => Math.hypot(column - middle.column, row - middle.row);
  return keys.sort((a, b) => distance(a) - distance(b));
}

/** Draws the states of all pages that are shown. */
export function drawTiles(frame: Frame, keys: readonly TileKey[]): void {
  const { context, theme, tiles } = frame;
  context.imageSmoothingEnabled = false;
  for (const key of keys) {
    const found = tiles.find(key);
    if (found === null) continue;
    const side = TILE_CELLS * 2 ** key.zoom;
    const to = frame.box({ x: key.column * side, y: key.row * side, width: side, height: side });
    const { tile, x, y, size } = found;
    context.drawImage(tile.image(theme), x, y, size, size, to.x, to.y, to.width, to.height);
  }
}
