/** The worker: engines and scenes live here, the page asks. */
import { expose, proxy, transfer } from "comlink";
import type { AddressSpace } from "../../../ts/mm/address-space.js";
import { engineMaker, newEngine } from "./engines.js";
import { entryOf, type MappingNames, mappingsOf, statusOf } from "./inspect.js";
import type { OpenedScene, OpenScene, SceneKind, SceneServer, WorkerApi } from "./protocol.js";
import type { Scene } from "./scene.js";
import { openSeed } from "./seed-scene.js";

/** How each scene's file is loaded; all but that of the first view when they are needed. */
const LOADERS: { readonly [K in SceneKind]: () => Promise<OpenScene<K>> } = {
  seed: () => Promise.resolve((params) => openSeed(params, newEngine)),
  scenario: async () => {
    const { openScenario } = await import("./scenario-scene.js");
    return () => openScenario(engineMaker);
  },
};

/** The open scenes, one of a kind. */
const open = new Map<SceneKind, Scene>();

const api: WorkerApi = {
  open: async (kind, params) => {
    const load = await LOADERS[kind]();
    const opened = await load(params);
    open.get(kind)?.dispose(); // only now, so that the page has something to show until then
    open.set(kind, opened.scene);
    return proxy(serverOf(opened));
  },
};

expose(api);

function serverOf<K extends SceneKind>({ scene, control }: OpenedScene<K>): SceneServer<K> {
  const space = (process: string): AddressSpace => spaceOf(scene, process);
  const names =
    (process: string): MappingNames =>
    (firstPage) =>
      scene.mappingName?.(process, firstPage);
  return {
    control: proxy(control),
    processes: () => [...scene.processes.keys()],
    mappings: (process) => mappingsOf(space(process), names(process)),
    status: (process) => statusOf(space(process)),
    tile: (process, zoom, column, row) => {
      const { engine, handle } = space(process);
      return moved(engine.readTile(handle, zoom, column, row));
    },
    entries: (process, firstPage, pageCount) => {
      const { engine, handle } = space(process);
      return moved(engine.readEntries(handle, firstPage, pageCount));
    },
    entry: (process, page) => entryOf(space(process), page, names(process)),
    history: async (process, page) => scene.history(process, page),
    dispose: () => scene.dispose(),
  };
}

function spaceOf(scene: Scene, process: string): AddressSpace {
  const space = scene.processes.get(process);
  if (space?.isDisposed === true) throw new Error("the scene has ended");
  if (space !== undefined) return space;
  throw new RangeError(`expected a process among ${[...scene.processes.keys()].join(", ")}, got ${process}`);
}

/** Gives numbers to the page without copying them. */
function moved<T extends ArrayBufferView>(numbers: T): T {
  return transfer(numbers, [numbers.buffer]);
}
