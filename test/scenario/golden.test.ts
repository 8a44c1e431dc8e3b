import { beforeAll, describe, expect, it } from "vitest";
import { createEngine, type Engine, runScenario, unmetExpectations } from "../../ts/node.js";
import { engineUrl } from "../support/engine-url.js";
import { readRecordings } from "../support/golden.js";

const handWritten = readRecordings("hand-written.jsonl.gz");
const random = readRecordings("random.jsonl.gz");

let engine: Engine;

beforeAll(async () => {
  engine = await createEngine({}, engineUrl);
});

describe("what Linux gave, the engine gives", () => {
  it.each(
    handWritten.map(({ document, transcript }) => [document.name, document.about, document, transcript] as const),
  )("%s: %s", (_name, _about, document, transcript) => {
    expect(runScenario(document, engine)).toEqual(transcript);
  });

  it(`in each of ${random.length} random scenarios`, { timeout: 60_000 }, () => {
    expect(random).toHaveLength(2000);
    for (const { document, transcript } of random) expect(runScenario(document, engine)).toEqual(transcript);
  });

  it("and what the hand-written ones expect, Linux gave", () => {
    expect(handWritten.flatMap(({ document, transcript }) => unmetExpectations(document, transcript))).toEqual([]);
  });
});

describe("an engine", () => {
  it("gives back all memory that a scenario took", () => {
    const run = (): number => {
      for (const { document } of handWritten) runScenario(document, engine);
      return engine.memoryBytes;
    };
    const after = run();
    for (let i = 0; i < 20; i++) run();
    expect(engine.memoryBytes).toBe(after);
  });
});
