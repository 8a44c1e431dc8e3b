import { readFileSync } from "node:fs";
import { beforeAll, describe, expect, it } from "vitest";
import {
  defaultCostProfile,
  entryOf,
  FILM_TRACKERS,
  type FilmOptions,
  MissingCostError,
  PAGE_SIZE,
  type PatternGuest,
  SnapshotFilm,
  TraceStore,
  workloadBlocks,
} from "../../ts/node.js";
import type { Engine } from "../../ts/engine/engine.js";
import { engineFromModule } from "../../ts/engine/load.js";
import { RAM_FIRST_PAGE } from "../../ts/sim/layout.js";
import { COST_PROFILES } from "../../ts/sim/profiles.js";
import { engineUrl } from "../support/engine-url.js";

const MIB = 2 ** 20;

let makeEngine: () => Engine;

beforeAll(() => {
  makeEngine = engineFromModule(readFileSync(engineUrl));
});

function options(changes: Partial<FilmOptions> = {}, guest: Partial<PatternGuest> = {}): FilmOptions {
  return {
    guest: { bytes: 64 * MIB, populatedShare: 0.5, pattern: "uniform", writesPerSecond: 100_000, seed: 7, ...guest },
    tracker: "wp-unpopulated",
    copierBytesPerSecond: 256 * MIB,
    profile: defaultCostProfile(),
    ...changes,
  };
}

function film(changes: Partial<FilmOptions> = {}, guest: Partial<PatternGuest> = {}): SnapshotFilm {
  const made = new SnapshotFilm(options(changes, guest), makeEngine);
  made.advance(Infinity);
  return made;
}

describe("a snapshot in the background", () => {
  it.each(FILM_TRACKERS)("by %s is what the guest's memory was, unless holes are not protected", (tracker) => {
    for (const handler of ["own-thread", "copier"] as const) {
      const { verdict } = film({ tracker, handler }).summary();
      expect(verdict.saved).toBe((64 * MIB) / PAGE_SIZE);
      expect(verdict.inconsistent === 0).toBe(tracker !== "wp");
    }
  });

  it("says of the pages that were lost which, when and why", () => {
    const lossy = film({ tracker: "wp" });
    const { first, inconsistent } = lossy.summary().verdict;
    expect(inconsistent).toBeGreaterThan(1000);
    for (const { page, expected, saved, writtenNs, savedNs, why } of first) {
      expect([expected, saved > 1, writtenNs < savedNs]).toEqual([0, true, true]);
      expect(why).toContain("did not exist");
      expect(lossy.savedBy(page)).toBe("copier");
      expect(lossy.history(page).map(({ cause }) => cause)).toContain("the guest accesses it: exception 0x6");
    }
  });

  it("counts the pages of each part by what has become of them", () => {
    const half = new SnapshotFilm(options({ tracker: "wp" }), makeEngine);
    half.advance(0.12e9);
    const parts = half.countParts(100);
    const sum = (state: number): number => parts.filter((_, i) => i % 4 === state).reduce((a, b) => a + b, 0);
    const { byCopier, byFault } = half.frames.at(-1) ?? { byCopier: NaN, byFault: NaN };
    const { saved, inconsistent } = half.summary().verdict;
    expect(parts).toHaveLength(400);
    expect([0, 1, 2, 3].reduce((total, state) => total + sum(state), 0)).toBe(half.pages);
    expect(sum(0)).toBe(half.pages - saved);
    expect(sum(3)).toBe(inconsistent);
    expect(sum(2)).toBeGreaterThanOrEqual(byFault);
    expect(sum(1) + sum(2) + sum(3)).toBeGreaterThanOrEqual(byCopier + byFault);
  });

  it("stops the guest for as long as the copier takes, where nothing tracks", () => {
    const { pauseNs, faults, stalls } = film({ tracker: "stop" }).summary();
    expect(pauseNs).toBeCloseTo(0.25e9);
    expect(faults).toEqual({ page: 0, marker: 0, zeroPage: 0, plainAllocate: 0, plainCopy: 0 });
    expect(stalls.count).toBe(0);
  });

  it("takes the pause from the counts of the engine and the profile", () => {
    const { arm, pauseNs, prepare } = film({ tracker: "wp-pre-read" }).summary();
    const counts = Object.fromEntries(arm.items.map(({ cost, count }) => [cost, count]));
    expect((counts["protectPage"] ?? 0) + (counts["protectZeroPage"] ?? 0)).toBe((64 * MIB) / PAGE_SIZE);
    expect(pauseNs).toBe(arm.totalNs);
    expect(prepare.items).toMatchObject([{ cost: "preRead", count: (64 * MIB) / PAGE_SIZE }]);
  });
});

