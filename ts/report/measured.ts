/** The model beside what this host's kernel took for the same experiment. */
import { formatBytes } from "../base/pages.js";
import type { Comparison } from "../sim/comparison.js";
import { type MeasuredRow, predictionError, undisturbedNs } from "../sim/measurement.js";
import type { Column, ColumnGroup } from "./columns.js";
import { formatCounted, formatPercent, formatRatio, formatTime } from "./format.js";

/** Change of speed, up or down, from which on a profile is out of date. */
const DRIFT = 1.2;

/** A measured row and what it is called. */
export interface MeasuredLine {
  readonly label: string;
  readonly row: MeasuredRow;
}

/** Prediction, measurement and error; then how far apart the rounds were, and the pre-fault part of them. */
export const MEASURED_GROUPS: readonly ColumnGroup<MeasuredLine>[] = [
  {
    title: "arming",
    columns: [
      plain("predicted", ({ predictedNs }) => timeOrDash(predictedNs)),
      plain("measured", ({ total }) => formatTime(undisturbedNs(total))),
      plain("error", (row) => errorText(row, row.predictedNs)),
    ],
  },
  {
    title: "at the host's speed then",
    columns: [
      plain("predicted", ({ predictedNowNs }) => timeOrDash(predictedNowNs)),
      plain("error", (row) => errorText(row, row.predictedNowNs)),
    ],
  },
  {
    title: "measured, all rounds",
    columns: [
      plain("quartile", ({ total }) => formatTime(total.q1Ns)),
      plain("median", ({ total }) => formatTime(total.medianNs)),
      plain("most", ({ total }) => formatTime(total.maxNs)),
      plain("pre-fault", ({ prefault }) => (prefault === undefined ? "–" : formatTime(undisturbedNs(prefault)))),
    ],
  },
];

/** Returns the measured rows with their names; none where nothing was measured. */
export function measuredLines({ trackers, measured }: Comparison): MeasuredLine[] {
  return (measured?.rows ?? []).map((row) => {
    const label = trackers.find(({ tracker }) => tracker === row.tracker)?.label ?? row.tracker;
    return { label: `${label}, THP ${row.hugePages}`, row };
  });
}

/** Says what was measured, where and when, and what the columns hold; nothing where nothing was measured. */
export function measuredSentences({ measured }: Comparison): string[] {
  if (measured === undefined) return [];
  const { host, bytes, rounds, slowdown, hugePagesSkipped } = measured;
  const machine = `${host.kernel}, ${host.cpu}, ${formatCounted(host.cpus, "CPU")}, ${formatBytes(host.memoryBytes)}`;
  const when = `${host.at.slice(0, 16).replace("T", " ")} UTC`;
  return [
    `Measured on this host (${machine}, THP setting ${host.hugePages}) at ${when}: ${formatBytes(bytes)}, ` +
      `${formatCounted(rounds, "round")} after one to warm up. "measured" is the least of them: ` +
      "other programs only add time.",
    `"At the host's speed then" predicts from costs that were sampled between the rows, on small mappings: they took ` +
      `${formatRatio(slowdown, 1)} what the profile says.${isDrift(slowdown) ? " Calibrate again, or look for what else runs." : ""}`,
    "THP off and on are MADV_NOHUGEPAGE and MADV_HUGEPAGE. With huge pages the prediction is arithmetic with the " +
      "profile's figures for them; the engine models pages of 4 KiB only.",
    ...(hugePagesSkipped === undefined ? [] : [`Nothing was measured with huge pages: ${hugePagesSkipped}.`]),
  ];
}

function isDrift(slowdown: number): boolean {
  return Math.max(slowdown, 1 / slowdown) > DRIFT;
}

function timeOrDash(ns: number | undefined): string {
  return ns === undefined ? "–" : formatTime(ns);
}

function errorText(row: MeasuredRow, predictedNs: number | undefined): string {
  const error = predictionError(row, predictedNs);
  return error === undefined ? "–" : formatPercent(error);
}

function plain(head: string, text: (row: MeasuredRow) => string): Column<MeasuredLine> {
  return { head, cell: ({ row }) => ({ text: text(row), tone: "plain" }) };
}
