import { builtinModules } from "node:module";
import { describe, expect, it } from "vitest";
import { importsOf, reachableFrom, readSources, usesIdentifier, type SourceFile } from "./support/imports.js";

/** Lowest layer first. A file may import from its own row and from the rows above it in this list. */
type Layers = readonly (readonly string[])[];

/** Names are files, without the folder and the extension. */
const ASSEMBLY_LAYERS: Layers = [
  ["abi", "geometry", "plane"],
  ["entry", "stats", "result"],
  ["arena"],
  ["uniform", "shadow", "fault-records"],
  ["table", "frames", "regions", "userfault"],
  ["walk", "swap", "written", "passes"],
  ["free-tables", "resident"],
  ["object", "huge"],
  ["split-folio", "hugetlb-pool", "wp-fault"],
  ["object-fault", "swap-fault", "huge-fault", "hugetlb-fault"],
  ["fault", "mprotect", "zap", "fork", "move-tables", "move-pages", "collapse", "reclaim", "pagemap", "picture"],
  ["protect", "hugetlb", "guard"],
  ["access", "populate", "scan", "fill", "space", "replay-list"],
  ["replay-miss"],
  ["touch", "replay"],
  ["index"],
].map((row) => row.map((name) => `assembly/${name}.ts`));

/** A name that ends in a slash stands for all files below that folder. */
const HOST_LAYERS: Layers = [
  ["ts/base/"],
  ["ts/engine/", "ts/trace/"],
  ["ts/mm/"],
  ["ts/uffd/"],
  ["ts/sim/", "ts/scenario/"],
  ["ts/verify/"],
  ["ts/report/"],
  ["ts/verify/"],
  ["ts/index.ts"],
  ["ts/threads/"],
  ["ts/node.ts", "ts/browser.ts"],
  ["ts/cli/"],
];

/** The playground stands on ts/. Only the list of views knows the views, and they know what surrounds them. */
const PLAYGROUND_LAYERS: Layers = [
  ["gallery/", "src/state/"],
  ["src/map/"],
  ["src/worker/"],
  ["src/app/", "src/share/", "src/seed/", "src/scenario/", "src/film/", "src/write/"],
  ["src/main.tsx"],
].map((row) => row.map((name) => `playground/${name}`));

/** What traces are made of has to stay usable without an engine. */
const TRACE_MAY_IMPORT = ["ts/base/", "ts/trace/"];

/** Packages that run in Node only. */
const NEEDS_NODE = ["piscina"];

/** The one file both languages compile. */
const SHARED_WITH_HOST = "assembly/abi.ts";

const assembly = readSources("assembly");
const host = readSources("ts");
const playground = readSources("playground");

