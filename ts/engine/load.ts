import { Engine, type EngineOptions } from "./engine.js";
import type { EngineExports } from "./exports.js";

/**
 * Makes an engine from the bytes of `engine.wasm`, or from a response or promise of them.
 * @throws WebAssembly.CompileError if the bytes are no module.
 */
export async function instantiateEngine(
  source: BufferSource | Response | Promise<Response>,
  options: EngineOptions = {},
): Promise<Engine> {
  const instance = isBytes(source)
    ? (await WebAssembly.instantiate(source, {})).instance
    : (await WebAssembly.instantiateStreaming(source, {})).instance;
  return new Engine(instance.exports as unknown as EngineExports, options);
}

/** Compiles `engine.wasm` once and returns a function that makes engines from it, each with memory of its own, without waiting. */
export function engineFromModule(bytes: BufferSource): (options?: EngineOptions) => Engine {
  const compiled = new WebAssembly.Module(bytes);
  return (options = {}) =>
    new Engine(new WebAssembly.Instance(compiled, {}).exports as unknown as EngineExports, options);
}

function isBytes(source: BufferSource | Response | Promise<Response>): source is BufferSource {
  return source instanceof ArrayBuffer || ArrayBuffer.isView(source);
}