describe("faults of a uniform writer", () => {
  // a page that is written at the rate λ and copied at the time t has been written before with the probability 1 - e^(-λt)
  const lambda = 100_000 / ((64 * MIB) / PAGE_SIZE);
  const sweep = 0.25;

  it.each([0.25, 1, 4])("are 1 - (1 - e^(-λT)) / (λT) of the pages in an even sweep, %f times as long", (times) => {
    const lt = lambda * sweep * times;
    const share = 1 - (1 - Math.exp(-lt)) / lt;
    const made = film({ copierBytesPerSecond: (256 * MIB) / times, passesOverSaved: false });
    expectShare(made, share, lt);
    expect(made.nowNs / 1e9).toBeCloseTo(sweep * times);
  });

  it.each([0.25, 1, 4])("are 1 - ln(1 + λT) / (λT) of them where the copier passes over them", (times) => {
    const lt = lambda * sweep * times;
    const made = film({ copierBytesPerSecond: (256 * MIB) / times });
    expectShare(made, 1 - Math.log(1 + lt) / lt, lt);
    expect(made.nowNs / 1e9).toBeCloseTo(Math.log(1 + lt) / lambda, 2);
  });

  function expectShare(made: SnapshotFilm, share: number, lt: number): void {
    const pages = (64 * MIB) / PAGE_SIZE;
    const { page, marker, zeroPage } = made.summary().faults;
    const deviation = Math.sqrt(share * (1 - share) * pages);
    // 64 pages are unprotected together, so on average a page stays protected for the time of 32 pages longer
    const chunk = 32 * lt;
    expect(Math.abs(page + marker + zeroPage - share * pages)).toBeLessThan(4 * deviation + chunk);
  }
});

describe("pages that a zipf writer hits", () => {
  it("are as many as the distribution gives", () => {
    const made = film({ passesOverSaved: false }, { pattern: "zipf", theta: 0.9 });
    const { writes = 0, dirty = 0 } = made.frames.at(-1) ?? {};
    const pages = (64 * MIB) / PAGE_SIZE;
    const weights = Array.from({ length: pages }, (_, i) => (i + 1) ** -0.9);
    const sum = weights.reduce((a, b) => a + b);
    const distinct = weights.reduce((total, weight) => total + 1 - (1 - weight / sum) ** writes, 0);
    expect(Math.abs(dirty - distinct) / distinct).toBeLessThan(0.03);
  });
});

describe("stalls", () => {
  it("are the fault's alone where messages come rarely", () => {
    const { stalls } = film({}, { writesPerSecond: 100, populatedShare: 1 }).summary();
    const { wpSyncFault } = defaultCostProfile().costs;
    expect(stalls.p50Ns).toBeCloseTo((wpSyncFault?.ns ?? 0) + (PAGE_SIZE / (256 * MIB)) * 1e9);
    expect(stalls.log2.reduce((a, b) => a + b, 0)).toBe(stalls.count);
  });

  it("grow with the messages that wait for the same thread", () => {
    const busy = film({}, { writesPerSecond: 200_000, populatedShare: 1 });
    const { stalls } = busy.summary();
    expect(stalls.maxNs).toBeGreaterThan(100 * (defaultCostProfile().costs.wpSyncFault?.ns ?? Infinity));
    expect(Math.max(...busy.frames.map(({ queue }) => queue))).toBeGreaterThan(100);
  });

  it("take the copier's time where it is the handler", () => {
    const guest = { writesPerSecond: 20_000 } as const;
    const own = film({ passesOverSaved: false }, guest);
    const both = film({ passesOverSaved: false, handler: "copier" }, guest);
    expect(own.nowNs).toBeLessThan(both.nowNs);
  });
});

