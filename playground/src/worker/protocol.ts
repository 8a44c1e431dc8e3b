/** What the page and its worker say to each other. A scene adds a line to `SceneTypes` and one to the loaders in worker.ts. */
import type { ProxyMarked, Remote } from "comlink";
import type { WriteControl, WriteParams } from "./write-scene.js";
import type { FilmControl, FilmParams } from "./film-scene.js";
import type { EntryInfo, MappingInfo, StatusInfo } from "./inspect.js";
import type { ScenarioControl } from "./scenario-scene.js";
import type { EntryEvent } from "../map/entry-event.js";
import type { Scene } from "./scene.js";
import type { SeedParams } from "./seed-run.js";
import type { SeedControl } from "./seed-scene.js";

/** For each scene what it is made with, and what its view can have it do. */
export interface SceneTypes {
  readonly seed: { readonly params: SeedParams; readonly control: SeedControl };
  readonly scenario: { readonly params: null; readonly control: ScenarioControl };
  readonly film: { readonly params: FilmParams; readonly control: FilmControl };
  readonly write: { readonly params: WriteParams; readonly control: WriteControl };
}

/** Name of a scene. */
export type SceneKind = keyof SceneTypes;

/** A scene as its file in the worker makes it. */
export interface OpenedScene<K extends SceneKind> {
  readonly scene: Scene;
  readonly control: SceneTypes[K]["control"];
}

/** What a scene's file in the worker exports as `open`. */
export type OpenScene<K extends SceneKind> = (params: SceneTypes[K]["params"]) => Promise<OpenedScene<K>>;

/** What can be asked of an open scene, whatever its kind. Processes are named; pages are page numbers. */
export interface SceneServer<K extends SceneKind> {
  /** What only this kind of scene can do. */
  readonly control: SceneTypes[K]["control"] & ProxyMarked;
  processes(): string[];
  mappings(process: string): MappingInfo[];
  status(process: string): StatusInfo;
  /** A tile of the map, as `Engine.readTile` has it. */
  tile(process: string, zoom: number, column: number, row: number): Uint32Array;
  /** The raw last-level entries of a range. */
  entries(process: string, firstPage: number, pageCount: number): BigUint64Array;
  entry(process: string, page: number): EntryInfo;
  history(process: string, page: number): Promise<EntryEvent[]>;
  dispose(): void;
}

/** What the worker offers. */
export interface WorkerApi {
  /** Opens a scene; the one of its kind that was open before is disposed of. */
  open<K extends SceneKind>(kind: K, params: SceneTypes[K]["params"]): Promise<SceneServer<K>>;
}

/** An open scene, as the page has it: every call is a promise. */
export type RemoteScene<K extends SceneKind> = Remote<SceneServer<K>>;

/** What all scenes can be asked. */
export type AnyScene = Omit<RemoteScene<SceneKind>, "control">;
