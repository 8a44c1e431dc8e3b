/**
 * Bundles the package: one build of the public interface for Node, one for browsers (pages and module workers), and the
 * command line. Each bundle finds the engine, with SIMD or without, relative to `import.meta.url`, so copies lie beside it.
 * C programs that ask the kernel of a host are in the bundle as text.
 */
import { chmod, copyFile, mkdir, writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const root = fileURLToPath(new URL("./", import.meta.url));
const engines = ["engine.wasm", "engine.scalar.wasm"];

/** @type {import("esbuild").BuildOptions} */
const shared = {
  absWorkingDir: root,
  bundle: true,
  format: "esm",
  sourcemap: true,
  logLevel: "warning",
};

/** @type {import("esbuild").BuildOptions} */
const forNode = {
  ...shared,
  platform: "node",
  target: "node20",
  packages: "external",
  loader: { ".c": "text", ".h": "text" },
};

/** @type {import("esbuild").BuildOptions} */
const forBrowser = {
  ...shared,
  platform: "browser",
  conditions: ["browser"],
  target: ["chrome120", "firefox120", "safari17"],
};

await Promise.all([
  build({ ...forNode, entryPoints: ["ts/node.ts"], outfile: "dist/node/index.js" }),
  // the threads of both; each bundle looks for the worker beside itself
  ...["dist", "dist/node"].map((folder) =>
    build({ ...forNode, entryPoints: ["ts/threads/worker.ts"], outfile: `${folder}/worker.js` }),
  ),
  build({ ...forBrowser, entryPoints: ["ts/browser.ts"], outfile: "dist/browser/index.js" }),
  build({
    ...forNode,
    entryPoints: ["ts/cli/main.ts"],
    outfile: "dist/cli.js",
    banner: { js: "#!/usr/bin/env node" },
  }),
]);

for (const folder of ["dist", "dist/node", "dist/browser"]) {
  await mkdir(`${root}${folder}`, { recursive: true });
  for (const engine of engines) await copyFile(`${root}build/${engine}`, `${root}${folder}/${engine}`);
}
// compiled where scenarios are carried out on a live kernel
for (const source of ["executor.c", "keeper.c"])
  await copyFile(`${root}ts/verify/kernel/${source}`, `${root}dist/${source}`);
await chmod(`${root}dist/cli.js`, 0o755);

const { SCENARIO_SCHEMA } = await import(new URL("./dist/node/index.js", import.meta.url).href);
await writeFile(`${root}dist/scenario.schema.json`, `${JSON.stringify(SCENARIO_SCHEMA, null, 2)}\n`);
