import { readFile } from "node:fs/promises";
import { afterAll, describe, expect, it } from "vitest";
import { ZAP_DROP_MARKERS } from "../../assembly/abi.js";
import type { EngineExports } from "../../ts/engine/exports.js";
import { checkDocument } from "../../ts/scenario/check.js";
import type { Scenario, Step, StepResult, Transcript } from "../../ts/scenario/document.js";
import { createEngine, Engine, runScenario } from "../../ts/node.js";
import { ACCEPTED, type Accepted } from "../../ts/verify/accepted.js";
import { isHarmless } from "../../ts/verify/generate/hazards.js";
import { PROFILES } from "../../ts/verify/generate/generate.js";
import { selftests } from "../../ts/verify/selftests/selftests.js";
import { compareTranscripts } from "../../ts/verify/verify/difference.js";
import { engineRunner, type RunOnEngine } from "../../ts/verify/verify/engine-runner.js";
import { record } from "../../ts/verify/verify/record.js";
import { divergenceText, summaryText } from "../../ts/verify/verify/report.js";
import { haveSameForm } from "../../ts/verify/verify/same-form.js";
import { generated, type Subject } from "../../ts/verify/verify/subjects.js";
import { type Findings, verify, type VerifyOptions } from "../../ts/verify/verify/verify.js";
import { engineUrl } from "../support/engine-url.js";
import { findKernel } from "../support/live-kernel.js";

const rightEngine = await engineRunner(() => createEngine({}, engineUrl));

/** Stands for a kernel: what the right engine gives. */
const modelKernel: VerifyOptions["kernel"] = {
  runMany: (documents) => Promise.all(documents.map(async (document) => rightEngine(document))),
};

function compare(batches: Iterable<readonly Subject[]>, options: Partial<VerifyOptions> = {}): Promise<Findings> {
  return verify(batches, {
    kernel: modelKernel,
    runOnEngine: rightEngine,
    accepted: [],
    mostShrunk: 3,
    ...options,
  });
}

/** An engine that drops write-protection markers of shared memory whenever it is zapped. */
async function forgetfulEngine(): Promise<RunOnEngine> {
  const { instance } = await WebAssembly.instantiate(await readFile(engineUrl), {});
  const exports = instance.exports as unknown as EngineExports;
  const zap: EngineExports["zap"] = (space, first, count, flags) =>
    exports.zap(space, first, count, flags | ZAP_DROP_MARKERS);
  const engine = new Engine({ ...exports, zap }, {});
  return (scenario) => runScenario(scenario, engine);
}

/** Gives what `results` makes of the right ones. */
function wrongEngine(change: (result: StepResult, step: Step, index: number) => StepResult): RunOnEngine {
  return async (scenario) => {
    const { results, ...rest } = await rightEngine(scenario);
    return { ...rest, results: results.map((result, i) => change(result, scenario.steps[i] as Step, i)) };
  };
}

const found = await findKernel();
const title = "skip" in found ? `the live kernel (skipped: ${found.skip})` : "the live kernel";

describe.skipIf("skip" in found)(title, { timeout: 120_000 }, () => {
  if ("skip" in found) return;
  const { kernel } = found;
  afterAll(() => kernel.close());

  it("does what the engine does", async () => {
    const findings = await compare(generated({ profiles: PROFILES, seed: 1_000_000, count: 60 }), { kernel });
    expect(findings.divergences.map(divergenceText)).toEqual([]);
    expect(findings.compared).toBe(60);
  });

  it("does what the engine does in its own selftests", async () => {
    const subjects = selftests().map((scenario) => ({ label: scenario.name ?? "", scenario }));
    const findings = await compare([subjects], { kernel });
    expect(findings.divergences.map(divergenceText)).toEqual([]);
    expect(findings).toMatchObject({ compared: subjects.length, impossible: 0, unmodelled: 0 });
  });

  it("finds markers that are lost, within some hundred scenarios, and shows it in few steps", async () => {
    const findings = await compare(generated({ profiles: ["wp"], seed: 1, count: 400 }), {
      kernel,
      runOnEngine: await forgetfulEngine(),
      mostShrunk: 1,
      isOver: () => true,
    });
    const [first] = findings.divergences;
    expect(first?.isShrunk).toBe(true);
    expect(first?.scenario.steps.length).toBeLessThanOrEqual(8);
    expect(first?.scenario.steps.some(({ op }) => op === "madvise" || op === "mremap" || op === "munmap")).toBe(true);
    // what was found is that bug and no other
    const small = first?.scenario ?? { scenario: 1, steps: [] };
    expect((await compare([[{ label: "small", scenario: small }]], { kernel })).divergences).toEqual([]);
  });

  it("is recorded, but for what it cannot do", async () => {
    const step: Step = { op: "mmap", as: "area", pages: 1, kind: "anon" };
    const recordings = await record([{ scenario: 1, steps: [step] }], kernel);
    expect(recordings).toEqual([
      { document: { scenario: 1, steps: [step] }, transcript: { scenario: 1, results: [{ ok: true }] } },
    ]);
  });
});

