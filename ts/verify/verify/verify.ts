import { isDeepStrictEqual } from "node:util";
import type { Scenario, Transcript } from "../../scenario/document.js";
import type { Accepted } from "../accepted.js";
import type { LiveKernel } from "../kernel/live-kernel.js";
import { type Judge, shrink } from "../shrink.js";
import { areAlike, compareTranscripts, type Difference, type Verdict } from "./difference.js";
import { runAll, type RunOnEngine } from "./engine-runner.js";
import { haveSameForm } from "./same-form.js";
import type { Subject } from "./subjects.js";

/** What a comparison needs. */
export interface VerifyOptions {
  readonly kernel: Pick<LiveKernel, "runMany">;
  readonly runOnEngine: RunOnEngine;
  readonly accepted: readonly Accepted[];
  /** CPUs for the kernel's half. */
  readonly jobs?: number;
  /** Divergences beyond this many are not made smaller, which takes seconds for each. */
  readonly mostShrunk: number;
  readonly onProgress?: (findings: Findings) => void;
  readonly onDivergence?: (divergence: Divergence) => void;
  /** Looked at after each batch: whether to end early. */
  readonly isOver?: () => boolean;
}

/** A scenario in which the engine does something else than the kernel did twice. */
export interface Divergence {
  readonly label: string;
  /** The smallest scenario that was found for it, or the whole one. */
  readonly scenario: Scenario;
  readonly isShrunk: boolean;
  readonly difference: Difference;
  /** Labels of others that came down to the same. */
  readonly sameAs: string[];
}

/** What a comparison gave. */
export interface Findings {
  compared: number;
  steps: number;
  /** Scenarios that could be compared up to some step only: the kernel here cannot do it, or the engine does not model it. */
  impossible: number;
  unmodelled: number;
  /** How often each accepted difference was met, by id. */
  readonly accepted: Map<string, number>;
  /** Labels of those for which the kernel gave something else the second time. */
  readonly unrepeatable: string[];
  readonly divergences: Divergence[];
}

/** Judges of a candidate needed to shrink one divergence. */
const SHRINK_BUDGET = 1500;

/** Runs scenarios on the kernel and on the engine and compares what they gave. */
export async function verify(batches: Iterable<readonly Subject[]>, options: VerifyOptions): Promise<Findings> {
  const verification = new Verification(options);
  for (const batch of batches) {
    await verification.compare(batch);
    if (options.isOver?.() === true) break;
  }
  return verification.findings;
}

class Verification {
  readonly findings: Findings = {
    compared: 0,
    steps: 0,
    impossible: 0,
    unmodelled: 0,
    accepted: new Map(),
    unrepeatable: [],
    divergences: [],
  };
  readonly #options: VerifyOptions;

  constructor(options: VerifyOptions) {
    this.#options = options;
  }

  async compare(subjects: readonly Subject[]): Promise<void> {
    const scenarios = subjects.map(({ scenario }) => scenario);
    const found = await this.#verdicts(scenarios);
    const suspects: Suspect[] = [];
    subjects.forEach((subject, i) => {
      const { verdict, kernel } = found[i] as Compared;
      this.#count(subject, verdict);
      if (verdict.kind === "different") suspects.push({ subject, difference: verdict.difference, kernel });
    });
    this.#options.onProgress?.(this.findings);
    for (const suspect of await this.#repeatable(suspects)) await this.#report(suspect);
  }

  #count({ scenario }: Subject, verdict: Verdict): void {
    const { findings } = this;
    findings.compared++;
    findings.steps += scenario.steps.length;
    if (verdict.kind === "impossible" || verdict.kind === "unmodelled") findings[verdict.kind]++;
    if (verdict.kind !== "accepted") return;
    const { id } = verdict.accepted;
    findings.accepted.set(id, (findings.accepted.get(id) ?? 0) + 1);
  }

  /** Those of the suspects for which the kernel gives the same a second time. */
  async #repeatable(suspects: readonly Suspect[]): Promise<Suspect[]> {
    if (suspects.length === 0) return [];
    const again = await this.#runOnKernel(suspects.map(({ subject }) => subject.scenario));
    return suspects.filter(({ subject, difference, kernel }, i) => {
      const end = difference.index + 1;
      const isSame = isDeepStrictEqual(again[i]?.results.slice(0, end), kernel.results.slice(0, end));
      if (!isSame) this.findings.unrepeatable.push(subject.label);
      return isSame;
    });
  }

  async #report({ subject, difference }: Suspect): Promise<void> {
    const { divergences } = this.findings;
    const isShrunk = divergences.filter((other) => other.isShrunk).length < this.#options.mostShrunk;
    const small = isShrunk
      ? await this.#shrink(subject.scenario, difference)
      : { scenario: subject.scenario, difference };
    const { steps, machine } = small.scenario; // what has a name is not the same as what has another
    const scenario: Scenario = { scenario: 1, ...(machine === undefined ? {} : { machine }), steps };
    const known = divergences.find((other) => haveSameForm(other.scenario, scenario));
    if (known !== undefined) {
      known.sameAs.push(subject.label);
      return;
    }
    const divergence = { label: subject.label, isShrunk, sameAs: [], scenario, difference: small.difference };
    divergences.push(divergence);
    this.#options.onDivergence?.(divergence);
  }

  /** Makes a scenario smaller as long as it diverges in the same operation and the same fields. */
  async #shrink(scenario: Scenario, wanted: Difference): Promise<{ scenario: Scenario; difference: Difference }> {
    const judge: Judge = async (candidates) =>
      (await this.#verdicts(candidates)).map(
        ({ verdict }) => verdict.kind === "different" && areAlike(verdict.difference, wanted),
      );
    const smallest = await shrink(scenario, judge, { budget: SHRINK_BUDGET });
    const verdict = (await this.#verdicts([smallest]))[0]?.verdict;
    // else what made it smaller was a kernel that gave something else for once
    if (verdict?.kind === "different") return { scenario: smallest, difference: verdict.difference };
    return { scenario, difference: wanted };
  }

  async #verdicts(scenarios: readonly Scenario[]): Promise<Compared[]> {
    const [kernel, engine] = await Promise.all([
      this.#runOnKernel(scenarios),
      runAll(scenarios, this.#options.runOnEngine),
    ]);
    return scenarios.map((scenario, i) => {
      const pair = { kernel: kernel[i] as Transcript, engine: engine[i] as Transcript };
      return { ...pair, verdict: compareTranscripts(scenario, pair.kernel, pair.engine, this.#options.accepted) };
    });
  }

  #runOnKernel(scenarios: readonly Scenario[]): Promise<Transcript[]> {
    const { kernel, jobs } = this.#options;
    return kernel.runMany(scenarios, jobs === undefined ? {} : { jobs });
  }
}

interface Compared {
  readonly kernel: Transcript;
  readonly engine: Transcript;
  readonly verdict: Verdict;
}

/** A scenario that diverged once. */
interface Suspect {
  readonly subject: Subject;
  readonly difference: Difference;
  readonly kernel: Transcript;
}
