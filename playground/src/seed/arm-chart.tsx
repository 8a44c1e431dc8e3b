/** Bars of modelled time beside marks of published ones, on one logarithmic axis. */
import type { JSX } from "preact";
import { formatTime } from "../../../ts/report/format.js";
import { logScale } from "../../../ts/report/scale.js";
import { SEED_EXPERIMENT_BYTES } from "../../../ts/sim/workloads.js";
import { change, state } from "../state/store.js";
import { arms } from "./experiment.js";
import { profile } from "../app/profile.js";
import { formatSize } from "./sizes.js";
import { type ArmTime, armTimes, type PublishedTime } from "./times.js";

const ROW = 62;
const BAR_TOP = 22;
const BAR_HEIGHT = 14;
const AXIS_HEIGHT = 22;
/** The axis never moves, so that sizes can be compared with each other: 100 ns to 1,000 s. */
const SCALE = logScale([1e2, 1e12]);
const TICKS = [1e3, 1e6, 1e9, 1e12];
const UNKNOWN = "not in this profile";

/** Where a time lies, in per cent of the width, so that texts keep their size on a phone. */
function position(ns: number): number {
  return 100 * Math.min(1, Math.max(0, SCALE.position(ns)));
}

/** The chart with its legend, and the same as a table for those who do not see it. */
export function ArmChart(): JSX.Element {
  const { bytes, thp } = state.seed.value;
  const rows = arms.value === null ? [] : armTimes(arms.value, { bytes, thp, profile: profile.value });
  const height = 4 * ROW + AXIS_HEIGHT;
  return (
    <div class="arm-chart">
      <svg data-export="arm-times" width="100%" height={height} aria-hidden="true">
        {TICKS.map((tick) => (
          <Tick key={tick} ns={tick} bottom={height - AXIS_HEIGHT} />
        ))}
        {rows.map((row, index) => (
          <Row key={row.mode} row={row} top={index * ROW} />
        ))}
      </svg>
      <Legend rows={rows} />
      <Notes rows={rows} />
      <TimesTable rows={rows} />
    </div>
  );
}

function Row({ row, top }: { readonly row: ArmTime; readonly top: number }): JSX.Element {
  const isChosen = state.seed.value.mode === row.mode;
  const width = row.modelledNs === undefined ? 0 : position(row.modelledNs);
  return (
    <g
      class={isChosen ? "row chosen" : "row"}
      transform={`translate(0 ${top})`}
      onClick={() => change("seed", { mode: row.mode })}
    >
      <rect class="hit" width="100%" height={ROW} />
      <text class="name" y="15">
        {row.label}
      </text>
      <text class="value" x="100%" y="15" text-anchor="end">
        {row.modelledNs === undefined ? UNKNOWN : formatTime(row.modelledNs)}
      </text>
      <rect class="track" y={BAR_TOP} width="100%" height={BAR_HEIGHT} />
      <rect class="bar" y={BAR_TOP} width={`${width}%`} height={BAR_HEIGHT} />
      {row.published.map((published, index) => (
        <Mark key={published.source} published={published} index={index} />
      ))}
      <text class="published" x="100%" y={BAR_TOP + BAR_HEIGHT + 15} text-anchor="end">
        {row.published.map(({ source, ns }, index) => (
          <tspan key={source} class={`mark-${index}`}>
            {` ${SIGNS[index] ?? ""} ${formatTime(ns)}`}
          </tspan>
        ))}
      </text>
    </g>
  );
}

/** A published time: a filled diamond for the patch series, a hollow circle for the second source. */
function Mark({ published, index }: { readonly published: PublishedTime; readonly index: number }): JSX.Element {
  return (
    <svg
      class={`mark mark-${index}`}
      x={`${position(published.ns)}%`}
      y={BAR_TOP + BAR_HEIGHT / 2}
      width="1"
      height="1"
      overflow="visible"
    >
      <title>{`${published.source}: ${formatTime(published.ns)}`}</title>
      <MarkShape index={index} />
    </svg>
  );
}

/** The same shapes in texts. */
const SIGNS = ["◆", "○"];

function MarkShape({ index }: { readonly index: number }): JSX.Element {
  return index === 0 ? <path d="M0 -6L6 0L0 6L-6 0Z" /> : <circle r="4.5" />;
}

function Tick({ ns, bottom }: { readonly ns: number; readonly bottom: number }): JSX.Element {
  const x = `${position(ns)}%`;
  const anchor = ns === TICKS.at(-1) ? "end" : "middle";
  return (
    <g class="tick">
      <line x1={x} x2={x} y1="0" y2={bottom} />
      <text x={x} y={bottom + 15} text-anchor={anchor}>
        {formatTime(ns).replace(/\.0+ /, " ")}
      </text>
    </g>
  );
}

function Legend({ rows }: { readonly rows: readonly ArmTime[] }): JSX.Element {
  const sources = rows.find(({ published }) => published.length > 0)?.published ?? [];
  return (
    <ul class="legend" aria-hidden="true">
      <li>
        <svg width="14" height="12">
          <rect class="bar" y="1" width="14" height="10" />
        </svg>
        modelled
      </li>
      {sources.map(({ source }, index) => (
        <li key={source} class={`mark-${index}`}>
          <svg width="14" height="14" viewBox="-7 -7 14 14" class="mark">
            <MarkShape index={index} />
          </svg>
          {source}
        </li>
      ))}
    </ul>
  );
}

/** What one has to know to compare. */
function Notes({ rows }: { readonly rows: readonly ArmTime[] }): JSX.Element | null {
  const { bytes } = state.seed.value;
  const isScaled = bytes !== SEED_EXPERIMENT_BYTES && rows.some(({ published }) => published.length > 0);
  const isUnknown = rows.some(({ modelledNs }) => modelledNs === undefined);
  if (!isScaled && !isUnknown) return null;
  return (
    <p class="note">
      {isScaled &&
        `Published for ${formatSize(SEED_EXPERIMENT_BYTES)}; scaled by page to ${formatSize(bytes)}, but for DEFAULT, which is one call. `}
      {isUnknown && "The profile has no costs of huge pages; series-2023 has."}
    </p>
  );
}

function TimesTable({ rows }: { readonly rows: readonly ArmTime[] }): JSX.Element {
  return (
    <div class="sr-only">
      <table>
        <caption>{`Time of arming, modelled with ${profile.value.name} and published`}</caption>
        <thead>
          <tr>
            <th scope="col">Way</th>
            <th scope="col">Modelled</th>
            <th scope="col">Published</th>
          </tr>
        </thead>
        <tbody>
          {rows.map(({ mode, label, modelledNs, published }) => (
            <tr key={mode}>
              <th scope="row">{label}</th>
              <td>{modelledNs === undefined ? UNKNOWN : formatTime(modelledNs)}</td>
              <td>{published.map(({ source, ns }) => `${source}: ${formatTime(ns)}`).join("; ")}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
