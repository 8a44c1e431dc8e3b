import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { ROOT, fail, run } from "./run.mjs";

/** Runs `npm ci` when node_modules is missing or holds other versions than package-lock.json asks for. */
export function installDependencies() {
  if (isInstalled()) return;
  console.log("installing dependencies (npm ci)");
  const args = ["ci", "--include=dev", "--no-audit", "--no-fund"];
  const npmScript = process.env.npm_execpath;
  const status = npmScript ? run(process.execPath, [npmScript, ...args]) : run("npm", args);
  if (status !== 0) fail("npm ci failed");
}

/** Compares npm's record of what it installed with the lockfile; time stamps would say nothing after a git checkout. */
function isInstalled() {
  const recordPath = join(ROOT, "node_modules", ".package-lock.json");
  if (!existsSync(recordPath)) return false;
  const installed = readPackages(recordPath);
  const wanted = readPackages(join(ROOT, "package-lock.json"));
  return Object.entries(wanted).every(([path, { version, optional }]) => {
    const found = installed[path];
    // packages for other platforms are optional and never installed
    return path === "" || (found ? found.version === version : optional === true);
  });
}

function readPackages(lockfilePath) {
  return JSON.parse(readFileSync(lockfilePath, "utf8")).packages;
}
