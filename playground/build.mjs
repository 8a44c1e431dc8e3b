/**
 * Bundles the playground into dist/playground/: the page and its worker as modules that share chunks, one style sheet,
 * and the engines beside the worker. Everything is found relative to index.html, so the folder can be served from anywhere.
 */
import { copyFile, mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const root = fileURLToPath(new URL("../", import.meta.url));
const target = `${root}dist/playground`;

await rm(target, { recursive: true, force: true });
await mkdir(target, { recursive: true });
const { metafile } = await build({
  absWorkingDir: root,
  entryPoints: {
    main: "playground/src/main.tsx",
    worker: "playground/src/worker/worker.ts",
    style: "playground/style/main.css",
  },
  entryNames: "[name]",
  chunkNames: "chunks/[name]-[hash]",
  outdir: target,
  bundle: true,
  splitting: true,
  format: "esm",
  platform: "browser",
  conditions: ["browser"],
  target: ["chrome120", "firefox120", "safari17"],
  jsx: "automatic",
  jsxImportSource: "preact",
  minify: true,
  sourcemap: true,
  legalComments: "none",
  logLevel: "warning",
  metafile: true,
});

// what main.js imports is asked for with it, and not once it has come
const folder = "dist/playground/";
const chunks = metafile.outputs[`${folder}main.js`]?.imports.filter(({ kind }) => kind === "import-statement") ?? [];
const preloads = chunks.map(({ path }) => `<link rel="modulepreload" href="${path.slice(folder.length)}" />\n    `);
const page = await readFile(`${root}playground/index.html`, "utf8");
await writeFile(`${target}/index.html`, page.replace('<script type="module"', `${preloads.join("")}$&`));
for (const engine of ["engine.wasm", "engine.scalar.wasm"])
  await copyFile(`${root}build/${engine}`, `${target}/${engine}`);
