import type { JSX } from "preact";
import { formatCount, visibleText } from "../../../ts/report/format.js";
import { PATTERNS } from "../../../ts/sim/workloads.js";
import { formatSize } from "../seed/sizes.js";
import { HANDLERS, LEAST_RAM, MOST_RAM } from "../state/film.js";
import { change, state } from "../state/store.js";
import { Choice } from "./choice.js";
import { isTraceMissing, trace } from "./film.js";
import { StopSlider } from "./stop-slider.js";

const RAM = powersOfTwo(LEAST_RAM, MOST_RAM);
const RATES = [1e3, 1e4, 1e5].flatMap((power) => [power, 2 * power, 5 * power]).concat(1e6);
const BANDWIDTHS = powersOfTwo(64 * 2 ** 20, 8 * 2 ** 30);
const SHARES = Array.from({ length: 11 }, (_, tenth) => tenth / 10);
const HANDLER_NAMES = { "own-thread": "own thread", copier: "the copier" } as const;

/** What the films are made with. */
export function Controls(): JSX.Element {
  const { rate, bandwidth, handler } = state.film.value;
  return (
    <div class="controls">
      <Guest />
      <StopSlider
        name={isOfTrace() ? "Accesses a second" : "Writes a second"}
        stops={RATES}
        value={rate}
        format={formatCount}
        onChange={(value) => change("film", { rate: value })}
      />
      <StopSlider
        name="Copier writes out"
        stops={BANDWIDTHS}
        value={bandwidth}
        format={(value) => `${formatSize(value)}/s`}
        onChange={(value) => change("film", { bandwidth: value })}
      />
      <Choice
        legend="Faults are answered by"
        names={HANDLERS.map((name) => [name, HANDLER_NAMES[name]] as const)}
        value={handler}
        onChange={(value) => change("film", { handler: value })}
      />
      {!isOfTrace() && <Seed />}
    </div>
  );
}

function Guest(): JSX.Element {
  const { pattern, bytes, populated } = state.film.value;
  if (isOfTrace()) return <TraceGuest />;
  return (
    <>
      {isTraceMissing.value && <MissingTrace />}
      <Choice
        legend="The guest writes"
        names={PATTERNS.map((name) => [name, name] as const).toReversed()}
        value={pattern}
        onChange={(value) => change("film", { pattern: value })}
      />
      <StopSlider
        name="Guest RAM"
        stops={RAM}
        value={bytes}
        format={formatSize}
        onChange={(value) => change("film", { bytes: value })}
      />
      <StopSlider
        name="Pages that exist"
        stops={SHARES}
        value={populated}
        format={(value) => `${Math.round(value * 100)} %`}
        onChange={(value) => change("film", { populated: value })}
      />
    </>
  );
}

function TraceGuest(): JSX.Element {
  return (
    <div class="trace-guest">
      <p>
        The guest does what <b>{visibleText(trace.value?.name ?? "")}</b> says; the snapshot is taken after half of it.
      </p>
      <p class="quiet">A link does not carry the trace: whoever opens it is asked for the file.</p>
      <button type="button" class="button" onClick={() => change("film", { trace: null })}>
        Write by a pattern again
      </button>
    </div>
  );
}

/** A link names a trace that it cannot carry. */
function MissingTrace(): JSX.Element {
  return (
    <div class="trace-guest" role="note">
      <p>
        This link is of a film with the trace <b>{visibleText(state.film.value.trace ?? "")}</b>, which a link cannot
        carry. Drop the file on the page; until then the guest writes by a pattern.
      </p>
      <button type="button" class="button" onClick={() => change("film", { trace: null })}>
        Do without it
      </button>
    </div>
  );
}

function Seed(): JSX.Element {
  const { seed } = state.film.value;
  return (
    <label class="seed-number">
      Seed
      <input
        type="number"
        min={0}
        max={2 ** 32 - 1}
        step={1}
        value={seed}
        onChange={(event) => {
          const value = event.currentTarget.valueAsNumber;
          if (Number.isInteger(value) && value >= 0 && value < 2 ** 32) change("film", { seed: value });
          else event.currentTarget.value = String(seed);
        }}
      />
    </label>
  );
}

function isOfTrace(): boolean {
  return state.film.value.trace !== null && !isTraceMissing.value;
}

function powersOfTwo(least: number, most: number): number[] {
  return Array.from({ length: Math.log2(most / least) + 1 }, (_, i) => least * 2 ** i);
}
