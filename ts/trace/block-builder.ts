import { type AccessBlock } from "./access.js";

/** Longest run one record may stand for; keeps every count inside a signed 32-bit integer. */
const MAX_RUN = 0x7fffffff;

/**
 * Collects page accesses into a block and collapses equal neighbours.
 *
 * A record ends when the page or the kind changes, or when the block is taken. Where blocks end depends on the
 * records alone, never on how the input was cut into chunks.
 */
export class BlockBuilder {
  readonly #words: Uint32Array;
  readonly #counts: Uint32Array;
  readonly #capacity: number;
  readonly #maxRun: number;
  #length = 0;
  /** Sum of the counts of all finished records; the open record's `#run` is not in it. */
  #closedAccesses = 0;
  #low = 0;
  #high = 0;
  #run = 0;

  /** `capacityRecords` bounds the records of a block, `maxRun` the count of a record. */
  constructor(capacityRecords: number, maxRun: number = MAX_RUN) {
    this.#capacity = capacityRecords;
    this.#maxRun = maxRun;
    this.#words = new Uint32Array(2 * capacityRecords);
    this.#counts = new Uint32Array(capacityRecords);
  }

  /** Records that still fit; the open record is counted as stored. */
  get room(): number {
    return this.#capacity - this.#length;
  }

  /**
   * Adds one access. `low` and `high` are the record's words as *signed* 32-bit integers (see access.ts), so that
   * the comparison below stays an integer comparison. There must be `room`.
   */
  add(low: number, high: number): void {
    if (low === this.#low && high === this.#high && this.#run !== 0 && this.#run !== this.#maxRun) {
      this.#run++;
      return;
    }
    this.#closeRun();
    this.#low = low;
    this.#high = high;
    this.#run = 1;
    this.#words[2 * this.#length] = low;
    this.#words[2 * this.#length + 1] = high;
    this.#length++;
  }

  /** Returns what was collected and starts anew. The arrays of the returned block are the builder's own. */
  take(): AccessBlock {
    this.#closeRun();
    const block = { words: this.#words, counts: this.#counts, length: this.#length, accesses: this.#closedAccesses };
    this.#length = 0;
    this.#closedAccesses = 0;
    return block;
  }

  #closeRun(): void {
    if (this.#run === 0) return;
    this.#counts[this.#length - 1] = this.#run;
    this.#closedAccesses += this.#run;
    this.#run = 0;
  }
}
