/** Step, back, play: the controls, and the line of time. */
import type { JSX } from "preact";
import { formatCount, formatCounted } from "../../../ts/report/format.js";
import { change, state } from "../state/store.js";
import {
  currentStep,
  isPlaying,
  length,
  loadAgain,
  moment,
  outline,
  position,
  progress,
  restart,
  runToEnd,
  speed,
  SPEEDS,
  stepBack,
  stepOnce,
  stopLoading,
  togglePlay,
} from "./player.js";
import { TimeLine } from "./time-line.js";

export function Transport(): JSX.Element {
  return (
    <section class="panel transport" aria-label="Time">
      <div class="transport-row">
        <Buttons />
        <Speed />
        <ProcessPicker />
        <Where />
      </div>
      <Progress />
      <TimeLine />
    </section>
  );
}

function Buttons(): JSX.Element {
  const isStart = position.value === 0;
  const isEnd = position.value === length.value;
  const playing = isPlaying.value;
  return (
    <div class="buttons" role="group" aria-label="Steps">
      <Action name="Restart" keys="Home" path="M3 3v10M13 3L5 8l8 5z" isOff={isStart} onPress={restart} />
      <Action name="Step back" keys="p, k" path="M11 3L4 8l7 5z" isOff={isStart} onPress={stepBack} />
      <Action
        name={playing ? "Pause" : "Play"}
        keys="Space"
        path={playing ? "M5 3v10M11 3v10" : "M4 2.5L13 8l-9 5.5z"}
        isOff={length.value === 0}
        onPress={togglePlay}
      />
      <Action name="Step" keys="n, j" path="M5 3l7 5-7 5z" isOff={isEnd} onPress={stepOnce} />
      <Action name="Run to end" keys="End" path="M13 3v10M3 3l8 5-8 5z" isOff={isEnd} onPress={runToEnd} />
    </div>
  );
}

interface ActionProps {
  readonly name: string;
  readonly keys: string;
  /** Drawn in a square of 16. */
  readonly path: string;
  readonly isOff: boolean;
  readonly onPress: () => void;
}

/** A button stays in the order of the Tab key also where it does nothing, so that the focus is not lost at the end. */
function Action({ name, keys, path, isOff, onPress }: ActionProps): JSX.Element {
  return (
    <button
      type="button"
      class="button icon"
      aria-label={name}
      title={`${name} (${keys})`}
      aria-disabled={isOff}
      onClick={isOff ? undefined : onPress}
    >
      <svg viewBox="0 0 16 16" width="16" height="16" aria-hidden="true">
        <path d={path} fill="currentColor" stroke="currentColor" stroke-width="2" stroke-linejoin="round" />
      </svg>
    </button>
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
