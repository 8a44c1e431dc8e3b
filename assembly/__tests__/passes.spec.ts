import "./support/heap";
import { allocateBlock } from "../arena";
import {
  GUARD_MARKER,
  isNone,
  isPresent,
  isSwap,
  isZeroPage,
  POISON_MARKER,
  SWAP_UFFD_WP,
  swapEntry,
  UFFD_WP_MARKER,
  withoutUffdWp,
  withUffdWp,
  withWrite,
} from "../entry";
import {
  changedEntries,
  changedZeroPages,
  protectAny,
  protectMixed,
  protectPages,
  unprotectMixed,
  unprotectPages,
} from "../passes";
import { WRITTEN, WRITTEN_READ_ONLY, WRITTEN_WP, ZERO, ZERO_WP } from "./support/spaces";

const CLEAN_READ_ONLY: u64 = 0x8000000000000025;
const CLEAN_WRITABLE: u64 = 0x8000000000000027;
const WRITTEN_NONE: u64 = 0x0400000000000120;

/** Flags of pages; a frame is added to each. */
const PAGES: u64[] = [WRITTEN, WRITTEN_WP, WRITTEN_READ_ONLY, CLEAN_READ_ONLY, CLEAN_WRITABLE];
const PAGES_AND_NOTHING: u64[] = PAGES.concat([0, UFFD_WP_MARKER, ZERO, ZERO_WP]);
const ALL: u64[] = PAGES_AND_NOTHING.concat([
  swapEntry(7),
  swapEntry(7) | SWAP_UFFD_WP,
  POISON_MARKER,
  GUARD_MARKER | SWAP_UFFD_WP,
  WRITTEN_NONE,
]);

let table: usize = 0;
const before: u64[] = new Array<u64>(512);
let seed: u32 = 1;

/** A linear congruential generator (Numerical Recipes). */
function random(limit: u32): u32 {
  seed = seed * 1664525 + 1013904223;
  return (seed >> 8) % limit;
}

function put(index: i32, state: u64): void {
  const isPage = isPresent(state) && !isZeroPage(state);
  before[index] = isPage ? state | ((<u64>(index + 77)) << 12) : state;
  store<u64>(table + ((<usize>index) << 3), before[index]);
}

function putRandom(states: u64[]): void {
  for (let i = 0; i < 512; i++) put(i, states[random(states.length)]);
}

/** Expects each entry to be what `after` makes of it, and the two counts; what changes in a swap entry does not count if `skipsSwap`. */
function expectEach(after: (entry: u64) => u64, skipsSwap: bool, what: string): void {
  let changed: u32 = 0;
  let zeroPages: u32 = 0;
  let wrong = -1;
  for (let i = 0; i < 512; i++) {
    const entry = before[i];
    if (load<u64>(table + ((<usize>i) << 3)) != after(entry)) wrong = i;
    if (after(entry) == entry || (skipsSwap && isSwap(entry))) continue;
    changed++;
    zeroPages += u32(isPresent(entry) && isZeroPage(entry));
  }
  expect(wrong).toBe(-1, `${what}: an entry that is wrong`);
  expect(changedEntries).toBe(changed, `${what}: changed entries`);
  expect(changedZeroPages).toBe(zeroPages, `${what}: changed zero pages`);
}

function armed(entry: u64): u64 {
  if (isPresent(entry)) return withUffdWp(entry);
  return isSwap(entry) ? entry | SWAP_UFFD_WP : entry;
}

function armedOrMarked(entry: u64): u64 {
  return isNone(entry) ? UFFD_WP_MARKER : armed(entry);
}

function disarmed(entry: u64): u64 {
  if (entry == UFFD_WP_MARKER) return 0;
  return isPresent(entry) ? withoutUffdWp(entry) : entry;
}

function disarmedWritable(entry: u64): u64 {
  const bare = disarmed(entry);
  return isPresent(bare) && !isZeroPage(bare) ? withWrite(bare) : bare;
}

describe("passes over a whole table", () => {
  beforeAll(() => {
    table = allocateBlock();
  });

  it("change pages that are all alike, whatever they are", () => {
    for (let state = 0; state < PAGES.length; state++) {
      for (let i = 0; i < 512; i++) put(i, PAGES[state]);
      protectPages(table);
      expectEach(armed, false, `protect ${state}`);
      for (let i = 0; i < 512; i++) put(i, PAGES[state]);
      unprotectPages(table);
      expectEach(disarmedWritable, false, `unprotect ${state}`);
    }
  });

  it("notice one page that is unlike the others, wherever it is", () => {
    for (let odd = 0; odd < 512; odd += odd < 130 ? 1 : 13) {
      for (let i = 0; i < 512; i++) put(i, i == odd ? WRITTEN_WP : WRITTEN);
      protectPages(table);
      expectEach(armed, false, `protect, odd ${odd}`);
      for (let i = 0; i < 512; i++) put(i, i == odd ? WRITTEN_READ_ONLY : WRITTEN_WP);
      unprotectPages(table);
      expectEach(disarmedWritable, false, `unprotect, odd ${odd}`);
    }
  });

  it("change pages in any order", () => {
    for (let round = 0; round < 50; round++) {
      putRandom(PAGES);
      protectPages(table);
      expectEach(armed, false, "protect");
      putRandom(PAGES);
      unprotectPages(table);
      expectEach(disarmedWritable, false, "unprotect");
    }
  });

  it("change pages, markers and nothing in any order", () => {
    for (let round = 0; round < 50; round++) {
      putRandom(PAGES_AND_NOTHING);
      protectMixed(table);
      expectEach(armedOrMarked, false, "protect");
      putRandom(PAGES_AND_NOTHING);
      unprotectMixed(table, true);
      expectEach(disarmedWritable, false, "unprotect");
      putRandom(PAGES_AND_NOTHING);
      unprotectMixed(table, false);
      expectEach(disarmed, false, "unprotect read-only");
    }
  });

  it("change entries of all kinds in any order", () => {
    for (let round = 0; round < 50; round++) {
      putRandom(ALL);
      protectAny(table, true);
      expectEach(armedOrMarked, true, "with markers");
      putRandom(ALL);
      protectAny(table, false);
      expectEach(armed, true, "without");
    }
  });

  it("count tables of one kind right", () => {
    const kinds: u64[] = [0, UFFD_WP_MARKER, ZERO, ZERO_WP, WRITTEN, WRITTEN_WP, swapEntry(7)];
    for (let kind = 0; kind < kinds.length; kind++) {
      for (let i = 0; i < 512; i++) put(i, kinds[kind]);
      protectAny(table, true);
      expectEach(armedOrMarked, true, `kind ${kind}`);
    }
  });
});
