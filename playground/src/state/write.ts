import { WRITE_PAGES, WRITE_TRACKERS, type WriteChoice } from "../../../ts/sim/write-choice.js";
import { integer, oneOf, orNull, type Part, partOf, truth } from "./fields.js";

/** Which write is shown in slow motion, and how far. */
export interface WriteState extends WriteChoice {
  /** Number of the last event that is shown; null for all. */
  readonly step: number | null;
}

/** No write has so many events. */
const MOST_STEPS = 63;

export const WRITE_PART: Part<WriteState> = partOf<WriteState>(
  { tracker: "sync-unpopulated", page: "none", armed: true, step: null },
  {
    tracker: oneOf(WRITE_TRACKERS),
    page: oneOf(WRITE_PAGES),
    armed: truth,
    step: orNull(integer(0, MOST_STEPS)),
  },
);
