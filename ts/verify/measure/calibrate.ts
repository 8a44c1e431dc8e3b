import { hostname } from "node:os";
import { type Spread, spreadOf } from "../../base/statistics.js";
import { type Cost, type CostName, type CostProfile, COSTS, type FigureName, FIGURES } from "../../sim/cost-profile.js";
import { type MeasuringHost, undisturbedNs } from "../../sim/measurement.js";
import { describeHost, measuringHost } from "./host.js";
import type { MeasureOutput } from "./output.js";
import { measure, type OnProgress } from "./program.js";

/** How each cost was measured, which its description leaves open. */
const METHODS: Readonly<Partial<Record<CostName | FigureName, string>>> = {
  call: "UFFDIO_WRITEPROTECT of 4 GiB with nothing in it, the first on its mapping",
  protectNone: "UFFDIO_WRITEPROTECT of 4 GiB, untouched",
  protectPage: "UFFDIO_WRITEPROTECT of 64 MiB, written",
  protectZeroPage: "UFFDIO_WRITEPROTECT of 256 MiB of zero pages",
  protectVisited: "UFFDIO_WRITEPROTECT of 64 MiB of markers",
  preRead: "read loop over 256 MiB, page tables allocated on the way",
  populateRead: "MADV_POPULATE_READ of 256 MiB, page tables allocated on the way",
  readFault: "first reads of 16 MiB, page tables there",
  writeFault: "first writes to 64 MiB",
  copyFault: "writes to 16 MiB of zero pages",
  wpSyncFault: "512 writes, handler thread on the same CPU in poll",
  wpAsyncFault: "writes to 64 MiB of protected pages",
  scanPage: "PAGEMAP_SCAN of 64 MiB, none written",
};

/** What varies by itself, not by what else runs, or is a difference of two times: the median stands for it. */
const BY_MEDIAN: ReadonlySet<string> = new Set<FigureName>([
  "pageTable",
  "forkPage",
  "fork",
  "wpSyncColdSameCpu",
  "wpSyncColdOtherCpu",
]);

/**
 * Measures what operations cost on this host.
 * @throws HostError where its kernel cannot be measured.
 */
export async function calibrate(seconds: number, onProgress: OnProgress): Promise<CostProfile> {
  const host = measuringHost();
  return profileFrom(await measure(["calibrate", String(seconds)], onProgress), host, hostname());
}

/** Makes a profile of samples: the least of each, and how far apart they were. */
export function profileFrom(output: MeasureOutput, host: MeasuringHost, name: string): CostProfile {
  const first = output.conditions?.preferred === true ? ", before other programs (nice -20)" : "";
  return {
    profile: 1,
    name,
    provenance: `${describeHost(host)}; pte-engine calibrate, the least of all rounds, on one CPU${first}`,
    costs: pick(output, Object.keys(COSTS) as CostName[]),
    figures: pick(output, Object.keys(FIGURES) as FigureName[]),
  };
}

function pick<Name extends CostName | FigureName>(
  { figures }: MeasureOutput,
  names: readonly Name[],
): Partial<Record<Name, Cost>> & Record<string, Cost> {
  const measured = names.flatMap((name) => {
    const samples = figures.get(name);
    return samples === undefined ? [] : [[name, costOf(name, samples)] as const];
  });
  return Object.fromEntries(measured) as Partial<Record<Name, Cost>> & Record<string, Cost>;
}

/** A difference of two times can come out below nothing where other programs disturbed one of them. */
function costOf(name: CostName | FigureName, samples: readonly number[]): Cost {
  const spread = roundSpread(spreadOf(samples.map((ns) => Math.max(0, ns))));
  const isMedian = BY_MEDIAN.has(name);
  const source = `${METHODS[name] ?? "measured"}; ${isMedian ? "median" : "least"} of ${spread.samples} samples`;
  return { ns: round(isMedian ? spread.medianNs : undisturbedNs(spread)), source, spread };
}

function roundSpread(spread: Spread): Spread {
  const entries = Object.entries(spread).map(([name, value]) => [name, round(value as number)] as const);
  return { ...(Object.fromEntries(entries) as unknown as Spread), samples: spread.samples };
}

function round(ns: number): number {
  return Number(ns.toPrecision(4));
}
