import { spawnSync } from "node:child_process";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

/** The root folder of the repository, without a trailing separator. */
export const ROOT = dirname(dirname(dirname(fileURLToPath(import.meta.url))));

/**
 * Runs a program in the root folder with this process's stdin, stdout and stderr.
 * Returns its exit code; 1 when it could not be started or was killed by a signal.
 */
export function run(program, args) {
  const result = spawnSync(program, args, { cwd: ROOT, stdio: "inherit" });
  if (result.error) console.error(`${program}: ${result.error.message}`);
  return result.status ?? 1;
}

/** Runs a program silently in the root folder. Returns its exit code and everything it printed. */
export function capture(program, args) {
  const result = spawnSync(program, args, {
    cwd: ROOT,
    stdio: ["ignore", "pipe", "pipe"],
    encoding: "utf8",
    maxBuffer: 1 << 28,
  });
  return { status: result.status ?? 1, output: `${result.stdout ?? ""}${result.stderr ?? ""}` };
}

/** The script behind a command of an installed package, so that it runs under this very Node on every platform. */
export function binary(packageName, command) {
  const manifestPath = join(ROOT, "node_modules", packageName, "package.json");
  const { bin } = createRequire(import.meta.url)(manifestPath);
  return join(dirname(manifestPath), typeof bin === "string" ? bin : bin[command]);
}

/** Ends this process with a message on stderr and exit code 1. */
export function fail(message) {
  console.error(message);
  process.exit(1);
}
