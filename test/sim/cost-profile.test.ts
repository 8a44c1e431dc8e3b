import { describe, expect, it } from "vitest";
import {
  COSTS,
  type CostName,
  type CostProfile,
  MissingCostError,
  modelledTime,
  readCostProfile,
} from "../../ts/sim/cost-profile.js";
import { COST_PROFILES, defaultCostProfile } from "../../ts/sim/profiles.js";

const PROFILE: CostProfile = {
  profile: 1,
  name: "toy",
  provenance: "made up",
  costs: { call: { ns: 100, source: "a" }, protectNone: { ns: 2.5, source: "b" } },
};

describe("a modelled time", () => {
  it("is the sum of counts times costs, and says what of", () => {
    expect(modelledTime(PROFILE, { protectNone: 10, call: 3 })).toEqual({
      totalNs: 325,
      items: [
        { cost: "call", count: 3, nsEach: 100 },
        { cost: "protectNone", count: 10, nsEach: 2.5 },
      ],
    });
  });

  it("of nothing is nothing, and needs no cost", () => {
    expect(modelledTime(PROFILE, { wpSyncFault: 0 })).toEqual({ totalNs: 0, items: [] });
  });

  it("cannot be told when a cost is missing", () => {
    expect(() => modelledTime(PROFILE, { wpSyncFault: 1 })).toThrow(MissingCostError);
    expect(() => modelledTime(PROFILE, { wpSyncFault: 1 })).toThrow(/"toy" has no "wpSyncFault"/);
  });
});

describe("reading a cost profile", () => {
  it("gives back what was written", () => {
    expect(readCostProfile(JSON.parse(JSON.stringify(PROFILE)), "toy.json")).toEqual(PROFILE);
  });

  it("gives back spread and figures, also of a name that it does not know", () => {
    const spread = { samples: 3, minNs: 1, q1Ns: 1, medianNs: 2, q3Ns: 3, maxNs: 3, madNs: 1 };
    const profile: CostProfile = { ...PROFILE, figures: { hugeFork: { ns: 1, source: "c", spread } } };
    expect(readCostProfile(JSON.parse(JSON.stringify(profile)), "toy.json")).toEqual(profile);
  });

  const with_ = (changes: object): unknown => ({ ...PROFILE, ...changes });
  it.each([
    { name: "no object", value: 3, message: "toy.json: expected an object, found 3" },
    { name: "a list", value: [], message: "toy.json: expected an object, found []" },
    { name: "null", value: null, message: "toy.json: expected an object, found null" },
    { name: "another version", value: with_({ profile: 2 }), message: "toy.json.profile: expected 1, found 2" },
    {
      name: "no version",
      value: with_({ profile: undefined }),
      message: "toy.json.profile: expected 1, found nothing",
    },
    {
      name: "no costs",
      value: with_({ costs: undefined }),
      message: "toy.json.costs: expected an object, found nothing",
    },
    {
      name: "an unknown cost",
      value: with_({ costs: { fork: { ns: 1, source: "" } } }),
      message: "toy.json.costs.fork: expected one of call,",
    },
    {
      name: "a cost of an unknown name that objects have",
      value: with_({ costs: { toString: { ns: 1, source: "" } } }),
      message: "toy.json.costs.toString: expected one of call,",
    },
    {
      name: "a cost that is a number",
      value: with_({ costs: { call: 5 } }),
      message: "toy.json.costs.call: expected an object, found 5",
    },
    {
      name: "a negative cost",
      value: with_({ costs: { call: { ns: -1, source: "" } } }),
      message: "toy.json.costs.call.ns: expected nanoseconds, found -1",
    },
    {
      name: "a cost in text",
      value: with_({ costs: { call: { ns: "1", source: "" } } }),
      message: 'toy.json.costs.call.ns: expected nanoseconds, found "1"',
    },
    {
      name: "no source",
      value: with_({ costs: { call: { ns: 1 } } }),
      message: "toy.json.costs.call.source: expected a string, found nothing",
    },
    { name: "no name", value: with_({ name: undefined }), message: "toy.json.name: expected a string, found nothing" },
    {
      name: "no provenance",
      value: with_({ provenance: 1 }),
      message: "toy.json.provenance: expected a string, found 1",
    },
    {
      name: "a spread without a quartile",
      value: with_({ costs: { call: { ns: 1, source: "", spread: { samples: 3, minNs: 1 } } } }),
      message: "toy.json.costs.call.spread.q1Ns: expected nanoseconds, found nothing",
    },
    {
      name: "a spread of no count",
      value: with_({ costs: { call: { ns: 1, source: "", spread: {} } } }),
      message: "toy.json.costs.call.spread.samples: expected a count, found nothing",
    },
    {
      name: "a figure that is none",
      value: with_({ figures: { fork: { source: "" } } }),
      message: "toy.json.figures.fork.ns: expected nanoseconds, found nothing",
    },
  ])("refuses $name and says where", ({ value, message }) => {
    expect(() => readCostProfile(value, "toy.json")).toThrow(RangeError);
    expect(() => readCostProfile(value, "toy.json")).toThrow(message);
  });
});

describe("the profiles of the package", () => {
  it.each(COST_PROFILES)("$name can be read back and has a source for every figure", (profile) => {
    expect(readCostProfile(JSON.parse(JSON.stringify(profile)), "x")).toEqual(profile);
    expect(Object.values(profile.costs).every((cost) => cost.source.length > 10)).toBe(true);
  });

  it("the default is complete", () => {
    expect(Object.keys(defaultCostProfile().costs).sort()).toEqual((Object.keys(COSTS) as CostName[]).sort());
  });

  it("have names of their own", () => {
    expect(new Set(COST_PROFILES.map((profile) => profile.name)).size).toBe(COST_PROFILES.length);
  });

  it("of 2023 give the published times back", () => {
    const entries = 2_621_440;
    const series = COST_PROFILES.find((profile) => profile.name === "series-2023") as CostProfile;
    expect(modelledTime(series, { protectNone: entries }).totalNs / 1000).toBeCloseTo(11_712, 3);
    expect(modelledTime(series, { populateRead: entries, protectZeroPage: entries }).totalNs / 1000).toBeCloseTo(
      278_276,
      3,
    );
  });
});
