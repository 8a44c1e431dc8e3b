import { engineFile, instantiateEngine } from "./engine/load.js";
import type { Engine, EngineOptions } from "./engine/engine.js";

export * from "./index.js";

/**
 * Makes an engine in a page or a worker, from the `engine.wasm` that lies beside this module, or `engine.scalar.wasm` without SIMD (or
 * from `url`).
 * @throws TypeError if it cannot be fetched, WebAssembly.CompileError if it is no module.
 */
export async function createEngine(options: EngineOptions = {}, url?: string | URL): Promise<Engine> {
  return instantiateEngine(fetch(url ?? new URL(`./${engineFile()}`, import.meta.url)), options);
}
