/** Measurements of one case: nanoseconds for one unit, per round. */
export interface Samples {
  readonly ns: readonly number[];
}

/** A case that is measured: one side of a row. */
export interface Case {
  /** Makes the state that the timed part needs; runs outside the clock before each round. */
  prepare(): void;
  /** What is timed. */
  run(): void;
  /** Throws if the work was not done; runs outside the clock after each round. */
  check(): void;
}

/** Median of the samples. */
export function median(samples: readonly number[]): number {
  const sorted = [...samples].sort((a, b) => a - b);
  const middle = sorted.length >>> 1;
  const upper = sorted[middle] ?? NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? NaN) + upper) / 2;
}

/** Median absolute deviation from the median. */
export function deviation(samples: readonly number[]): number {
  const center = median(samples);
  return median(samples.map((sample) => Math.abs(sample - center)));
}

/**
 * Times cases in turn, so that a machine that gets slower does so for all of them. Returns nanoseconds a unit for each round of each case; one round
 * before is not counted.
 */
export function measure(cases: readonly Case[], units: number, rounds: number): number[][] {
  const samples: number[][] = cases.map(() => []);
  for (let round = -1; round < rounds; round++) {
    cases.forEach((measured, i) => {
      measured.prepare();
      const started = performance.now();
      measured.run();
      const elapsed = performance.now() - started;
      measured.check();
      if (round >= 0) samples[i]?.push((elapsed * 1e6) / units);
    });
  }
  return samples;
}

/** Throws unless both numbers are equal. */
export function expectEqual(found: number, expected: number, what: string): void {
  if (found !== expected) throw new Error(`the work was not done: ${what} is ${found}, not ${expected}`);
}
