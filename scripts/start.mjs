/**
 * Sets up and runs the command line. Without arguments, or with options only, it compares on the shipped trace;
 * arguments that begin with a subcommand are passed on as they are.
 */
import { buildWhatIsStale } from "./lib/build.mjs";
import { installDependencies } from "./lib/install.mjs";
import { run } from "./lib/run.mjs";

/** A real program: how it was captured is in traces/README.md. */
const SHIPPED_TRACE = "traces/sqlite.pte-trace.gz";

installDependencies();
buildWhatIsStale();

const extra = process.argv.slice(2);
const namesSubcommand = extra.length > 0 && !extra[0].startsWith("-");
const args = namesSubcommand ? extra : ["compare", SHIPPED_TRACE, ...extra];
process.exit(run(process.execPath, ["dist/cli.js", ...args]));
