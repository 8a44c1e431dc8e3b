import type { AddressSpace } from "../../../ts/mm/address-space.js";

/** What a view carries out in the worker, seen from the map and the entry panel: address spaces that change. */
export interface Scene {
  /** The processes by name; the first is the one that a view is about. */
  readonly processes: ReadonlyMap<string, AddressSpace>;
  /** Events that changed the entry of a page, oldest first. */
  history(process: string, page: number): Promise<EntryEvent[]> | EntryEvent[];
  /** Frees all that the scene holds, and ends what it is doing. */
  dispose(): void;
}

/** One change of an entry, or an event that had to do with it. */
export interface EntryEvent {
  /** The moment to go back to, in the scene's own count. */
  readonly moment: number;
  /** What happened, in words. */
  readonly what: string;
  /** The entry as hexadecimal u64, before and after. */
  readonly before: string;
  readonly after: string;
  /** What made it happen, as "exception 0x7". */
  readonly cause?: string;
}
