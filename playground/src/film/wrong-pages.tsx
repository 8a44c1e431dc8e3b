import { useSignal } from "@preact/signals";
import type { JSX } from "preact";
import { hex, PAGE_SIZE } from "../../../ts/base/pages.js";
import { formatCounted, formatTime } from "../../../ts/report/format.js";
import { filmTrackerLabel, FILM_TRACKERS, type FilmTracker } from "../../../ts/sim/film/film-options.js";
import type { InconsistentPage, Verdict } from "../../../ts/sim/film/saved-pages.js";
import { change, state } from "../state/store.js";
import { reports } from "./film.js";

const LISTED = 6;

/** The first pages of a snapshot that are not what they were, each of which can be looked at on the map. */
export function WrongPages(): JSX.Element | null {
  const isLong = useSignal(false);
  const found = FILM_TRACKERS.map((tracker) => ({ tracker, verdict: reports.value.get(tracker)?.summary?.verdict }));
  const wrong = found.find(({ verdict }) => verdict !== undefined && verdict.inconsistent > 0);
  if (wrong?.verdict === undefined) return null;
  const { tracker, verdict } = wrong;
  const pages = isLong.value ? verdict.first : verdict.first.slice(0, LISTED);
  return (
    <div class="wrong-pages">
      <h3>
        {filmTrackerLabel(tracker)}: {formatCounted(verdict.inconsistent, "page")} of{" "}
        {formatCounted(verdict.saved, "saved one")} do not hold what they held at the snapshot
      </h3>
      <p>{reasons(verdict)}</p>
      <ol>
        {pages.map((page) => (
          <Wrong key={page.page} tracker={tracker} wrong={page} />
        ))}
      </ol>
      {verdict.first.length > LISTED && (
        <button
          type="button"
          class="button"
          aria-expanded={isLong.value}
          onClick={() => (isLong.value = !isLong.value)}
        >
          {isLong.value ? "Fewer" : `The first ${verdict.first.length}`}
        </button>
      )}
    </div>
  );
}

function Wrong({ tracker, wrong }: { readonly tracker: FilmTracker; readonly wrong: InconsistentPage }): JSX.Element {
  const { page, expected, saved, writtenNs, savedNs } = wrong;
  const isPinned = state.map.value.pin === page;
  return (
    <li>
      <button type="button" class="link" aria-pressed={isPinned} onClick={() => look(tracker, page)}>
        <code>{hex(page * PAGE_SIZE)}</code>
      </button>{" "}
      held {expected}, saved as {saved}: written after {formatTime(writtenNs)}, saved after {formatTime(savedNs)}
    </li>
  );
}

/** log2 of the pages along a CSS pixel: so near that a page can be told from its neighbours. */
const NEAR = -4;

function look(tracker: FilmTracker, page: number): void {
  change("film", { tracker });
  change("map", { pin: page, page, zoom: NEAR });
}

/** Why the listed ones are wrong; usually there is one reason for all. */
function reasons({ first }: Verdict): string {
  const text = [...new Set(first.map(({ why }) => why))].join("; or ");
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;
}
