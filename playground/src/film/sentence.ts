/** What the film that is shown came to, in a sentence. Every number in it is computed. */
import { formatCount, formatCounted, formatTime } from "../../../ts/report/format.js";
import { filmTrackerLabel } from "../../../ts/sim/film/film-options.js";
import type { FilmReport } from "../worker/film-scene.js";

/** What is to be said, and whether it is bad. */
export interface Sentence {
  readonly text: string;
  readonly tone: "bad" | "good" | "plain";
}

/** Says it, or that the film is still being made. */
export function sentenceOf(report: FilmReport | undefined): Sentence {
  if (report === undefined) return { text: "The guest is set up", tone: "plain" };
  const label = filmTrackerLabel(report.tracker);
  const { summary, pages } = report;
  if (summary === null)
    return { text: `${label}: the copier goes through ${formatCounted(pages, "page")}`, tone: "plain" };
  const { verdict, pauseNs, stalls } = summary;
  if (verdict.inconsistent > 0) {
    return {
      text: `${label}: ${formatCount(verdict.inconsistent)} of ${formatCounted(pages, "page")} are not what they were.`,
      tone: "bad",
    };
  }
  const waits =
    stalls.count === 0
      ? ""
      : `, then ${formatCounted(stalls.count, "write")} met a fault, ${formatTime(stalls.p99Ns)} at p99`;
  return {
    text: `${label}: all ${formatCounted(pages, "page")} as they were. The guest stood still for ${formatTime(pauseNs)}${waits}.`,
    tone: "good",
  };
}
