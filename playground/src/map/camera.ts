import { type Rect, PLANE } from "./geometry.js";

/** What part of the plane is shown: the place in the middle, in pages, and CSS pixels a page. */
export interface Camera {
  readonly x: number;
  readonly y: number;
  readonly scale: number;
}

/** The size of what is drawn on, in CSS pixels. */
export interface Size {
  readonly width: number;
  readonly height: number;
}

/** A point on the screen, in CSS pixels from the top left corner of the map. */
export interface Point {
  readonly x: number;
  readonly y: number;
}

/** A page as large as it gets: its 64 bits can be read. */
export const MAX_SCALE = 224;
/** Room that is left around what is fitted in, as a part of its size; above it a name stands. */
const MARGIN = 0.06;
const NAME_HEIGHT = 26;

/** Returns the place of the plane at a point. */
export function placeAt(camera: Camera, size: Size, point: Point): Point {
  return {
    x: camera.x + (point.x - size.width / 2) / camera.scale,
    y: camera.y + (point.y - size.height / 2) / camera.scale,
  };
}

/** Returns the point of a place. */
export function pointOf(camera: Camera, size: Size, place: Point): Point {
  return {
    x: size.width / 2 + (place.x - camera.x) * camera.scale,
    y: size.height / 2 + (place.y - camera.y) * camera.scale,
  };
}

/** Returns the part of the plane that is shown, clipped to the plane. */
export function visiblePart(camera: Camera, size: Size): Rect {
  const from = placeAt(camera, size, { x: 0, y: 0 });
  const to = placeAt(camera, size, { x: size.width, y: size.height });
  const [x, y] = [Math.max(0, from.x), Math.max(0, from.y)];
  return {
    x,
    y,
    width: Math.max(0, Math.min(PLANE.width, to.x) - x),
    height: Math.max(0, Math.min(PLANE.height, to.y) - y),
  };
}

/** Moves what is shown by a distance on the screen. */
export function panned(camera: Camera, size: Size, dx: number, dy: number): Camera {
  return clamped({ ...camera, x: camera.x - dx / camera.scale, y: camera.y - dy / camera.scale }, size);
}

/** Enlarges by a factor; what is at `point` stays there. */
export function zoomed(camera: Camera, size: Size, point: Point, factor: number): Camera {
  const scale = Math.min(MAX_SCALE, Math.max(smallestScale(size), camera.scale * factor));
  const place = placeAt(camera, size, point);
  return clamped(
    {
      x: place.x - (point.x - size.width / 2) / scale,
      y: place.y - (point.y - size.height / 2) / scale,
      scale,
    },
    size,
  );
}

/** Shows a rectangle whole, with room around it. */
export function fitted(rect: Rect, size: Size): Camera {
  const most = size.height / (1 + 2 * MARGIN);
  const height = Math.min(most, Math.max(most / 2, size.height - 2 * NAME_HEIGHT));
  const scale = Math.min(size.width / (1 + 2 * MARGIN) / rect.width, height / rect.height);
  return clamped({ x: rect.x + rect.width / 2, y: rect.y + rect.height / 2, scale }, size);
}

/** Keeps the middle on the plane and the scale within its limits. */
export function clamped({ x, y, scale }: Camera, size: Size): Camera {
  return {
    x: Math.min(PLANE.width, Math.max(0, x)),
    y: Math.min(PLANE.height, Math.max(0, y)),
    scale: Math.min(MAX_SCALE, Math.max(smallestScale(size), scale)),
  };
}

/** The whole plane and a little more. */
function smallestScale(size: Size): number {
  return Math.min(Math.max(1, size.width) / PLANE.width, Math.max(1, size.height) / PLANE.height) * 0.8;
}

const STEEPNESS = 1.4;

/**
 * Returns a way from one camera to another that zooms out, moves and zooms in so that what passes by keeps its pace (van Wijk and Nuij, "Smooth
 * and efficient zooming and panning", 2003); its `length` is how far that seems.
 */
export function flight(from: Camera, to: Camera, size: Size): { readonly length: number; at(part: number): Camera } {
  const [w0, w1] = [size.width / from.scale, size.width / to.scale];
  const distance = Math.hypot(to.x - from.x, to.y - from.y);
  const at = (s: number, along: number, width: number): Camera => ({
    x: from.x + (to.x - from.x) * along,
    y: from.y + (to.y - from.y) * along,
    scale: s === 1 ? to.scale : size.width / width,
  });
  if (distance < 1e-6 * Math.min(w0, w1)) {
    const length = Math.abs(Math.log(w1 / w0)) / STEEPNESS;
    return { length, at: (part) => at(part, part, w0 * (w1 / w0) ** part) };
  }
  const square = STEEPNESS ** 2;
  const turn = (w: number, sign: number): number => {
    const b = (w1 ** 2 - w0 ** 2 + sign * square ** 2 * distance ** 2) / (2 * w * square * distance);
    return -Math.asinh(b);
  };
  const [r0, r1] = [turn(w0, 1), turn(w1, -1)];
  const length = (r1 - r0) / STEEPNESS;
  return {
    length,
    at: (part) => {
      const s = part * length;
      const along = (w0 / (square * distance)) * (Math.cosh(r0) * Math.tanh(STEEPNESS * s + r0) - Math.sinh(r0));
      return at(part, part === 1 ? 1 : along, (w0 * Math.cosh(r0)) / Math.cosh(STEEPNESS * s + r0));
    },
  };
}
