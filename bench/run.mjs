/** Sets the project up, bundles the benchmarks and runs them. Options: --quick, --rounds N, --json FILE. */
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../", import.meta.url));
run(["scripts/setup.mjs"]);
const { build } = await import("esbuild");
await build({
  absWorkingDir: root,
  entryPoints: ["bench/main.ts"],
  outfile: "build/bench.mjs",
  bundle: true,
  format: "esm",
  platform: "node",
  target: "node20",
  packages: "external",
  logLevel: "warning",
});
run(["build/bench.mjs", ...process.argv.slice(2)]);

function run(args) {
  const { status } = spawnSync(process.execPath, args, { cwd: root, stdio: "inherit" });
  if (status !== 0) process.exit(status ?? 1);
}
