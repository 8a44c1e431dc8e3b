import { describe, expect, it } from "vitest";
import { type Transcript, unmetExpectations } from "../../ts/node.js";

function unmet(expected: object, result: object): string[] {
  const transcript = { scenario: 1, results: [result] } as Transcript;
  return unmetExpectations({ scenario: 1, steps: [{ op: "stat", expect: expected }] }, transcript);
}

describe("an expectation", () => {
  it.each([
    [{}, { ok: true }],
    [{ tables: 0 }, { tables: 0, anon: 4 }],
    [{ runs: [{ pages: [0, 1], flags: ["present"] }] }, { runs: [{ flags: ["present"], pages: [0, 1] }] }],
    [{ messages: [] }, { outcome: "ok", messages: [] }],
  ])("%j is met by %j", (expected, result) => {
    expect(unmet(expected, result)).toEqual([]);
  });

  it.each([
    [{ ok: true }, { errno: "EINVAL" }, 'steps[0]: expected ok true, found nothing in {"errno":"EINVAL"}'],
    [{ tables: 0 }, { tables: 4096 }, "steps[0]: expected tables 0, found 4096"],
    [{ found: 1 }, { found: "1" }, 'steps[0]: expected found 1, found "1"'],
    [{ messages: [] }, { messages: {} }, "steps[0]: expected messages [], found {}"],
    [{ flags: ["a"] }, { flags: ["a", "b"] }, 'steps[0]: expected flags ["a"], found ["a","b"]'],
    [{ at: { x: 1 } }, { at: { y: 1 } }, 'steps[0]: expected at {"x":1}, found {"y":1}'],
    [{ value: null }, {}, "steps[0]: expected value null, found nothing in {}"],
  ])("%j is not met by %j", (expected, result, line) => {
    expect(unmet(expected, result)).toEqual([line]);
  });

  it("is told for each field of each step", () => {
    const step = { op: "stat", expect: { tables: 1, anon: 2 } };
    const results = [{ tables: 0, anon: 0 }, { tables: 1 }];
    expect(
      unmetExpectations({ scenario: 1, steps: [step, step] }, { scenario: 1, results } as unknown as Transcript),
    ).toEqual([
      "steps[0]: expected tables 1, found 0",
      "steps[0]: expected anon 2, found 0",
      'steps[1]: expected anon 2, found nothing in {"tables":1}',
    ]);
  });
});
