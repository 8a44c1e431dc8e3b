import { readdirSync } from "node:fs";
import { beforeAll, describe, expect, it } from "vitest";
import { createEngine, type Engine, runScenario } from "../../ts/node.js";
import { PROFILES } from "../../ts/verify/generate/generate.js";
import { engineUrl, scalarEngineUrl } from "../support/engine-url.js";
import { readRecordings } from "../support/golden.js";

let engine: Engine;
let materialized: Engine;
let scalar: Engine;

beforeAll(async () => {
  engine = await createEngine({}, engineUrl);
  materialized = await createEngine({ materialize: true }, engineUrl);
  scalar = await createEngine({}, scalarEngineUrl);
});

describe("what Linux gave for generated scenarios, the engine gives", () => {
  it.each(PROFILES)("profile %s", { timeout: 60_000 }, (profile) => {
    const recordings = readRecordings(`${profile}.jsonl.gz`);
    expect(recordings).toHaveLength(200);
    for (const { document, transcript } of recordings) {
      expect(runScenario(document, engine), `of scenario ${document.name ?? ""}`).toEqual(transcript);
      expect(runScenario(document, materialized), `of scenario ${document.name ?? ""}`).toEqual(transcript);
      expect(runScenario(document, scalar), `of scenario ${document.name ?? ""}`).toEqual(transcript);
    }
  });
});

describe("what Linux gave for its selftests, the engine gives", () => {
  const recordings = readRecordings("selftests.jsonl.gz");

  it.each(recordings.map(({ document, transcript }) => [document.name, document.about, document, transcript] as const))(
    "%s: %s",
    (_name, _about, document, transcript) => {
      expect(runScenario(document, engine)).toEqual(transcript);
    },
  );

  it("for more than a hundred of them", () => {
    expect(recordings.length).toBeGreaterThan(100);
  });
});

describe("the files", () => {
  it("are all of them compared", () => {
    const names = readdirSync(new URL("./", import.meta.url)).filter((name) => name.endsWith(".jsonl.gz"));
    const compared = [...PROFILES, "selftests", "hand-written", "random"].map((name) => `${name}.jsonl.gz`);
    expect(names.sort()).toEqual(compared.sort());
  });
});
