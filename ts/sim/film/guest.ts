import { Random } from "../../base/random.js";
import { PAGE_SIZE } from "../../base/pages.js";
import type { Engine } from "../../engine/engine.js";
import { AddressSpace } from "../../mm/address-space.js";
import { ACCESS_WRITE } from "../../trace/access.js";
import type { TraceStore } from "../../trace/store.js";
import { type Layout, layoutAroundPages, layoutRam } from "../layout.js";
import { type Pattern, workloadBlocks } from "../workloads.js";
import { AccessStream } from "./access-stream.js";

/** A guest whose writes follow a pattern over all of its memory. */
export interface PatternGuest {
  /** Size of its RAM in bytes, rounded down to pages. */
  readonly bytes: number;
  /** Share of the pages that exist when the snapshot is taken, 0 to 1. */
  readonly populatedShare: number;
  readonly pattern: Pattern;
  /** Exponent of zipf, above 0 and below 1; 0.99 by default. */
  readonly theta?: number;
  /** Writes to memory in a second of modelled time; a write is to one page. */
  readonly writesPerSecond: number;
  /** Integer from 0 to 2^32 - 1: the same seed gives the same film. */
  readonly seed: number;
}

/** A guest that does what a trace says: its memory is what the trace touches, and what comes before the snapshot makes pages exist. */
export interface TraceGuest {
  readonly store: TraceStore;
  /** Accesses before the snapshot; half of them by default. */
  readonly snapshotAt?: number;
  /** Reads and writes in a second of modelled time: traces have no clock. */
  readonly accessesPerSecond: number;
}

/** What the guest stores before the snapshot and after it; a page that does not exist holds 0. */
const VALUE_BEFORE = 1;
export const VALUE_AFTER = 2;

/** Pages that exist or do not exist together: 64 KiB. */
const POPULATED_RUN = 16;
const BLOCK_RECORDS = 65536;

/** A guest that is about to be saved: its memory, and the accesses that it makes from then on. */
export interface PreparedGuest {
  readonly space: AddressSpace;
  readonly layout: Layout;
  readonly accesses: AccessStream;
  readonly accessesPerSecond: number;
}

/** Makes a guest's memory as it is at the snapshot. @throws RangeError for options out of range; OutOfMemoryError. */
export function prepareGuest(engine: Engine, guest: PatternGuest | TraceGuest): PreparedGuest {
  return "store" in guest ? prepareTrace(engine, guest) : preparePattern(engine, guest);
}

function preparePattern(engine: Engine, guest: PatternGuest): PreparedGuest {
  const { bytes, populatedShare, pattern, writesPerSecond, seed, theta } = guest;
  if (!(populatedShare >= 0 && populatedShare <= 1)) {
    throw new RangeError(`"populatedShare" expected 0 to 1, got ${populatedShare}`);
  }
  const layout = layoutRam(bytes);
  const pages = Math.floor(bytes / PAGE_SIZE);
  const space = mapped(engine, layout);
  for (const words of populatedBlocks(layout, populatedShare, seed)) space.replay(words, { value: VALUE_BEFORE });
  const workload = { pattern, pages, accesses: Number.MAX_SAFE_INTEGER, writeShare: 1, seed };
  const blocks = workloadBlocks(theta === undefined ? workload : { ...workload, theta });
  return { space, layout, accesses: new AccessStream(blocks), accessesPerSecond: checkRate(writesPerSecond) };
}

function prepareTrace(engine: Engine, guest: TraceGuest): PreparedGuest {
  const { store, accessesPerSecond } = guest;
  const snapshotAt = guest.snapshotAt ?? Math.floor(store.accesses / 2);
  if (!(Number.isInteger(snapshotAt) && snapshotAt >= 0 && snapshotAt <= store.accesses)) {
    throw new RangeError(`"snapshotAt" expected 0 to ${store.accesses} accesses, got ${snapshotAt}`);
  }
  const layout = layoutAroundPages(store.touchedPages({ include: "data" }).pages);
  const space = mapped(engine, layout);
  const accesses = new AccessStream(store.blocks());
  for (let batch = accesses.take(snapshotAt); batch !== null; batch = accesses.take(snapshotAt)) {
    space.replay(batch.words, { value: VALUE_BEFORE, records: "count" });
  }
  accesses.startClock();
  return { space, layout, accesses, accessesPerSecond: checkRate(accessesPerSecond) };
}

function mapped(engine: Engine, layout: Layout): AddressSpace {
  const space = new AddressSpace(engine);
  for (const { firstPage, pageCount, protection } of layout.mappings) {
    space.mmap({ at: firstPage * PAGE_SIZE, length: pageCount * PAGE_SIZE, protection });
  }
  return space;
}

/** Yields access records that write every page which is to exist. */
function* populatedBlocks(layout: Layout, share: number, seed: number): Generator<Uint32Array, void, undefined> {
  const random = new Random(seed ^ 0x5eed);
  const words = new Uint32Array(2 * BLOCK_RECORDS);
  let length = 0;
  for (const { firstPage, pageCount } of layout.mappings) {
    for (let first = 0; first < pageCount; first += POPULATED_RUN) {
      if (random.fraction() >= share) continue;
      for (let i = first; i < Math.min(first + POPULATED_RUN, pageCount); i++) {
        const page = firstPage + i;
        words[2 * length] = page;
        words[2 * length++ + 1] = Math.floor(page / 2 ** 32) | ACCESS_WRITE;
      }
      if (length <= BLOCK_RECORDS - POPULATED_RUN) continue;
      yield words.subarray(0, 2 * length);
      length = 0;
    }
  }
  yield words.subarray(0, 2 * length);
}

function checkRate(perSecond: number): number {
  if (perSecond >= 0 && perSecond <= 1e9) return perSecond;
  throw new RangeError(`expected 0 to 10^9 accesses a second, got ${perSecond}`);
}
