import type { JSX } from "preact";
import { formatCount, formatTime } from "../../../ts/report/format.js";
import type { FilmSummary } from "../../../ts/sim/film/snapshot-film.js";
import type { StallSummary } from "../../../ts/sim/film/stalls.js";
import { answered } from "./tracker-table.js";

const HEIGHT = 84;
const AXIS = 18;
const TOP = 4;

/** How long writes that met a fault waited: a bar for each power of two of nanoseconds. */
export function StallChart({ summary }: { readonly summary: FilmSummary }): JSX.Element {
  const { stalls, faults, profile } = summary;
  return (
    <figure class="stall-chart">
      <figcaption>
        <h3>Writes that met a fault: {formatCount(stalls.count)}</h3>
        <span class="quiet">
          {formatCount(answered(faults))} of them waited for the handler; modelled, {profile.name}
        </span>
      </figcaption>
      {stalls.count === 0 ? <p class="quiet">No write met a fault.</p> : <Histogram stalls={stalls} />}
      <dl class="quantiles">
        {(["p50Ns", "p99Ns", "maxNs"] as const).map((name) => (
          <div key={name} class={name}>
            <dt>
              {name !== "maxNs" && <MarkSign kind={name === "p50Ns" ? "p50" : "p99"} />}
              {name.replace("Ns", "")}
            </dt>
            <dd>{stalls.count === 0 ? "–" : formatTime(stalls[name])}</dd>
          </div>
        ))}
      </dl>
    </figure>
  );
}

const LEAST_BUCKETS = 6;
const NAMED_TICKS = 4;

function Histogram({ stalls }: { readonly stalls: StallSummary }): JSX.Element {
  const { log2, p50Ns, p99Ns } = stalls;
  const first = Math.max(0, log2.findIndex((count) => count > 0) - 1);
  const count = Math.max(LEAST_BUCKETS, log2.length + 1 - first);
  const buckets = Array.from({ length: count }, (_, i) => first + i);
  const most = Math.max(...log2);
  const share = (ns: number): number => Math.min(1, Math.max(0, (Math.log2(Math.max(1, ns)) - first) / count));
  const isNamed = (i: number): boolean => i % Math.ceil(count / NAMED_TICKS) === 0;
  return (
    <svg data-export="stalls" width="100%" height={TOP + HEIGHT + AXIS} role="img" aria-label={words(stalls)}>
      {buckets.map((bucket, i) => (
        <Bar key={bucket} at={i / count} width={1 / count} height={((log2[bucket] ?? 0) / most) * HEIGHT} />
      ))}
      <line class="grid" x1="0" x2="100%" y1={TOP + HEIGHT} y2={TOP + HEIGHT} />
      {buckets.map((bucket, i) => (
        <Tick key={bucket} bucket={bucket} at={i / count} isNamed={isNamed(i)} />
      ))}
      <Mark x={share(p50Ns)} kind="p50" />
      <Mark x={share(p99Ns)} kind="p99" />
    </svg>
  );
}

function Bar({
  at,
  width,
  height,
}: {
  readonly at: number;
  readonly width: number;
  readonly height: number;
}): JSX.Element | null {
  if (height === 0) return null;
  const drawn = Math.max(1.5, height);
  return (
    <rect class="bar" x={`${at * 100 + width * 6}%`} width={`${width * 88}%`} y={TOP + HEIGHT - drawn} height={drawn} />
  );
}

function Tick({
  bucket,
  at,
  isNamed,
}: {
  readonly bucket: number;
  readonly at: number;
  readonly isNamed: boolean;
}): JSX.Element {
  const x = `${at * 100}%`;
  return (
    <g>
      <line class="grid" x1={x} x2={x} y1={TOP + HEIGHT} y2={TOP + HEIGHT + 4} />
      {isNamed && (
        <text class="tick" x={x} y={TOP + HEIGHT + 15} text-anchor={at === 0 ? "start" : "middle"}>
          {formatTime(2 ** bucket)}
        </text>
      )}
    </g>
  );
}

function Mark({ x, kind }: { readonly x: number; readonly kind: "p50" | "p99" }): JSX.Element {
  const at = `${x * 100}%`;
  return <line class={`mark ${kind}`} x1={at} x2={at} y1={TOP} y2={TOP + HEIGHT} />;
}

/** What the line of a quantile looks like. */
function MarkSign({ kind }: { readonly kind: "p50" | "p99" }): JSX.Element {
  return (
    <svg width="6" height="12" aria-hidden="true">
      <line class={`mark ${kind}`} x1="2" x2="2" y1="0" y2="12" />
    </svg>
  );
}

function words({ count, p50Ns, p99Ns, maxNs }: StallSummary): string {
  return `${formatCount(count)} writes met a fault: half of them waited up to ${formatTime(p50Ns)}, 99 in 100 up to ${formatTime(p99Ns)}, the longest ${formatTime(maxNs)}`;
}
