import { capture } from "./run.mjs";
import { aptInstall } from "./apt.mjs";

/** Installs a C compiler where there is none: what runs scenarios on the live kernel is compiled where it runs. */
export function installCompiler() {
  if (capture("cc", ["--version"]).status !== 0) aptInstall("A C compiler", "gcc", "libc6-dev");
}
