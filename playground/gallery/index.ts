import type { Scenario } from "../../ts/index.js";
import asyncRounds from "./async-rounds.json" with { type: "json" };
import dontneedAnonShmem from "./dontneed-anon-shmem.json" with { type: "json" };
import forkForgets from "./fork-forgets.json" with { type: "json" };
import forkIsTold from "./fork-is-told.json" with { type: "json" };
import guards from "./guards.json" with { type: "json" };
import holeLosesWrite from "./hole-loses-write.json" with { type: "json" };
import hugePageSplits from "./huge-page-splits.json" with { type: "json" };
import markerKeepsWrite from "./marker-keeps-write.json" with { type: "json" };
import markersMakeSmallPages from "./markers-make-small-pages.json" with { type: "json" };
import missingBeatsMarker from "./missing-beats-marker.json" with { type: "json" };
import mremapForgets from "./mremap-forgets.json" with { type: "json" };
import poison from "./poison.json" with { type: "json" };
import prefaultByReading from "./prefault-by-reading.json" with { type: "json" };
import protectBeforeCopy from "./protect-before-copy.json" with { type: "json" };
import readKeepsProtection from "./read-keeps-protection.json" with { type: "json" };
import swapKeepsProtection from "./swap-keeps-protection.json" with { type: "json" };
import whatClearsMarkers from "./what-clears-markers.json" with { type: "json" };
import whoWaits from "./who-waits.json" with { type: "json" };
import lessons from "./lessons.json" with { type: "json" };

/** Something to look at in a lesson. */
export interface Look {
  /** Number of the step after which it is there, from 0. */
  readonly step: number;
  /** The page, as scenarios write places. */
  readonly at: string;
  /** In whose memory; default `"main"`. */
  readonly proc?: string;
  /** What its entry is then, as `describeEntry` says it. */
  readonly entry: string;
  readonly text: string;
}

/** A ready scenario with what it teaches. */
export interface Lesson {
  /** Name of the scenario and of its file. */
  readonly file: string;
  readonly title: string;
  /** A paragraph in plain words. */
  readonly lesson: string;
  readonly look: readonly Look[];
  readonly scenario: Scenario;
}

const SCENARIOS: Readonly<Record<string, unknown>> = {
  "hole-loses-write": holeLosesWrite,
  "marker-keeps-write": markerKeepsWrite,
  "read-keeps-protection": readKeepsProtection,
  "protect-before-copy": protectBeforeCopy,
  "missing-beats-marker": missingBeatsMarker,
  "dontneed-anon-shmem": dontneedAnonShmem,
  "fork-forgets": forkForgets,
  "fork-is-told": forkIsTold,
  "huge-page-splits": hugePageSplits,
  "markers-make-small-pages": markersMakeSmallPages,
  "what-clears-markers": whatClearsMarkers,
  "async-rounds": asyncRounds,
  "mremap-forgets": mremapForgets,
  guards: guards,
  poison: poison,
  "swap-keeps-protection": swapKeepsProtection,
  "who-waits": whoWaits,
  "prefault-by-reading": prefaultByReading,
};

/** The gallery in the order in which it is shown. Every lesson's scenario expects what it claims, and Linux 6.18 gives that. */
export const LESSONS: readonly Lesson[] = lessons.map((lesson) => ({
  ...lesson,
  scenario: SCENARIOS[lesson.file] as Scenario,
}));