describe("layers", () => {
  it.each([
    { name: "assembly/", files: assembly, layers: ASSEMBLY_LAYERS },
    { name: "ts/", files: host, layers: HOST_LAYERS },
    { name: "playground/", files: playground, layers: PLAYGROUND_LAYERS },
  ])("$name has files and each of them belongs to a layer", ({ files, layers }) => {
    expect(files).not.toHaveLength(0);
    expect(unlistedFiles(files, layers)).toEqual([]);
  });

  it("assembly/ imports nothing from a higher layer", () => {
    expect(upwardImports(assembly, ASSEMBLY_LAYERS)).toEqual([]);
  });

  it("ts/ imports nothing from a higher layer", () => {
    expect(upwardImports(host, HOST_LAYERS)).toEqual([]);
  });

  it("playground/ imports nothing from a higher layer", () => {
    expect(upwardImports(playground, PLAYGROUND_LAYERS)).toEqual([]);
  });

  it("assembly/ imports nothing from outside itself", () => {
    expect(importsOutside(assembly, ["assembly/"])).toEqual([]);
  });

  it("ts/ imports nothing of assembly/ but the shared constants", () => {
    const ofAssembly = host.flatMap(importsOf).filter((found) => found.to.startsWith("assembly/"));
    expect(ofAssembly.filter((found) => found.to !== SHARED_WITH_HOST)).toEqual([]);
  });

  it("ts/trace/ imports nothing of the project but ts/base/", () => {
    const trace = host.filter((file) => file.path.startsWith("ts/trace/"));
    const ofProject = importsOutside(trace, TRACE_MAY_IMPORT).filter((line) => /-> (ts|assembly)\//.test(line));
    expect(ofProject).toEqual([]);
  });
});

describe("environments", () => {
  it("only ts/engine/ touches WebAssembly", () => {
    const users = host.filter((file) => usesIdentifier(file, "WebAssembly")).map((file) => file.path);
    expect(users.filter((path) => !path.startsWith("ts/engine/"))).toEqual([]);
  });

  it.each(["ts/index.ts", "ts/browser.ts"])("%s reaches no module of Node", (entry) => {
    const reached = reachableFrom(entry, host);
    expect(reached.map((file) => file.path)).toContain(entry);
    expect(nodeImports(reached)).toEqual([]);
  });
});

describe("the rules themselves", () => {
  const layers: Layers = [["low/"], ["high.ts"]];
  const low = { path: "low/a.ts", text: 'import type { B } from "../high.js";\n// import "../other.js"' };
  const high = { path: "high.ts", text: 'export { a } from "./low/a.js";\nconst fs = await import("node:fs");' };

  it("see an upward import and let a downward one pass", () => {
    expect(upwardImports([low, high], layers)).toEqual(["low/a.ts -> high.ts"]);
  });

  it("see an AssemblyScript import, which names no extension", () => {
    const file = { path: "low/b.ts", text: '@inline\nconst N: u32 = 1;\nimport { x } from "../high";' };
    expect(upwardImports([file], layers)).toEqual(["low/b.ts -> high.ts"]);
  });

  it("see a file that belongs to no layer", () => {
    expect(unlistedFiles([{ path: "new.ts", text: "" }], layers)).toEqual([
      "new.ts: add it to the layers at the top of test/layering.test.ts",
    ]);
  });

  it("see a module of Node that is reached through another file", () => {
    const entry = { path: "low/entry.ts", text: 'import "../high.js";' };
    expect(nodeImports(reachableFrom(entry.path, [entry, low, high]))).toEqual(["high.ts -> node:fs"]);
  });

  it("see an identifier in code, but not in a comment or a string", () => {
    expect(usesIdentifier({ path: "a.ts", text: "const m: WebAssembly.Module = f();" }, "WebAssembly")).toBe(true);
    expect(usesIdentifier({ path: "a.ts", text: '"WebAssembly"; // WebAssembly' }, "WebAssembly")).toBe(false);
  });
});

function unlistedFiles(files: readonly SourceFile[], layers: Layers): string[] {
  return files
    .filter((file) => layerOf(file.path, layers) < 0)
    .map((file) => `${file.path}: add it to the layers at the top of test/layering.test.ts`);
}

function upwardImports(files: readonly SourceFile[], layers: Layers): string[] {
  return files
    .flatMap(importsOf)
    .filter(({ from }) => layerOf(from, layers) >= 0) // a file without a layer is unlistedFiles' to report
    .filter((found) => layerOf(found.to, layers) > layerOf(found.from, layers))
    .map((found) => `${found.from} -> ${found.to}`);
}

function importsOutside(files: readonly SourceFile[], allowed: readonly string[]): string[] {
  return files
    .flatMap(importsOf)
    .filter((found) => !allowed.some((folder) => found.to.startsWith(folder)))
    .map((found) => `${found.from} -> ${found.to}`);
}

function nodeImports(files: readonly SourceFile[]): string[] {
  return files
    .flatMap(importsOf)
    .filter(({ to }) => to.startsWith("node:") || builtinModules.includes(to) || NEEDS_NODE.includes(to))
    .map((found) => `${found.from} -> ${found.to}`);
}

/** The row `path` belongs to, or -1. */
function layerOf(path: string, layers: Layers): number {
  return layers.findIndex((row) => row.some((name) => (name.endsWith("/") ? path.startsWith(name) : path === name)));
}
