import type { AddressSpace } from "../../../ts/mm/address-space.js";
import type { EntryEvent } from "../map/entry-event.js";

/** What a view carries out in the worker, seen from the map and the entry panel: address spaces that change. */
export interface Scene {
  /** The processes by name; the first is the one that a view is about. */
  readonly processes: ReadonlyMap<string, AddressSpace>;
  /** What a mapping is called, where its kind does not say it. */
  readonly mappingName?: (process: string, firstPage: number) => string | undefined;
  /** Events that changed the entry of a page, oldest first. */
  history(process: string, page: number): Promise<EntryEvent[]> | EntryEvent[];
  /** Frees all that the scene holds, and ends what it is doing. */
  dispose(): void;
}
