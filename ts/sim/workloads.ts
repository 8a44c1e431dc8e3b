import { Random } from "../base/random.js";
import { ACCESS_WRITE, type AccessBlock } from "../trace/access.js";
import { RAM_FIRST_PAGE } from "./layout.js";

/** Built-in access patterns over the pages of a RAM mapping. */
export const PATTERNS = ["sequential", "uniform", "zipf"] as const;

/** Name of an access pattern. */
export type Pattern = (typeof PATTERNS)[number];

/** A synthetic workload. */
export interface WorkloadOptions {
  readonly pattern: Pattern;
  /** Pages of RAM that are accessed. */
  readonly pages: number;
  readonly accesses: number;
  /** Share of writes, 0 to 1. */
  readonly writeShare: number;
  /** Exponent of zipf; YCSB's 0.99 by default. */
  readonly theta?: number;
  /** Integer from 0 to 2^32 - 1: the same seed gives the same accesses. */
  readonly seed: number;
}

const BLOCK_RECORDS = 65536;
/** 256 GiB. The permutation of zipf multiplies two page numbers, which must stay exact. */
const MAX_PAGES = 2 ** 26;

/** Memory of the patch's experiment, untouched when it is armed. */
export const SEED_EXPERIMENT_BYTES: number = 10 * 2 ** 30;

/** Yields the accesses of a workload; blocks share their arrays. @throws RangeError for options out of range. */
export function* workloadBlocks(options: WorkloadOptions): Generator<AccessBlock, void, undefined> {
  checkWorkload(options);
  const random = new Random(options.seed);
  const nextPage = pageChooser(options, random);
  const words = new Uint32Array(2 * BLOCK_RECORDS);
  const counts = new Uint32Array(BLOCK_RECORDS).fill(1);
  for (let done = 0; done < options.accesses; done += BLOCK_RECORDS) {
    const length = Math.min(BLOCK_RECORDS, options.accesses - done);
    for (let i = 0; i < length; i++) {
      const page = RAM_FIRST_PAGE + nextPage(done + i);
      words[2 * i] = page;
      words[2 * i + 1] = Math.floor(page / 2 ** 32) | (random.fraction() < options.writeShare ? ACCESS_WRITE : 0);
    }
    yield { words, counts, length, accesses: length };
  }
}

/** Describes a workload in a line. */
export function describeWorkload(options: WorkloadOptions): string {
  const theta = options.pattern === "zipf" ? ` ${options.theta ?? DEFAULT_THETA}` : "";
  const share = `${Math.round(options.writeShare * 100)} % writes`;
  return `${options.pattern}${theta}, ${options.accesses} accesses to ${options.pages} pages, ${share}, seed ${options.seed}`;
}

const DEFAULT_THETA = 0.99;

function checkWorkload({ pages, accesses, writeShare, theta, seed }: WorkloadOptions): void {
  if (!(Number.isInteger(pages) && pages >= 1 && pages <= MAX_PAGES))
    throw new RangeError(`"pages" expected 1 to 2^26, got ${pages}`);
  if (!(Number.isSafeInteger(accesses) && accesses >= 0))
    throw new RangeError(`"accesses" expected a count, got ${accesses}`);
  if (!(writeShare >= 0 && writeShare <= 1)) throw new RangeError(`"writeShare" expected 0 to 1, got ${writeShare}`);
  if (!(Number.isInteger(seed) && seed >= 0 && seed < 2 ** 32))
    throw new RangeError(`"seed" expected 0 to 2^32 - 1, got ${seed}`);
  if (theta !== undefined && !(theta > 0 && theta < 1)) throw new RangeError(`"theta" expected 0 to 1, got ${theta}`);
}

function pageChooser(options: WorkloadOptions, random: Random): (index: number) => number {
  const { pages } = options;
  if (options.pattern === "sequential") return (index) => index % pages;
  if (options.pattern === "uniform") return () => random.below(pages);
  return zipfChooser(pages, options.theta ?? DEFAULT_THETA, random);
}

/**
 * Zipf by the method of Gray et al. ("Quickly generating billion-record synthetic databases", SIGMOD 1994), which YCSB uses; ranks are
 * scattered over the pages by a fixed permutation, so that hot pages are not neighbours.
 */
function zipfChooser(pages: number, theta: number, random: Random): () => number {
  const zetaOf = (n: number): number => {
    let sum = 0;
    for (let i = 1; i <= n; i++) sum += i ** -theta;
    return sum;
  };
  const zeta = zetaOf(pages);
  const alpha = 1 / (1 - theta);
  const eta = (1 - (2 / pages) ** (1 - theta)) / (1 - zetaOf(2) / zeta);
  const stride = coprimeStride(pages);
  return () => {
    const u = random.fraction();
    const rank = u * zeta < 1 ? 0 : u * zeta < 1 + 0.5 ** theta ? 1 : Math.floor(pages * (eta * u - eta + 1) ** alpha);
    return (Math.min(rank, pages - 1) * stride) % pages;
  };
}

/** Returns a number near the golden section of `pages` that shares no factor with it. */
function coprimeStride(pages: number): number {
  const gcd = (a: number, b: number): number => (b === 0 ? a : gcd(b, a % b));
  let stride = Math.max(1, Math.floor(pages * 0.6180339887));
  while (gcd(stride, pages) !== 1) stride++;
  return stride;
}
