/** The map of a scene and the panel that explains its pinned entry: what every view has that carries something out. */
import { type ReadonlySignal, type Signal, useSignal, useSignalEffect } from "@preact/signals";
import type { JSX } from "preact";
import { useMemo } from "preact/hooks";
import { AddressMap } from "../map/address-map.js";
import type { EntryEvent } from "../map/entry-event.js";
import { EntryPanel, type ExplainedEntry } from "../map/entry-panel.js";
import { pageAt, type TableLevel, tableRect } from "../map/geometry.js";
import type { MapPosition } from "../map/map-view.js";
import type { TileSource } from "../map/tile-cache.js";
import { change, state } from "../state/store.js";
import type { MappingInfo } from "../worker/inspect.js";
import type { AnyScene } from "../worker/protocol.js";
import { oneAtATime } from "./one-at-a-time.js";
import { theme } from "./theme.js";
import { complain } from "./toasts.js";

/** What the map is of. */
export interface SceneMapProps {
  /** The scene; null while none is open. Another one may take its place. */
  readonly scene: ReadonlySignal<AnyScene | null>;
  /** Grows whenever entries may have changed. */
  readonly revision: ReadonlySignal<number>;
  /** The moment that is shown, if it is not the last; what a click on an event of an entry's history does. */
  readonly moment: number | null;
  readonly onGoTo: (moment: number) => void;
}

/** The map; where and what is pinned is in the page's state. */
export function SceneMap(props: SceneMapProps): JSX.Element {
  const mappings = useSignal<readonly MappingInfo[]>([]);
  const entry = useSignal<ExplainedEntry | null>(null);
  useLatest(props, async (scene) => (mappings.value = await scene.mappings(state.map.peek().process)));
  useLatest(props, (scene) => explain(scene, entry));
  const source = useMemo(() => sourceOf(props.scene), [props.scene]);
  const { process, pin } = state.map.value;
  return (
    <div class={entry.value === null ? "scene-map" : "scene-map explains"}>
      <AddressMap
        source={source}
        process={process}
        mappings={mappings.value}
        generation={props.revision.value}
        theme={theme()}
        position={useMemo(position, [state.map.value.page, state.map.value.zoom])}
        pin={pin}
        onPosition={(moved) => change("map", { page: moved?.page ?? null, zoom: moved?.zoom ?? null })}
        onPin={(page) => change("map", { pin: page })}
      />
      {entry.value !== null && (
        <EntryPanel
          entry={entry.value}
          theme={theme()}
          moment={props.moment}
          onGoTo={props.onGoTo}
          onShow={showOnMap}
          onClose={() => change("map", { pin: null })}
        />
      )}
    </div>
  );
}

/** So near that the bits of an entry can be read. */
const NEAR_ZOOM = -7;
/** Pixels that a table is wide when it is gone to. */
const TABLE_WIDTH = 400;

function showOnMap(target: TableLevel | "page", page: number): void {
  if (target === "page") {
    change("map", { page, zoom: NEAR_ZOOM });
    return;
  }
  const { x, y, width, height } = tableRect(target, page);
  change("map", { page: pageAt(x + width / 2, y + height / 2), zoom: Math.log2(width / TABLE_WIDTH) });
}

function position(): MapPosition | null {
  const { page, zoom } = state.map.peek();
  return page === null ? null : { page, zoom };
}

/** Asks again after every change, one question at a time. A scene may end before it answers; then another one is open, and is asked. */
function useLatest({ scene, revision }: SceneMapProps, question: (scene: AnyScene) => Promise<unknown>): void {
  const ask = useMemo(() => {
    const once = async (): Promise<void> => {
      const opened = scene.peek();
      if (opened === null) return;
      await question(opened).catch((error: unknown) => {
        if (opened === scene.peek()) complain(error);
      });
    };
    return oneAtATime(once);
  }, []);
  useSignalEffect(() => {
    if (scene.value !== null && revision.value >= 0 && state.map.value.process !== "") ask();
  });
}

/** First what the entry is, which is known at once, then why, for which things may have to be carried out again. */
async function explain(scene: AnyScene, entry: Signal<ExplainedEntry | null>): Promise<void> {
  const { process, pin } = state.map.peek();
  if (pin === null) {
    entry.value = null;
    return;
  }
  const found = await scene.entry(process, pin);
  const known = entry.peek();
  const old: readonly EntryEvent[] | null = known?.page === pin ? known.history : null;
  entry.value = { ...found, history: old };
  entry.value = { ...found, history: await scene.history(process, pin) };
}

function sourceOf(scene: ReadonlySignal<AnyScene | null>): TileSource {
  const opened = (): AnyScene => {
    const found = scene.peek();
    if (found === null) throw new Error("nothing is open yet");
    return found;
  };
  return {
    tile: async (...place) => opened().tile(...place),
    entries: async (...range) => opened().entries(...range),
  };
}
