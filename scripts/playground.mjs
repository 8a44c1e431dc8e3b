/** Sets up and serves the playground; arguments are passed on: a trace or a scenario, --port, --no-open. */
import { buildWhatIsStale } from "./lib/build.mjs";
import { installDependencies } from "./lib/install.mjs";
import { run } from "./lib/run.mjs";

installDependencies();
buildWhatIsStale();
process.exit(run(process.execPath, ["dist/cli.js", "playground", ...process.argv.slice(2)]));
