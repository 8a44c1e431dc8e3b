/** The stops of the size slider, from 64 MiB to 1 TiB; the published experiment's 10 GiB is one of them. */
import { SEED_EXPERIMENT_BYTES } from "../../../ts/sim/workloads.js";
import { LEAST_BYTES, MOST_BYTES } from "../state/seed.js";

export const SIZES: readonly number[] = [...powersOfTwo(LEAST_BYTES, MOST_BYTES), SEED_EXPERIMENT_BYTES].sort(
  (a, b) => a - b,
);

/** Returns the stop that a size is nearest to, by ratio. */
export function nearestStop(bytes: number): number {
  const distance = (size: number): number => Math.abs(Math.log(size / bytes));
  const nearest = Math.min(...SIZES.map(distance));
  return SIZES.findIndex((size) => distance(size) === nearest);
}

/** Writes a size that is a round number: `10 GiB`. */
export function formatSize(bytes: number): string {
  const [unit, name] = bytes >= 2 ** 40 ? [2 ** 40, "TiB"] : bytes >= 2 ** 30 ? [2 ** 30, "GiB"] : [2 ** 20, "MiB"];
  return `${Number((bytes / unit).toFixed(2))} ${name}`;
}

function powersOfTwo(least: number, most: number): number[] {
  const powers: number[] = [];
  for (let size = least; size <= most; size *= 2) powers.push(size);
  return powers;
}
