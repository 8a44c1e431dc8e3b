import { describe, expect, it } from "vitest";
import { spreadOf } from "../../ts/base/statistics.js";

describe("the spread of samples", () => {
  it("is told in any order of them", () => {
    expect(spreadOf([5, 1, 4, 2, 30])).toEqual({
      samples: 5,
      minNs: 1,
      q1Ns: 2,
      medianNs: 4,
      q3Ns: 5,
      maxNs: 30,
      madNs: 2,
    });
  });

  it("lies between two samples where none is in the middle", () => {
    expect(spreadOf([1, 2])).toMatchObject({ q1Ns: 1.25, medianNs: 1.5, q3Ns: 1.75, madNs: 0.5 });
  });

  it("of one sample is that sample", () => {
    expect(spreadOf([7])).toMatchObject({ samples: 1, minNs: 7, medianNs: 7, maxNs: 7, madNs: 0 });
  });

  it("of none cannot be told", () => {
    expect(() => spreadOf([])).toThrow(RangeError);
  });
});
