import type { JSX } from "preact";
import { events, isAtEnd, isRunning, step, stepBy, toggleRun } from "./write.js";

/** Slow motion, and the way through the events by hand. Arrows, Home and End do the same as the buttons. */
export function Stepper(): JSX.Element {
  const count = events.value.length;
  return (
    <div class="stepper" role="toolbar" aria-label="Slow motion" onKeyDown={moveByKey}>
      <button type="button" class="button" onClick={toggleRun} aria-keyshortcuts="Space">
        {isRunning.value ? "Pause" : "Slow motion"}
      </button>
      <StepButton kind="first" name="First event" onClick={() => stepBy(-count)} />
      <StepButton kind="before" name="Event before" isDisabled={step.value <= 0} onClick={() => stepBy(-1)} />
      <StepButton kind="next" name="Next event" isDisabled={isAtEnd()} onClick={() => stepBy(1)} />
      <StepButton kind="all" name="All events" onClick={() => stepBy(count)} />
      <span class="step-count">
        event {step.value + 1} of {count}
      </span>
    </div>
  );
}

function moveByKey(event: KeyboardEvent): void {
  const count = events.value.length;
  const moves: Readonly<Record<string, number>> = {
    ArrowRight: 1,
    ArrowDown: 1,
    ArrowLeft: -1,
    ArrowUp: -1,
    Home: -count,
    End: count,
  };
  const move = moves[event.key];
  if (move === undefined) return;
  event.preventDefault();
  stepBy(move);
}

interface StepButtonProps {
  readonly kind: keyof typeof ICONS;
  readonly name: string;
  readonly isDisabled?: boolean;
  readonly onClick: () => void;
}

function StepButton({ kind, name, isDisabled = false, onClick }: StepButtonProps): JSX.Element {
  return (
    <button type="button" class="button icon" aria-label={name} aria-disabled={isDisabled} onClick={onClick}>
      <StepIcon kind={kind} />
    </button>
  );
}

const ICONS = {
  first: "M3 2v8M10 2L5 6l5 4z",
  before: "M9 2L3 6l6 4z",
  next: "M3 2l6 4-6 4z",
  all: "M9 2v8M2 2l5 4-5 4z",
} as const;

function StepIcon({ kind }: { readonly kind: keyof typeof ICONS }): JSX.Element {
  return (
    <svg viewBox="0 0 12 12" width="12" height="12" aria-hidden="true">
      <path d={ICONS[kind]} fill="currentColor" stroke="currentColor" stroke-width="1.5" />
    </svg>
  );
}
