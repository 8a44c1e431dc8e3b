import { describe, expect, it } from "vitest";
import type { Comparison } from "../../ts/sim/comparison.js";
import { COSTS, type CostName, FIGURES, readCostProfile } from "../../ts/sim/cost-profile.js";
import { type MeasuringHost, predictHugeArmingNs, predictionError } from "../../ts/sim/measurement.js";
import { profileFrom } from "../../ts/verify/measure/calibrate.js";
import { MeasureOutput } from "../../ts/verify/measure/output.js";
import { measuredRows } from "../../ts/verify/measure/seed.js";
import { seedCase } from "../report/fixture.js";

const HOST: MeasuringHost = {
  kernel: "Linux 6.18.0",
  cpu: "a CPU",
  cpus: 2,
  memoryBytes: 2 ** 34,
  hugePages: "madvise",
  at: "2026-05-01T12:34:56.000Z",
};

/** Every cost and figure sampled as 8, 10 and 20 ns. */
function sampled(extra: readonly string[] = []): MeasureOutput {
  const output = new MeasureOutput();
  for (const figure of [...Object.keys(COSTS), ...Object.keys(FIGURES)]) {
    for (const ns of [20, 8, 10]) output.add(JSON.stringify({ figure, ns }));
  }
  for (const line of extra) output.add(line);
  return output;
}

describe("a profile of samples", () => {
  it("has the least of every cost and figure, with the spread, and can be read", () => {
    const profile = profileFrom(sampled(), HOST, "mine");
    expect(Object.keys(profile.costs)).toEqual(Object.keys(COSTS));
    expect(Object.keys(profile.figures ?? {})).toEqual(Object.keys(FIGURES));
    expect(profile.costs.call).toMatchObject({ ns: 8, spread: { samples: 3, medianNs: 10, madNs: 2 } });
    expect(profile.figures?.["pageTable"]?.ns).toBe(10); // a difference of two times
    expect(profile.provenance).toContain("Linux 6.18.0, a CPU, 2 CPUs, 16.0 GiB, THP madvise; 2026-05-01 12:34 UTC");
    expect(readCostProfile(JSON.parse(JSON.stringify(profile)), "x")).toEqual(profile);
  });

  it("leaves out what was not measured, as the other CPU where there is only one", () => {
    const output = new MeasureOutput();
    output.add('{"figure":"call","ns":3}');
    expect(profileFrom(output, HOST, "mine")).toMatchObject({ costs: { call: { ns: 3 } }, figures: {} });
  });

  it("has no time below nothing", () => {
    const output = new MeasureOutput();
    output.add('{"figure":"forkPage","ns":-3}');
    expect(profileFrom(output, HOST, "mine").figures?.["forkPage"]?.ns).toBe(0);
  });
});

describe("measured rows", () => {
  const comparison = seedCase();
  const profile = profileFrom(sampled(), HOST, "mine");
  const rows = (pages: readonly string[], at: Comparison = comparison) => {
    const lines = pages.map((thp) => `{"row":"wp-pre-read","thp":"${thp}","prefaultNs":4e7,"protectNs":1e7}`);
    return measuredRows(sampled(lines), at, profile, profile);
  };

  it("stand beside what the counts and the profile predict", () => {
    const [row, ...others] = rows(["off"]);
    expect(others).toEqual([]);
    expect(row).toMatchObject({ tracker: "wp-pre-read", hugePages: "off", total: { samples: 1, medianNs: 5e7 } });
    expect(row?.prefault?.medianNs).toBe(4e7);
    // two costs a page at 8 ns, and a call or none
    expect(Math.abs((row?.predictedNs ?? 0) - 2 * 8 * 2_621_440)).toBeLessThanOrEqual(8);
    expect(row?.predictedNowNs).toBe(row?.predictedNs);
    expect(row && predictionError(row, 1e8)).toBeCloseTo(1);
  });

  it("with huge pages count entries of 2 MiB", () => {
    expect(rows(["on"])[0]?.predictedNs).toBe(8 + 2 * 8 * 5120);
    expect(predictHugeArmingNs(profile, "wp-unpopulated", 2 ** 21)).toBe(8 + 8 * 512);
    // a GiB and a page: the page is one of 4 KiB
    expect(predictHugeArmingNs(profile, "wp-populate-read", 2 ** 30 + 4096)).toBe(8 + 8 * 512 * 2 + 8 * 2 + 8);
  });

  it("have no prediction where the profile has no figure for it, and are left out where no tracker is", () => {
    const bare = { ...profile, figures: {} };
    expect(predictHugeArmingNs(bare, "wp-pre-read", 2 ** 30)).toBeUndefined();
    expect(predictHugeArmingNs(bare, "wp-unpopulated", 2 ** 30)).toBeGreaterThan(0);
    expect(rows(["off"], { ...comparison, trackers: [] })).toEqual([]);
  });

  it("need only costs that are known by name", () => {
    const known = Object.keys(COSTS) as CostName[];
    for (const { modelled } of comparison.trackers)
      for (const { cost } of modelled.arm.items) expect(known).toContain(cost);
  });
});
