import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Results } from "../results.js";
import { barPicture } from "./bar-picture.js";
import { markdown } from "./markdown.js";
import { sizePicture } from "./size-picture.js";

/** Writes the page about a run and its pictures. */
export function writeReport(folder: string, results: Results): void {
  writeFileSync(join(folder, "benchmarks.md"), markdown(results));
  writeFileSync(join(folder, "benchmarks.svg"), barPicture(results));
  if (results.sizes.length > 0) writeFileSync(join(folder, "benchmarks-size.svg"), sizePicture(results.sizes));
}
