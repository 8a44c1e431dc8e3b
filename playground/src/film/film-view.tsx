/** A background snapshot as a film: a guest writes while a copier goes through its memory. */
import type { JSX } from "preact";
import { useEffect } from "preact/hooks";
import { formatBytes } from "../../../ts/base/pages.js";
import { formatCount } from "../../../ts/report/format.js";
import { filmTrackerLabel, FILM_TRACKERS } from "../../../ts/sim/film/film-options.js";
import { bindKeys } from "../app/keys.js";
import { ProfilePicker } from "../app/profile-picker.js";
import { SceneMap } from "../app/scene-map.js";
import { transportKeys } from "../app/transport.js";
import { offer } from "../share/offers.js";
import { change, state } from "../state/store.js";
import { followClock, FRAMES, startClock, stopAt } from "./clock.js";
import { Controls } from "./controls.js";
import { clockNs, failure, followFilm, moment, revision, scene, shownReport } from "./film.js";
import { FILM_OFFERS } from "./film-files.js";
import { LineChart } from "./line-chart.js";
import { Player } from "./player.js";
import { sentenceOf } from "./sentence.js";
import { StallChart } from "./stall-chart.js";
import { Strip } from "./strip.js";
import { TrackerTable } from "./tracker-table.js";
import { WrongPages } from "./wrong-pages.js";

/** The view; while it is shown the films follow its controls. */
export function FilmView(): JSX.Element {
  useEffect(() => followFilm(startClock), []);
  useEffect(followClock, []);
  useEffect(() => bindKeys(KEYS), []);
  useEffect(() => offer(FILM_OFFERS), []);
  return (
    <div class="film">
      <section class="panel film-controls" aria-label="Guest and copier">
        <Controls />
        <Counts />
      </section>
      <section class="panel film-map" aria-label="The guest's memory">
        <Sentence />
        <Memory />
        <Strip />
        <Player />
      </section>
      <section class="panel film-charts" aria-labelledby="film-charts-title">
        <div class="panel-head">
          <h2 id="film-charts-title">{filmTrackerLabel(state.film.value.tracker)}</h2>
          <ProfilePicker />
        </div>
        <Charts />
      </section>
      <section class="panel film-trackers" aria-labelledby="film-trackers-title">
        <div class="panel-head">
          <h2 id="film-trackers-title">Trackers side by side</h2>
          <span class="quiet">the chosen one is on the map; times are modelled</span>
        </div>
        <TrackerTable />
        <WrongPages />
        <Limits />
      </section>
    </div>
  );
}

const KEYS = [
  ...transportKeys(FRAMES),
  ...FILM_TRACKERS.map((tracker, index) => ({
    key: String(index + 1),
    what: `show ${filmTrackerLabel(tracker)}`,
    run: () => change("film", { tracker }),
  })),
];

function Sentence(): JSX.Element {
  const report = shownReport.value;
  if (failure.value !== null) {
    return (
      <p class="sentence bad" role="alert" aria-busy="false">
        {failure.value}
      </p>
    );
  }
  const { text, tone } = sentenceOf(report);
  const isBusy = report === undefined || report.summary === null;
  return (
    <p class={`sentence ${tone}`} aria-live="polite" aria-busy={isBusy}>
      {text}
    </p>
  );
}

/** A component of its own, since it is drawn anew with every moment. */
function Memory(): JSX.Element {
  return <SceneMap scene={scene} revision={revision} moment={clockNs.value} onGoTo={stopAt} />;
}

/** The counts at the moment that is shown. */
function Counts(): JSX.Element {
  const frame = moment.value?.frame;
  const rows = [
    ["writes since the snapshot", frame?.writes],
    ["pages written", frame?.dirty],
    ["saved by the copier", frame?.byCopier],
    ["saved by faults", frame?.byFault],
    ["messages that wait", frame?.queue],
  ] as const;
  return (
    <div class="figures">
      <h2>At this moment</h2>
      <dl>
        {rows.map(([name, count]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{count === undefined ? "…" : formatCount(count)}</dd>
          </div>
        ))}
        <div>
          <dt>page tables</dt>
          <dd>{frame === undefined ? "…" : formatBytes(frame.tableBytes)}</dd>
        </div>
      </dl>
    </div>
  );
}

function Charts(): JSX.Element {
  const report = shownReport.value;
  const frames = report?.frames ?? [];
  const summary = report?.summary;
  const times = frames.map(({ timeNs }) => timeNs);
  return (
    <div class="film-charts-row">
      <LineChart
        id="saved"
        title="Pages saved"
        times={times}
        lines={[
          { name: "by the copier", style: "line-copier", values: frames.map(({ byCopier }) => byCopier) },
          { name: "by faults", style: "line-fault", values: frames.map(({ byFault }) => byFault) },
        ]}
      />
      <LineChart
        id="queue"
        title="Messages that wait"
        times={times}
        lines={[{ name: "queue", style: "line-queue", values: frames.map(({ queue }) => queue) }]}
      />
      {summary !== null && summary !== undefined && <StallChart summary={summary} />}
    </div>
  );
}

function Limits(): JSX.Element {
  return (
    <details class="limits">
      <summary>What is exact here, and what is modelled</summary>
      <ul>
        <li>
          Entries, faults, messages and contents are the engine’s, and so is the verdict: saved contents are compared
          with those at the snapshot.
        </li>
        <li>
          Time is modelled: the figures of the cost profile, and 4 KiB divided by the copier’s bandwidth for each page
          that is written out.
        </li>
        <li>
          The guest’s writes come at their rate, whatever waits: if it is faster than the handler, the queue only grows.
          A real thread that waits writes nothing.
        </li>
        <li>
          A write to a page whose answer is under way counts as one without a fault. Handler and copier do not take
          bandwidth from each other.
        </li>
        <li>
          “Course of the film” in the export menu is a file in Chrome’s trace event format: open it with “Open trace
          file” at ui.perfetto.dev, or in chrome://tracing. This page sends it nowhere.
        </li>
        <li>
          The copier goes through memory once, in address order, 64 pages at a time, passes over what faults have saved,
          and unprotects what it has saved.
        </li>
      </ul>
    </details>
  );
}
