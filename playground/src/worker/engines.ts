import type { Engine } from "../../../ts/engine/engine.js";
import { engineFile, engineFromModule } from "../../../ts/engine/load.js";

let make: Promise<() => Engine> | undefined;

/** Makes an engine with memory of its own. The module is fetched and compiled once, from beside the worker. */
export async function newEngine(): Promise<Engine> {
  return (await engineMaker())();
}

/** Returns what makes engines, for those who need several at once. */
export function engineMaker(): Promise<() => Engine> {
  make ??= load();
  return make;
}

async function load(): Promise<() => Engine> {
  const response = await fetch(new URL(engineFile(), self.location.href));
  if (!response.ok) throw new Error(`${response.url}: ${response.status} ${response.statusText}`);
  return engineFromModule(await response.arrayBuffer());
}
