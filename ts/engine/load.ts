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

/** The smallest module with an instruction of SIMD: a function that returns i8x16.popcnt of a constant. */
const SIMD_MODULE = Uint8Array.of(
  ...[0, 97, 115, 109, 1, 0, 0, 0, 1, 5, 1, 96, 0, 1, 123, 3, 2, 1, 0],
  ...[10, 10, 1, 8, 0, 65, 0, 253, 15, 253, 98, 11],
);

/** Returns the file name of the build that this machine can run: nearly every one has SIMD, and the other one has short loops for none. */
export function engineFile(): "engine.wasm" | "engine.scalar.wasm" {
  return WebAssembly.validate(SIMD_MODULE) ? "engine.wasm" : "engine.scalar.wasm";
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
