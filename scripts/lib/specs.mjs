import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { stripVTControlCharacters } from "node:util";
import { ROOT, binary, capture } from "./run.mjs";

const SPEC_FOLDER = "assembly/__tests__";

/**
 * Runs the engine's specs under as-pect and prints its report. Returns { passed, failed }.
 * as-pect ends with 0 when it finds no spec and names no file when a module traps while it loads, so a run counts as
 * failed unless the report has a line for every spec file and each of them ran at least one test.
 */
export function runSpecs() {
  const specs = listSpecs();
  if (specs.length === 0) {
    console.error(`no spec found in ${SPEC_FOLDER}`);
    return { passed: 0, failed: 1 };
  }
  const { status, output } = capture(process.execPath, [binary("@as-pect/cli", "asp")]);
  process.stdout.write(output);
  return judge(status, stripVTControlCharacters(output), specs);
}

function judge(status, report, specs) {
  const summary = /\[Tests\]:\s+(\d+)\s*\/\s*(\d+)/.exec(report);
  const passed = summary ? Number(summary[1]) : 0;
  const total = summary ? Number(summary[2]) : 0;
  const problems = specs.filter((spec) => testsOf(spec, report) === 0).map((spec) => `${spec} ran no test`);
  if (status !== 0 && passed === total) problems.push(`as-pect ended with ${status}`);
  for (const problem of problems) console.error(problem);
  return { passed, failed: total - passed + problems.length };
}

/** Reads the line "✔ assembly/__tests__/walk.spec.ts Pass: 3 / 3 ..."; 0 when there is none. */
function testsOf(spec, report) {
  const line = report.split("\n").find((text) => text.includes(`${spec} `)) ?? "";
  return Number(/Pass:\s+\d+\s*\/\s*(\d+)/.exec(line)?.[1] ?? 0);
}

function listSpecs() {
  const folder = join(ROOT, SPEC_FOLDER);
  const names = existsSync(folder) ? readdirSync(folder, { recursive: true }) : [];
  return names
    .filter((name) => name.endsWith(".spec.ts"))
    .map((name) => `${SPEC_FOLDER}/${name.replaceAll("\\", "/")}`);
}
