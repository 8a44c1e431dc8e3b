import { signal, type Signal } from "@preact/signals";
import type { JSX } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { state } from "../state/store.js";
import { boundKeys, keyNames } from "./keys.js";
import { VIEWS } from "./views.js";

/** Whether the help is shown. */
export const isHelpOpen: Signal<boolean> = signal(false);

/** Keys of the map, and those that the browser's own controls have. */
const CONTROL_KEYS: readonly (readonly [keys: string, what: string])[] = [
  ["← → ↑ ↓", "on the map: move, with Shift far"],
  ["+ − 0", "on the map: zoom, show all"],
  ["Enter, Esc", "on the map: pin the page in the middle, unpin"],
  ["Tab, Shift Tab", "next and previous control"],
  ["← ↑, → ↓", "choose in a group, move a slider"],
  ["Space", "press, switch"],
  ["Esc", "close this help"],
];

const LIMITS: readonly string[] = [
  "Entries, faults, messages, errnos and page-table bytes are those of Linux 6.18 on x86-64 with four levels of tables.",
  "Times are modelled, never measured: counts times the figures of the cost profile that is named beside them. Nothing is simulated about caches, TLBs, locks or waiting processors.",
  "The content of a page is one number. What a tracker missed is computed from it, by comparing all pages.",
  "PFNs are the model's own.",
  "Where a cell of the map is of many pages, one that differs from the others gives it its colour, so that it is not overlooked. The numbers beside the colours count pages.",
  "Missing: migration entries, KSM, NUMA hints, long-term pins, mlock, soft-dirty, memory pressure; huge pages of other sizes than 2 MiB.",
  "Everything runs in this page. It asks no server for anything, and nothing leaves it.",
];

/** What the view shows, keys, and what the model can and cannot say. */
export function HelpDialog(): JSX.Element {
  const dialog = useRef<HTMLDialogElement>(null);
  const isOpen = isHelpOpen.value;
  const view = VIEWS.find(({ id }) => id === state.view.value);
  useEffect(() => {
    if (isOpen) dialog.current?.showModal();
    else dialog.current?.close();
  }, [isOpen]);
  return (
    <dialog ref={dialog} class="help" aria-labelledby="help-title" onClose={() => (isHelpOpen.value = false)}>
      <div class="help-head">
        <h2 id="help-title">{view?.title}</h2>
        <button type="button" class="button icon" aria-label="Close" onClick={() => (isHelpOpen.value = false)}>
          ×
        </button>
      </div>
      <p>{view?.about}</p>
      <h3>Keys</h3>
      <KeyList />
      <h3>What is exact, what is modelled</h3>
      <ul>
        {LIMITS.map((limit) => (
          <li key={limit}>{limit}</li>
        ))}
      </ul>
    </dialog>
  );
}

function KeyList(): JSX.Element {
  const rows = [...boundKeys().map((binding) => [keyNames(binding), binding.what] as const), ...CONTROL_KEYS];
  return (
    <dl class="keys">
      {rows.map(([keys, what]) => (
        <div key={keys}>
          <dt>
            <kbd>{keys}</kbd>
          </dt>
          <dd>{what}</dd>
        </div>
      ))}
    </dl>
  );
}
