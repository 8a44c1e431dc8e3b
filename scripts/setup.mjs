/** Installs dependencies and builds, as far as needed; quiet and quick when there is nothing to do. */
import { buildWhatIsStale } from "./lib/build.mjs";
import { installDependencies } from "./lib/install.mjs";

installDependencies();
buildWhatIsStale();
