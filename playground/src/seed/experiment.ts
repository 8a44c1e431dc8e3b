/** Carries the experiment out in the worker whenever what it is made with changes, and holds what came of it. */
import { batch, effect, signal, type Signal, untracked } from "@preact/signals";
import { proxy } from "comlink";
import { complain } from "../app/toasts.js";
import type { SeedMode } from "../state/seed.js";
import { state } from "../state/store.js";
import { openScene } from "../worker/client.js";
import type { RemoteScene } from "../worker/protocol.js";
import type { ArmOutcome, SeedParams, SeedProgress } from "../worker/seed-run.js";
import type { SeedOutcome } from "../worker/seed-scene.js";

/** The scene that is open; null while one is being opened for the first time. */
export const scene: Signal<RemoteScene<"seed"> | null> = signal(null);
/** How far the run is; null when it is done. */
export const progress: Signal<SeedProgress | null> = signal(null);
/** What the last run that is done came to; null from the start of the next one on. */
export const outcome: Signal<SeedOutcome | null> = signal(null);
/** What arming in each of the four ways comes to. */
export const arms: Signal<Readonly<Record<SeedMode, ArmOutcome>> | null> = signal(null);
/** Grows whenever entries may have changed. */
export const revision: Signal<number> = signal(0);

/** The moment that is shown, where it is not the last one. */
export const moment: Signal<number | null> = signal(null);

/** How long each phase is stretched, so that it can be seen. */
const PACE_MS = 60;
/** A slider that is being moved starts nothing. */
const SETTLE_MS = 120;

let current = 0;
let armsAreOf = "";

/** Carries the experiment out now and after every change, until the function that it returns is called. */
export function followExperiment(): () => void {
  let timer: ReturnType<typeof setTimeout> | undefined;
  let isFirst = true;
  const stop = effect(() => {
    const params = state.seed.value;
    clearTimeout(timer);
    outcome.value = null;
    // signals that the run sets are none that it follows
    if (isFirst) untracked(() => void carryOut(params));
    else timer = setTimeout(() => void carryOut(params), SETTLE_MS);
    isFirst = false;
  });
  return () => {
    clearTimeout(timer);
    current++;
    stop();
  };
}

/** Carries the experiment out once more. */
export function runAgain(): void {
  void carryOut(state.seed.value);
}

/** Shows everything as it was at a moment of an entry's history. */
export async function goTo(wanted: number): Promise<void> {
  const opened = scene.peek();
  const run = current;
  if (opened === null) return;
  try {
    await opened.control.goTo(wanted);
    const last = await opened.control.lastMoment();
    if (run !== current) return;
    batch(() => {
      moment.value = wanted === last ? null : wanted;
      revision.value++;
    });
  } catch (error) {
    if (run === current) complain(error);
  }
}

/** Shows the end again. */
export async function goToEnd(): Promise<void> {
  const last = await scene.peek()?.control.lastMoment();
  if (last !== undefined) await goTo(last);
}

async function carryOut(params: SeedParams): Promise<void> {
  const run = ++current;
  outcome.value = null;
  moment.value = null;
  try {
    const opened = await openScene("seed", params);
    if (run !== current) return;
    batch(() => {
      scene.value = opened;
      revision.value++;
    });
    await compareArms(opened, params, run);
    const report = proxy((step: SeedProgress) => {
      if (run === current) showProgress(step);
    });
    const result = await opened.control.run(isCalm() ? 0 : PACE_MS, report);
    if (run === current && result !== null) outcome.value = result;
  } catch (error) {
    if (run === current) complain(error);
  } finally {
    if (run === current) {
      progress.value = null;
      revision.value++;
    }
  }
}

function showProgress(step: SeedProgress): void {
  progress.value = step;
  revision.value++;
}

/** Which page is written does not matter for arming, so only some changes need this. */
async function compareArms(opened: RemoteScene<"seed">, { bytes, thp }: SeedParams, run: number): Promise<void> {
  const key = `${bytes} ${thp}`;
  if (key === armsAreOf) return;
  const result = await opened.control.armEach();
  if (run !== current || result === null) return;
  armsAreOf = key;
  arms.value = result;
}

function isCalm(): boolean {
  return matchMedia("(prefers-reduced-motion: reduce)").matches;
}
