import { existsSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { ROOT, binary, fail, run } from "./run.mjs";

const ENGINE = {
  outputs: ["build/engine.wasm", "build/engine.scalar.wasm", "build/engine.d.ts"],
  sources: ["assembly", "asconfig.json", "package-lock.json"],
};

const BUNDLES = {
  outputs: [
    "dist/cli.js",
    "dist/worker.js",
    "dist/engine.wasm",
    "dist/engine.scalar.wasm",
    "dist/executor.c",
    "dist/keeper.c",
    "dist/scenario.schema.json",
    "dist/node/index.js",
    "dist/node/worker.js",
    "dist/node/engine.wasm",
    "dist/node/engine.scalar.wasm",
    "dist/browser/index.js",
    "dist/browser/engine.wasm",
    "dist/browser/engine.scalar.wasm",
  ],
  sources: [
    "ts",
    "assembly/abi.ts",
    "build/engine.wasm",
    "build/engine.scalar.wasm",
    "esbuild.config.js",
    "package.json",
    "package-lock.json",
  ],
};

const PLAYGROUND = {
  outputs: ["index.html", "main.js", "style.css", "worker.js", "engine.wasm", "engine.scalar.wasm"].map(
    (name) => `dist/playground/${name}`,
  ),
  sources: [
    "playground",
    "ts",
    "assembly/abi.ts",
    "build/engine.wasm",
    "build/engine.scalar.wasm",
    "tsconfig.json",
    "package-lock.json",
  ],
};

/** Compiles the engine and bundles the package and the playground, each only when one of its sources is newer than one of its outputs. */
export function buildWhatIsStale() {
  if (isStale(ENGINE)) buildEngine();
  if (isStale(BUNDLES)) buildBundles();
  if (isStale(PLAYGROUND)) buildPlayground();
}

/** Builds everything there is, including the type declarations a published package needs. */
export function buildAll() {
  buildEngine();
  buildBundles();
  buildPlayground();
  step("writing type declarations", [binary("typescript", "tsc"), "-p", "tsconfig.build.json"]);
}

function buildEngine() {
  const asc = binary("assemblyscript", "asc");
  // the entry is no part of asconfig.json
  for (const target of ["release", "scalar"]) {
    step(`compiling the engine (${target})`, [
      asc,
      "assembly/index.ts",
      "--config",
      "asconfig.json",
      "--target",
      target,
    ]);
  }
}

function buildBundles() {
  step("bundling", ["esbuild.config.js"]);
}

function buildPlayground() {
  step("bundling the playground", ["playground/build.mjs"]);
}

function step(title, nodeArguments) {
  console.log(title);
  if (run(process.execPath, nodeArguments) !== 0) fail(`${title}: failed`);
}

function isStale({ outputs, sources }) {
  const paths = outputs.map((path) => join(ROOT, path));
  if (!paths.every((path) => existsSync(path))) return true;
  const oldestOutput = Math.min(...paths.map((path) => statSync(path).mtimeMs));
  return sources.some((source) => newestChange(join(ROOT, source)) > oldestOutput);
}

/** The latest time stamp in milliseconds of a file, or of a folder with all in it: a deletion shows at the folder. */
function newestChange(path) {
  const status = statSync(path);
  if (!status.isDirectory()) return status.mtimeMs;
  const inside = readdirSync(path).filter((name) => name !== "__tests__");
  return Math.max(status.mtimeMs, ...inside.map((name) => newestChange(join(path, name))));
}
