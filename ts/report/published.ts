/** The model beside published measurements of the same experiment. */
import type { Comparison, PublishedFigure, TrackerResult } from "../sim/comparison.js";
import type { CostName } from "../sim/cost-profile.js";
import type { Column, ColumnGroup } from "./columns.js";
import { formatRatio, formatTime } from "./format.js";

/** A published figure and what the model says for the same row. */
export interface PublishedRow {
  readonly label: string;
  readonly figure: PublishedFigure;
  /** Nanoseconds: all of arming, and its pre-fault part. */
  readonly modelled: { readonly totalNs: number; readonly prefaultNs: number };
}

/** Costs of arming that are its pre-fault part; all others are the protect step. */
const PREFAULT_COSTS: ReadonlySet<string> = new Set<CostName>(["preRead", "populateRead"]);

/** Time, published time and their ratio, for all of arming and for its first part. */
export const PUBLISHED_GROUPS: readonly ColumnGroup<PublishedRow>[] = [
  {
    title: "arming",
    columns: [
      plain("modelled", ({ modelled }) => formatTime(modelled.totalNs)),
      plain("published", ({ figure }) => formatTime(figure.totalUs * 1e3)),
      plain("ratio", ({ modelled, figure }) => formatRatio(modelled.totalNs, figure.totalUs * 1e3)),
    ],
  },
  {
    title: "its pre-fault part",
    columns: [
      plain("modelled", ({ modelled, figure }) => orDash(figure.prefaultUs, () => formatTime(modelled.prefaultNs))),
      plain("published", ({ figure }) => orDash(figure.prefaultUs, (us) => formatTime(us * 1e3))),
      plain("ratio", ({ modelled, figure }) =>
        orDash(figure.prefaultUs, (us) => formatRatio(modelled.prefaultNs, us * 1e3)),
      ),
    ],
  },
];

/** Returns the published figures in the order of the trackers; none when nobody published the experiment. */
export function publishedRows({ trackers, published }: Comparison): PublishedRow[] {
  return trackers.flatMap((result) =>
    (published?.[result.tracker] ?? []).map((figure) => ({
      label: result.label,
      figure,
      modelled: { totalNs: result.modelled.arm.totalNs, prefaultNs: prefaultNs(result) },
    })),
  );
}

/** Returns the modelled nanoseconds of arming that map pages first. */
export function prefaultNs({ modelled }: TrackerResult): number {
  return modelled.arm.items
    .filter((item) => PREFAULT_COSTS.has(item.cost))
    .reduce((sum, item) => sum + item.count * item.nsEach, 0);
}

function plain(head: string, text: (row: PublishedRow) => string): Column<PublishedRow> {
  return { head, cell: (row) => ({ text: text(row), tone: "plain" }) };
}

function orDash(us: number | undefined, text: (us: number) => string): string {
  return us === undefined ? "–" : text(us);
}
