/** Carries the scenario that is open out in the worker, goes to the step that the state names, and plays. */
import { batch, computed, effect, type ReadonlySignal, signal, type Signal, untracked } from "@preact/signals";
import { proxy } from "comlink";
import { PAGE_SIZE } from "../../../ts/base/pages.js";
import { complain } from "../app/toasts.js";
import type { Transport } from "../app/transport.js";
import { change, state } from "../state/store.js";
import { openScene } from "../worker/client.js";
import type { RemoteScene } from "../worker/protocol.js";
import type { Outline } from "../worker/scenario-outline.js";
import type { ScenarioMoment } from "../worker/scenario-scene.js";
import type { TextFault } from "../worker/scenario-text.js";
import { lesson, lookAt, sourceText } from "./lessons.js";

/** The scene; null until it is there. */
export const scene: Signal<RemoteScene<"scenario"> | null> = signal(null);
/** The last text that was a scenario, with what its steps did. */
export const outline: Signal<Outline | null> = signal(null);
/** What is wrong with the text as it is; null while nothing is. */
export const fault: Signal<TextFault | null> = signal(null);
/** What is shown. */
export const moment: Signal<ScenarioMoment> = signal({ position: 0, processes: [] });
/** Grows whenever entries may have changed. */
export const revision: Signal<number> = signal(0);
export const isPlaying: Signal<boolean> = signal(false);
/** Steps a second. */
export const speed: Signal<number> = signal(2);
/** Speeds to choose from. */
export const SPEEDS = [0.5, 1, 2, 5, 20] as const;

/** How far a text is that takes long, and whether it was stopped there; what is shown is still of the text before. */
export const progress: Signal<{ readonly done: number; readonly all: number; readonly isStopped: boolean } | null> =
  signal(null);

/** Steps of the scenario. */
export const length: ReadonlySignal<number> = computed(() => outline.value?.steps.length ?? 0);
/** How many steps are to have been carried out. */
export const position: ReadonlySignal<number> = computed(() => Math.min(state.scenario.value.step ?? 0, length.value));
/** Number of the step that was the last; -1 before the first. */
export const currentStep: ReadonlySignal<number> = computed(() => moment.value.position - 1);
/** The scene as soon as it is open, which is before there is anything to show. */
const opened: Signal<RemoteScene<"scenario"> | null> = signal(null);
let loaded: string | null = null;

/** Follows the state until the function that it returns is called. */
export function followScenario(): () => void {
  openScene("scenario", null).then((found) => (opened.value = found), complain);
  const stops = [
    effect(() => {
      const [found, text] = [opened.value, sourceText.value];
      if (found !== null) untracked(() => void load(found, text));
    }),
    effect(() => {
      const [found, wanted] = [scene.value, position.value];
      if (found !== null && outline.value !== null) untracked(() => void move(found, wanted));
    }),
    effect(play),
  ];
  return () => {
    for (const stop of stops) stop();
    loaded = null;
    batch(() => {
      opened.value = null;
      progress.value = null;
      isPlaying.value = false;
      scene.value = null;
      outline.value = null;
      fault.value = null;
    });
  };
}

/** Goes to where so many steps have been carried out, as far as there are such. */
function goTo(steps: number): void {
  change("scenario", { step: Math.max(0, Math.min(steps, length.value)) });
}

/** Goes there, and plays no more. */
export function stopAt(steps: number): void {
  isPlaying.value = false;
  goTo(steps);
}

/** Going through the steps. */
export const STEPS: Transport = {
  unit: "step",
  isPlaying: () => isPlaying.value,
  isAtStart: () => position.value === 0,
  isAtEnd: () => position.value === length.value,
  restart: () => stopAt(0),
  back: () => stopAt(position.value - 1),
  step: () => stopAt(position.value + 1),
  runToEnd: () => stopAt(length.value),
  togglePlay: () => {
    if (length.value === 0) return;
    if (!isPlaying.value && position.value === length.value) goTo(0);
    isPlaying.value = !isPlaying.value;
  },
};

/** Stops carrying a text out that takes long. */
export function stopLoading(): void {
  void opened.value?.control.cancel();
}

/** Begins again with a text that was stopped. */
export function loadAgain(): void {
  if (opened.value !== null) void load(opened.value, sourceText.value);
}

/** Waits for one step, if it is playing: its next one comes when the state has changed. */
function play(): (() => void) | undefined {
  if (!isPlaying.value) return undefined;
  const next = position.value + 1;
  if (next > length.value) {
    isPlaying.value = false;
    return undefined;
  }
  const timer = setTimeout(() => goTo(next), 1000 / speed.value);
  return () => clearTimeout(timer);
}

/** Loads a text, unless a later one has come meanwhile. */
async function load(found: RemoteScene<"scenario">, text: string): Promise<void> {
  loaded = text;
  progress.value = null;
  const report = proxy((done: number, all: number) => {
    if (loaded === text) progress.value = { done, all, isStopped: false };
  });
  try {
    const result = await found.control.load(text, report);
    if (loaded !== text) return;
    if (result === null) {
      const far = progress.peek();
      progress.value = far === null ? null : { ...far, isStopped: true };
      return;
    }
    batch(() => {
      scene.value = found;
      progress.value = null;
      fault.value = "fault" in result ? result.fault : null;
      if ("outline" in result) begin(result.outline);
    });
  } catch (error) {
    if (loaded === text) complain(error);
  }
}

/** A lesson begins with what there is to see first, another scenario at its end. */
function begin(carried: Outline): void {
  outline.value = carried;
  const { mappings, processes, steps } = carried;
  const { pin, process } = state.map.value;
  if (!processes.includes(process)) change("map", { process: "main" });
  const [look] = lesson.value?.look ?? [];
  const isPinned = mappings.some(({ start, pages }) => pin !== null && isWithin(pin, start, pages));
  if (state.scenario.value.step === null)
    change("scenario", { step: look === undefined ? steps.length : look.step + 1 });
  else if (isPinned) return;
  if (!isPinned && look !== undefined) lookAt(look, mappings);
}

function isWithin(page: number, start: number, pages: number): boolean {
  const first = start / PAGE_SIZE;
  return page >= first && page < first + pages;
}

/** Goes to a moment, unless the worker is on the way to another one: then it comes here, and says so there. */
async function move(found: RemoteScene<"scenario">, wanted: number): Promise<void> {
  try {
    const reached = await found.control.goTo(wanted);
    if (reached !== null && found === scene.value) show(reached);
  } catch (error) {
    if (found === scene.value) complain(error);
  }
}

function show(reached: ScenarioMoment): void {
  batch(() => {
    moment.value = reached;
    revision.value++;
  });
}
