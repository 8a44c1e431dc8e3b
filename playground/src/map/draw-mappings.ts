import type { Frame } from "./frame.js";
import type { Rect } from "./geometry.js";
import { LABEL_HEIGHT } from "./labels.js";
import type { MappingShape } from "./mappings.js";

/** A mapping is never drawn smaller than this. */
const LEAST_SIZE = 5;
const LINE_WIDTH = 2;

/** Draws the ground on which mappings lie: what of them has no table keeps this colour. */
export function drawGrounds(frame: Frame, shapes: readonly MappingShape[]): void {
  const { context, inks, part } = frame;
  context.fillStyle = inks.mapped;
  for (const { blocks } of shapes) {
    for (const block of blocks) {
      if (!meet(block, part)) continue;
      const { x, y, width, height } = frame.box(block);
      context.fillRect(x, y, width, height);
    }
  }
}

/** Puts the names of mappings, the largest first. */
export function putNames(frame: Frame, shapes: readonly MappingShape[]): void {
  const pages = ({ mapping }: MappingShape): number => mapping.endPage - mapping.firstPage;
  for (const shape of [...shapes].sort((a, b) => pages(b) - pages(a))) {
    if (meet(shape.bounds, frame.part)) putName(frame, shape, frame.box(shape.bounds));
  }
}

/** Draws the outlines of mappings. */
export function drawOutlines(frame: Frame, shapes: readonly MappingShape[]): void {
  const { context, inks, part } = frame;
  context.strokeStyle = inks.mapping;
  context.fillStyle = inks.mapping;
  context.lineWidth = LINE_WIDTH;
  context.lineCap = "square";
  context.beginPath();
  for (const shape of shapes) {
    if (!meet(shape.bounds, part)) continue;
    const box = frame.box(shape.bounds);
    if (box.width < LEAST_SIZE || box.height < LEAST_SIZE) drawSpot(frame, box);
    else trace(frame, shape);
  }
  context.stroke();
}

function drawSpot({ context }: Frame, { x, y, width, height }: Rect): void {
  const [w, h] = [Math.max(width, LEAST_SIZE), Math.max(height, LEAST_SIZE)];
  context.fillRect(x + (width - w) / 2, y + (height - h) / 2, w, h);
}

function trace(frame: Frame, { outline }: MappingShape): void {
  for (const { x1, y1, x2, y2 } of outline) {
    const from = frame.point({ x: x1, y: y1 });
    const to = frame.point({ x: x2, y: y2 });
    if (Math.hypot(to.x - from.x, to.y - from.y) < 0.2) continue;
    frame.context.moveTo(from.x, from.y);
    frame.context.lineTo(to.x, to.y);
  }
}

/** The name stands above the mapping, or at the edge of the map where that is beyond it. */
function putName(frame: Frame, { mapping }: MappingShape, box: Rect): void {
  const x = Math.max(2, box.x - 1);
  const y = Math.max(2, box.y - LABEL_HEIGHT - 3);
  const most = box.width < LEAST_SIZE ? 400 : Math.max(140, box.x + box.width - x);
  frame.labels.put({ text: mapping.name, x, y, colour: frame.inks.mapping, isStrong: true }, most);
}

function meet(a: Rect, b: Rect): boolean {
  return a.x <= b.x + b.width && b.x <= a.x + a.width && a.y <= b.y + b.height && b.y <= a.y + a.height;
}
