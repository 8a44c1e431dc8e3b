/** The patch's experiment as this host's kernel ran it, beside what a cost profile predicts for it. */
import { PAGE_SIZE } from "../base/pages.js";
import type { Spread } from "../base/statistics.js";
import type { ModelledTime, TrackerId } from "./comparison.js";
import type { Cost, CostName, CostProfile } from "./cost-profile.js";

/** The machine that measured, as far as it matters for times. */
export interface MeasuringHost {
  readonly kernel: string;
  readonly cpu: string;
  readonly cpus: number;
  readonly memoryBytes: number;
  /** The setting of transparent huge pages in sysfs. */
  readonly hugePages: string;
  /** When it began, in UTC, as ISO 8601 writes it. */
  readonly at: string;
}

/** One row, with huge pages allowed (MADV_HUGEPAGE) or forbidden for its mapping. */
export interface MeasuredRow {
  readonly tracker: TrackerId;
  readonly hugePages: "off" | "on";
  /** All of arming, and its pre-fault part where there is one. */
  readonly total: Spread;
  readonly prefault?: Spread;
  /** Modelled nanoseconds of all of arming; absent where the profile lacks a figure. */
  readonly predictedNs?: number;
  /** The same from costs that were sampled between the rows, so at the speed that the host had then. */
  readonly predictedNowNs?: number;
}

/** All rows that were measured. */
export interface SeedMeasurement {
  readonly host: MeasuringHost;
  readonly bytes: number;
  readonly rounds: number;
  readonly rows: readonly MeasuredRow[];
  /** How many times the profile's costs of arming took between the rows, in the middle; 1 is the profile's speed. */
  readonly slowdown: number;
  /** Why there are no rows with huge pages. */
  readonly hugePagesSkipped?: string;
}

const PAGES_OF_A_HUGE_PAGE = 512;

/**
 * Returns the nanoseconds of a measurement that a prediction is held against: the least. Other programs and other
 * guests of a hypervisor only ever add time, often to nearly all rounds, and never take some away; the costs in
 * profiles that `calibrate` writes are the least too.
 */
export function undisturbedNs({ minNs }: Spread): number {
  return minNs;
}

/** Returns the share by which a prediction is above (+) or below (-) what a row took. */
export function predictionError({ total }: MeasuredRow, predictedNs: number | undefined): number | undefined {
  return predictedNs === undefined ? undefined : predictedNs / undisturbedNs(total) - 1;
}

/** Returns the nanoseconds of a time whose operations cost what another profile says; undefined if it lacks one. */
export function repricedNs({ items }: ModelledTime, { costs }: CostProfile): number | undefined {
  return sumNs(items.map(({ cost, count }) => [count, costs[cost as CostName]]));
}

/**
 * Predicts arming a mapping of untouched memory with huge pages, which the engine does not model: every 2 MiB are one
 * entry that maps the huge zero page, but markers are of 4 KiB always. Undefined where the profile lacks a figure.
 */
export function predictHugeArmingNs(profile: CostProfile, tracker: TrackerId, bytes: number): number | undefined {
  const { costs, figures } = profile;
  const pages = bytes / PAGE_SIZE;
  const huge = Math.floor(pages / PAGES_OF_A_HUGE_PAGE);
  const small = pages - huge * PAGES_OF_A_HUGE_PAGE;
  const protecting: Term[] = [
    [1, costs.call],
    [huge, figures?.["protectHugeZeroPage"]],
    [small, costs.protectZeroPage],
  ];
  if (tracker === "wp") return sumNs([[1, costs.call]]);
  if (tracker === "wp-pre-read")
    return sumNs([...protecting, [huge, figures?.["preReadHuge"]], [small, costs.preRead]]);
  if (tracker === "wp-populate-read")
    return sumNs([...protecting, [1, costs.call], [huge, figures?.["populateReadHuge"]], [small, costs.populateRead]]);
  return sumNs([
    [1, costs.call],
    [pages, costs.protectNone],
  ]);
}

type Term = readonly [count: number, cost: Cost | undefined];

function sumNs(terms: readonly Term[]): number | undefined {
  const needed = terms.filter(([count]) => count > 0);
  if (needed.some(([, cost]) => cost === undefined)) return undefined;
  return needed.reduce((sum, [count, cost]) => sum + count * (cost?.ns ?? 0), 0);
}
