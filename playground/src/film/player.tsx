import type { JSX } from "preact";
import { formatTime } from "../../../ts/report/format.js";
import { TransportButtons } from "../app/transport.js";
import { FRAMES, slowDown, speed, SPEEDS, stopAt } from "./clock.js";
import { clockNs, knownNs } from "./film.js";

/** Fractions of the film that the slider tells apart. */
const STEPS = 1000;

/** Runs the film, stops it, and goes to any moment of it. */
export function Player(): JSX.Element {
  const known = knownNs.value;
  return (
    <div class="player" role="group" aria-label="Film">
      <TransportButtons of={FRAMES} />
      <Scrubber known={known} />
      <label class="speed">
        <span class="sr-only">Speed</span>
        <select
          value={speed.value}
          title={slowDown.value === 0 ? "" : `${slowText()} modelled time`}
          onChange={(event) => (speed.value = Number(event.currentTarget.value))}
        >
          {SPEEDS.map((times) => (
            <option key={times} value={times}>
              {times}×
            </option>
          ))}
        </select>
      </label>
    </div>
  );
}

function Scrubber({ known }: { readonly known: number }): JSX.Element {
  const now = clockNs.value;
  return (
    <>
      <input
        class="scrubber"
        type="range"
        min={0}
        max={STEPS}
        value={known === 0 ? 0 : Math.round((now / known) * STEPS)}
        aria-label="Time since the snapshot"
        aria-valuetext={`${formatTime(now)} of ${formatTime(known)}`}
        onInput={(event) => stopAt((Number(event.currentTarget.value) / STEPS) * known)}
      />
      <span class="time">
        {formatTime(now)} <span class="quiet">/ {formatTime(known)}</span>
      </span>
    </>
  );
}

/** How fast it is shown, in words. */
export function slowText(): string {
  const times = slowDown.value;
  return times >= 1 ? `${times.toPrecision(2)} times slower than` : `${(1 / times).toPrecision(2)} times faster than`;
}
