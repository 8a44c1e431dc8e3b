import type { Camera, Point, Size } from "./camera.js";
import { pointOf, visiblePart } from "./camera.js";
import type { Rect } from "./geometry.js";
import type { LabelPlan } from "./labels.js";
import { INKS, type Inks, type Theme } from "./palette.js";
import type { TileCache } from "./tile-cache.js";

/** What one picture is drawn from and on. Lengths are CSS pixels. */
export class Frame {
  readonly context: CanvasRenderingContext2D;
  readonly camera: Camera;
  readonly size: Size;
  /** Pixels of the screen to a CSS pixel. */
  readonly ratio: number;
  readonly theme: Theme;
  readonly inks: Inks;
  readonly process: string;
  readonly tiles: TileCache;
  readonly labels: LabelPlan;
  /** What is shown of the plane. */
  readonly part: Rect;

  constructor(facts: Omit<Frame, "inks" | "part" | "box" | "point">) {
    this.context = facts.context;
    this.camera = facts.camera;
    this.size = facts.size;
    this.ratio = facts.ratio;
    this.theme = facts.theme;
    this.process = facts.process;
    this.tiles = facts.tiles;
    this.labels = facts.labels;
    this.inks = INKS[facts.theme];
    this.part = visiblePart(facts.camera, facts.size);
  }

  /** Where a place of the plane is on the screen. */
  point(place: Point): Point {
    return pointOf(this.camera, this.size, place);
  }

  /** Where a rectangle of the plane is on the screen, its edges on whole pixels of it. */
  box(rect: Rect): Rect {
    const from = this.point(rect);
    const to = this.point({ x: rect.x + rect.width, y: rect.y + rect.height });
    const snap = (value: number): number => Math.round(value * this.ratio) / this.ratio;
    const [x, y] = [snap(from.x), snap(from.y)];
    return { x, y, width: snap(to.x) - x, height: snap(to.y) - y };
  }
}