describe("a comparison", () => {
  it("finds nothing where there is nothing", async () => {
    const findings = await compare(generated({ profiles: PROFILES, seed: 5, count: 60 }));
    expect(findings).toMatchObject({ compared: 60, divergences: [], unrepeatable: [], unmodelled: 0 });
  });

  it("finds a wrong result, makes its scenario small, and counts others of the same cause", async () => {
    const isWrong = (step: Step): boolean => step.op === "pagemap";
    const runOnEngine = wrongEngine((result, step) => (isWrong(step) ? { ...result, runs: [] } : result));
    const findings = await compare(generated({ profiles: ["core"], seed: 1, count: 3 }), { runOnEngine });
    expect(findings.divergences).toHaveLength(1);
    const [first] = findings.divergences;
    expect(first?.scenario.steps.map(({ op }) => op)).toEqual(["mmap", "pagemap"]);
    expect(first?.difference).toMatchObject({ index: 1, fields: ["runs"], engine: { runs: [] } });
    expect(first?.sameAs).toEqual(["profile core, seed 2", "profile core, seed 3"]);
    expect(summaryText(findings, [], 1)).toContain("the same as profile core, seed 1: 2 more");
  });

  it("keeps what a kernel does not do again apart", async () => {
    let runs = 0;
    const kernel: VerifyOptions["kernel"] = {
      runMany: async (documents) => {
        const transcripts = await modelKernel.runMany(documents);
        if (runs++ > 0) return transcripts;
        return transcripts.map((transcript) => ({ ...transcript, results: [{ errno: "EBUSY" as const }] }));
      },
    };
    const findings = await compare(generated({ profiles: ["core"], seed: 1, count: 2 }), { kernel });
    expect(findings.divergences).toEqual([]);
    expect(findings.unrepeatable).toEqual(["profile core, seed 1", "profile core, seed 2"]);
  });

  it("shows an engine that breaks down as one that is wrong there", async () => {
    const broken = await engineRunner(async () => {
      const engine = await createEngine({}, engineUrl);
      engine.readPagemap = () => {
        throw new Error("unreachable");
      };
      return engine;
    });
    const steps: Step[] = [
      { op: "mmap", as: "area", pages: 1 },
      { op: "pagemap", range: "area" },
    ];
    const findings = await compare([[{ label: "one", scenario: { scenario: 1, steps } }]], { runOnEngine: broken });
    expect(findings.divergences[0]?.difference).toMatchObject({ index: 1, engine: { crash: "Error: unreachable" } });
  });
});

describe("two scenarios", () => {
  const of = (name: string, at: string, range: string): Scenario => {
    const steps: Step[] = [
      { op: "mmap", as: name, pages: 4 },
      { op: "read", at },
      { op: "pagemap", range },
    ];
    return { scenario: 1, steps };
  };

  it("are of one form whatever their names are and however places are written", () => {
    expect(haveSameForm(of("a", "a", "a"), of("m1", "m1[0]", "m1[0..4]"))).toBe(true);
    expect(haveSameForm(of("a", "a", "a"), of("a", "a[1]", "a"))).toBe(false);
    expect(haveSameForm(of("a", "a", "a"), of("a", "a", "a[0]"))).toBe(false);
  });
});

describe("accepted differences", () => {
  const everything: Accepted = { id: "all", why: "for this test", matches: () => true };

  function verdictOf(step: Step, kernel: StepResult, engine: StepResult): string {
    const scenario: Scenario = { scenario: 1, steps: [step] };
    const transcript = (result: StepResult): Transcript => ({ scenario: 1, results: [result] });
    return compareTranscripts(scenario, transcript(kernel), transcript(engine), [everything]).kind;
  }

  it("are few", () => {
    expect(ACCEPTED.length).toBeLessThan(10);
  });

  it("can be about a call, but not about faults, messages, protection or pagemap", () => {
    const area = { range: "area" };
    expect(verdictOf({ op: "madvise", ...area, advice: "cold" }, { ok: true }, { errno: "EINVAL" })).toBe("accepted");
    expect(verdictOf({ op: "madvise", ...area, advice: "cold" }, { ok: true, minflt: 1 }, { ok: true })).toBe(
      "different",
    );
    expect(verdictOf({ op: "pagemap", ...area }, { runs: [] }, {})).toBe("different");
    expect(verdictOf({ op: "writeprotect", uffd: "u", ...area }, { ok: true }, { errno: "EAGAIN" })).toBe("different");
    expect(verdictOf({ op: "stat" }, { tables: 1 }, { tables: 2 })).toBe("accepted");
  });

  it("are not what one side cannot do", () => {
    expect(verdictOf({ op: "stat" }, { unsupported: true }, { tables: 2 })).toBe("impossible");
    expect(verdictOf({ op: "stat" }, { tables: 2 }, { unsupported: true })).toBe("unmodelled");
    expect(verdictOf({ op: "stat" }, { unsupported: true }, { unsupported: true })).toBe("equal");
  });
});

describe("the scenarios", () => {
  it("are of all profiles in turn, and no seed of one twice", () => {
    const labels = [...generated({ profiles: ["core", "wp"], seed: 7, count: 250 })].flat().map(({ label }) => label);
    expect(labels).toHaveLength(250);
    expect(new Set(labels).size).toBe(250);
    expect(labels).toContain("profile wp, seed 7");
  });

  it("that follow the selftests are valid and harm no kernel", () => {
    for (const scenario of selftests()) {
      expect(() => checkDocument(scenario)).not.toThrow();
      expect(isHarmless(scenario), scenario.name).toBe(true);
    }
  });
});
