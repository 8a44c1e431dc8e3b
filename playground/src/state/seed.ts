import { integer, oneOf, type Part, partOf, truth } from "./fields.js";

/** The ways to arm that the first view compares, as `TRACKERS` of the library names them. */
export const SEED_MODES = ["wp", "wp-pre-read", "wp-populate-read", "wp-unpopulated"] as const;

/** Name of a way to arm. */
export type SeedMode = (typeof SEED_MODES)[number];

export const LEAST_BYTES: number = 64 * 2 ** 20;
export const MOST_BYTES: number = 2 ** 40;

/** What the experiment of the first view is carried out with. */
export interface SeedState {
  readonly mode: SeedMode;
  /** Bytes of untouched memory, a multiple of 2 MiB. */
  readonly bytes: number;
  /** Transparent huge pages: "always" or "never". */
  readonly thp: boolean;
  /** Pages that the guest writes after arming, chosen at random with this seed. */
  readonly writes: number;
  readonly seed: number;
}

const HUGE_PAGE = 2 ** 21;

/** The published experiment: 10 GiB, huge pages off. */
export const SEED_PART: Part<SeedState> = partOf<SeedState>(
  { mode: "wp", bytes: 10 * 2 ** 30, thp: false, writes: 4096, seed: 1 },
  {
    mode: oneOf(SEED_MODES),
    bytes: (value, where) => {
      const bytes = integer(LEAST_BYTES, MOST_BYTES)(value, where);
      return bytes - (bytes % HUGE_PAGE);
    },
    thp: truth,
    writes: integer(0, 65536),
    seed: integer(0, 2 ** 32 - 1),
  },
);
