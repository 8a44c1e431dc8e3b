/** Lets the film run: the moment that is shown goes on as time on the screen does. */
import { computed, effect, type ReadonlySignal, signal, type Signal, untracked } from "@preact/signals";
import type { Transport } from "../app/transport.js";
import { change, state } from "../state/store.js";
import { clockNs, knownNs, position, shownReport } from "./film.js";

/** Whether the film runs. */
export const isPlaying: Signal<boolean> = signal(false);

/** How many times as fast as at first. */
export const SPEEDS = [0.25, 0.5, 1, 2, 4] as const;
export const speed: Signal<number> = signal(1);

/** How long a film takes on the screen at speed 1, whatever it is of. */
const SCREEN_MS = 10_000;

/** How much slower than in modelled time it is shown. */
export const slowDown: ReadonlySignal<number> = computed(() =>
  knownNs.value === 0 ? 0 : (SCREEN_MS * 1e6) / speed.value / knownNs.value,
);

/** Shows a new film: at the moment that the link names, at its end where nothing shall move, else from its beginning. */
export function startClock(): void {
  const { at } = state.film.value;
  position.value = at ?? (isCalm() ? "end" : 0);
  isPlaying.value = at === null && !isCalm();
}

/** Stops at a moment. */
export function stopAt(ns: number): void {
  isPlaying.value = false;
  position.value = Math.max(0, Math.min(ns, knownNs.value));
  change("film", { at: Math.round(position.value) });
}

/** Going through the frames. */
export const FRAMES: Transport = {
  unit: "frame",
  isPlaying: () => isPlaying.value,
  isAtStart: () => clockNs.value === 0,
  isAtEnd,
  restart: () => stopAt(0),
  back: () => stepFrame(-1),
  step: () => stepFrame(1),
  runToEnd: () => {
    if (isKnown()) end();
    else stopAt(knownNs.value);
  },
  togglePlay: () => {
    if (isPlaying.value) {
      stopAt(clockNs.value);
      return;
    }
    if (isAtEnd()) position.value = 0;
    isPlaying.value = true;
  },
};

function stepFrame(direction: 1 | -1): void {
  const times = shownReport.value?.frames.map(({ timeNs }) => timeNs) ?? [];
  const now = clockNs.value;
  const next = direction === 1 ? times.find((ns) => ns > now + 1) : times.findLast((ns) => ns < now - 1);
  if (next !== undefined) stopAt(next);
}

/** Follows the screen while the film runs, until the function that it returns is called. */
export function followClock(): () => void {
  let request = 0;
  let last: number | null = null;
  const tick = (now: number): void => {
    request = requestAnimationFrame(tick);
    if (last !== null) goOn((now - last) * 1e6);
    last = now;
  };
  const stop = effect(() => {
    cancelAnimationFrame(request);
    last = null;
    if (isPlaying.value) request = requestAnimationFrame(tick);
  });
  return () => {
    isPlaying.value = false;
    stop();
  };
}

function goOn(screenNs: number): void {
  if (slowDown.value === 0) return;
  const next = clockNs.value + screenNs / slowDown.value;
  if (next < knownNs.value) position.value = next;
  else if (isKnown()) end();
}

/** Whether the film has been made to its end. */
function isKnown(): boolean {
  const { summary } = shownReport.value ?? {};
  return summary !== null && summary !== undefined;
}

function end(): void {
  untracked(() => {
    isPlaying.value = false;
    position.value = "end";
    change("film", { at: null });
  });
}

function isAtEnd(): boolean {
  return position.value === "end" || position.value >= knownNs.value;
}

function isCalm(): boolean {
  return matchMedia("(prefers-reduced-motion: reduce)").matches;
}
