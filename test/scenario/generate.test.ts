import { beforeAll, describe, expect, it } from "vitest";
import { createEngine, type Engine, runScenario } from "../../ts/node.js";
import { engineUrl } from "../support/engine-url.js";
import { generateScenario } from "./generate.js";

const SEED = Number(process.env["PTE_FUZZ_SEED"] ?? 900_000);
const RUNS = Number(process.env["PTE_FUZZ_RUNS"] ?? 300);

let engine: Engine;

beforeAll(async () => {
  engine = await createEngine({}, engineUrl);
});

describe(`random scenarios (seeds from ${SEED}, ${RUNS} of them)`, () => {
  it("are the same for the same seed and differ for others", () => {
    expect(generateScenario(SEED)).toEqual(generateScenario(SEED));
    expect(generateScenario(SEED)).not.toEqual({ ...generateScenario(SEED + 1), name: generateScenario(SEED).name });
  });

  it("are documents without a mistake, and give the same transcript each time", { timeout: 60_000 }, () => {
    for (let seed = SEED; seed < SEED + RUNS; seed++) {
      const document = generateScenario(seed);
      const transcript = runScenario(document, engine);
      expect(transcript.results, document.name).toHaveLength(document.steps.length);
      expect(runScenario(document, engine), document.name).toEqual(transcript);
    }
  });
});
