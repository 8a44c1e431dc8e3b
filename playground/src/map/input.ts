import type { Point } from "./camera.js";

/** What people ask of the map. Points and distances are CSS pixels. */
export interface MapCommands {
  pan(dx: number, dy: number): void;
  /** One step of a key: `dx` and `dy` are -1, 0 or 1; `isFar`: as far as the map is wide. */
  step(dx: number, dy: number, isFar: boolean): void;
  /** Enlarges by a factor around a point; none: around the middle. */
  zoom(factor: number, point: Point | null): void;
  fit(): void;
  hover(point: Point | null): void;
  /** Pins what is at a point; none: at the cursor of the keyboard. */
  pin(point: Point | null): void;
  unpin(): void;
}

/** A pointer that has moved less than this has clicked. */
const CLICK_RADIUS = 5;
const ZOOM_PER_PIXEL = 0.0022;
/** Pinching a touch pad comes as a wheel with small numbers. */
const ZOOM_PER_PINCHED_PIXEL = 0.012;
const PIXELS_A_LINE = 18;
const KEY_FACTOR = 1.6;

const STEPS: Readonly<Record<string, readonly [dx: number, dy: number]>> = {
  ArrowLeft: [-1, 0],
  ArrowRight: [1, 0],
  ArrowUp: [0, -1],
  ArrowDown: [0, 1],
  a: [-1, 0],
  d: [1, 0],
  w: [0, -1],
  s: [0, 1],
};

/** Turns what mouse, fingers and keys do to an element into commands, until `signal` aborts. */
export function listen(element: HTMLElement, commands: MapCommands, signal: AbortSignal): void {
  const pointers = new Pointers(element, commands);
  element.addEventListener("pointerdown", (event) => pointers.down(event), { signal });
  element.addEventListener("pointermove", (event) => pointers.move(event), { signal });
  element.addEventListener("pointerup", (event) => pointers.up(event, true), { signal });
  element.addEventListener("pointercancel", (event) => pointers.up(event, false), { signal });
  element.addEventListener("pointerleave", () => commands.hover(null), { signal });
  element.addEventListener("wheel", (event) => turn(element, event, commands), { signal, passive: false });
  element.addEventListener("keydown", (event) => press(event, commands), { signal });
}

class Pointers {
  readonly #element: HTMLElement;
  readonly #commands: MapCommands;
  readonly #down = new Map<number, Point>();
  #start: Point | null = null;

  constructor(element: HTMLElement, commands: MapCommands) {
    this.#element = element;
    this.#commands = commands;
  }

  down(event: PointerEvent): void {
    if (event.button !== 0) return;
    this.#element.setPointerCapture(event.pointerId);
    this.#down.set(event.pointerId, pointIn(this.#element, event));
    this.#start = this.#down.size === 1 ? pointIn(this.#element, event) : null;
  }

  move(event: PointerEvent): void {
    const point = pointIn(this.#element, event);
    const before = this.#down.get(event.pointerId);
    if (before === undefined) {
      if (event.pointerType !== "touch") this.#commands.hover(point);
      return;
    }
    if (this.#start !== null) {
      if (distance(this.#start, point) < CLICK_RADIUS) return;
      this.#start = null;
    }
    if (this.#down.size === 1) this.#commands.pan(point.x - before.x, point.y - before.y);
    else this.#pinch(event.pointerId, before, point);
    this.#down.set(event.pointerId, point);
  }

  up(event: PointerEvent, isClick: boolean): void {
    this.#down.delete(event.pointerId);
    if (isClick && this.#start !== null) this.#commands.pin(pointIn(this.#element, event));
    this.#start = null;
  }

  /** The middle between two fingers moves what is shown, their distance enlarges it. */
  #pinch(id: number, before: Point, point: Point): void {
    const other = [...this.#down].find(([pointer]) => pointer !== id)?.[1];
    if (other === undefined) return;
    const middle = { x: (point.x + other.x) / 2, y: (point.y + other.y) / 2 };
    this.#commands.pan((point.x - before.x) / 2, (point.y - before.y) / 2);
    this.#commands.zoom(Math.max(1, distance(point, other)) / Math.max(1, distance(before, other)), middle);
  }
}

function turn(element: HTMLElement, event: WheelEvent, commands: MapCommands): void {
  event.preventDefault();
  const pixels = event.deltaMode === WheelEvent.DOM_DELTA_PIXEL ? event.deltaY : event.deltaY * PIXELS_A_LINE;
  const rate = event.ctrlKey ? ZOOM_PER_PINCHED_PIXEL : ZOOM_PER_PIXEL;
  commands.zoom(2 ** (-pixels * rate), pointIn(element, event));
}

function press(event: KeyboardEvent, commands: MapCommands): void {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const step = STEPS[event.key.length === 1 ? event.key.toLowerCase() : event.key];
  if (step !== undefined) commands.step(step[0], step[1], event.shiftKey);
  else if (event.key === "+" || event.key === "=") commands.zoom(KEY_FACTOR, null);
  else if (event.key === "-" || event.key === "_") commands.zoom(1 / KEY_FACTOR, null);
  else if (event.key === "0") commands.fit();
  else if (event.key === "Enter") commands.pin(null);
  else if (event.key === "Escape") commands.unpin();
  else return;
  event.preventDefault();
}

function pointIn(element: HTMLElement, event: MouseEvent): Point {
  const { left, top } = element.getBoundingClientRect();
  return { x: event.clientX - left, y: event.clientY - top };
}

function distance(a: Point, b: Point): number {
  return Math.hypot(a.x - b.x, a.y - b.y);
}
