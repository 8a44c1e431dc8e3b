import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import {
  csv,
  defaultCostProfile,
  engineFromModule,
  FILM_TRACKERS,
  type FilmTracker,
  SnapshotFilm,
  type TraceEventFile,
  traceEvents,
} from "../../ts/node.js";
import { engineUrl } from "../support/engine-url.js";
import { traceProblems } from "../support/trace-events.js";

function record(
  tracker: FilmTracker,
  handler: "own-thread" | "copier",
  limit = Infinity,
): [SnapshotFilm, TraceEventFile] {
  const film = new SnapshotFilm(
    {
      guest: { bytes: 2 ** 23, populatedShare: 0.5, pattern: "uniform", writesPerSecond: 200_000, seed: 3 },
      tracker,
      handler,
      copierBytesPerSecond: 2 ** 28,
      profile: defaultCostProfile(),
    },
    engineFromModule(readFileSync(engineUrl)),
  );
  film.advance(Infinity);
  const { frames } = film;
  return [film, traceEvents({ frames, summary: film.summary(), course: film.course(limit) })];
}

describe("a film in the trace event format", () => {
  it.each(FILM_TRACKERS)("keeps the rules of the format: %s", (tracker) => {
    for (const handler of ["own-thread", "copier"] as const) {
      expect(traceProblems(record(tracker, handler)[1])).toEqual([]);
    }
  });

  it("has every fault, every chunk and every frame, as long as they took", () => {
    const [film, { traceEvents: events }] = record("wp-unpopulated", "own-thread");
    const { faults, stalls, arm, durationNs } = film.summary();
    const answered = faults.page + faults.marker + faults.zeroPage;
    expect(events.filter(({ ph }) => ph === "b")).toHaveLength(answered);
    expect(events.filter(({ name }) => name === "copy")).toHaveLength(2 ** 23 / 4096 / 64);
    expect(events.filter(({ name }) => name === "dirty pages")).toHaveLength(film.frames.length);
    const begins = new Map(events.filter(({ ph }) => ph === "b").map(({ id, ts }) => [id, ts]));
    const waits = events.filter(({ ph }) => ph === "e").map(({ id, ts }) => ts - (begins.get(id) ?? NaN));
    expect(Math.max(...waits) * 1e3).toBeCloseTo(stalls.maxNs, 1);
    const protect = events.find(({ name }) => name === "UFFDIO_WRITEPROTECT");
    expect((protect?.dur ?? NaN) * 1e3).toBeCloseTo(arm.totalNs);
    const last = events.findLast(({ name }) => name === "copy");
    expect(((last?.ts ?? NaN) + (last?.dur ?? NaN)) * 1e3).toBeCloseTo(arm.totalNs + durationNs, 1);
  });

  it("says how many faults it leaves out", () => {
    const [, { otherData, traceEvents: events }] = record("wp-unpopulated", "own-thread", 10);
    expect(events.filter(({ ph }) => ph === "b")).toHaveLength(10);
    expect(otherData["faults"]).toMatch(/^10 answered faults; [1-9][\d,]* later ones are left out$/);
  });
});

describe("CSV", () => {
  it("quotes what needs it, leaves unknown cells empty and makes no formulas", () => {
    expect(
      csv(
        ["a", "b, c"],
        [
          ['say "x"', 1.5],
          [null, "=1+1"],
        ],
      ),
    ).toBe('a,"b, c"\r\n"say ""x""",1.5\r\n,\'=1+1\r\n');
  });
});
