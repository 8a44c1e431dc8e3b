/** What repeated measurements of one thing say: where they are, and how far apart. */
export interface Spread {
  readonly samples: number;
  readonly minNs: number;
  /** Quartiles; the second is the median. */
  readonly q1Ns: number;
  readonly medianNs: number;
  readonly q3Ns: number;
  readonly maxNs: number;
  /** Median of the distances from the median. */
  readonly madNs: number;
}

/**
 * Returns where samples in nanoseconds are and how far apart.
 * @throws RangeError for no samples.
 */
export function spreadOf(samples: readonly number[]): Spread {
  if (samples.length === 0) throw new RangeError("expected at least one sample");
  const sorted = samples.toSorted((a, b) => a - b);
  const medianNs = quantile(sorted, 0.5);
  const distances = sorted.map((ns) => Math.abs(ns - medianNs)).sort((a, b) => a - b);
  return {
    samples: sorted.length,
    minNs: quantile(sorted, 0),
    q1Ns: quantile(sorted, 0.25),
    medianNs,
    q3Ns: quantile(sorted, 0.75),
    maxNs: quantile(sorted, 1),
    madNs: quantile(distances, 0.5),
  };
}

/** Between two samples the straight line counts. */
function quantile(sorted: readonly number[], share: number): number {
  const at = share * (sorted.length - 1);
  const low = sorted[Math.floor(at)] ?? NaN;
  const high = sorted[Math.ceil(at)] ?? NaN;
  return low + (high - low) * (at - Math.floor(at));
}
