import type { JSX } from "preact";
import { ENTRY_STATES, stateColour, textOn, type Theme } from "./palette.js";

export interface LegendProps {
  readonly theme: Theme;
  /** Pages by STATE_ number; states that no page is in stand back. */
  readonly pages: ArrayLike<number>;
}

/** What the colours of the map mean, and how many pages have each. */
export function Legend({ theme, pages }: LegendProps): JSX.Element {
  return (
    <div class="map-legend">
      <ul aria-label="Colours of entries">
        {ENTRY_STATES.map(({ name, sign, meaning }, state) => {
          const count = pages[state] ?? 0;
          return (
            <li key={name} class={count === 0 ? "is-absent" : ""} title={meaning}>
              <i aria-hidden="true" style={{ background: stateColour(state, theme), color: textOn(state, theme) }}>
                {sign}
              </i>
              <span>{name}</span>
              {count > 0 && <b>{count.toLocaleString("en")}</b>}
            </li>
          );
        })}
      </ul>
      <ul aria-label="Outlines of tables">
        <li title="A table that takes 4 KiB of memory of its own">
          <i aria-hidden="true" class="table-real" />
          <span>real table</span>
        </li>
        <li title="A table all of whose entries are equal; all that are alike share one">
          <i aria-hidden="true" class="table-shared" />
          <span>shared table</span>
        </li>
        <li title="No table is there: mapped, but never touched">
          <i aria-hidden="true" class="table-missing" />
          <span>no table</span>
        </li>
      </ul>
    </div>
  );
}
