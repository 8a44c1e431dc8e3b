import { describe, expect, it } from "vitest";
import { checkDocument } from "../../ts/scenario/check.js";
import type { Scenario, Step } from "../../ts/scenario/document.js";
import { generateScenario, PROFILES } from "../../ts/verify/generate/generate.js";
import { isHarmless } from "../../ts/verify/generate/hazards.js";
import { oneByOne, shrink, type Judge } from "../../ts/verify/shrink.js";

/** Says yes to scenarios in which each of these is true of a step, in this order. Checks every candidate. */
function judgeOf(...wanted: readonly ((step: Step) => boolean)[]): Judge {
  return oneByOne((candidate) => {
    expect(() => checkDocument(candidate)).not.toThrow();
    expect(isHarmless(candidate)).toBe(true);
    let met = 0;
    for (const step of candidate.steps) if (wanted[met]?.(step) === true) met++;
    return Promise.resolve(met === wanted.length);
  });
}

const isProtection = (step: Step): boolean => step.op === "writeprotect" && step.wp !== false;
const isWrite = (step: Step): boolean => step.op === "write" || (step.op === "touch" && step.access === "write");

describe("shrink", () => {
  it("leaves what is needed, and what that needs in turn", async () => {
    const scenario: Scenario = {
      scenario: 1,
      name: "big",
      machine: { thp: "always", swapPages: 64 },
      steps: [
        { op: "mmap", as: "a", pages: 40, kind: "shmem", sharing: "shared" },
        { op: "mmap", as: "b", pages: 1025, at: "a[40]" },
        {
          op: "uffd",
          as: "u",
          features: ["wp-unpopulated", "exact-address"],
          handler: { wp: "none", missing: "none" },
        },
        { op: "register", uffd: "u", range: "b", modes: ["missing", "wp"] },
        { op: "pagemap", range: "a" },
        { op: "writeprotect", uffd: "u", range: "b[3..700]", expect: { ok: true } },
        { op: "fork", as: "p" },
        { op: "touch", range: "b[3..9]", access: "write", value: 7, stride: 2, proc: "p" },
        { op: "stat" },
      ],
    };
    expect(await shrink(scenario, judgeOf(isProtection, isWrite))).toEqual({
      scenario: 1,
      name: "big",
      steps: [
        { op: "mmap", as: "b", pages: 1 },
        { op: "uffd", as: "u" },
        { op: "writeprotect", uffd: "u", range: "b[0]" },
        { op: "write", at: "b[0]" },
      ],
    });
  });

  it("moves places that have to meet together", async () => {
    const scenario: Scenario = {
      scenario: 1,
      steps: [
        { op: "mmap", as: "a", pages: 1600 },
        { op: "write", at: "a[1030]" },
        { op: "pagemap", range: "a[1030..1033]" },
      ],
    };
    const judge = oneByOne(({ steps }) => {
      const write = steps.find((step) => step.op === "write");
      const look = steps.find((step) => step.op === "pagemap");
      const [page, looked] = [write?.at, look?.range].map((text) =>
        typeof text === "string" ? /\d+/.exec(text)?.[0] : undefined,
      );
      return Promise.resolve(page !== undefined && page === looked);
    });
    expect((await shrink(scenario, judge)).steps).toEqual([
      { op: "mmap", as: "a", pages: 1 },
      { op: "write", at: "a[0]" },
      { op: "pagemap", range: "a[0]" },
    ]);
  });

  it.each(PROFILES)("gives valid and much smaller documents: %s", async (profile) => {
    let before = 0;
    let after = 0;
    for (let seed = 0; seed < 12; seed++) {
      const scenario = generateScenario(profile, seed);
      const judge = judgeOf(isWrite, (step) => step.op === "pagemap");
      if ((await judge([scenario]))[0] !== true) continue;
      before += scenario.steps.length;
      after += (await shrink(scenario, judge)).steps.length;
    }
    expect(before).toBeGreaterThan(0);
    expect(after).toBeLessThan(before / 5);
  });

  it("returns what it was given where nothing smaller will do", async () => {
    const scenario = generateScenario("all", 3);
    expect(
      await shrink(
        scenario,
        oneByOne(() => Promise.resolve(false)),
      ),
    ).toEqual(scenario);
  });

  it("keeps to its budget, and asks for several at once", async () => {
    let asked = 0;
    let largest = 0;
    const judge: Judge = (candidates) => {
      asked += candidates.length;
      largest = Math.max(largest, candidates.length);
      return Promise.resolve(candidates.map((candidate) => candidate.steps.some(isWrite)));
    };
    await shrink(generateScenario("all", 4), judge, { budget: 60, batch: 4 });
    expect(asked).toBeLessThanOrEqual(60);
    expect(largest).toBe(4);
  });

  it("never offers a scan that a kernel would hang in", async () => {
    const scenario: Scenario = {
      scenario: 1,
      machine: { hugetlbPages: 2 },
      steps: [
        { op: "mmap", as: "h", pages: 1024, kind: "hugetlb" },
        { op: "touch", range: "h", access: "read", stride: 512 },
        { op: "pagemap-scan", range: "h", flags: ["wp-matching"] },
      ],
    };
    const isProtectingScan = (step: Step): boolean => step.op === "pagemap-scan" && step.flags?.[0] === "wp-matching";
    const small = await shrink(scenario, judgeOf(isProtectingScan));
    // anything that is not a huge mapping needs no table first
    expect(small.steps).toEqual([
      { op: "mmap", as: "h", pages: 1 },
      { op: "pagemap-scan", range: "h[0]", flags: ["wp-matching"] },
    ]);
  });
});
