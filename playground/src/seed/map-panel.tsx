/** The map of the experiment's memory, with its states in numbers: the legend, and what is read out to those who do not see the picture. */
import { effect, type Signal, useSignal } from "@preact/signals";
import type { JSX } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { hex, PAGE_SIZE } from "../../../ts/base/pages.js";
import { formatCount, formatCounted } from "../../../ts/report/format.js";
import { theme } from "../app/theme.js";
import { complain } from "../app/toasts.js";
import type { CellFacts } from "../map/cell-facts.js";
import { MapView } from "../map/map-view.js";
import type { MapMapping } from "../map/mappings.js";
import { ENTRY_STATES, stateColour } from "../map/palette.js";
import { change, state } from "../state/store.js";
import type { RemoteScene } from "../worker/protocol.js";
import { revision, scene } from "./experiment.js";

/** The process that the experiment is of. */
const PROCESS = "main";

/** The map, what is under the pointer, and the legend. */
export function MapPanel(): JSX.Element {
  const host = useRef<HTMLDivElement>(null);
  const facts = useSignal<CellFacts | null>(null);
  const counts = useSignal<Float64Array | null>(null);
  useEffect(() => {
    if (host.current === null) return undefined;
    const map = showMap(host.current, facts);
    const stops = [followScene(map, counts), followState(map)];
    return () => {
      for (const stop of stops) stop();
      map.destroy();
    };
  }, []);
  return (
    <>
      <div class="map-mount" ref={host} />
      <p class="map-facts">{facts.value === null ? hint() : sayFacts(facts.value)}</p>
      <Legend counts={counts.value} />
    </>
  );
}

/** What can be done with the map. */
function hint(): string {
  return matchMedia("(pointer: coarse)").matches
    ? "pinch to zoom · drag to pan · tap to pin"
    : "zoom: wheel, + - · pan: drag, arrows · pin: click, Enter · all: 0";
}

function Legend({ counts }: { readonly counts: Float64Array | null }): JSX.Element {
  const present = ENTRY_STATES.map(({ name, meaning }, number) => ({
    name,
    meaning,
    number,
    pages: counts?.[number] ?? 0,
  }));
  return (
    <ul class="legend map-legend" aria-label="Pages by state">
      {present
        .filter(({ pages }) => pages > 0)
        .map(({ name, meaning, number, pages }) => (
          <li key={name} title={meaning}>
            <svg width="12" height="12" aria-hidden="true">
              <rect width="12" height="12" fill={stateColour(number, theme())} />
            </svg>
            {name} <b>{formatCount(pages)}</b>
          </li>
        ))}
    </ul>
  );
}

function showMap(host: HTMLElement, facts: Signal<CellFacts | null>): MapView {
  const opened = (): RemoteScene<"seed"> => {
    if (scene.value === null) throw new Error("nothing is open yet");
    return scene.value;
  };
  const show = (found: CellFacts | null): void => {
    facts.value = found;
  };
  const map = new MapView(host, {
    process: PROCESS,
    theme: theme(),
    source: {
      tile: async (...place) => opened().tile(...place),
      entries: async (...range) => opened().entries(...range),
    },
    onHover: show,
    onCursor: show,
    onPin: (pin) => change("map", { pin }),
    onMove: (position) => change("map", { page: position?.page ?? null, zoom: position?.zoom ?? null }),
  });
  map.canvas.setAttribute("role", "application");
  map.canvas.setAttribute("aria-label", "Map of the address space; the list below says what is in it");
  const { page, zoom } = state.map.peek();
  if (page !== null && zoom !== null) map.setPosition({ page, zoom });
  return map;
}

/** Asks for what is shown again whenever entries have changed. */
function followScene(map: MapView, counts: Signal<Float64Array | null>): () => void {
  const stops = [
    effect(() => {
      if (scene.value !== null) ask(scene.value, async (opened) => map.setMappings(await mappingsOf(opened)));
    }),
    effect(() => {
      if (scene.value === null || revision.value === 0) return;
      map.invalidate();
      ask(scene.value, async (opened) => {
        counts.value = await countStates(opened);
      });
    }),
  ];
  return () => {
    for (const stop of stops) stop();
  };
}

/** Asks a scene, which may end before it answers; then another one is open, which is asked as well. */
function ask(opened: RemoteScene<"seed">, question: (opened: RemoteScene<"seed">) => Promise<void>): void {
  question(opened).catch((error: unknown) => {
    if (opened === scene.value) complain(error);
  });
}

async function mappingsOf(opened: RemoteScene<"seed">): Promise<MapMapping[]> {
  const mappings = await opened.mappings(PROCESS);
  return mappings.map(({ start, end }) => ({
    name: "guest RAM",
    firstPage: start / PAGE_SIZE,
    endPage: end / PAGE_SIZE,
  }));
}

async function countStates(opened: RemoteScene<"seed">): Promise<Float64Array> {
  const [{ firstPage, endPage } = { firstPage: 0, endPage: 0 }] = await mappingsOf(opened);
  return opened.states(PROCESS, firstPage, endPage - firstPage);
}

function followState(map: MapView): () => void {
  const stops = [effect(() => map.setTheme(theme())), effect(() => map.setPin(state.map.value.pin))];
  return () => {
    for (const stop of stops) stop();
  };
}

function sayFacts({ page, pages, usual, notable, share, mapping }: CellFacts): string {
  const name = (number: number): string => ENTRY_STATES[number]?.name ?? "";
  const where = hex(page * PAGE_SIZE);
  if (mapping === null) return `${where}: nothing is mapped`;
  if (pages === 1 || notable === usual) return `${where}: ${name(usual)}, ${formatCounted(pages, "page")}`;
  return `${where}: ${name(usual)}, ${(100 * share).toFixed(1)} % ${name(notable)} of ${formatCounted(pages, "page")}`;
}
