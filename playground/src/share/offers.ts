/** What can be taken away from the page: each view says what it has. */
import { signal, type Signal } from "@preact/signals";
import type { TextFile } from "./download.js";

/** A file that can be made. */
export interface Offer {
  /** What it is, and as which kind of file. */
  readonly label: string;
  readonly kind: string;
  /** Makes it; null where there is nothing yet. */
  readonly make: () => TextFile | null | Promise<TextFile | null>;
  /** What is said when it has been saved. */
  readonly hint?: string;
}

export const offers: Signal<readonly Offer[]> = signal([]);

/** Offers files until the function that it returns is called. */
export function offer(files: readonly Offer[]): () => void {
  offers.value = files;
  return () => {
    if (offers.value === files) offers.value = [];
  };
}

/** What is said of files in Chrome's trace event format. */
export const PERFETTO: Pick<Offer, "kind" | "hint"> = {
  kind: "Perfetto, JSON",
  hint: "Saved. Open it with “Open trace file” at ui.perfetto.dev, or in chrome://tracing; this page sends it nowhere.",
};
