import type { JSX } from "preact";
import { trackerOf } from "../../../ts/sim/trackers.js";
import { SEED_MODES, type SeedMode } from "../state/seed.js";
import { change, state } from "../state/store.js";
import { formatSize, nearestStop, SIZES } from "./sizes.js";

/** What each way does, in a line. */
const ABOUT: Readonly<Record<SeedMode, string>> = {
  wp: "protects what exists",
  "wp-pre-read": "reads every page first",
  "wp-populate-read": "MADV_POPULATE_READ first",
  "wp-unpopulated": "markers where nothing is",
};

/** How memory is armed, with which pages, and how much of it. */
export function Controls(): JSX.Element {
  return (
    <div class="controls">
      <Modes />
      <HugePages />
      <Size />
    </div>
  );
}

function Modes(): JSX.Element {
  return (
    <fieldset class="modes">
      <legend>Arm</legend>
      {SEED_MODES.map((mode, index) => (
        <label key={mode} class="mode">
          <input
            type="radio"
            name="mode"
            value={mode}
            checked={state.seed.value.mode === mode}
            onChange={() => change("seed", { mode })}
          />
          <span class="mode-name">{modeName(mode)}</span>
          <span class="mode-about">{ABOUT[mode]}</span>
          <kbd aria-hidden="true">{index + 1}</kbd>
        </label>
      ))}
    </fieldset>
  );
}

function HugePages(): JSX.Element {
  const { thp } = state.seed.value;
  return (
    <label class="switch">
      <input type="checkbox" role="switch" checked={thp} onChange={() => change("seed", { thp: !thp })} />
      <span>Transparent huge pages</span>
    </label>
  );
}

function Size(): JSX.Element {
  const { bytes } = state.seed.value;
  return (
    <label class="size">
      <span>
        Memory <output>{formatSize(bytes)}</output>
      </span>
      <input
        type="range"
        min={0}
        max={SIZES.length - 1}
        value={nearestStop(bytes)}
        aria-valuetext={formatSize(bytes)}
        onInput={(event) => change("seed", { bytes: SIZES[Number(event.currentTarget.value)] ?? bytes })}
      />
      <span class="size-ends" aria-hidden="true">
        <span>64 MiB</span>
        <span>1 TiB</span>
      </span>
    </label>
  );
}

/** Returns what a way is called in the patch. */
export function modeName(mode: SeedMode): string {
  return trackerOf(mode).seedLabel;
}
