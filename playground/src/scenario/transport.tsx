/** Step, back, play: the controls, and the line of time. */
import type { JSX } from "preact";
import { formatCount, formatCounted } from "../../../ts/report/format.js";
import { change, state } from "../state/store.js";
import { TransportButtons } from "../app/transport.js";
import {
  currentStep,
  length,
  loadAgain,
  moment,
  outline,
  progress,
  speed,
  SPEEDS,
  STEPS,
  stopLoading,
} from "./player.js";
import { TimeLine } from "./time-line.js";

export function TransportPanel(): JSX.Element {
  return (
    <section class="panel transport" aria-label="Time">
      <div class="transport-row">
        <TransportButtons of={STEPS} />
        <Speed />
        <ProcessPicker />
        <Where />
      </div>
      <Progress />
      <TimeLine />
    </section>
  );
}

function Speed(): JSX.Element {
  return (
    <label class="inline">
      <span>speed</span>
      <select value={speed.value} onChange={(event) => (speed.value = Number(event.currentTarget.value))}>
        {SPEEDS.map((steps) => (
          <option key={steps} value={steps}>
            {steps} / s
          </option>
        ))}
      </select>
    </label>
  );
}

/** Whose memory is shown; only where there is a choice. */
function ProcessPicker(): JSX.Element | null {
  const processes = outline.value?.processes ?? [];
  const living = moment.value.processes;
  if (processes.length < 2) return null;
  return (
    <label class="inline">
      <span>process</span>
      <select
        value={state.map.value.process}
        onChange={(event) => change("map", { process: event.currentTarget.value, page: null, zoom: null })}
      >
        {processes.map((name) => (
          <option key={name} value={name}>
            {living.includes(name) ? name : `${name} (not there)`}
          </option>
        ))}
      </select>
    </label>
  );
}

/** A text that takes long; until it is carried out, all else shows the one before. */
function Progress(): JSX.Element | null {
  if (progress.value === null) return null;
  const { done, all, isStopped } = progress.value;
  return (
    <div class="carrying">
      <progress aria-label="Steps that have been carried out" max={all} value={done} />
      <span role="status">
        {isStopped ? "Stopped" : "Carrying the new text out"}: what is shown is of the one before.
      </span>
      <span class="quiet">
        {formatCount(done)} of {formatCounted(all, "step")}
      </span>
      <button type="button" class="button" onClick={isStopped ? loadAgain : stopLoading}>
        {isStopped ? "Begin again" : "Stop"}
      </button>
    </div>
  );
}

/** What the last step was; read out whenever it changes. */
function Where(): JSX.Element {
  const step = outline.value?.steps[currentStep.value];
  return (
    <p class="where-now" role="status">
      {step === undefined ? (
        `before the first of ${formatCounted(length.value, "step")}`
      ) : (
        <>
          <b>{currentStep.value}</b> <code>{step.request}</code>
          <span class="outcome">{step.lines[0]}</span>
          <span class="sr-only">{step.lines.slice(1).join("; ")}</span>
        </>
      )}
    </p>
  );
}
