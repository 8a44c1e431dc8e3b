import { setImmediate } from "node:timers/promises";
import type { Engine } from "../../engine/engine.js";
import type { Scenario, StepResult, Transcript } from "../../scenario/document.js";
import { runScenario } from "../../scenario/run.js";

/** Runs a scenario on what is judged. */
export type RunOnEngine = (scenario: Scenario) => Transcript | Promise<Transcript>;

/** Runs scenarios on engines. One that fails in a scenario is replaced, and the result of the step says how it failed. */
export async function engineRunner(makeEngine: () => Promise<Engine>): Promise<RunOnEngine> {
  let engine = await makeEngine();
  return async (scenario) => {
    try {
      return runScenario(scenario, engine);
    } catch {
      const transcript = runUntilFailure(scenario, await makeEngine());
      engine = await makeEngine();
      return transcript;
    }
  };
}

/**
 * Runs scenarios one by one and lets others of this thread have their turn after each, so that the executors of the live kernel, which
 * are processes of their own, always have something to do.
 */
export async function runAll(scenarios: readonly Scenario[], run: RunOnEngine): Promise<Transcript[]> {
  const transcripts: Transcript[] = [];
  for (const scenario of scenarios) {
    transcripts.push(await run(scenario));
    await setImmediate();
  }
  return transcripts;
}

function runUntilFailure(scenario: Scenario, engine: Engine): Transcript {
  const results: StepResult[] = [];
  try {
    return runScenario(scenario, engine, { onStep: ({ result }) => results.push(result) });
  } catch (error) {
    const crash: StepResult & { crash: string } = { crash: String(error) };
    return { scenario: 1, results: [...results, crash] };
  }
}
