import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { LESSONS } from "../../playground/gallery/index.js";
import { createEngine, type Engine, runScenario } from "../../ts/node.js";
import { engineUrl } from "../support/engine-url.js";
import { findKernel } from "../support/live-kernel.js";

/** Another executor may have the machine for a while. */
const PATIENCE_MS = 120_000;

const found = await findKernel({ stepTimeoutMs: 1000 });
const title = "skip" in found ? `the live kernel (skipped: ${found.skip})` : "the live kernel";

describe.skipIf("skip" in found)(title, { timeout: PATIENCE_MS }, () => {
  if ("skip" in found) return;
  const { kernel } = found;
  let engine: Engine;
  beforeAll(async () => {
    engine = await createEngine({}, engineUrl);
  });
  afterAll(() => kernel.close());

  it.each(LESSONS.map(({ file, scenario }) => [file, scenario] as const))(
    "gives the same in %s",
    async (_, scenario) => {
      expect((await kernel.run(scenario)).results).toEqual(runScenario(scenario, engine).results);
    },
  );
});
