/**
 * The record every trace reader produces and the engine's batch replay consumes.
 *
 * ```
 * words[2i]      31                                                0
 *               ┌──────────────────────────────────────────────────┐
 *               │ page number, bits 31..0                          │
 *               └──────────────────────────────────────────────────┘
 * words[2i + 1]  31  30  29                              3 2       0
 *               ┌───┬───┬─────────────────────────────────┬─────────┐
 *               │ W │ F │ 0                               │ p 34..32│
 *               └───┴───┴─────────────────────────────────┴─────────┘
 * ```
 *
 * Read as one little-endian u64 this is the page number with the access kind in its two top bits.
 */

/** Bit 31 of the high word: the access writes. */
export const ACCESS_WRITE = 0x80000000;

/** Bit 30 of the high word: the access is an instruction fetch, which is a kind of read. */
export const ACCESS_FETCH = 0x40000000;

/** Mask of the high word's page bits (bits 34..32 of the page number). */
export const ACCESS_PAGE_HIGH_MASK = 0x7;

/** log2 of the page size in bytes: traces are read as 4 KiB pages. */
export const TRACE_PAGE_SHIFT = 12;

/** Number of user pages below 2^47 bytes; every page number in a trace is smaller. */
export const TRACE_PAGE_LIMIT: number = 2 ** (47 - TRACE_PAGE_SHIFT);

/**
 * Some consecutive page accesses of a trace.
 *
 * Readers and stores reuse the two arrays for their next block: copy what must outlive the current iteration step.
 */
export interface AccessBlock {
  /** Two words per record, see the picture above; at least `2 * length` long. */
  readonly words: Uint32Array;
  /** How many equal accesses in a row each record stands for, 1 or more; at least `length` long. */
  readonly counts: Uint32Array;
  /** Number of records. */
  readonly length: number;
  /** Number of page accesses: the sum of the first `length` counts. */
  readonly accesses: number;
}

/**
 * Returns the page number of record `index`, an integer in [0, 2^35).
 * `index` must be smaller than `block.length`.
 */
export function pageOf(block: AccessBlock, index: number): number {
  const low = block.words[2 * index] as number;
  const high = block.words[2 * index + 1] as number;
  return (high & ACCESS_PAGE_HIGH_MASK) * 2 ** 32 + low;
}
