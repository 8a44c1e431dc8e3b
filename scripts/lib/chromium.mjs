import { delimiter, join } from "node:path";
import { aptInstall, isProgram } from "./apt.mjs";

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

/** Installs Chromium where there is none; whether tests can do without it is theirs to say. */
export function installChromium() {
  if (!chromiumPath()) aptInstall("Chromium", "chromium");
}
