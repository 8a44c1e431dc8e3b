/** Times of arming: what the model says with a cost profile, beside what was published for 10 GiB. */
import { type CostProfile, MissingCostError, modelledTime } from "../../../ts/sim/cost-profile.js";
import { predictHugeArmingNs } from "../../../ts/sim/measurement.js";
import { PUBLISHED_SEED_FIGURES, PUBLISHED_SEED_FIGURES_HUGE } from "../../../ts/sim/published.js";
import { SEED_EXPERIMENT_BYTES } from "../../../ts/sim/workloads.js";
import { SEED_MODES, type SeedMode } from "../state/seed.js";
import type { ArmOutcome } from "../worker/seed-run.js";
import { modeName } from "./controls.js";

/** A published time, scaled to the size that is shown. */
export interface PublishedTime {
  readonly source: string;
  readonly ns: number;
}

/** One row of the chart. */
export interface ArmTime {
  readonly mode: SeedMode;
  readonly label: string;
  /** Undefined where the profile does not know what an operation costs. */
  readonly modelledNs: number | undefined;
  readonly published: readonly PublishedTime[];
}

/** What the rows are computed for. */
export interface ArmTimeOptions {
  readonly bytes: number;
  readonly thp: boolean;
  readonly profile: CostProfile;
}

/** Returns a row for each way to arm. */
export function armTimes(arms: Readonly<Record<SeedMode, ArmOutcome>>, options: ArmTimeOptions): ArmTime[] {
  return SEED_MODES.map((mode) => ({
    mode,
    label: modeName(mode),
    modelledNs: modelledNs(mode, arms[mode], options),
    published: publishedTimes(mode, options),
  }));
}

function modelledNs(mode: SeedMode, arm: ArmOutcome, { bytes, thp, profile }: ArmTimeOptions): number | undefined {
  if (thp) return predictHugeArmingNs(profile, mode, bytes);
  try {
    return modelledTime(profile, arm.costs).totalNs;
  } catch (error) {
    if (error instanceof MissingCostError) return undefined;
    throw error;
  }
}

/** What takes one call whatever the size is not scaled. */
function publishedTimes(mode: SeedMode, { bytes, thp }: ArmTimeOptions): PublishedTime[] {
  const scale = mode === "wp" ? 1 : bytes / SEED_EXPERIMENT_BYTES;
  const figures = (thp ? PUBLISHED_SEED_FIGURES_HUGE : PUBLISHED_SEED_FIGURES)[mode] ?? [];
  return figures.map(({ source, totalUs }) => ({ source, ns: totalUs * 1e3 * scale }));
}
