/** The guest's memory from its beginning to its end, and who has saved it. */
import type { JSX } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { formatCount } from "../../../ts/report/format.js";
import { SAVED_STATES } from "../../../ts/sim/film/saved-pages.js";
import { theme } from "../app/theme.js";
import { moment } from "./film.js";

const HEIGHT = 28;
const STATES = SAVED_STATES.length;

/** What each colour says, from the top of the strip down, and the custom property that it is from. */
const LEGEND = [
  { state: "wrong", text: "saved wrong", colour: "--saved-wrong" },
  { state: "fault", text: "saved by faults", colour: "--saved-fault" },
  { state: "copier", text: "saved by the copier", colour: "--saved-copier" },
  { state: "unsaved", text: "to be saved", colour: "--saved-not" },
] as const;

/** The strip with its numbers. */
export function Strip(): JSX.Element {
  const canvas = useRef<HTMLCanvasElement>(null);
  const counts = moment.value?.strip ?? new Uint32Array(STATES);
  const shade = theme();
  useEffect(() => {
    if (canvas.current !== null) draw(canvas.current, counts);
  }, [counts, shade]);
  const total = (index: number): number => {
    let sum = 0;
    for (let at = index; at < counts.length; at += STATES) sum += counts[at] ?? 0;
    return sum;
  };
  return (
    <div class="strip">
      <canvas ref={canvas} height={HEIGHT} aria-hidden="true" />
      <ul class="legend" aria-label="Pages by who has saved them">
        {LEGEND.map(({ state, text, colour }) => (
          <li key={state}>
            <svg width="12" height="12" aria-hidden="true">
              <rect width="12" height="12" fill={`var(${colour})`} />
            </svg>
            {text} <b data-count={state}>{formatCount(total(SAVED_STATES.indexOf(state)))}</b>
          </li>
        ))}
      </ul>
    </div>
  );
}

/** A column for each part of memory; what is wrong is at least a pixel high. */
function draw(canvas: HTMLCanvasElement, counts: Uint32Array): void {
  const parts = counts.length / STATES;
  canvas.width = parts;
  const context = canvas.getContext("2d");
  if (context === null) return;
  const style = getComputedStyle(canvas);
  const colours = LEGEND.map(({ colour }) => style.getPropertyValue(colour));
  for (let part = 0; part < parts; part++) {
    const of = (index: number): number => counts[part * STATES + index] ?? 0;
    const pages = of(0) + of(1) + of(2) + of(3);
    let top = 0;
    LEGEND.forEach(({ state }, row) => {
      const share = pages === 0 ? 0 : of(SAVED_STATES.indexOf(state)) / pages;
      const height = share === 0 ? 0 : Math.max(state === "wrong" ? 2 : 0, share * HEIGHT);
      context.fillStyle = colours[row] ?? "";
      context.fillRect(part, top, 1, state === "unsaved" ? HEIGHT - top : height);
      top += height;
    });
  }
}
