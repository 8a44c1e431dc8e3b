/**
 * Sets up and runs the command line. Without arguments, or with options only, it compares on the shipped trace;
 * arguments that begin with a subcommand are passed on as they are.
 */
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { buildWhatIsStale } from "./lib/build.mjs";
import { installDependencies } from "./lib/install.mjs";
import { ROOT, fail, run } from "./lib/run.mjs";

installDependencies();
buildWhatIsStale();

const extra = process.argv.slice(2);
const namesSubcommand = extra.length > 0 && !extra[0].startsWith("-");
const args = namesSubcommand ? extra : ["compare", shippedTrace(), ...extra];
process.exit(run(process.execPath, ["dist/cli.js", ...args]));

/** The first file of traces/ by name that is a trace and not a description of one. */
function shippedTrace() {
  const folder = join(ROOT, "traces");
  const names = existsSync(folder) ? readdirSync(folder) : [];
  const trace = names.filter((name) => !/^\.|\.(md|json|txt)$/.test(name)).sort()[0];
  return trace ? join("traces", trace) : fail("no trace found in traces/");
}
