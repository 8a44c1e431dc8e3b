/** The engine that the build left, for tests that import the sources: beside those there is none. */
export const engineUrl: URL = new URL("../../build/engine.wasm", import.meta.url);

/** The engine for machines without SIMD. */
export const scalarEngineUrl: URL = new URL("../../build/engine.scalar.wasm", import.meta.url);
