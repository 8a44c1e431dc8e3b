/** The views of the page. A view adds a file that exports a component and a line here; its state is a part of its own. */
import type { ComponentType } from "preact";
import { SeedView } from "../seed/seed-view.js";
import type { ViewId } from "../state/state.js";
import type { DroppedKind } from "./sniff.js";

/** One view. */
export interface ViewEntry {
  readonly id: ViewId;
  /** What its tab is called. */
  readonly title: string;
  /** The component of a view that is in the first file, or how it is loaded when it is first shown. */
  readonly component: { readonly ready: ComponentType } | { readonly load: () => Promise<ComponentType> };
  /** What it opens when it is dropped on the page: it finds that in `dropped`. */
  readonly opens?: DroppedKind;
}

export const VIEWS: readonly ViewEntry[] = [
  { id: "experiment", title: "Experiment", component: { ready: SeedView } },
  {
    id: "scenario",
    title: "Scenario",
    component: { load: async () => (await import("../scenario/scenario-view.js")).ScenarioView },
    opens: "scenario",
  },
];
