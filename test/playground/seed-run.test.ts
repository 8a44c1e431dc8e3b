import { describe, expect, it } from "vitest";
import { type ArmOutcome, type SeedParams, SeedRun, type WriteOutcome } from "../../playground/src/worker/seed-run.js";
import { SEED_MODES, SEED_PART } from "../../playground/src/state/seed.js";
import { compareTrackers, createEngine, defaultCostProfile, layoutRam, TraceStore } from "../../ts/node.js";
import { modelledTime } from "../../ts/sim/cost-profile.js";
import { engineUrl } from "../support/engine-url.js";

async function outcomeOf(params: Partial<SeedParams>): Promise<{ arm: ArmOutcome; write: WriteOutcome }> {
  const run = new SeedRun(await createEngine({}, engineUrl), { ...SEED_PART.defaults, ...params });
  const outcome = { arm: resultOf(run.arm()), write: resultOf(run.write()) };
  run.dispose();
  return outcome;
}

function resultOf<T>(steps: Generator<unknown, T, undefined>): T {
  for (;;) {
    const step = steps.next();
    if (step.done === true) return step.value;
  }
}

describe("the experiment of the first view", () => {
  it.each(SEED_MODES)("counts for %s what comparing trackers counts", async (mode) => {
    const bytes = 2 ** 30;
    const { arm } = await outcomeOf({ mode, bytes });
    const comparison = compareTrackers(await createEngine({}, engineUrl), {
      title: "",
      source: "",
      store: new TraceStore(),
      layout: layoutRam(bytes),
      accesses: { reads: 0, writes: 0, skipped: 0 },
      profile: defaultCostProfile(),
      trackers: [mode],
    });
    const [row] = comparison.trackers;
    expect(row).toMatchObject({
      armed: arm.armed,
      prefaulted: arm.prefaulted,
      tableBytes: { armed: arm.tableBytes },
      modelled: { arm: modelledTime(defaultCostProfile(), arm.costs) },
    });
  });

  it("misses every written page without markers and none with them", async () => {
    const plain = await outcomeOf({ mode: "wp" });
    expect(plain.write.dirty).toBeGreaterThan(4000);
    expect(plain.write.missed).toBe(plain.write.dirty);
    for (const mode of SEED_MODES.slice(1)) {
      const { write } = await outcomeOf({ mode });
      expect(write).toMatchObject({ dirty: plain.write.dirty, missed: 0, reported: plain.write.dirty });
    }
  });

  it.each(SEED_MODES)("ends for %s with huge pages and 1 TiB", async (mode) => {
    const { write } = await outcomeOf({ mode, bytes: 2 ** 40, thp: true });
    expect(write.dirty).toBeGreaterThan(4000);
    expect(write.missed).toBe(mode === "wp" ? write.dirty : 0);
  });
});
