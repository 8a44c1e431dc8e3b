import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";
import { capture } from "./run.mjs";

/** Where Chromium is looked for when CHROMIUM_PATH names none. */
const FIXED_PATHS = ["/usr/bin/chromium", "/usr/bin/chromium-browser"];
const COMMANDS = ["google-chrome", "google-chrome-stable"];

/**
 * Returns the path of a Chromium-like browser, or undefined. CHROMIUM_PATH, when set, is the only place looked at.
 * Throws an Error when CHROMIUM_PATH names no program.
 */
export function chromiumPath() {
  const chosen = process.env.CHROMIUM_PATH;
  if (chosen) {
    if (!isProgram(chosen)) throw new Error(`CHROMIUM_PATH names no program: ${chosen}`);
    return chosen;
  }
  const folders = (process.env.PATH ?? "").split(delimiter).filter((folder) => folder !== "");
  const onPath = COMMANDS.flatMap((command) => folders.map((folder) => join(folder, command)));
  return [...FIXED_PATHS, ...onPath].find(isProgram);
}

/** Installs Chromium with apt-get when there is none and this is a Debian-like system run by root; says what it does. */
export function installChromium() {
  if (chromiumPath()) return;
  if (process.getuid?.() !== 0 || !isProgram("/usr/bin/apt-get")) {
    console.log("Chromium is missing and cannot be installed here (that needs root and apt-get)");
    return;
  }
  console.log("Chromium is missing: installing it with apt-get");
  aptGet("update");
  aptGet("install", "-y", "--no-install-recommends", "chromium");
}

/** Shows the output of a failed run only; whether tests can do without Chromium is theirs to say. */
function aptGet(...args) {
  const { status, output } = capture("env", ["DEBIAN_FRONTEND=noninteractive", "apt-get", "-qq", ...args]);
  if (status !== 0) console.error(`${output}apt-get ${args[0]} failed with exit code ${status}`);
}

function isProgram(path) {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
