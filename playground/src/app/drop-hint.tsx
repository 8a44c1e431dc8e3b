import { signal, type Signal } from "@preact/signals";
import type { JSX } from "preact";

/** Whether a file hangs above the page. */
export const isFileAbove: Signal<boolean> = signal(false);

/** Says what may be dropped. */
export function DropHint(): JSX.Element | null {
  if (!isFileAbove.value) return null;
  return (
    <div class="drop-hint" aria-hidden="true">
      <p>Drop a trace or a scenario</p>
      <p class="quiet">lackey, perf script, ftrace, ChampSim, .pte-trace · JSON, YAML. Nothing leaves this page.</p>
    </div>
  );
}
