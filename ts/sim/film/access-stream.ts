import type { AccessBlock } from "../../trace/access.js";

/** Some accesses in a row. Valid until the next are taken. */
export interface AccessBatch {
  /** Two words a record, as `AccessBlock` has them. */
  readonly words: Uint32Array;
  /** Number of the first access of each record since the clock was started. */
  readonly positions: Float64Array;
}

/** Hands out the accesses of a workload or a trace as far as their time has come. A record stands for accesses that follow at once. */
export class AccessStream {
  readonly #blocks: Iterator<AccessBlock, unknown>;
  #block: AccessBlock | null = null;
  #index = 0;
  #position = 0;
  #positions = new Float64Array(0);

  constructor(blocks: Iterator<AccessBlock, unknown>) {
    this.#blocks = blocks;
  }

  /** Counts accesses from here on. */
  startClock(): void {
    this.#position = 0;
  }

  /** Returns the next records that begin before access number `end`, or null if there are none. There may be more after these. */
  take(end: number): AccessBatch | null {
    if (this.#block === null || this.#index === this.#block.length) {
      if (this.#position >= end) return null;
      const next = this.#blocks.next();
      if (next.done === true) return null;
      this.#block = next.value;
      this.#index = 0;
      if (this.#positions.length < this.#block.length) this.#positions = new Float64Array(this.#block.length);
    }
    const first = this.#index;
    const { counts, length, words } = this.#block;
    while (this.#index < length && this.#position < end) {
      this.#positions[this.#index - first] = this.#position;
      this.#position += counts[this.#index++] as number;
    }
    if (this.#index === first) return null;
    const taken = this.#index - first;
    return { words: words.subarray(2 * first, 2 * this.#index), positions: this.#positions.subarray(0, taken) };
  }
}
