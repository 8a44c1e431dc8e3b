/** Where numbers lie on an axis, and which of them are written there. */

/** Shares of an axis, 0 to 1, and the values that a reader looks for. */
export interface Scale {
  readonly ticks: readonly number[];
  readonly position: (value: number) => number;
}

/** A scale from 0 to `maximum`, or to 1 when that is 0, with about `count` round ticks. */
export function linearScale(maximum: number, count: number): Scale {
  const end = maximum > 0 ? maximum : 1;
  const step = roundStep(end / count);
  const ticks = Array.from({ length: Math.floor(end / step + 1e-9) + 1 }, (_, i) => i * step);
  return { ticks, position: (value) => value / end };
}

/**
 * A scale of powers of ten around the positive ones of `values`, with a tick at each power. Nothing lies at 0: zero has
 * no place on it.
 */
export function logScale(values: readonly number[]): Scale {
  const positive = values.filter((value) => value > 0);
  const first = positive.length === 0 ? 0 : Math.floor(Math.log10(Math.min(...positive)));
  const last = positive.length === 0 ? 1 : Math.max(first + 1, Math.ceil(Math.log10(Math.max(...positive))));
  const ticks = Array.from({ length: last - first + 1 }, (_, i) => 10 ** (first + i));
  return { ticks, position: (value) => (value > 0 ? (Math.log10(value) - first) / (last - first) : 0) };
}

/** The next of 1, 2 and 5 times a power of ten; counts have no smaller step than 1. */
function roundStep(rough: number): number {
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = ([1, 2, 5].find((factor) => factor * power >= rough) ?? 10) * power;
  return Math.max(step, 1);
}
