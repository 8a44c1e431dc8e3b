/** Going through what has moments, step by step or by itself: the buttons and the keys of all views that do. */
import type { JSX } from "preact";
import type { KeyBinding } from "./keys.js";

/** What can be done, and where one is. */
export interface Transport {
  /** What is one step: "step", "frame", "event". */
  readonly unit: string;
  readonly isPlaying: () => boolean;
  readonly isAtStart: () => boolean;
  readonly isAtEnd: () => boolean;
  readonly restart: () => void;
  readonly back: () => void;
  /** Begins to play, from the start if the end is reached, or stops. */
  readonly togglePlay: () => void;
  readonly step: () => void;
  readonly runToEnd: () => void;
}

/** The keys, for `bindKeys`. */
export function transportKeys({ unit, step, back, togglePlay, restart, runToEnd }: Transport): KeyBinding[] {
  return [
    { key: "n", also: ["j", "ArrowRight"], what: `next ${unit}`, run: step },
    { key: "p", also: ["k", "ArrowLeft"], what: `${unit} before`, run: back },
    { key: " ", what: "play, pause", run: togglePlay },
    { key: "Home", what: "to the start", run: restart },
    { key: "End", what: "to the end", run: runToEnd },
  ];
}

/** The buttons. `play` is what playing is called. */
export function TransportButtons({
  of,
  play = "Play",
}: {
  readonly of: Transport;
  readonly play?: string;
}): JSX.Element {
  const { unit, restart, back, togglePlay, step, runToEnd } = of;
  const [isStart, isEnd, isPlaying] = [of.isAtStart(), of.isAtEnd(), of.isPlaying()];
  return (
    <div class="transport-buttons" role="group" aria-label="Time">
      <Action name="Restart" keys="Home" sign="start" isOff={isStart} onPress={restart} />
      <Action name="Step back" keys="p, k, ←" sign="back" isOff={isStart} onPress={back} />
      <button type="button" class="button play" title="Space" onClick={togglePlay}>
        <Sign path={isPlaying ? SIGNS.pause : SIGNS.play} />
        {isPlaying ? "Pause" : play}
      </button>
      <Action name={`Next ${unit}`} keys="n, j, →" sign="step" isOff={isEnd} onPress={step} />
      <Action name="Run to end" keys="End" sign="end" isOff={isEnd} onPress={runToEnd} />
    </div>
  );
}

interface ActionProps {
  readonly name: string;
  readonly keys: string;
  readonly sign: keyof typeof SIGNS;
  readonly isOff: boolean;
  readonly onPress: () => void;
}

/** A button stays in the order of the Tab key also where it does nothing, so that the focus is not lost at the end. */
function Action({ name, keys, sign, isOff, onPress }: ActionProps): JSX.Element {
  return (
    <button
      type="button"
      class="button icon"
      aria-label={name}
      title={`${name} (${keys})`}
      aria-disabled={isOff}
      onClick={isOff ? undefined : onPress}
    >
      <Sign path={SIGNS[sign]} />
    </button>
  );
}

/** Drawn in squares of 16. */
const SIGNS = {
  start: "M3 3v10M13 3L5 8l8 5z",
  back: "M11 3L4 8l7 5z",
  play: "M4 2.5L13 8l-9 5.5z",
  pause: "M5 3v10M11 3v10",
  step: "M5 3l7 5-7 5z",
  end: "M13 3v10M3 3l8 5-8 5z",
} as const;

function Sign({ path }: { readonly path: string }): JSX.Element {
  return (
    <svg viewBox="0 0 16 16" width="16" height="16" aria-hidden="true">
      <path d={path} fill="currentColor" stroke="currentColor" stroke-width="2" stroke-linejoin="round" />
    </svg>
  );
}
