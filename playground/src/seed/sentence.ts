/** The experiment's result in a sentence. Every number in it is computed. */
import { formatCount, formatCounted } from "../../../ts/report/format.js";
import { trackerOf } from "../../../ts/sim/trackers.js";
import type { SeedOutcome } from "../worker/seed-scene.js";

/** What is to be said, and whether it is bad. */
export interface Sentence {
  readonly text: string;
  readonly tone: "bad" | "good" | "plain";
}

/** Says what arming came to and what that means for the writes after it. */
export function sentenceOf({ params, arm, write }: SeedOutcome): Sentence {
  const { none, page, zeroPage } = arm.armed;
  const entries = none + page + zeroPage;
  const what = `${trackerOf(params.mode).seedLabel} armed ${entries === 0 ? "nothing" : formatCounted(entries, "entry", "entries")}`;
  if (write.dirty === 0) return { text: `${what}; nothing was written.`, tone: "plain" };
  if (write.missed === 0)
    return { text: `${what}: none of ${formatCounted(write.dirty, "written page")} is missed.`, tone: "good" };
  const dirty = formatCounted(write.dirty, "written page");
  const missed = write.missed === write.dirty ? `all ${dirty}` : `${formatCount(write.missed)} of ${dirty}`;
  return { text: `${what}: ${missed} will be missed.`, tone: "bad" };
}
