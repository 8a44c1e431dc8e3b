/** Replays a recorded trace on five dirty trackers. Usage: node replay-trace.js FILE */
import {
  compareTrackers,
  comparisonTable,
  createEngine,
  defaultCostProfile,
  layoutAroundPages,
  openTrace,
  prepareTrace,
  TraceReader,
} from "pte-engine";

const file = process.argv[2] ?? "traces/sqlite.pte-trace.gz";
const { bytes, name } = openTrace(file);
const trace = await prepareTrace(new TraceReader(bytes, { name }));

const comparison = compareTrackers(await createEngine(), {
  title: "Dirty tracking of a program",
  source: name,
  store: trace.store,
  layout: layoutAroundPages(trace.store.touchedPages().pages),
  accesses: { reads: trace.reads, writes: trace.writes, skipped: trace.skippedFetches },
  profile: defaultCostProfile(),
});

console.log(comparisonTable(comparison, { width: 120, color: "none" }));
for (const { label, dirty } of comparison.trackers) {
  if (dirty.missed > 0) console.log(`${label} lost ${dirty.missed} of ${comparison.dirtyPages} dirty pages`);
}
