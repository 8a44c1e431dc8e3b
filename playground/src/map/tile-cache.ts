import { TILE_CELLS } from "../../../assembly/abi.js";
import { PLANE } from "./geometry.js";
import { LiveCache } from "./live-cache.js";
import { cellColour, type Theme } from "./palette.js";

/** Where the map has its data from: the worker that holds the engine. Tiles and cells are those of `Engine.readTile`. */
export interface TileSource {
  /** The cells of the tile at a column and a row of a zoom. */
  tile(process: string, zoom: number, column: number, row: number): Promise<Uint32Array>;
  /** The raw entries of a range. */
  entries(process: string, firstPage: number, pageCount: number): Promise<BigUint64Array>;
}

/** A tile of one process. */
export interface TileKey {
  readonly process: string;
  readonly zoom: number;
  readonly column: number;
  readonly row: number;
}

/** The zoom at which the whole plane is in one tile. */
export const OUTERMOST_ZOOM: number = Math.log2(PLANE.width / TILE_CELLS);

/** A tile with its picture, which is made when it is drawn first. */
export class Tile {
  readonly cells: Uint32Array;
  #theme: Theme | null = null;
  #image: HTMLCanvasElement | null = null;

  constructor(cells: Uint32Array) {
    this.cells = cells;
  }

  /** The picture in the colours of a theme. */
  image(theme: Theme): HTMLCanvasElement {
    if (this.#image === null || this.#theme !== theme) {
      this.#image ??= emptyImage();
      this.#theme = theme;
      paint(this.#image, this.cells, theme);
    }
    return this.#image;
  }
}

/** A part of a tile, in cells. */
export interface TilePart {
  readonly tile: Tile;
  readonly x: number;
  readonly y: number;
  readonly size: number;
}

const KEPT_TILES = 240;

/** The tiles that the map shows, and those around them that it has shown. */
export class TileCache {
  readonly #tiles: LiveCache<TileKey, Tile>;

  constructor(source: TileSource, changed: () => void) {
    const load = async ({ process, zoom, column, row }: TileKey): Promise<Tile> =>
      new Tile(await source.tile(process, zoom, column, row));
    this.#tiles = new LiveCache(load, changed, KEPT_TILES);
  }

  /** Says which tiles are shown, the most important first. The tile of the whole plane is always wanted, as the last resort. */
  want(keys: readonly TileKey[]): void {
    const process = keys[0]?.process;
    const whole = process === undefined ? [] : [{ process, zoom: OUTERMOST_ZOOM, column: 0, row: 0 }];
    this.#tiles.want([...keys, ...whole].map((key) => [idOf(key), key]));
  }

  /** Asks for everything again that is shown; what is there stays until the answer comes. */
  invalidate(): void {
    this.#tiles.invalidate();
  }

  /** Returns the tile, or the part of the nearest one further out that is there. */
  find(key: TileKey): TilePart | null {
    for (let up = 0; key.zoom + up <= OUTERMOST_ZOOM; up++) {
      const side = 2 ** up;
      const outer = { column: Math.floor(key.column / side), row: Math.floor(key.row / side) };
      const tile = this.#tiles.get(idOf({ ...key, ...outer, zoom: key.zoom + up }));
      if (tile === null) continue;
      const size = TILE_CELLS / side;
      return { tile, size, x: (key.column % side) * size, y: (key.row % side) * size };
    }
    return null;
  }

  /** Returns the cell that a place is in, at a zoom or at the nearest one further out that is there. */
  cellAt(process: string, zoom: number, x: number, y: number): FoundCell | null {
    for (let out = zoom; out <= OUTERMOST_ZOOM; out++) {
      const [cellX, cellY] = [Math.floor(x / 2 ** out), Math.floor(y / 2 ** out)];
      const [column, row] = [Math.floor(cellX / TILE_CELLS), Math.floor(cellY / TILE_CELLS)];
      const tile = this.#tiles.get(idOf({ process, zoom: out, column, row }));
      const cell = tile?.cells[(cellY % TILE_CELLS) * TILE_CELLS + (cellX % TILE_CELLS)];
      if (cell !== undefined) return { cell, zoom: out };
    }
    return null;
  }
}

/** A cell, and the zoom that it is of. */
export interface FoundCell {
  readonly cell: number;
  readonly zoom: number;
}

function idOf({ process, zoom, column, row }: TileKey): string {
  return `${zoom}/${column}/${row}/${process}`;
}

function emptyImage(): HTMLCanvasElement {
  const image = document.createElement("canvas");
  image.width = TILE_CELLS;
  image.height = TILE_CELLS;
  return image;
}

function paint(image: HTMLCanvasElement, cells: Uint32Array, theme: Theme): void {
  const context = image.getContext("2d");
  if (context === null) return;
  const pixels = context.createImageData(TILE_CELLS, TILE_CELLS);
  const words = new Uint32Array(pixels.data.buffer);
  let [lastCell, lastColour] = [-1, 0];
  for (let i = 0; i < words.length; i++) {
    const cell = cells[i] ?? 0;
    if (cell !== lastCell) [lastCell, lastColour] = [cell, cellColour(cell, theme)];
    words[i] = lastColour;
  }
  context.putImageData(pixels, 0, 0);
}
