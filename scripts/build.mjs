/** Builds the whole package into build/ and dist/, type declarations included. */
import { buildAll } from "./lib/build.mjs";
import { installDependencies } from "./lib/install.mjs";

installDependencies();
buildAll();
