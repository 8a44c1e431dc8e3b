import { signal, type Signal } from "@preact/signals";
import type { Dropped } from "./sniff.js";

/** The file that came to the page last; the view that opens it takes it. */
export const dropped: Signal<Dropped | null> = signal(null);
