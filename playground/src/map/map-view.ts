import { type Camera, clamped, fitted, flight, panned, placeAt, type Point, type Size, zoomed } from "./camera.js";
import { type CellFacts, factsOf, isSameCell } from "./cell-facts.js";
import { drawCursor, drawPin } from "./draw-marks.js";
import { drawGrounds, drawOutlines, putNames } from "./draw-mappings.js";
import { drawPages, tablesWithBits } from "./draw-pages.js";
import { drawTables } from "./draw-tables.js";
import { drawTiles, tilesIn, zoomFor } from "./draw-tiles.js";
import { findNotable } from "./find-notable.js";
import { Frame } from "./frame.js";
import { boundsOf, isOnPlane, pageAt, placeOf, PLANE, type TableLevel, tableRect } from "./geometry.js";
import { listen, type MapCommands } from "./input.js";
import { LabelPlan } from "./labels.js";
import { LiveCache } from "./live-cache.js";
import { type MapMapping, type MappingShape, mainShapes, shapesOf } from "./mappings.js";
import type { Theme } from "./palette.js";
import { TileCache, type TileSource } from "./tile-cache.js";

/** What is shown, so that it can be shown again on a screen of another size. */
export interface MapPosition {
  /** The page in the middle. */
  readonly page: number;
  /** log2 of the pages along a CSS pixel; null: so that the mapping of the page is seen, with those near it. */
  readonly zoom: number | null;
}

/** What a map tells. */
export interface MapEvents {
  /** The pointer has come to another cell, or has left the address space. */
  readonly onHover?: (facts: CellFacts | null) => void;
  /** The cursor of the keyboard has come to another cell. */
  readonly onCursor?: (facts: CellFacts | null) => void;
  /** A page was pinned, or none is any more. */
  readonly onPin?: (page: number | null) => void;
  /** Something else is shown. Null: the mappings, wherever they are. */
  readonly onMove?: (position: MapPosition | null) => void;
}

/** What a map begins with. */
export interface MapOptions extends MapEvents {
  readonly source: TileSource;
  readonly process: string;
  readonly theme: Theme;
}

/** A last-level table whose entries are shown. */
interface TableKey {
  readonly process: string;
  readonly page: number;
}

const KEPT_TABLES = 64;
const ENTRIES = 512;
/** Pixels that a key moves what is shown; where pages are large enough it moves by pages instead. */
const KEY_STEP = 60;
const PAGES_FROM = 14;
/** Milliseconds that a flight takes for each unit of its length, and at most. */
const FLIGHT_PACE = 260;
const LONGEST_FLIGHT = 900;

/**
 * The map of an address space: a canvas that fills its host. It draws when something has changed, and only what is seen. Mouse, fingers and keys
 * move it; where they have not, it shows the mappings.
 */
export class MapView {
  readonly canvas: HTMLCanvasElement;
  readonly #options: MapOptions;
  readonly #context: CanvasRenderingContext2D;
  readonly #tiles: TileCache;
  readonly #entries: LiveCache<TableKey, BigUint64Array>;
  readonly #stop = new AbortController();
  readonly #resized: ResizeObserver;
  #process: string;
  #theme: Theme;
  #shapes: readonly MappingShape[] = [];
  #mappings: readonly MapMapping[] = [];
  #size: Size = { width: 0, height: 0 };
  #camera: Camera | null = null;
  /** Whether the mappings are to be shown, also when they change; those near this page, or near the largest. */
  #isFitted = true;
  #around: number | null = null;
  #pin: number | null = null;
  #pointer: Point | null = null;
  #hovered: CellFacts | null = null;
  #cursor: CellFacts | null = null;
  #hasCursor = false;
  #frame = 0;
  #flight: ((time: number) => boolean) | null = null;

