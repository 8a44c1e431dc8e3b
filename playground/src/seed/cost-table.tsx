import type { JSX } from "preact";
import { formatCount, formatTime } from "../../../ts/report/format.js";
import type { ModelledTime } from "../../../ts/sim/comparison.js";
import { type CostName, COSTS, MissingCostError, modelledTime } from "../../../ts/sim/cost-profile.js";
import { profile } from "../app/profile.js";
import { state } from "../state/store.js";
import { modeName } from "./controls.js";
import { arms } from "./experiment.js";

/** How the modelled time of the chosen way adds up. With huge pages it is arithmetic of the profile's, and not shown. */
export function CostTable(): JSX.Element | null {
  const { mode, thp } = state.seed.value;
  const outcomes = arms.value;
  if (outcomes === null || thp) return null;
  const time = timeOrNull(outcomes[mode].costs);
  if (time === null) return null;
  return (
    <>
      <h3>How {modeName(mode)} adds up</h3>
      <div class="costs" role="list">
        {time.items.map(({ cost, count, nsEach }) => (
          <div key={cost} role="listitem">
            <span class="what">{COSTS[cost as CostName]}</span>
            <span class="sum">{formatTime(count * nsEach)}</span>
            <span class="count">
              {formatCount(count)} × {formatTime(nsEach)}
            </span>
          </div>
        ))}
      </div>
    </>
  );
}

function timeOrNull(costs: Readonly<Partial<Record<CostName, number>>>): ModelledTime | null {
  try {
    return modelledTime(profile.value, costs);
  } catch (error) {
    if (error instanceof MissingCostError) return null;
    throw error;
  }
}
