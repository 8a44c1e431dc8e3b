import { readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import type { Scenario, Transcript } from "../../ts/node.js";

/** A scenario and what a real kernel gave. */
export interface Recording {
  readonly document: Scenario;
  readonly transcript: Transcript;
}

/** Reads a file of `test/golden/`. */
export function readRecordings(name: string): Recording[] {
  const text = gunzipSync(readFileSync(new URL(`../golden/${name}`, import.meta.url))).toString("utf8");
  return text
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as Recording);
}
