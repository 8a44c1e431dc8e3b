import type { Feature } from "../uffd/features.js";
import type { TrackerId } from "./comparison.js";

/** A way to find out which pages are written after a point in time. */
export interface Tracker {
  readonly id: TrackerId;
  /** What its row is called; in the patch's experiment, the name used there. */
  readonly label: string;
  readonly seedLabel: string;
  readonly features: readonly Feature[];
  /** How pages are made to exist before they are protected. */
  readonly prefault: "none" | "read" | "populate";
  /** How the dirty set is learnt: from the messages of faults, or by scanning the pagemap. */
  readonly collect: "messages" | "scan";
}

/** All trackers, in the order in which they came to be. */
export const TRACKERS: readonly Tracker[] = [
  { id: "wp", label: "sync wp", seedLabel: "DEFAULT", features: [], prefault: "none", collect: "messages" },
  {
    id: "wp-pre-read",
    label: "+ pre-read",
    seedLabel: "PRE-READ",
    features: [],
    prefault: "read",
    collect: "messages",
  },
  {
    id: "wp-populate-read",
    label: "+ POPULATE_READ",
    seedLabel: "MADVISE",
    features: [],
    prefault: "populate",
    collect: "messages",
  },
  {
    id: "wp-unpopulated",
    label: "WP_UNPOPULATED",
    seedLabel: "WP-UNPOPULATED",
    features: ["wp-unpopulated"],
    prefault: "none",
    collect: "messages",
  },
  {
    id: "wp-async",
    label: "WP_ASYNC + scan",
    seedLabel: "WP-ASYNC",
    features: ["wp-async"],
    prefault: "none",
    collect: "scan",
  },
];

/** Returns the tracker of an id. */
export function trackerOf(id: TrackerId): Tracker {
  const tracker = TRACKERS.find((one) => one.id === id);
  if (tracker === undefined)
    throw new RangeError(`"tracker" expected one of ${TRACKERS.map((one) => one.id).join(", ")}; got ${id}`);
  return tracker;
}
