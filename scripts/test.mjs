/**
 * Everything a change has to pass: set-up, lint, format, types, the engine's specs, the unit tests; with PTE_VERIFY_MINUTES also a
 * comparison with the live kernel for so long.
 * The closing line counts tests; a failed check (lint, format, types, that comparison) counts as one failure.
 */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buildWhatIsStale } from "./lib/build.mjs";
import { installChromium } from "./lib/chromium.mjs";
import { installCompiler } from "./lib/compiler.mjs";
import { installDependencies } from "./lib/install.mjs";
import { binary, run } from "./lib/run.mjs";
import { runSpecs } from "./lib/specs.mjs";
import { runVerify } from "./lib/verify.mjs";

installDependencies();
buildWhatIsStale();
installChromium();
const verifyMinutes = process.env.PTE_VERIFY_MINUTES;
// where nothing may be skipped; elsewhere tests that need a compiler say that they are skipped
if (process.env.PTE_REQUIRE_ALL === "1" || verifyMinutes) installCompiler();

const results = [
  runCheck("lint", "eslint", "eslint", ["."]),
  runCheck("format", "prettier", "prettier", ["--check", "."]),
  runCheck("types", "typescript", "tsc", ["-p", "."]),
  runSpecs(),
  runUnitTests(),
  ...(verifyMinutes ? [runVerify(verifyMinutes)] : []),
];

const sum = (key) => results.reduce((total, result) => total + (result[key] ?? 0), 0);
const skipped = sum("skipped");
console.log(`${sum("passed")} passed, ${sum("failed")} failed${skipped > 0 ? `, ${skipped} skipped` : ""}`);
process.exitCode = sum("failed") > 0 ? 1 : 0;

function runCheck(title, packageName, command, args) {
  console.log(`check: ${title}`);
  const failed = run(process.execPath, [binary(packageName, command), ...args]) === 0 ? 0 : 1;
  if (failed) console.error(`check failed: ${title}`);
  return { failed };
}

function runUnitTests() {
  const folder = mkdtempSync(join(tmpdir(), "pte-engine-test-"));
  try {
    const reportPath = join(folder, "vitest.json");
    const reporters = ["--reporter=default", "--reporter=json", `--outputFile.json=${reportPath}`];
    const status = run(process.execPath, [binary("vitest", "vitest"), "run", ...reporters]);
    return judge(status, reportPath);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** A file that cannot be loaded has no tests to count, and a crash writes no report: both are one failure. */
function judge(status, reportPath) {
  const report = readReport(reportPath);
  const failed = status === 0 ? report.numFailedTests : Math.max(1, report.numFailedTests);
  return { passed: report.numPassedTests, failed, skipped: report.numPendingTests + report.numTodoTests };
}

function readReport(reportPath) {
  try {
    return JSON.parse(readFileSync(reportPath, "utf8"));
  } catch (error) {
    console.error(`vitest left no report: ${error.message}`);
    return { numPassedTests: 0, numFailedTests: 1, numPendingTests: 0, numTodoTests: 0 };
  }
}
