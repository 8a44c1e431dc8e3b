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
  /** What it shows, for those who see it for the first time. */
  readonly about: string;
  /** The component of a view that is in the first file, or how it is loaded when it is first shown. */
  readonly component: { readonly ready: ComponentType } | { readonly load: () => Promise<ComponentType> };
  /** What it opens when it is dropped on the page: it finds that in `dropped`. */
  readonly opens?: DroppedKind;
}

export const VIEWS: readonly ViewEntry[] = [
  {
    id: "experiment",
    title: "Experiment",
    about:
      "Memory that nobody has touched is armed, which is to say write-protected, in one of four ways. Then a guest writes to pages chosen at random. A write that no message tells of is missed: a snapshot or a migration would lose it. The map shows the page-table entry of every page; a click says why it is what it is.",
    component: { ready: SeedView },
  },
  {
    id: "scenario",
    title: "Scenario",
    about:
      "Memory-management calls one by one, forwards and back. The map is the memory after the step that is shown. A lesson says what it teaches and what there is to look at; its text can be changed, and is carried out anew.",
    component: { load: async () => (await import("../scenario/scenario-view.js")).ScenarioView },
    opens: "scenario",
  },
  {
    id: "snapshot",
    title: "Snapshot",
    about:
      "A copier saves a guest's memory as it was at one moment, while the guest goes on writing. A tracker has a handler save pages before they change; where it misses writes, the snapshot is inconsistent.",
    component: { load: async () => (await import("../film/film-view.js")).FilmView },
    opens: "trace",
  },
  {
    id: "write",
    title: "One write",
    about:
      "What happens when a thread writes to one page, event by event: exceptions, page tables, the message to the handler, its answer, and what the profile says that it costs.",
    component: { load: async () => (await import("../write/write-view.js")).WriteView },
  },
];
