import { describe, expect, it } from "vitest";
import { RAM_FIRST_PAGE } from "../../ts/sim/layout.js";
import { describeWorkload, PATTERNS, workloadBlocks, type WorkloadOptions } from "../../ts/sim/workloads.js";
import { ACCESS_WRITE, pageOf } from "../../ts/trace/access.js";

const OPTIONS: WorkloadOptions = { pattern: "uniform", pages: 1000, accesses: 200_000, writeShare: 0.3, seed: 1 };

interface Made {
  readonly pages: number[];
  readonly writes: number;
}

function make(changes: Partial<WorkloadOptions>): Made {
  const pages: number[] = [];
  let writes = 0;
  for (const block of workloadBlocks({ ...OPTIONS, ...changes })) {
    for (let i = 0; i < block.length; i++) {
      pages.push(pageOf(block, i) - RAM_FIRST_PAGE);
      if (((block.words[2 * i + 1] as number) & ACCESS_WRITE) !== 0) writes++;
    }
  }
  return { pages, writes };
}

describe.each(PATTERNS)("the pattern %s", (pattern) => {
  it("gives the same accesses for the same seed", () => {
    expect(make({ pattern, accesses: 70_000 })).toEqual(make({ pattern, accesses: 70_000 }));
  });

  it("gives the accesses asked for, all inside of the pages", () => {
    const { pages } = make({ pattern, pages: 17, accesses: 65_537 });
    expect(pages).toHaveLength(65_537);
    expect(pages.every((page) => Number.isInteger(page) && page >= 0 && page < 17)).toBe(true);
  });

  it("writes as often as asked for", () => {
    expect(make({ pattern, writeShare: 0 }).writes).toBe(0);
    expect(make({ pattern, writeShare: 1 }).writes).toBe(OPTIONS.accesses);
    // 5 standard deviations of a binomial distribution
    expect(Math.abs(make({ pattern }).writes - 60_000)).toBeLessThan(5 * Math.sqrt(200_000 * 0.3 * 0.7));
  });

  it.each([1, 2, 3])("works with %i pages", (pages) => {
    expect(new Set(make({ pattern, pages, accesses: 1000 }).pages).size).toBe(pages);
  });
});

it("sequential goes round", () => {
  expect(make({ pattern: "sequential", pages: 3, accesses: 7 }).pages).toEqual([0, 1, 2, 0, 1, 2, 0]);
});

it("another seed gives other accesses", () => {
  expect(make({ seed: 2 }).pages).not.toEqual(make({}).pages);
});

it("uniform reaches every page about equally often", () => {
  const counts = countsOf(make({}).pages);
  expect(counts).toHaveLength(1000);
  expect(Math.max(...counts)).toBeLessThan(200 + 6 * Math.sqrt(200));
  expect(Math.min(...counts)).toBeGreaterThan(200 - 6 * Math.sqrt(200));
});

describe("zipf", () => {
  it.each([0.5, 0.99])("with %f is as skewed as the distribution says", (theta) => {
    const counts = countsOf(make({ pattern: "zipf", theta }).pages);
    const zeta = (n: number): number => Array.from({ length: n }, (_, i) => (i + 1) ** -theta).reduce((a, b) => a + b);
    // the method is exact for the two hottest pages and close for the rest
    for (const rank of [1, 2]) {
      const share = rank ** -theta / zeta(1000);
      expect(Math.abs((counts[rank - 1] ?? 0) / 200_000 - share)).toBeLessThan(5 * Math.sqrt(share / 200_000));
    }
    for (const most of [10, 100]) {
      const share = counts.slice(0, most).reduce((a, b) => a + b) / 200_000;
      expect(Math.abs(share / (zeta(most) / zeta(1000)) - 1)).toBeLessThan(0.1);
    }
  });

  it("scatters the hot pages", () => {
    const { pages } = make({ pattern: "zipf" });
    const byPage = new Map<number, number>();
    for (const page of pages) byPage.set(page, (byPage.get(page) ?? 0) + 1);
    const hottest = [...byPage]
      .sort((a, b) => b[1] - a[1])
      .slice(0, 5)
      .map(([page]) => page);
    expect(hottest.some((page) => hottest.includes(page + 1))).toBe(false);
  });
});

describe("options out of range", () => {
  it.each([
    { pages: 0 },
    { pages: 2 ** 26 + 1 },
    { pages: 1.5 },
    { accesses: -1 },
    { accesses: 0.5 },
    { writeShare: 1.1 },
    { writeShare: NaN },
    { seed: -1 },
    { seed: 2 ** 32 },
    { seed: 0.5 },
    { theta: 0 },
    { theta: 1 },
  ] as Partial<WorkloadOptions>[])("%o are refused by name", (changes) => {
    expect(() => make(changes)).toThrow(`"${Object.keys(changes)[0] ?? ""}"`);
  });
});

it("are described in a line", () => {
  expect(describeWorkload(OPTIONS)).toBe("uniform, 200000 accesses to 1000 pages, 30 % writes, seed 1");
  expect(describeWorkload({ ...OPTIONS, pattern: "zipf" })).toContain("zipf 0.99,");
});

/** How often each page was met, the hottest first. */
function countsOf(pages: readonly number[]): number[] {
  const counts = new Map<number, number>();
  for (const page of pages) counts.set(page, (counts.get(page) ?? 0) + 1);
  return [...counts.values()].sort((a, b) => b - a);
}
