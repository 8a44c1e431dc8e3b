import type { CostProfile } from "../cost-profile.js";
import { type Tracker, TRACKERS } from "../trackers.js";
import type { PatternGuest, TraceGuest } from "./guest.js";

/**
 * How the memory is kept from changing under the copier: by sync write-protection, with what is done about pages that do not exist, or by
 * stopping the guest until all is copied.
 */
export const FILM_TRACKERS = ["wp", "wp-pre-read", "wp-populate-read", "wp-unpopulated", "stop"] as const;

/** Name of a way to take a snapshot. */
export type FilmTracker = (typeof FILM_TRACKERS)[number];

/** Everything that a film depends on. */
export interface FilmOptions {
  readonly guest: PatternGuest | TraceGuest;
  readonly tracker: FilmTracker;
  /** What the copier writes out in a second of modelled time, in bytes. */
  readonly copierBytesPerSecond: number;
  /** Whether the copier passes over pages that a fault has saved (default), or saves everything in one even sweep. */
  readonly passesOverSaved?: boolean;
  /**
   * Who answers faults: a thread of its own (default), which writes a page out as fast as the copier does and beside it, or the copier itself,
   * between two pages, whose sweep is delayed by it.
   */
  readonly handler?: "own-thread" | "copier";
  readonly profile: CostProfile;
  /** Frames of the whole film, about; 200 by default. */
  readonly frames?: number;
}

/** How a tracker arms; null where the guest is stopped. */
export function trackerOf(name: FilmTracker): Tracker | null {
  return TRACKERS.find(({ id }) => id === name) ?? null;
}

/** What a way to take a snapshot is called. */
export function filmTrackerLabel(name: FilmTracker): string {
  return FILM_LABELS[name];
}

const FILM_LABELS: Readonly<Record<FilmTracker, string>> = {
  wp: "sync wp",
  "wp-pre-read": "sync wp, pre-read",
  "wp-populate-read": "sync wp, POPULATE_READ",
  "wp-unpopulated": "WP_UNPOPULATED",
  stop: "guest stopped",
};

/** What a fault of each kind costs beside the message and its answer. */
export interface FaultCosts {
  /** From the exception to the return, with the message, the handler, unprotecting and the wake-up. */
  readonly answered: number;
  readonly allocate: number;
  readonly copy: number;
}
