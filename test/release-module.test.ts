import { readFileSync } from "node:fs";
import { beforeAll, describe, expect, it } from "vitest";

const BUILD = new URL("../build/", import.meta.url);

let engine: WebAssembly.Module;
let declarations: string;

beforeAll(async () => {
  engine = await WebAssembly.compile(readFileSync(new URL("engine.wasm", BUILD)));
  declarations = readFileSync(new URL("engine.d.ts", BUILD), "utf8");
});

describe("the release module", () => {
  it("imports nothing", () => {
    expect(WebAssembly.Module.imports(engine)).toEqual([]);
  });

  it("exports its memory and exactly the functions that are declared", () => {
    const declared = [...declarations.matchAll(/export function (\w+)\(/g)].map(
      (match) => `function ${match[1] ?? ""}`,
    );
    expect(declared).not.toHaveLength(0);
    const exported = WebAssembly.Module.exports(engine).map(({ kind, name }) => `${kind} ${name}`);
    expect(exported.sort()).toEqual(["memory memory", ...declared].sort());
  });

  it("passes no bigint across the boundary", () => {
    expect(declarations).not.toMatch(/bigint/i);
  });
});
