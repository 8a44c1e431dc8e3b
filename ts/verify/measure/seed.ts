import { freemem } from "node:os";
import { formatBytes, PAGE_SIZE } from "../../base/pages.js";
import { spreadOf } from "../../base/statistics.js";
import type { Comparison, TrackerId } from "../../sim/comparison.js";
import type { Cost, CostName, CostProfile } from "../../sim/cost-profile.js";
import { type MeasuredRow, predictHugeArmingNs, repricedNs, type SeedMeasurement } from "../../sim/measurement.js";
import { HostError } from "../host-error.js";
import { profileFrom } from "./calibrate.js";
import { measuringHost } from "./host.js";
import type { MeasureOutput, SeedSample } from "./output.js";
import { measure, type OnProgress } from "./program.js";

/** Bytes that all rounds of the longest row may go over together: a round over 10 GiB takes two to three seconds. */
const BYTES_OF_ALL_ROUNDS = 70 * 2 ** 30;
const MOST_ROUNDS = 9;
const FEWEST_ROUNDS = 3;
/** Bytes of memory that one byte of page tables maps. */
const MAPPED_BY_TABLE_BYTE = 512;

/**
 * Runs the four rows of the patch's experiment in this host's kernel and puts the model's prediction beside each.
 * @throws HostError where its kernel cannot be measured, or the page tables would not fit into its memory.
 */
export async function measureSeed(
  comparison: Comparison,
  profile: CostProfile,
  onProgress: OnProgress,
): Promise<SeedMeasurement> {
  const bytes = comparison.memory.pages * PAGE_SIZE;
  checkMemory(bytes);
  const rounds = Math.max(FEWEST_ROUNDS, Math.min(MOST_ROUNDS, Math.floor(BYTES_OF_ALL_ROUNDS / bytes)));
  const host = measuringHost();
  const output = await measure(["seed", String(bytes), String(rounds)], onProgress);
  const now = profileFrom(output, host, "now");
  return {
    host,
    bytes,
    rounds,
    rows: measuredRows(output, comparison, profile, now),
    slowdown: slowdown(profile, now),
    ...(output.conditions?.hugeZeroPage === true ? {} : { hugePagesSkipped: hugePagesSkipped(host.hugePages) }),
  };
}

/**
 * Puts the samples of each row together, in the order of the comparison; rows that it does not have are left out.
 * `now` has the costs that were sampled between the rows.
 */
export function measuredRows(
  output: MeasureOutput,
  comparison: Comparison,
  profile: CostProfile,
  now: CostProfile,
): MeasuredRow[] {
  const bytes = comparison.memory.pages * PAGE_SIZE;
  return (["off", "on"] as const).flatMap((hugePages) =>
    comparison.trackers.flatMap(({ tracker, modelled }) => {
      const samples = output.seedSamples.filter((one) => one.tracker === tracker && one.hugePages === hugePages);
      if (samples.length === 0) return [];
      const predictNs = (costs: CostProfile): number | undefined =>
        hugePages === "off" ? repricedNs(modelled.arm, costs) : predictHugeArmingNs(costs, tracker, bytes);
      const predictedNs = predictNs(profile);
      const predictedNowNs = predictNs(now);
      return [
        {
          ...measuredRow(tracker, hugePages, samples),
          ...(predictedNs === undefined ? {} : { predictedNs }),
          ...(predictedNowNs === undefined ? {} : { predictedNowNs }),
        },
      ];
    }),
  );
}

/** Returns the middle of the ratios of what both profiles have: how many times longer things take `now`. */
function slowdown(profile: CostProfile, now: CostProfile): number {
  const ratios = (Object.entries(now.costs) as [CostName, Cost][]).flatMap(([name, { ns }]) => {
    const then = profile.costs[name]?.ns ?? 0;
    return then > 0 ? [ns / then] : [];
  });
  return ratios.length === 0 ? 1 : spreadOf(ratios).medianNs;
}

function measuredRow(tracker: TrackerId, hugePages: "off" | "on", samples: readonly SeedSample[]): MeasuredRow {
  const prefault = samples.map(({ prefaultNs }) => prefaultNs);
  return {
    tracker,
    hugePages,
    total: spreadOf(samples.map(({ prefaultNs, protectNs }) => prefaultNs + protectNs)),
    ...(prefault.every((ns) => ns === 0) ? {} : { prefault: spreadOf(prefault) }),
  };
}

/** The memory itself is never written: what it takes is page tables, and as much again to warm up. */
function checkMemory(bytes: number): void {
  const needed = (2 * bytes) / MAPPED_BY_TABLE_BYTE;
  if (needed > freemem() / 2)
    throw new HostError(
      `measuring ${formatBytes(bytes)} takes ${formatBytes(needed)} of page tables, ` +
        `too much for ${formatBytes(freemem())} of free memory: give a smaller --ram`,
    );
}

function hugePagesSkipped(setting: string): string {
  const folder = "/sys/kernel/mm/transparent_hugepage";
  return setting === "always" || setting === "madvise"
    ? `${folder}/use_zero_page is off, so reading would take real memory`
    : `${folder}/enabled is "${setting}"`;
}
