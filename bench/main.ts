import { readFileSync, writeFileSync } from "node:fs";
import { cpus, release, totalmem } from "node:os";
import { parseArgs } from "node:util";
import { formatBytes } from "../ts/base/pages.js";
import { engineFromModule } from "../ts/engine/load.js";
import { measureElsewhere } from "./elsewhere.js";
import { Limits } from "./limits.js";
import { MapTwin } from "./map-twin.js";
import { measureRow } from "./measure-row.js";
import { measureMemory } from "./memory.js";
import { measureParsers } from "./parsers.js";
import { temporaryFolder } from "./program.js";
import { type Programs, startPrograms } from "./programs.js";
import { writeReport } from "./report/report.js";
import { rowLine } from "./report/row-text.js";
import type { Results, RowResult } from "./results.js";
import type { Row, Tools } from "./row.js";
import { allRows, FULL_SIZES, QUICK_SIZES } from "./rows.js";
import { measureSizes } from "./sizes.js";
import { engineMaker } from "./subject.js";
import { TwinSpace } from "./twin.js";

const FULL_ROUNDS = 9;
const QUICK_ROUNDS = 3;

const { values: options } = parseArgs({
  options: {
    quick: { type: "boolean", default: false },
    rounds: { type: "string" },
    rows: { type: "string" },
    json: { type: "string" },
    from: { type: "string" },
  },
});
const results = options.from === undefined ? await measure() : readResults(options.from);
if (options.json !== undefined) writeFileSync(options.json, `${JSON.stringify(results, null, 1)}\n`);
if (options.from === undefined && (options.quick || options.rows !== undefined)) {
  console.log("not all was measured: docs/ is left as it is");
} else {
  writeReport("docs", results);
  console.log("docs/benchmarks.md and its pictures written");
}

/** Measures everything, or with --quick and --rows what a person wants to wait for. */
async function measure(): Promise<Results> {
  const isQuick = options.quick;
  const rounds = Number(options.rounds ?? (isQuick ? QUICK_ROUNDS : FULL_ROUNDS));
  if (!(Number.isInteger(rounds) && rounds > 0)) throw new RangeError(`--rounds expected a count, got ${rounds}`);
  const programs = await startPrograms(temporaryFolder());
  for (const reason of programs.missing) console.log(`not measured: ${reason}`);
  const tools: Tools = {
    makeEngine: engineMaker(engineFromModule(readFileSync("build/engine.wasm"))),
    limits: new Limits(readFileSync("build/limits.wasm")),
    makeTwin: (firstPage, pages) => new TwinSpace(firstPage, pages),
    makeMapTwin: (firstPage, pages) => new MapTwin(firstPage, pages),
  };
  const rows = await measureRows(wantedRows(tools, isQuick), programs, rounds);
  const isAll = !isQuick && options.rows === undefined;
  const missing = [...programs.missing];
  for (const program of new Set(Object.values(programs.running))) program.close();
  return {
    machine: `${cpus()[0]?.model.trim() ?? "unknown processor"}, ${cpus().length} CPUs, ${formatBytes(totalmem())}`,
    kernel: `Linux ${release()}`,
    node: process.versions.node,
    at: new Date().toISOString(),
    rounds,
    isQuick,
    rows,
    parsers: isAll ? await measureParsers(rounds) : [],
    sizes: isAll ? measureSizes(tools.makeEngine, rounds) : [],
    memory: isAll ? measureMemory(tools.makeEngine) : [],
    elsewhere: isAll ? await measureElsewhere(rounds, missing) : [],
    missing,
  };
}

function wantedRows(tools: Tools, isQuick: boolean): Row[] {
  const wanted = options.rows?.split(",");
  const rows = allRows(tools, isQuick ? QUICK_SIZES : FULL_SIZES, isQuick);
  const unknown = wanted?.filter((id) => !rows.some((row) => row.id === id)) ?? [];
  if (unknown.length > 0) throw new Error(`no such row: ${unknown.join(", ")}`);
  return rows.filter((row) => wanted?.includes(row.id) ?? true);
}

/** Takes each row out of the list, so that what it holds is freed after its turn. */
async function measureRows(rows: Row[], programs: Programs, rounds: number): Promise<RowResult[]> {
  const results: RowResult[] = [];
  for (let row = rows.shift(); row !== undefined; row = rows.shift()) {
    const result = await measureRow(row, programs.running, rounds);
    results.push(result);
    console.log(rowLine(result));
  }
  return results;
}

function readResults(path: string): Results {
  return JSON.parse(readFileSync(path, "utf8")) as Results;
}
