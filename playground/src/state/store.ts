/** The state of the page as signals, one for each part, and the address bar that follows it. */
import { batch, effect, type Signal, signal } from "@preact/signals";
import { decodeHash, encodeHash } from "./hash.js";
import { DEFAULT_STATE, PART_NAMES, type PartName, type State } from "./state.js";

type Signals = { readonly [K in PartName]: Signal<State[K]> };

/** The parts. Views read `.value` and write with `change`. */
export const state: Signals = Object.fromEntries(
  PART_NAMES.map((name) => [name, signal(DEFAULT_STATE[name])]),
) as unknown as Signals;

/** Browsers refuse more than about 100 changes of the address in 30 seconds. */
const ADDRESS_PERIOD_MS = 400;

/** The fragment that is in the address bar by our own doing. */
let written = "";

/** Changes fields of a part. */
export function change<K extends "seed" | "scenario" | "map">(part: K, fields: Partial<State[K]>): void {
  const target = state[part] as Signal<State[K]>;
  target.value = { ...target.value, ...fields };
}

/** Returns all parts as they are now. */
export function currentState(): State {
  return Object.fromEntries(PART_NAMES.map((name) => [name, state[name].value])) as unknown as State;
}

/** Sets all parts at once. */
export function replaceState(next: State): void {
  batch(() => {
    for (const name of PART_NAMES) (state[name] as Signal<unknown>).value = next[name];
  });
}

/** Returns a link to the page as it is now, without the parameters that say how it is shown. */
export async function shareLink(): Promise<string> {
  const link = new URL(location.href);
  link.search = "";
  link.hash = await encodeHash(currentState());
  return link.href;
}

/** Takes the state from the address, now and whenever it changes; complaints go to `onError`, and the page goes on with what it shows. */
export async function followAddress(onError: (error: unknown) => void): Promise<void> {
  await takeFromAddress(onError);
  addEventListener("hashchange", () => {
    if (location.hash !== written) void takeFromAddress(onError);
  });
  writeToAddress();
}

async function takeFromAddress(onError: (error: unknown) => void): Promise<void> {
  try {
    const next = await decodeHash(location.hash);
    if (next !== null) replaceState(next);
  } catch (error) {
    onError(error);
  }
}

/** Writes every change to the address bar, the last of several that come quickly. */
function writeToAddress(): void {
  let timer: ReturnType<typeof setTimeout> | undefined;
  let isFirst = true;
  effect(() => {
    currentState();
    if (!isFirst) {
      clearTimeout(timer);
      timer = setTimeout(() => void write(), ADDRESS_PERIOD_MS);
    }
    isFirst = false;
  });
}

async function write(): Promise<void> {
  written = await encodeHash(currentState());
  if (location.hash !== written)
    history.replaceState(null, "", written === "" ? location.pathname + location.search : written);
}
