/** Has the worker make the films whenever what they are made with changes, and holds what comes of it and what is shown. */
import { batch, computed, effect, type ReadonlySignal, signal, type Signal, untracked } from "@preact/signals";
import { proxy } from "comlink";
import type { FilmTracker } from "../../../ts/sim/film/film-options.js";
import { dropped } from "../app/dropped.js";
import { profile } from "../app/profile.js";
import type { Dropped } from "../app/sniff.js";
import { change, state } from "../state/store.js";
import type { FilmMoment, FilmParams, FilmReport } from "../worker/film-scene.js";
import { openScene } from "../worker/client.js";
import type { RemoteScene } from "../worker/protocol.js";
import type { TraceFile } from "../worker/trace-file.js";

/** The scene that is open; null until the first one is. */
export const scene: Signal<RemoteScene<"film"> | null> = signal(null);
/** How far the films are, or what they came to. */
export const reports: Signal<ReadonlyMap<FilmTracker, FilmReport>> = signal(new Map());
/** What the map and the strip show. */
export const moment: Signal<FilmMoment | null> = signal(null);
/** Grows whenever entries have changed. */
export const revision: Signal<number> = signal(0);
/** Why there are no films. */
export const failure: Signal<string | null> = signal(null);
/** The trace that was dropped. */
export const trace: Signal<TraceFile | null> = signal(null);
/** Where the film that is shown stands: nanoseconds since the snapshot, or its end. */
export const position: Signal<number | "end"> = signal("end");

/** The report on the tracker that is shown. */
export const shownReport: ReadonlySignal<FilmReport | undefined> = computed(() =>
  reports.value.get(state.film.value.tracker),
);
/** As far as the film that is shown is known. */
export const knownNs: ReadonlySignal<number> = computed(() => {
  const report = shownReport.value;
  return report?.summary?.durationNs ?? report?.frames.at(-1)?.timeNs ?? 0;
});
/** The moment that is shown. The end is only shown when it is known, so that the worker does not go after it twice. */
export const clockNs: ReadonlySignal<number> = computed(() =>
  position.value === "end" ? (shownReport.value?.summary?.durationNs ?? 0) : Math.min(position.value, knownNs.value),
);
/** Whether the link names a trace that is not here. */
export const isTraceMissing: ReadonlySignal<boolean> = computed(() => {
  const name = state.film.value.trace;
  return name !== null && trace.value?.name !== name;
});

/** A slider that is being moved starts nothing. */
const SETTLE_MS = 120;

let current = 0;
let taken: Dropped | null = null;
let isAsking = false;

/** Makes films now and after every change, and shows what the clock says, until the function that it returns is called. */
export function followFilm(onStart: () => void): () => void {
  const stops = [effect(takeTrace), followParams(onStart), effect(showMoment)];
  return () => {
    current++;
    for (const stop of stops) stop();
  };
}

/** A trace that has come is what the films are of, until somebody chooses a pattern again. */
function takeTrace(): void {
  const file = dropped.value;
  if (file?.kind !== "trace" || file === taken) return;
  taken = file;
  untracked(() =>
    batch(() => {
      trace.value = { id: (trace.value?.id ?? 0) + 1, name: file.name, blob: file.blob };
      change("film", { trace: file.name, at: null });
    }),
  );
}

/** Which tracker is shown, and when, makes no other films. */
function followParams(onStart: () => void): () => void {
  const key = computed(() => JSON.stringify([paramsOf("stop"), trace.value?.id]));
  let timer: ReturnType<typeof setTimeout> | undefined;
  let isFirst = true;
  const stop = key.subscribe(() => {
    clearTimeout(timer);
    if (isFirst) untracked(() => void make(onStart));
    else {
      timer = setTimeout(() => {
        change("film", { at: null });
        void make(onStart);
      }, SETTLE_MS);
    }
    isFirst = false;
  });
  return () => {
    clearTimeout(timer);
    stop();
  };
}

function paramsOf(tracker: FilmTracker): FilmParams {
  const { pattern, bytes, populated, rate, seed, bandwidth, handler } = state.film.value;
  const file = state.film.value.trace !== null && !isTraceMissing.value ? trace.value : null;
  return {
    guest:
      file === null
        ? { bytes, populatedShare: populated, pattern, writesPerSecond: rate, seed }
        : { trace: file, accessesPerSecond: rate },
    copierBytesPerSecond: bandwidth,
    handler,
    profile: profile.value,
    tracker,
  };
}

async function make(onStart: () => void): Promise<void> {
  const run = ++current;
  failure.value = null;
  try {
    const opened = await openScene("film", paramsOf(state.film.value.tracker));
    if (run !== current) return;
    batch(() => {
      scene.value = opened;
      reports.value = new Map();
      moment.value = null;
      revision.value++;
    });
    onStart();
    const report = proxy((news: FilmReport) => {
      if (run === current) reports.value = new Map([...reports.value, [news.tracker, news]]);
    });
    await opened.control.run(report);
  } catch (error) {
    if (run !== current) return;
    reports.value = new Map();
    failure.value = error instanceof Error ? error.message : String(error);
  }
}

/** Asks the worker for the moment that is to be seen, one question at a time; the last one is answered in the end. */
function showMoment(): void {
  const [opened, tracker, ns] = [scene.value, state.film.value.tracker, clockNs.value];
  if (opened !== null && !isAsking) void untracked(() => ask(opened, tracker, ns));
}

async function ask(opened: RemoteScene<"film">, tracker: FilmTracker, ns: number): Promise<void> {
  isAsking = true;
  const isSame = (): boolean => scene.value === opened && state.film.value.tracker === tracker && clockNs.value === ns;
  try {
    const found = await opened.control.show(tracker, ns);
    if (found !== null && scene.value === opened) {
      batch(() => {
        moment.value = found;
        revision.value++;
      });
    }
  } catch (error) {
    if (scene.value === opened) failure.value = error instanceof Error ? error.message : String(error);
  } finally {
    isAsking = false;
    if (!isSame() && failure.value === null) showMoment();
  }
}
