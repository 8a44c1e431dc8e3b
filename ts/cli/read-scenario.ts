import { readFile } from "node:fs/promises";
import { text } from "node:stream/consumers";
import { parse } from "yaml";
import { UsageError } from "./errors.js";

/** Reads a scenario document, JSON or YAML, from a file or from standard input (`-`). @throws UsageError if it is neither. */
export async function readScenario(path: string): Promise<unknown> {
  const source = path === "-" ? await text(process.stdin) : await readFile(path, "utf8");
  try {
    return JSON.parse(source);
  } catch {
    return parseYaml(source, path);
  }
}

function parseYaml(source: string, path: string): unknown {
  try {
    return parse(source);
  } catch (error) {
    throw new UsageError(`${path}: neither JSON nor YAML: ${(error as Error).message}`);
  }
}
