import type { JSX } from "preact";
import { formatBytes } from "../../../ts/base/pages.js";
import { formatCount, formatTime } from "../../../ts/report/format.js";
import { filmTrackerLabel, FILM_TRACKERS, type FilmTracker } from "../../../ts/sim/film/film-options.js";
import type { FilmSummary } from "../../../ts/sim/film/snapshot-film.js";
import { change, state } from "../state/store.js";
import type { FilmReport } from "../worker/film-scene.js";
import { reports } from "./film.js";

interface Column {
  readonly head: string;
  readonly meaning: string;
  readonly cell: (summary: FilmSummary, report: FilmReport) => string;
}

const COLUMNS: readonly Column[] = [
  {
    head: "prefault",
    meaning: "Making pages exist, before the snapshot",
    cell: ({ prepare }) => orDash(prepare.totalNs),
  },
  { head: "pause", meaning: "How long the guest stands still", cell: ({ pauseNs }) => formatTime(pauseNs) },
  {
    head: "duration",
    meaning: "From the snapshot until all is saved",
    cell: ({ durationNs }) => formatTime(durationNs),
  },
  {
    head: "faults",
    meaning: "Writes that the handler was asked about",
    cell: ({ faults }) => formatCount(answered(faults)),
  },
  {
    head: "p99 wait",
    meaning: "99 in 100 of the writes that met a fault waited no longer",
    cell: ({ stalls }) => orDash(stalls.p99Ns),
  },
  {
    head: "tables",
    meaning: "Page tables at the end",
    cell: (_, { frames }) => formatBytes(frames.at(-1)?.tableBytes ?? 0),
  },
];

/** All trackers side by side; the chosen one is on the map. */
export function TrackerTable(): JSX.Element {
  return (
    <div class="table-scroll">
      <table class="trackers">
        <thead>
          <tr>
            <th scope="col">tracker</th>
            <th scope="col">snapshot, by its contents</th>
            {COLUMNS.map(({ head, meaning }) => (
              <th key={head} scope="col" class="number" title={meaning}>
                {head}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {FILM_TRACKERS.map((tracker, index) => (
            <Row key={tracker} tracker={tracker} index={index} />
          ))}
        </tbody>
      </table>
    </div>
  );
}

function Row({ tracker, index }: { readonly tracker: FilmTracker; readonly index: number }): JSX.Element {
  const report = reports.value.get(tracker);
  const summary = report?.summary;
  const isChosen = state.film.value.tracker === tracker;
  return (
    <tr class={isChosen ? "chosen" : ""} onClick={() => change("film", { tracker })}>
      <th scope="row">
        <label>
          <input
            type="radio"
            name="film-tracker"
            value={tracker}
            checked={isChosen}
            onChange={() => change("film", { tracker })}
            aria-keyshortcuts={String(index + 1)}
          />
          {filmTrackerLabel(tracker)}
        </label>
      </th>
      <td>
        <Verdict report={report} />
      </td>
      {COLUMNS.map(({ head, cell }) => (
        <td key={head} class="number">
          {summary === null || summary === undefined || report === undefined ? "…" : cell(summary, report)}
        </td>
      ))}
    </tr>
  );
}

function Verdict({ report }: { readonly report: FilmReport | undefined }): JSX.Element {
  if (report === undefined) return <span class="quiet">waits</span>;
  if (report.summary === null) return <span class="quiet">{Math.floor(savedShare(report) * 100)} % saved</span>;
  const { inconsistent } = report.summary.verdict;
  if (inconsistent === 0) return <b class="good">✓ consistent</b>;
  return <b class="bad">✗ {formatCount(inconsistent)} inconsistent</b>;
}

function savedShare({ frames, pages }: FilmReport): number {
  const last = frames.at(-1);
  return last === undefined || pages === 0 ? 0 : (last.byCopier + last.byFault) / pages;
}

/** Faults that the handler answered. */
export function answered({ page, marker, zeroPage }: FilmSummary["faults"]): number {
  return page + marker + zeroPage;
}

function orDash(ns: number): string {
  return ns === 0 ? "–" : formatTime(ns);
}
