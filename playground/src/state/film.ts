import { PAGE_SIZE } from "../../../ts/base/pages.js";
import { FILM_TRACKERS, type FilmTracker } from "../../../ts/sim/film/film-options.js";
import { type Pattern, PATTERNS } from "../../../ts/sim/workloads.js";
import { integer, number, oneOf, orNull, type Part, partOf, text } from "./fields.js";

export const LEAST_RAM: number = 64 * 2 ** 20;
export const MOST_RAM: number = 4 * 2 ** 30;

/** Who answers faults. */
export const HANDLERS = ["own-thread", "copier"] as const;

/** What the films of the snapshot view are made with, and what of them is shown. */
export interface FilmState {
  readonly pattern: Pattern;
  /** Name of a trace that was dropped: its accesses instead of a pattern's. A link cannot carry the trace itself. */
  readonly trace: string | null;
  /** Bytes of guest RAM, a multiple of the page size. */
  readonly bytes: number;
  /** Share of the pages that exist at the snapshot, 0 to 1. */
  readonly populated: number;
  /** Writes of the guest, or accesses of the trace, in a second of modelled time. */
  readonly rate: number;
  /** Bytes that the copier writes out in a second of modelled time. */
  readonly bandwidth: number;
  readonly handler: (typeof HANDLERS)[number];
  readonly seed: number;
  /** The tracker whose film is shown. */
  readonly tracker: FilmTracker;
  /** Nanoseconds since the snapshot that the film stands at; null while it runs, and at its end. */
  readonly at: number | null;
}

/** Longer than any film that can be made here. */
const MOST_NS = 1e15;

export const FILM_PART: Part<FilmState> = partOf<FilmState>(
  {
    pattern: "zipf",
    trace: null,
    bytes: 2 ** 30,
    populated: 0.5,
    rate: 100_000,
    bandwidth: 512 * 2 ** 20,
    handler: "own-thread",
    seed: 1,
    tracker: "wp-unpopulated",
    at: null,
  },
  {
    pattern: oneOf(PATTERNS),
    trace: orNull(text(200)),
    bytes: (value, where) => {
      const bytes = integer(LEAST_RAM, MOST_RAM)(value, where);
      return bytes - (bytes % PAGE_SIZE);
    },
    populated: number(0, 1),
    rate: integer(0, 1_000_000),
    bandwidth: integer(2 ** 20, 2 ** 40),
    handler: oneOf(HANDLERS),
    seed: integer(0, 2 ** 32 - 1),
    tracker: oneOf(FILM_TRACKERS),
    at: orNull(number(0, MOST_NS)),
  },
);
