import { readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";

const FOLDER = new URL("../../../traces/", import.meta.url);

/** Path of a file in traces/. */
export function samplePath(name: string): string {
  return new URL(name, FOLDER).pathname;
}

/** Bytes of a file in traces/, decompressed when its name ends in .gz. */
export function sample(name: string): Uint8Array {
  const stored = readFileSync(samplePath(name));
  return new Uint8Array(name.endsWith(".gz") ? gunzipSync(stored) : stored);
}

/** Text of a file in traces/, decompressed when its name ends in .gz. */
export function sampleText(name: string): string {
  return new TextDecoder("latin1").decode(sample(name));
}
