import type { Scenario } from "../../scenario/document.js";
import { generateScenario, type ProfileName } from "../generate/generate.js";

/** A scenario that is to be compared, and how to get it again. */
export interface Subject {
  /** A profile and a seed, or a file. */
  readonly label: string;
  readonly scenario: Scenario;
}

/** Which scenarios to generate. */
export interface Generated {
  readonly profiles: readonly ProfileName[];
  /** The first seed of each profile. */
  readonly seed: number;
  /** How many, of all profiles together. */
  readonly count: number;
}

/** As many of one profile follow each other, since the machine is set up for those that need the same one together. */
const LARGEST_BATCH = 100;
const SEEDS = 2 ** 32;

/** Yields generated scenarios in batches, each of one profile, the profiles in turn. */
export function* generated({ profiles, seed, count }: Generated): Generator<Subject[]> {
  const size = Math.min(LARGEST_BATCH, Math.ceil(count / profiles.length));
  let left = count;
  for (let round = 0; left > 0; round++) {
    for (const profile of profiles) {
      const length = Math.min(size, left);
      left -= length;
      if (length > 0) yield Array.from({ length }, (_, i) => subjectOf(profile, (seed + round * size + i) % SEEDS));
    }
  }
}

function subjectOf(profile: ProfileName, seed: number): Subject {
  return { label: `profile ${profile}, seed ${seed}`, scenario: generateScenario(profile, seed) };
}
