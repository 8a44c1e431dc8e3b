/** Stalls of writes that met a fault. */
export interface StallSummary {
  /** Faulting writes. */
  readonly count: number;
  readonly p50Ns: number;
  readonly p99Ns: number;
  readonly maxNs: number;
  readonly totalNs: number;
  /** Element b counts the stalls from 2^b up to but not including 2^(b+1) nanoseconds. */
  readonly log2: readonly number[];
}

/** Collects how long writes were stalled. */
export class Stalls {
  #samples = new Float64Array(1024);
  #count = 0;

  /** Adds a stall in nanoseconds, `times` over. */
  add(ns: number, times = 1): void {
    while (this.#count + times > this.#samples.length) {
      const larger = new Float64Array(2 * this.#samples.length);
      larger.set(this.#samples);
      this.#samples = larger;
    }
    this.#samples.fill(ns, this.#count, this.#count + times);
    this.#count += times;
  }

  /** Faulting writes so far. */
  get count(): number {
    return this.#count;
  }

  /** Where the stalls are so far; all numbers are 0 where there is none. */
  summary(): StallSummary {
    const sorted = this.#samples.slice(0, this.#count).sort();
    const at = (share: number): number => sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? 0;
    const log2: number[] = [];
    let totalNs = 0;
    for (const ns of sorted) {
      const bucket = Math.max(0, Math.floor(Math.log2(ns)));
      while (log2.length <= bucket) log2.push(0);
      log2[bucket] = (log2[bucket] ?? 0) + 1;
      totalNs += ns;
    }
    return { count: sorted.length, p50Ns: at(0.5), p99Ns: at(0.99), maxNs: at(1), totalNs, log2 };
  }
}
