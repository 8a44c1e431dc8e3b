import { readFile } from "node:fs/promises";
import { engineFile, instantiateEngine } from "./engine/load.js";
import type { Engine, EngineOptions } from "./engine/engine.js";

export * from "./index.js";

/**
 * Makes an engine in Node, from the `engine.wasm` that lies beside this module, or `engine.scalar.wasm` without SIMD (or from `url`).
 * @throws Error if it cannot be read, WebAssembly.CompileError if it is no module.
 */
export async function createEngine(options: EngineOptions = {}, url?: string | URL): Promise<Engine> {
  return instantiateEngine(await readFile(new URL(url ?? new URL(`./${engineFile()}`, import.meta.url))), options);
}

export { type OpenTrace, openTrace } from "./trace/open-node.js";
export { compareInThreads, type ThreadOptions } from "./threads/compare.js";
