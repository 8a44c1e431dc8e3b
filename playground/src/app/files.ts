/** Files that come to the page: dropped, chosen, or given to the command that serves it. */
import type { Signal } from "@preact/signals";
import { state } from "../state/store.js";
import { dropped } from "./dropped.js";
import { sniff } from "./sniff.js";
import { complain } from "./toasts.js";
import { VIEWS } from "./views.js";

/** Finds out what a file is and shows the view that opens it. */
export async function openFile(blob: Blob, name: string): Promise<void> {
  try {
    const file = await sniff(blob, name);
    const view = VIEWS.find(({ opens }) => opens === file.kind);
    if (view === undefined) throw new Error(`${name}: no view of this page opens a ${file.kind}`);
    dropped.value = file;
    state.view.value = view.id;
  } catch (error) {
    complain(error);
  }
}

/** Opens the file that `pte-engine playground FILE` serves beside the page, if the address names one. */
export async function openServedFile(): Promise<void> {
  const name = new URLSearchParams(location.search).get("file");
  if (name === null) return;
  try {
    const response = await fetch(new URL(`file/${encodeURIComponent(name)}`, document.baseURI));
    if (!response.ok) throw new Error(`${name}: the server does not have it (${response.status})`);
    await openFile(await response.blob(), name);
  } catch (error) {
    complain(error);
  }
}

/** Takes files that are dropped anywhere on the page; `isOver` says whether one hangs above it. */
export function acceptDrops(isOver: Signal<boolean>): void {
  addEventListener("dragover", (event) => {
    if (event.dataTransfer?.types.includes("Files") !== true) return;
    event.preventDefault();
    isOver.value = true;
  });
  addEventListener("dragleave", (event) => {
    if (event.relatedTarget === null) isOver.value = false;
  });
  addEventListener("drop", (event) => {
    isOver.value = false;
    const file = event.dataTransfer?.files[0];
    if (file === undefined) return;
    event.preventDefault();
    void openFile(file, file.name);
  });
}
