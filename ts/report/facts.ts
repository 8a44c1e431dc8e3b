/** What was compared: the lines that head both reports. */
import type { Comparison } from "../sim/comparison.js";
import { formatCount, formatCounted } from "./format.js";

/** A name and what there is to say about it. */
export interface Fact {
  readonly name: string;
  readonly text: string;
}

/** Returns source, memory, accesses, snapshot point and the dirty pages that there are to find. */
export function facts(comparison: Comparison): Fact[] {
  const { memory, accesses, snapshot } = comparison;
  const mapped = `${formatCounted(memory.pages, "page")} in ${formatCounted(memory.mappings, "mapping")}`;
  const kinds = `${formatCount(accesses.reads)} reads, ${formatCount(accesses.writes)} writes`;
  const skipped = accesses.skipped === 0 ? "" : `, ${formatCount(accesses.skipped)} skipped`;
  const zero = `${formatCount(snapshot.zeroPages)} on the zero page`;
  const existing = formatCounted(snapshot.pages + snapshot.zeroPages, "page existed", "pages existed");
  return [
    { name: "Source", text: comparison.source },
    { name: "Layout", text: `${memory.layout}; ${mapped}` },
    { name: "Accesses", text: `${formatCount(accesses.total)}: ${kinds}${skipped}` },
    { name: "Snapshot", text: `after ${formatCounted(snapshot.at, "access", "accesses")}; ${existing}, ${zero}` },
    {
      name: "Truth",
      text: `${formatCounted(comparison.dirtyPages, "dirty page")}: content changed after the snapshot`,
    },
  ];
}