describe("a film", () => {
  it("is the same however it is advanced, and after a restart", () => {
    const whole = film();
    const pieces = new SnapshotFilm(options(), makeEngine);
    const frames = [];
    for (let ns = 0; !pieces.isDone; ns += 1e6) frames.push(...pieces.advance(ns));
    expect(frames).toEqual(whole.frames);
    expect(pieces.summary()).toEqual(whole.summary());
    pieces.restart();
    expect(pieces.nowNs).toBe(0);
    expect(pieces.advance(Infinity)).toEqual(whole.frames);
  });

  it("shows a queue and counts also while the copier is held up", () => {
    const held = film({ handler: "copier" }, { pattern: "sequential", writesPerSecond: 200_000 });
    expect(held.frames.length).toBeGreaterThan(100);
    expect(held.summary().verdict.inconsistent).toBe(0);
  });

  it("tells the history of a page up to where it is", () => {
    const made = new SnapshotFilm(options(), makeEngine);
    expect(made.history(RAM_FIRST_PAGE).every(({ timeNs }) => timeNs === 0)).toBe(true);
    made.advance(Infinity);
    const pages = Array.from({ length: 2000 }, (_, i) => RAM_FIRST_PAGE + 8000 + i);
    const hole = pages.find((page) => made.savedBy(page) === "fault" && made.history(page).length === 2) ?? 0;
    expect(made.history(hole).map(({ what, cause }) => [what, cause])).toEqual([
      ["none → uffd-wp marker", "UFFDIO_WRITEPROTECT of all memory"],
      [
        "uffd-wp marker → page, dirty, writable",
        "the guest accesses it: exception 0x6 and 0x7, message; the handler saves the page and unprotects it",
      ],
    ]);
  });

  it("ends a page's history with the entry that the page has", () => {
    const made = new SnapshotFilm(options({ handler: "copier" }), makeEngine);
    for (const ns of [0, 1e8, Infinity]) {
      made.advance(ns);
      for (const page of [0, 17, 4000, 9000, 16_383].map((index) => RAM_FIRST_PAGE + index)) {
        const { engine, handle } = made.space;
        expect(made.history(page).at(-1)?.after.entry ?? 0n).toBe(entryOf(engine, handle, page).entry);
      }
    }
  });

  it("is made of a trace too", () => {
    const store = new TraceStore();
    for (const block of workloadBlocks({ pattern: "zipf", pages: 4096, accesses: 50_000, writeShare: 0.3, seed: 3 })) {
      store.append(block);
    }
    const guest = { store, accessesPerSecond: 500_000 };
    for (const tracker of FILM_TRACKERS) {
      const made = new SnapshotFilm({ ...options({ tracker }), guest }, makeEngine);
      made.advance(Infinity);
      expect(made.summary().verdict.inconsistent === 0, tracker).toBe(tracker !== "wp");
    }
  });

  it("is not begun with a profile that lacks a figure, or with what makes no sense", () => {
    const [, armingOnly = defaultCostProfile()] = COST_PROFILES;
    expect(() => new SnapshotFilm(options({ profile: armingOnly }), makeEngine)).toThrow(MissingCostError);
    expect(() => new SnapshotFilm(options({ copierBytesPerSecond: 0 }), makeEngine)).toThrow(RangeError);
    expect(() => new SnapshotFilm(options({}, { populatedShare: 2 }), makeEngine)).toThrow(RangeError);
  });

  it("of 1 GiB takes little time", { timeout: 30_000 }, () => {
    const start = performance.now();
    film({ copierBytesPerSecond: 1024 * MIB }, { bytes: 1024 * MIB });
    console.info(`1 GiB, 100,000 writes a second: ${(performance.now() - start).toFixed(0)} ms`);
  });
});
