/** Small charts of what grows with modelled time; the moment that is shown is a line through all of them. */
import type { JSX } from "preact";
import { formatCompact, formatTime } from "../../../ts/report/format.js";
import { linearScale } from "../../../ts/report/scale.js";
import { clockNs, knownNs } from "./film.js";

/** A line of a chart. */
export interface ChartLine {
  readonly name: string;
  /** CSS class that gives it its colour. */
  readonly style: string;
  readonly values: readonly number[];
}

interface LineChartProps {
  /** Names the file that it is exported to. */
  readonly id: string;
  readonly title: string;
  readonly times: readonly number[];
  readonly lines: readonly ChartLine[];
  readonly format?: (value: number) => string;
}

const HEIGHT = 76;
const TOP = 6;
const AXIS = 18;
const UNIT = 1000;

/** A chart with its legend; what it says in the end is said in words as well. */
export function LineChart({ id, title, times, lines, format = formatCompact }: LineChartProps): JSX.Element {
  const largest = Math.max(0, ...lines.flatMap(({ values }) => values));
  const scale = linearScale(largest, 3);
  const ticks = scale.ticks.map((tick) => ({ tick, y: TOP + (1 - scale.position(tick)) * HEIGHT }));
  const end = knownNs.value;
  const words = lines.map(({ name, values }) => `${name}: ${format(values.at(-1) ?? 0)}`).join(", ");
  return (
    <figure class="line-chart">
      <Caption title={title} lines={lines} />
      <svg
        data-export={id}
        width="100%"
        height={TOP + HEIGHT + AXIS}
        role="img"
        aria-label={`${title}; in the end ${words}`}
      >
        {ticks.map(({ tick, y }) => (
          <line key={tick} class="grid" x1="0" x2="100%" y1={y} y2={y} />
        ))}
        <Lines times={times} lines={lines} end={end} position={scale.position} />
        <Cursor end={end} />
        {ticks.map(({ tick, y }) => (
          <text key={tick} class="tick" x="0" y={y + 11}>
            {tick === 0 ? "" : format(tick)}
          </text>
        ))}
        <text class="tick" x="0" y={TOP + HEIGHT + 13}>
          0
        </text>
        <text class="tick" x="100%" y={TOP + HEIGHT + 13} text-anchor="end">
          {formatTime(end)}
        </text>
      </svg>
    </figure>
  );
}

function Caption({ title, lines }: Pick<LineChartProps, "title" | "lines">): JSX.Element {
  return (
    <figcaption>
      <h3>{title}</h3>
      <ul class="legend" aria-hidden="true">
        {lines.map(({ name, style }) => (
          <li key={name} class={style}>
            <svg width="16" height="8">
              <line x1="0" x2="16" y1="4" y2="4" />
            </svg>
            {name}
          </li>
        ))}
      </ul>
    </figcaption>
  );
}

interface LinesProps extends Pick<LineChartProps, "times" | "lines"> {
  readonly end: number;
  readonly position: (value: number) => number;
}

/** The lines are stretched to the width, and only they: texts keep their size. */
function Lines({ times, lines, end, position }: LinesProps): JSX.Element {
  const box = `0 0 ${UNIT} ${HEIGHT}`;
  return (
    <svg y={TOP} width="100%" height={HEIGHT} viewBox={box} preserveAspectRatio="none" overflow="visible">
      {lines.map(({ name, style, values }) => (
        <g key={name} class={style}>
          <polyline points={points(times, values, end, position)} vector-effect="non-scaling-stroke" />
        </g>
      ))}
    </svg>
  );
}

function Cursor({ end }: { readonly end: number }): JSX.Element | null {
  if (end === 0) return null;
  const x = `${(clockNs.value / end) * 100}%`;
  return <line class="cursor" x1={x} x2={x} y1={TOP} y2={TOP + HEIGHT} />;
}

function points(
  times: readonly number[],
  values: readonly number[],
  end: number,
  position: (value: number) => number,
): string {
  return times
    .map((time, i) => {
      const x = end === 0 ? 0 : (time / end) * UNIT;
      return `${x.toFixed(1)},${((1 - position(values[i] ?? 0)) * HEIGHT).toFixed(1)}`;
    })
    .join(" ");
}
