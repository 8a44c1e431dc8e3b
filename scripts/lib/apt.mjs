import { accessSync, constants } from "node:fs";
import { capture } from "./run.mjs";

/**
 * Installs packages with apt-get when this is a Debian-like system run by root, else says that it cannot. `what` is what is missing, as
 * the start of a sentence. Whether it can be done without is for the caller to say.
 */
export function aptInstall(what, ...packages) {
  if (process.getuid?.() !== 0 || !isProgram("/usr/bin/apt-get")) {
    console.log(`${what} is missing and cannot be installed here (that needs root and apt-get)`);
    return;
  }
  console.log(`${what} is missing: installing it with apt-get`);
  aptGet("update");
  aptGet("install", "-y", "--no-install-recommends", ...packages);
}

/** Whether this user can run the file. */
export function isProgram(path) {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** Shows the output of a failed run only. */
function aptGet(...args) {
  const { status, output } = capture("env", ["DEBIAN_FRONTEND=noninteractive", "apt-get", "-qq", ...args]);
  if (status !== 0) console.error(`${output}apt-get ${args[0]} failed with exit code ${status}`);
}
