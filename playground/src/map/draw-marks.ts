import type { Point } from "./camera.js";
import type { Frame } from "./frame.js";
import { placeOf, type Rect } from "./geometry.js";

/** A mark is never smaller than this. */
const LEAST_SIZE = 12;

/** Draws a ring around the pinned page. */
export function drawPin(frame: Frame, page: number): void {
  const box = frame.box({ ...placeOf(page), width: 1, height: 1 });
  const { x, y, width, height } = grown(box, LEAST_SIZE);
  const { context, inks } = frame;
  for (const [colour, line] of [
    [inks.plate, 5],
    [inks.mark, 2.5],
  ] as const) {
    context.strokeStyle = colour;
    context.lineWidth = line;
    context.beginPath();
    context.roundRect(x - 2, y - 2, width + 4, height + 4, 3);
    context.stroke();
  }
}

/** Draws the cursor of the keyboard: a cross at a point that leaves its middle free. */
export function drawCursor({ context, inks, camera }: Frame, at: Point): void {
  const gap = Math.min(40, Math.max(5, camera.scale / 2));
  for (const [colour, line] of [
    [inks.plate, 4],
    [inks.mark, 2],
  ] as const) {
    context.strokeStyle = colour;
    context.lineWidth = line;
    context.lineCap = "butt";
    context.beginPath();
    for (const [x, y] of [
      [1, 0],
      [-1, 0],
      [0, 1],
      [0, -1],
    ] as const) {
      context.moveTo(at.x + x * gap, at.y + y * gap);
      context.lineTo(at.x + x * (gap + 10), at.y + y * (gap + 10));
    }
    context.stroke();
  }
}

function grown({ x, y, width, height }: Rect, least: number): Rect {
  const [w, h] = [Math.max(width, least), Math.max(height, least)];
  return { x: x - (w - width) / 2, y: y - (h - height) / 2, width: w, height: h };
}
