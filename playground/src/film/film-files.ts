/** What the snapshot view gives away. */
import { csv } from "../../../ts/report/csv.js";
import { filmTrackerLabel, FILM_TRACKERS } from "../../../ts/sim/film/film-options.js";
import { state } from "../state/store.js";
import type { TextFile } from "../share/download.js";
import { type Offer, PERFETTO } from "../share/offers.js";
import { svgFile } from "../share/svg.js";
import type { FilmReport } from "../worker/film-scene.js";
import { reports, scene } from "./film.js";

const CSV = "text/csv";

export const FILM_OFFERS: readonly Offer[] = [
  { label: "Trackers", kind: "CSV", make: trackersFile },
  { label: "Frames of all films", kind: "CSV", make: framesFile },
  { label: "Pages saved", kind: "SVG", make: () => picture("saved", "Pages saved") },
  { label: "Messages that wait", kind: "SVG", make: () => picture("queue", "Messages that wait") },
  { label: "Writes that met a fault", kind: "SVG", make: () => picture("stalls", "Writes that met a fault") },
  { label: "Course of the film", make: traceFile, ...PERFETTO },
];

function picture(id: string, title: string): TextFile | null {
  const file = svgFile(id, `${title}: ${filmTrackerLabel(state.film.value.tracker)}`);
  return file === null ? null : { ...file, name: `snapshot-${id}-${state.film.value.tracker}.svg` };
}

/** The films that are done. */
function done(): readonly FilmReport[] {
  return FILM_TRACKERS.flatMap((tracker) => {
    const report = reports.value.get(tracker);
    return report === undefined || report.summary === null ? [] : [report];
  });
}

const TRACKER_HEAD = [
  ...["tracker", "pages", "inconsistent", "prepare_ns", "pause_ns", "duration_ns"],
  ...["faults_page", "faults_marker", "faults_zero_page", "faults_plain_allocate", "faults_plain_copy"],
  ...["stalls", "stall_p50_ns", "stall_p99_ns", "stall_max_ns", "table_bytes", "profile"],
];

function trackersFile(): TextFile | null {
  const rows = done().flatMap(({ tracker, pages, frames, summary }) => {
    if (summary === null) return [];
    const { verdict, prepare, pauseNs, durationNs, faults, stalls, profile } = summary;
    const { page, marker, zeroPage, plainAllocate, plainCopy } = faults;
    return [
      [
        ...[tracker, pages, verdict.inconsistent, prepare.totalNs, pauseNs, durationNs],
        ...[page, marker, zeroPage, plainAllocate, plainCopy],
        ...[stalls.count, stalls.p50Ns, stalls.p99Ns, stalls.maxNs, frames.at(-1)?.tableBytes ?? null, profile.name],
      ],
    ];
  });
  return rows.length === 0 ? null : { name: "snapshot-trackers.csv", type: CSV, text: csv(TRACKER_HEAD, rows) };
}

const FRAME_FIELDS = [
  ["time_ns", "timeNs"],
  ["writes", "writes"],
  ["dirty_pages", "dirty"],
  ["saved_by_copier", "byCopier"],
  ["saved_by_faults", "byFault"],
  ["faults", "faults"],
  ["queue", "queue"],
  ["table_bytes", "tableBytes"],
] as const;

function framesFile(): TextFile | null {
  const rows = done().flatMap(({ tracker, frames }) =>
    frames.map((frame) => [tracker, ...FRAME_FIELDS.map(([, field]) => frame[field])]),
  );
  const head = ["tracker", ...FRAME_FIELDS.map(([name]) => name)];
  return rows.length === 0 ? null : { name: "snapshot-frames.csv", type: CSV, text: csv(head, rows) };
}

async function traceFile(): Promise<TextFile | null> {
  const { tracker } = state.film.value;
  const text = await scene.value?.control.traceEvents(tracker);
  return text === undefined ? null : { name: `snapshot-${tracker}.trace.json`, type: "application/json", text };
}
