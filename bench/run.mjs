/**
 * Sets the project up, compiles the limits, bundles the benchmarks and runs them. Options:
 * --quick, --rounds N, --rows ID,ID, --json FILE, --from FILE (writes the report of an earlier run).
 */
import { spawnSync } from "node:child_process";
import { binary, ROOT } from "../scripts/lib/run.mjs";

const LIMITS = ["bench/limits/index.ts", "--outFile", "build/limits.wasm"];
const LIMITS_FLAGS = ["-O3", "--noAssert", "--runtime", "stub", "--enable", "simd", "--bindings", "none"];

run(["scripts/setup.mjs"]);
const { build } = await import("esbuild"); // which the line above installs
run([binary("assemblyscript", "asc"), ...LIMITS, ...LIMITS_FLAGS]);
const shared = { absWorkingDir: ROOT, bundle: true, format: "esm", logLevel: "warning", packages: "external" };
await build({
  ...shared,
  platform: "node",
  target: "node20",
  entryPoints: ["bench/main.ts"],
  outfile: "build/bench.mjs",
});
const guest = { ...shared, platform: "neutral", target: "es2022", entryPoints: ["bench/guest.ts"] };
await build({ ...guest, outfile: "build/bench-guest.mjs" });
run(["build/bench.mjs", ...process.argv.slice(2)]);

function run(args) {
  const { status } = spawnSync(process.execPath, args, { cwd: ROOT, stdio: "inherit" });
  if (status !== 0) process.exit(status ?? 1);
}
