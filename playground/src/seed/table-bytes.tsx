import type { JSX } from "preact";
import { formatBytes } from "../../../ts/base/pages.js";
import { SEED_MODES } from "../state/seed.js";
import { state } from "../state/store.js";
import { modeName } from "./controls.js";
import { arms } from "./experiment.js";

/** Memory that page tables take once all is armed, in true proportion. */
export function TableBytes(): JSX.Element | null {
  const outcomes = arms.value;
  if (outcomes === null) return null;
  const most = Math.max(1, ...SEED_MODES.map((mode) => outcomes[mode].tableBytes));
  return (
    <>
      <h3>Page tables once armed</h3>
      <dl class="tables-chart">
        {SEED_MODES.map((mode) => (
          <div key={mode} class={state.seed.value.mode === mode ? "chosen" : undefined}>
            <dt>{modeName(mode)}</dt>
            <svg width="100%" height="10" aria-hidden="true">
              <rect class="track" width="100%" height="10" />
              <rect class="bar" width={`${(100 * outcomes[mode].tableBytes) / most}%`} height="10" />
            </svg>
            <dd>{formatBytes(outcomes[mode].tableBytes)}</dd>
          </div>
        ))}
      </dl>
    </>
  );
}
