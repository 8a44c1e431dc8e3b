import type { JSX } from "preact";
import { formatTime } from "../../../ts/report/format.js";
import type { OneWrite } from "../../../ts/sim/one-write.js";
import { spanTime } from "./words.js";
import { stopAt } from "./write.js";

/** The figures of the profile that the write comes to, and which events each of them covers. */
export function CostSpans({ told: { spans, totalNs, profile, minflt } }: { readonly told: OneWrite }): JSX.Element {
  if (spans.length === 0) return <p class="quiet">A write without a fault: the model has no figure for it.</p>;
  return (
    <>
      <ul class="cost-spans">
        {spans.map((span) => (
          <li key={span.cost}>
            <b>{spanTime(span)}</b>
            <span>
              <button type="button" class="link" onClick={() => stopAt(span.last)}>
                events {span.first + 1}–{span.last + 1}
              </button>{" "}
              {span.of}
              {span.note !== null && <small>{span.note}</small>}
            </span>
          </li>
        ))}
        <li class="total">
          <b>{totalNs === null ? "?" : formatTime(totalNs)}</b>
          <span>
            {totalNs === null ? `not all figures are in ${profile.name}` : "together"}; minor faults charged: {minflt}
          </span>
        </li>
      </ul>
      <p class="note">
        Modelled: figures of {profile.name}. A figure is of all events that its bracket spans; what is inside of it was
        not measured piece by piece.
      </p>
    </>
  );
}
