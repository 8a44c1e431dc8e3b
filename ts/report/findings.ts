/** What a comparison says, in sentences. */
import { hex, PAGE_SIZE } from "../base/pages.js";
import { type Comparison, totalNs, type TrackerId, type TrackerResult } from "../sim/comparison.js";
import { formatCount, formatCounted, formatList, formatPercent, formatRatio, formatTime } from "./format.js";
import { predictionError } from "../sim/measurement.js";
import { publishedRows } from "./published.js";

/** One sentence, and whether it is bad news, good news or neither. */
export interface Finding {
  readonly tone: "bad" | "good" | "plain";
  readonly text: string;
}

/** Why a tracker can miss a page. Accesses alone cannot unmap, so a page that is armed once stays armed until written. */
const MISS_CAUSES: Readonly<Partial<Record<TrackerId, { readonly one: string; readonly many: string }>>> = {
  wp: {
    one: "it did not exist when the tracker armed, so nothing marked it",
    many: "they did not exist when the tracker armed, so nothing marked them",
  },
};

/** How many missed pages a sentence names. */
const NAMED_PAGES = 3;

/** Returns what matters most first: lost pages, false ones, the cheapest tracker, the distance to measured and published figures. */
export function findings(comparison: Comparison): Finding[] {
  const { trackers, dirtyPages } = comparison;
  if (trackers.length === 0) return [{ tone: "plain", text: "No tracker was compared." }];
  return [
    ...trackers.filter(({ dirty }) => dirty.missed > 0).map((result) => missedFinding(result, dirtyPages)),
    ...trackers.filter(({ dirty }) => dirty.false > 0).map(falseFinding),
    ...(dirtyPages === 0 ? nothingDirtyFindings(comparison) : [cheapestFinding(trackers)]),
    ...measuredFindings(comparison),
    ...publishedFindings(comparison),
  ];
}

/** Returns what the times of a comparison rest on. */
export function profileSentence({ profile }: Comparison): string {
  return `Times are modelled with the cost profile ${profile.name} (${profile.provenance}).`;
}

function missedFinding({ label, tracker, dirty }: TrackerResult, dirtyPages: number): Finding {
  const cause = MISS_CAUSES[tracker]?.[dirty.missed === 1 ? "one" : "many"];
  const named = dirty.missedPages.slice(0, NAMED_PAGES).map((page) => hex(page * PAGE_SIZE));
  const first = named.length === 0 ? "" : ` The first at ${formatList(named)}.`;
  const lost = `${label} missed ${formatCount(dirty.missed)} of ${formatCounted(dirtyPages, "dirty page")}`;
  return { tone: "bad", text: `${lost}${cause === undefined ? "" : `: ${cause}`}.${first}` };
}

function falseFinding({ label, dirty }: TrackerResult): Finding {
  return {
    tone: "plain",
    text: `${label} reported ${formatCounted(dirty.false, "page")} whose content is what it was.`,
  };
}

/** Without dirty pages nothing can be missed; what can be told is what would have been. */
function nothingDirtyFindings({ trackers, memory }: Comparison): Finding[] {
  const complete = trackers.filter((result) => armedEntries(result) === memory.pages);
  const incomplete = trackers.filter((result) => armedEntries(result) < memory.pages);
  return [
    {
      tone: "plain",
      text: "No page changed after the snapshot point, so this run cannot show which tracker loses pages.",
    },
    ...incomplete.map((result) => unarmedFinding(result, memory.pages)),
    ...(complete.length === 0 || memory.pages === 0 ? [] : [leastFinding(complete, "armed every page")]),
  ];
}

function armedEntries({ armed }: TrackerResult): number {
  return armed.none + armed.page + armed.zeroPage;
}

function unarmedFinding(result: TrackerResult, pages: number): Finding {
  const armed = armedEntries(result);
  const others = armed === 0 ? "any of them" : "any of the others";
  const share = `${formatCount(armed)} of ${formatCounted(pages, "page")}`;
  return { tone: "plain", text: `${result.label} armed ${share}: a first write to ${others} goes unnoticed.` };
}

function cheapestFinding(trackers: readonly TrackerResult[]): Finding {
  const complete = trackers.filter(({ dirty }) => dirty.missed === 0);
  if (complete.length === 0) return { tone: "bad", text: "Every tracker missed dirty pages." };
  return { ...leastFinding(complete, "missed nothing"), tone: "good" };
}

/** Says which of the trackers, who all did what `merit` says, costs least. */
function leastFinding(trackers: readonly TrackerResult[], merit: string): Finding {
  const { names, verb, time, next } = cheapest(trackers);
  if (trackers.length === 1) return { tone: "plain", text: `Only ${names} ${merit}: ${time}.` };
  const among = `of the ${formatCount(trackers.length)} trackers that ${merit}`;
  return { tone: "plain", text: `${names} ${verb} least ${among}: ${time}.${next}` };
}

/** Names the tracker or trackers with the least modelled time, and who comes next. */
function cheapest(trackers: readonly TrackerResult[]): { names: string; verb: string; time: string; next: string } {
  const least = Math.min(...trackers.map(totalNs));
  const best = trackers.filter((result) => totalNs(result) === least);
  const [second] = trackers.filter((result) => totalNs(result) > least).sort((a, b) => totalNs(a) - totalNs(b));
  return {
    names: formatList(best.map(({ label }) => label)),
    verb: best.length === 1 ? "costs" : "cost",
    time: best.length === 1 ? best.map(partsOfTime).join("") : `${formatTime(least)} modelled`,
    next: second === undefined ? "" : ` Next: ${second.label}, ${againstLeast(second, least)}.`,
  };
}

function partsOfTime(result: TrackerResult): string {
  const { arm, fault, collect } = result.modelled;
  const parts = `arm ${formatTime(arm.totalNs)}, faults ${formatTime(fault.totalNs)}, collect ${formatTime(collect.totalNs)}`;
  return `${formatTime(totalNs(result))} modelled (${parts})`;
}

function againstLeast(result: TrackerResult, leastNs: number): string {
  const time = formatTime(totalNs(result));
  return leastNs === 0 ? time : `${time} (${formatRatio(totalNs(result), leastNs)})`;
}

function measuredFindings({ measured }: Comparison): Finding[] {
  return (["off", "on"] as const).flatMap((hugePages): Finding[] => {
    const rows = measured?.rows.filter((row) => row.hugePages === hugePages) ?? [];
    const errors = rows.map((row) => predictionError(row, row.predictedNs)).filter((error) => error !== undefined);
    if (errors.length === 0) return [];
    const span = `${formatPercent(Math.min(...errors))} to ${formatPercent(Math.max(...errors))}`;
    return [
      { tone: "plain", text: `Predicted arming is off by ${span} from what this host measured, THP ${hugePages}.` },
    ];
  });
}

function publishedFindings(comparison: Comparison): Finding[] {
  const ratios = publishedRows(comparison)
    .filter(({ figure }) => figure.totalUs > 0)
    .map(({ figure, modelled }) => modelled.totalNs / (figure.totalUs * 1e3));
  if (ratios.length === 0) return [];
  const span = [Math.min(...ratios), Math.max(...ratios)].map((ratio) => formatRatio(ratio, 1));
  const text = span[0] === span[1] ? span[0] : span.join(" to ");
  return [{ tone: "plain", text: `Modelled arming takes ${text ?? ""} the published time.` }];
}
