import { readFileSync, writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { engineFromModule } from "../ts/engine/load.js";
import { PATTERNS } from "../ts/sim/workloads.js";
import { coldRows, type EntryRow, type State, warmRows } from "./entries.js";
import { measure } from "./harness.js";
import { medianRate, parserRows } from "./parsers.js";
import { replayRows } from "./replays.js";
import { markdown, type Results, type Row, rowLine, summary } from "./report.js";

const MILLION = 2 ** 20;
const STATES: readonly State[] = ["none", "present", "mixed"];

const { values } = parseArgs({
  options: {
    quick: { type: "boolean", default: false },
    rounds: { type: "string" },
    json: { type: "string" },
  },
});
const rounds = Number(values.rounds ?? (values.quick ? 3 : 9));
const makeEngine = engineFromModule(readFileSync("build/engine.wasm"));

const rows: Row[] = [];

/** Measures rows that share state, one after the other. */
function measureAll(entryRows: readonly EntryRow[], unit: Row["unit"]): void {
  for (const { id, what, pages, ours, twin } of entryRows) {
    const [mine = [], plain = []] = measure([ours, twin], pages, rounds);
    const row: Row = {
      id: pages > 2 * MILLION && unit === "ns/PTE" ? `${id}-16m` : id,
      what,
      units: pages,
      unit,
      ours: mine,
      twin: plain,
    };
    rows.push(row);
    console.log(rowLine(row));
  }
}

for (const pages of values.quick ? [MILLION] : [MILLION, 16 * MILLION]) {
  measureAll(coldRows(makeEngine, pages), "ns/PTE");
  for (const state of STATES) measureAll(warmRows(makeEngine, pages, state), "ns/PTE");
}
const accesses = values.quick ? 2_000_000 : 10_000_000;
for (const pattern of PATTERNS) measureAll(replayRows(makeEngine, pattern, MILLION, accesses), "ns/access");

const parsers = await parserRows(rounds);
for (const row of parsers) console.log(`${row.what.padEnd(36)} ${medianRate(row).toFixed(0)} MB/s`);

const results: Results = { rows, parsers, rounds };
if (values.json !== undefined) writeFileSync(values.json, `${JSON.stringify(summary(results), null, 2)}\n`);
if (values.quick) {
  console.log("quick run: docs/benchmarks.md is left as it is");
} else {
  writeFileSync("docs/benchmarks.md", markdown(results));
  console.log("docs/benchmarks.md written");
}
