import type { Rect } from "./geometry.js";
import type { Inks } from "./palette.js";

/** A name on the map; those that come first are kept when there is no room for all. */
interface Label {
  readonly text: string;
  readonly x: number;
  readonly y: number;
  readonly colour: string;
  readonly isStrong: boolean;
}

const FONT_SIZE = 11;
const PADDING = 4;
const HEIGHT = FONT_SIZE + 2 * PADDING - 1;
const MOST_LABELS = 80;

/** Names that are put on one picture so that none lies on another. */
export class LabelPlan {
  readonly #taken: Rect[] = [];
  readonly #labels: (Label & { readonly width: number })[] = [];
  readonly #context: CanvasRenderingContext2D;

  constructor(context: CanvasRenderingContext2D) {
    this.#context = context;
  }

  /** Puts a name with its top left corner at a point, if there is room. `most`: pixels that it may be wide. Returns whether it was put. */
  put(label: Label, most: number): boolean {
    if (this.#labels.length >= MOST_LABELS) return false;
    this.#context.font = fontOf(label.isStrong);
    const width = this.#context.measureText(label.text).width + 2 * PADDING;
    const box = { x: label.x, y: label.y, width, height: HEIGHT };
    if (width > most || this.#taken.some((other) => overlaps(box, other))) return false;
    this.#taken.push(box);
    this.#labels.push({ ...label, width });
    return true;
  }

  /** Draws all names that were put. */
  draw(inks: Inks): void {
    const context = this.#context;
    context.textBaseline = "middle";
    context.textAlign = "left";
    for (const { text, x, y, width, colour, isStrong } of this.#labels) {
      context.fillStyle = inks.plate;
      context.beginPath();
      context.roundRect(x, y, width, HEIGHT, 3);
      context.fill();
      context.font = fontOf(isStrong);
      context.fillStyle = colour;
      context.fillText(text, x + PADDING, y + HEIGHT / 2 + 0.5);
    }
  }
}

/** Pixels that a name is high. */
export const LABEL_HEIGHT: number = HEIGHT;

function fontOf(isStrong: boolean): string {
  return `${isStrong ? "600 " : ""}${FONT_SIZE}px system-ui, sans-serif`;
}

function overlaps(a: Rect, b: Rect): boolean {
  return a.x < b.x + b.width && b.x < a.x + a.width && a.y < b.y + b.height && b.y < a.y + a.height;
}
