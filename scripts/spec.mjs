/** Runs the engine's specs alone. */
import { installDependencies } from "./lib/install.mjs";
import { runSpecs } from "./lib/specs.mjs";

installDependencies();
process.exit(runSpecs().failed > 0 ? 1 : 0);
