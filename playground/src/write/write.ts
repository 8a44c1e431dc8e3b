/** Has the worker carry out the chosen write, and holds what happens in it and how far it is shown. */
import { computed, effect, type ReadonlySignal, signal, type Signal, untracked } from "@preact/signals";
import type { OneWrite, WriteEvent } from "../../../ts/sim/one-write.js";
import { profile } from "../app/profile.js";
import { complain } from "../app/toasts.js";
import type { Transport } from "../app/transport.js";
import { change, state } from "../state/store.js";
import { openScene } from "../worker/client.js";

/** The write; null until it has been carried out. */
export const told: Signal<OneWrite | null> = signal(null);
/** Whether it goes on by itself. */
export const isRunning: Signal<boolean> = signal(false);

const NO_EVENTS: readonly WriteEvent[] = [];

export const events: ReadonlySignal<readonly WriteEvent[]> = computed(() => told.value?.events ?? NO_EVENTS);
/** Number of the event that is shown last. */
export const step: ReadonlySignal<number> = computed(() => {
  const last = events.value.length - 1;
  return Math.min(state.write.value.step ?? last, last);
});

/** Between two events in slow motion: time to read. */
const STEP_MS = 1400;

let current = 0;

/** Carries the write out now and after every change, and lets it go on while it runs, until the function that it returns is called. */
export function followWrite(): () => void {
  const choice = computed(() => {
    const { tracker, page, armed } = state.write.value;
    return JSON.stringify({ tracker, page, armed, profile: profile.value.name });
  });
  const stops = [
    choice.subscribe(() => untracked(() => void carryOut())),
    effect(() => {
      if (!isRunning.value) return undefined;
      const timer = setInterval(goOn, STEP_MS);
      return () => clearInterval(timer);
    }),
  ];
  return () => {
    current++;
    isRunning.value = false;
    for (const stop of stops) stop();
  };
}

/** Shows the events up to a number. */
function goTo(number: number): void {
  const last = events.value.length - 1;
  change("write", { step: number >= last ? null : Math.max(0, number) });
}

/** Shows them, and stops there. */
export function stopAt(number: number): void {
  isRunning.value = false;
  goTo(number);
}

/** Going through the events. */
export const EVENTS: Transport = {
  unit: "event",
  isPlaying: () => isRunning.value,
  isAtStart: () => step.value <= 0,
  isAtEnd,
  restart: () => stopAt(0),
  back: () => stopAt(step.value - 1),
  step: () => stopAt(step.value + 1),
  runToEnd: () => stopAt(events.value.length),
  togglePlay: () => {
    if (!isRunning.value && isAtEnd()) goTo(0);
    isRunning.value = !isRunning.value;
  },
};

function isAtEnd(): boolean {
  return step.value === events.value.length - 1;
}

function goOn(): void {
  goTo(step.peek() + 1);
  if (isAtEnd()) isRunning.value = false;
}

async function carryOut(): Promise<void> {
  const run = ++current;
  const { tracker, page, armed } = state.write.value;
  try {
    const opened = await openScene("write", { choice: { tracker, page, armed }, profile: profile.value });
    const found = await opened.control.tell();
    if (run === current) told.value = found;
  } catch (error) {
    if (run === current) complain(error);
  }
}