  /** @throws Error where there is no canvas to draw on. */
  constructor(host: HTMLElement, options: MapOptions) {
    this.#options = options;
    this.#process = options.process;
    this.#theme = options.theme;
    this.canvas = document.createElement("canvas");
    this.canvas.className = "map-canvas";
    this.canvas.tabIndex = 0;
    const context = this.canvas.getContext("2d", { alpha: false });
    if (context === null) throw new Error("the browser has no 2D canvas");
    this.#context = context;
    const redraw = (): void => this.#requestFrame();
    this.#tiles = new TileCache(options.source, redraw);
    const load = ({ process, page }: TableKey): Promise<BigUint64Array> =>
      options.source.entries(process, page, ENTRIES);
    this.#entries = new LiveCache(load, redraw, KEPT_TABLES);
    host.append(this.canvas);
    const { signal } = this.#stop;
    listen(this.canvas, this.#commands(), signal);
    this.canvas.addEventListener("focus", () => this.#showCursor(this.canvas.matches(":focus-visible")), { signal });
    this.canvas.addEventListener("blur", () => this.#showCursor(false), { signal });
    this.#resized = new ResizeObserver(() => this.#resize(host));
    this.#resized.observe(host);
    this.#resize(host);
  }

  /** Takes the map away. */
  destroy(): void {
    this.#stop.abort();
    this.#resized.disconnect();
    cancelAnimationFrame(this.#frame);
    this.canvas.remove();
  }

  /** Shows another process. */
  setProcess(process: string): void {
    if (process === this.#process) return;
    this.#process = process;
    this.#requestFrame();
  }

  setTheme(theme: Theme): void {
    this.#theme = theme;
    this.#requestFrame();
  }

  /** Says what is mapped. */
  setMappings(mappings: readonly MapMapping[]): void {
    this.#mappings = mappings;
    this.#shapes = shapesOf(mappings);
    if (this.#isFitted) this.#camera = null;
    this.#requestFrame();
  }

  /** Says that entries have changed: what is shown is asked for again, and stays until the answer comes. */
  invalidate(): void {
    this.#tiles.invalidate();
    this.#entries.invalidate();
    this.#requestFrame();
  }

  /** Marks a page, or none. Tells nobody. */
  setPin(page: number | null): void {
    this.#pin = page;
    this.#requestFrame();
  }

  /** What is shown; null while that is the mappings. */
  get position(): MapPosition | null {
    if (this.#isFitted || this.#camera === null) return null;
    const { x, y, scale } = this.#camera;
    const page = pageAt(Math.min(x, PLANE.width - 1), Math.min(y, PLANE.height - 1));
    return { page, zoom: -Math.log2(scale) };
  }

  /** Shows a position at once; null: the mappings. Tells nobody. */
  setPosition(position: MapPosition | null): void {
    this.#flight = null;
    const { page = null, zoom = null } = position ?? {};
    this.#isFitted = page === null || zoom === null;
    this.#around = page;
    if (page === null || zoom === null) this.#camera = null;
    else {
      const { x, y } = placeOf(page);
      this.#camera = clamped({ x: x + 0.5, y: y + 0.5, scale: 2 ** -zoom }, this.#size);
    }
    this.#requestFrame();
  }

  /** Goes to where the mappings are; when that is shown already, to where all of them are seen, however far apart. */
  fit(): void {
    if (this.#isFitted && this.#flight === null) this.#flyTo(this.#viewOf(this.#shapes), false);
    else {
      this.#around = null;
      this.#flyTo(this.#wholeView(), true);
    }
  }

  /** Enlarges by a factor around the middle. */
  zoomBy(factor: number): void {
    const { width, height } = this.#size;
    this.#moveTo(zoomed(this.#current(), this.#size, { x: width / 2, y: height / 2 }, factor));
  }

  /** Goes to the table of a level that is for a page. */
  showTable(level: TableLevel, page: number): void {
    this.#flyTo(fitted(tableRect(level, page), this.#size), false);
  }

  /** Goes to a page, so near that its bits can be read. */
  showPage(page: number): void {
    const { x, y } = placeOf(page);
    this.#flyTo(fitted({ x: x - 1, y: y - 0.5, width: 3, height: 2 }, this.#size), false);
  }

  /** Goes to a mapping. */
  showMapping({ firstPage, endPage }: MapMapping): void {
    const bounds = boundsOf(shapesOf([{ name: "", firstPage, endPage }]).map((shape) => shape.bounds));
    if (bounds !== null) this.#flyTo(fitted(bounds, this.#size), false);
  }

  #commands(): MapCommands {
    const middle = (): Point => ({ x: this.#size.width / 2, y: this.#size.height / 2 });
    return {
      pan: (dx, dy) => this.#moveTo(panned(this.#current(), this.#size, dx, dy)),
      step: (dx, dy, isFar) => this.#step(dx, dy, isFar),
      zoom: (factor, point) => {
        if (point === null) this.#showCursor(true);
        this.#moveTo(zoomed(this.#current(), this.#size, point ?? middle(), factor));
      },
      fit: () => this.fit(),
      hover: (point) => {
        this.#pointer = point;
        this.#requestFrame();
      },
      pin: (point) => void this.#pinAt(point ?? middle()),
      unpin: () => {
        this.setPin(null);
        this.#options.onPin?.(null);
      },
    };
  }

  /** A key moves by whole pages where they can be told apart, so that the cursor is always in the middle of one. */
  #step(dx: number, dy: number, isFar: boolean): void {
    this.#showCursor(true);
    const { width, height } = this.#size;
    const camera = this.#current();
    if (isFar) this.#moveTo(panned(camera, this.#size, -dx * width * 0.8, -dy * height * 0.8));
    else if (camera.scale < PAGES_FROM) this.#moveTo(panned(camera, this.#size, -dx * KEY_STEP, -dy * KEY_STEP));
    else {
      const [x, y] = [Math.floor(camera.x) + dx + 0.5, Math.floor(camera.y) + dy + 0.5];
      this.#moveTo(clamped({ ...camera, x, y }, this.#size));
    }
  }

  /** Where a cell is of many pages, the one that it is coloured for is pinned, not the one that happens to be there. */
  async #pinAt(point: Point): Promise<void> {
    const place = placeAt(this.#current(), this.#size, point);
    if (!isOnPlane(place.x, place.y)) return;
    let page: number | null = pageAt(place.x, place.y);
    const zoom = zoomFor(this.#current());
    const found = this.#tiles.cellAt(this.#process, zoom, place.x, place.y);
    if (found !== null && found.zoom > 0) {
      const { notable } = factsOf(found.cell, found.zoom, page, []);
      const { source } = this.#options;
      page = (await findNotable(source, this.#process, found.zoom, place, notable).catch(() => null)) ?? page;
    }
    this.setPin(page);
    this.#options.onPin?.(page);
  }

  #showCursor(isShown: boolean): void {
    this.#hasCursor = isShown;
    this.#requestFrame();
  }

  #resize(host: HTMLElement): void {
    const { clientWidth: width, clientHeight: height } = host;
    this.#size = { width, height };
    const ratio = this.#ratio();
    this.canvas.width = Math.max(1, Math.round(width * ratio));
    this.canvas.height = Math.max(1, Math.round(height * ratio));
    if (this.#isFitted) this.#camera = null;
    this.#draw();
  }

  #ratio(): number {
    return window.devicePixelRatio || 1;
  }

  #wholeView(): Camera {
    return this.#viewOf(mainShapes(this.#shapes, this.#around));
  }

  #viewOf(shapes: readonly MappingShape[]): Camera {
    return fitted(boundsOf(shapes.map((shape) => shape.bounds)) ?? PLANE, this.#size);
  }

  #current(): Camera {
    return (this.#camera ??= this.#wholeView());
  }

  #moveTo(camera: Camera): void {
    this.#flight = null;
    this.#isFitted = false;
    this.#camera = camera;
    this.#requestFrame();
    this.#options.onMove?.(this.position);
  }

  #flyTo(target: Camera, isFitted: boolean): void {
    const way = flight(this.#current(), target, this.#size);
    const time = Math.min(LONGEST_FLIGHT, way.length * FLIGHT_PACE);
    const arrive = (): void => {
      this.#moveTo(target);
      this.#isFitted = isFitted;
      if (isFitted) this.#options.onMove?.(null);
    };
    if (time < 1 || matchMedia("(prefers-reduced-motion: reduce)").matches) {
      arrive();
      return;
    }
    const start = performance.now();
    this.#isFitted = false;
    this.#flight = (now) => {
      const part = Math.min(1, Math.max(0, (now - start) / time));
      if (part === 1) arrive();
      else this.#camera = clamped(way.at(part * part * (3 - 2 * part)), this.#size);
      return part < 1;
    };
    this.#requestFrame();
  }

  #requestFrame(): void {
    if (this.#frame !== 0 || this.#stop.signal.aborted) return;
    this.#frame = requestAnimationFrame((now) => {
      this.#frame = 0;
      if (this.#flight?.(now) === true) this.#requestFrame();
      this.#draw();
    });
  }

  #draw(): void {
    const { width, height } = this.#size;
    if (width === 0 || height === 0) return;
    const context = this.#context;
    const frame = new Frame({
      context,
      camera: this.#current(),
      size: this.#size,
      ratio: this.#ratio(),
      theme: this.#theme,
      process: this.#process,
      tiles: this.#tiles,
      labels: new LabelPlan(context),
    });
    context.setTransform(frame.ratio, 0, 0, frame.ratio, 0, 0);
    const keys = tilesIn(this.#process, frame.part, zoomFor(frame.camera));
    this.#tiles.want(keys);
    const { process } = frame;
    this.#entries.want(tablesWithBits(frame).map((page) => [`${process} ${page}`, { process, page }] as const));
    this.#drawLayers(frame, keys);
    this.#tellFacts(frame);
  }

  #drawLayers(frame: Frame, keys: ReturnType<typeof tilesIn>): void {
    const { context, size, inks } = frame;
    context.fillStyle = inks.ground;
    context.fillRect(0, 0, size.width, size.height);
    drawGrounds(frame, this.#shapes);
    drawTiles(frame, keys);
    drawPages(frame, (page) => this.#entries.get(`${this.#process} ${page}`));
    putNames(frame, this.#shapes);
    drawTables(frame);
    drawOutlines(frame, this.#shapes);
    frame.labels.draw(frame.inks);
    if (this.#pin !== null) drawPin(frame, this.#pin);
    if (this.#hasCursor) drawCursor(frame, { x: size.width / 2, y: size.height / 2 });
  }

  /** Tells what is under the pointer and the cursor, if it is something else than before: tiles come and what is shown moves. */
  #tellFacts(frame: Frame): void {
    const hovered = this.#pointer === null ? null : this.#factsAt(frame, this.#pointer);
    if (!isSameCell(hovered, this.#hovered)) {
      this.#hovered = hovered;
      this.#options.onHover?.(hovered);
    }
    const { width, height } = frame.size;
    const cursor = this.#hasCursor ? this.#factsAt(frame, { x: width / 2, y: height / 2 }) : null;
    if (isSameCell(cursor, this.#cursor)) return;
    this.#cursor = cursor;
    this.#options.onCursor?.(cursor);
  }

  #factsAt(frame: Frame, point: Point): CellFacts | null {
    const { x, y } = placeAt(frame.camera, frame.size, point);
    if (!isOnPlane(x, y)) return null;
    const found = this.#tiles.cellAt(this.#process, zoomFor(frame.camera), x, y);
    return found === null ? null : factsOf(found.cell, found.zoom, pageAt(x, y), this.#mappings);
  }
}
