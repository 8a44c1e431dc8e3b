import type { JSX } from "preact";
import { useEffect, useId, useMemo, useRef, useState } from "preact/hooks";
import { STATE_COUNT } from "../../../assembly/abi.js";
import { Breadcrumb } from "./breadcrumb.js";
import type { CellFacts } from "./cell-facts.js";
import { Legend } from "./legend.js";
import { cellText, type CountedMapping, summaryText } from "./map-facts.js";
import { type MapPosition, MapView } from "./map-view.js";
import type { Theme } from "./palette.js";
import type { TileSource } from "./tile-cache.js";

export interface AddressMapProps {
  readonly source: TileSource;
  readonly process: string;
  /** In ascending order, with their pages counted at the same moment. */
  readonly mappings: readonly CountedMapping[];
  /** Another number says that entries have changed. */
  readonly generation: number;
  readonly theme: Theme;
  /** What is shown; null: the mappings. The map goes there unless it is what `onPosition` was told, as it was told. */
  readonly position: MapPosition | null;
  readonly pin: number | null;
  readonly onPosition: (position: MapPosition | null) => void;
  readonly onPin: (page: number | null) => void;
}

/** Milliseconds that the cursor of the keyboard rests before what it is on is read out. */
const REST = 350;

/** The map with all that belongs to it: the way to the page, buttons, colours, and the same in words. */
export function AddressMap(props: AddressMapProps): JSX.Element {
  const { mappings, theme, pin } = props;
  const host = useRef<HTMLDivElement>(null);
  const summary = useId();
  const [hovered, setHovered] = useState<CellFacts | null>(null);
  const [cursor, setCursor] = useState<CellFacts | null>(null);
  const view = useMapView(host, props, summary, setHovered, setCursor);
  const pages = useMemo(() => totalPages(mappings), [mappings]);
  const spoken = useRested(cursor);
  const facts = hovered ?? cursor;
  return (
    <section class="map" aria-label={`Address space of ${props.process}`}>
      <div class="map-bar">
        <Breadcrumb page={facts?.page ?? pin} onShow={(target, page) => show(view.current, target, page)} />
        <MapButtons view={view} />
      </div>
      <div class="map-host" ref={host} />
      <p class="map-facts">{facts === null ? hint(mappings) : cellText(facts)}</p>
      <Legend theme={theme} pages={pages} />
      <p class="sr-only" id={summary}>
        {summaryText(mappings)}
      </p>
      <p class="sr-only" role="status">
        {spoken === null ? "" : cellText(spoken)}
      </p>
    </section>
  );
}

/** How to move about; fingers have no wheel, and those who have nothing but fingers have no keys. */
function hint(mappings: readonly CountedMapping[]): string {
  if (mappings.length === 0) return summaryText(mappings);
  return matchMedia("(hover: none)").matches
    ? "Drag or pinch; a tap pins a page."
    : "Drag, wheel or pinch; a click pins a page. Keys: arrows, + and −, 0, Enter.";
}

type ViewRef = { readonly current: MapView | null };

function MapButtons({ view }: { readonly view: ViewRef }): JSX.Element {
  return (
    <div class="map-buttons" role="group" aria-label="Zoom">
      <button type="button" aria-label="Zoom in" title="Zoom in (+)" onClick={() => view.current?.zoomBy(2)}>
        +
      </button>
      <button type="button" aria-label="Zoom out" title="Zoom out (−)" onClick={() => view.current?.zoomBy(0.5)}>
        −
      </button>
      <button type="button" title="Show the mappings; again: all of them (0)" onClick={() => view.current?.fit()}>
        Fit
      </button>
    </div>
  );
}

/** Keeps a MapView in `host` that shows what the properties say. */
function useMapView(
  host: { readonly current: HTMLDivElement | null },
  props: AddressMapProps,
  summary: string,
  onHover: (facts: CellFacts | null) => void,
  onCursor: (facts: CellFacts | null) => void,
): { current: MapView | null } {
  const { source, process, theme, mappings, generation, position, pin } = props;
  const view = useRef<MapView | null>(null);
  const told = useRef<(MapPosition | null)[]>([position]);
  const calls = useRef(props);
  calls.current = props;
  useEffect(() => {
    if (host.current === null) return undefined;
    const onMove = (moved: MapPosition | null): void => {
      told.current = [...told.current.slice(-MOST_TOLD), moved];
      calls.current.onPosition(moved);
    };
    const onPin = (page: number | null): void => calls.current.onPin(page);
    const made = new MapView(host.current, { source, process, theme, onHover, onCursor, onMove, onPin });
    describe(made.canvas, process, summary);
    if (position !== null) made.setPosition(position);
    view.current = made;
    return () => made.destroy();
  }, [source]);
  useEffect(() => view.current?.setProcess(process), [source, process]);
  useEffect(() => view.current?.setTheme(theme), [source, theme]);
  useEffect(() => view.current?.setMappings(mappings), [source, mappings]);
  useEffect(() => view.current?.invalidate(), [source, generation]);
  useEffect(() => view.current?.setPin(pin), [source, pin]);
  useEffect(() => {
    // moves come back late, when the map has moved on: only what it has not told is somebody else's wish
    const index = told.current.findIndex((one) => isSame(one, position));
    told.current = index < 0 ? [position] : told.current.slice(index);
    if (index < 0) view.current?.setPosition(position);
  }, [source, position]);
  return view;
}

/** Moves that may be under way to those who are told of them. */
const MOST_TOLD = 200;

function isSame(a: MapPosition | null, b: MapPosition | null): boolean {
  return a?.page === b?.page && a?.zoom === b?.zoom;
}

/** Those who do not see the canvas hear what it is, and what is in it. */
function describe(canvas: HTMLCanvasElement, process: string, summary: string): void {
  canvas.setAttribute("role", "application");
  canvas.setAttribute("aria-roledescription", "map");
  canvas.setAttribute(
    "aria-label",
    `Map of the address space of ${process}. Arrow keys move, plus and minus zoom, Enter pins.`,
  );
  canvas.setAttribute("aria-describedby", summary);
}

function show(view: MapView | null, target: "all" | "pud" | "pmd" | "pte" | "page", page: number): void {
  if (target === "all") view?.fit();
  else if (target === "page") view?.showPage(page);
  else view?.showTable(target, page);
}

function totalPages(mappings: readonly CountedMapping[]): number[] {
  return Array.from({ length: STATE_COUNT }, (_, state) =>
    mappings.reduce((sum, { pages }) => sum + (pages[state] ?? 0), 0),
  );
}

/** Returns a value once it has rested for a while. */
function useRested<Value>(value: Value): Value {
  const [rested, setRested] = useState(value);
  useEffect(() => {
    const timer = setTimeout(() => setRested(() => value), REST);
    return () => clearTimeout(timer);
  }, [value]);
  return rested;
}
