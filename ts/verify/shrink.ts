import type { Scenario, Step } from "../scenario/document.js";
import { isHarmless } from "./generate/hazards.js";
import { repair } from "./shrink/repair.js";
import { movedDown, simplerMachines, simplerSteps } from "./shrink/simplify.js";

/** Tells of each candidate whether it still shows what the scenario was kept for. Executors are faster when given many at once. */
export type Judge = (candidates: readonly Scenario[]) => Promise<readonly boolean[]>;

export interface ShrinkOptions {
  /** How many candidates may be judged; default 3000. */
  readonly budget?: number;
  /** How many candidates are judged at once; default 24. */
  readonly batch?: number;
}

/** One way to make a scenario smaller. It finds steps by identity, so that several can be applied one after the other. */
type Edit = (scenario: Scenario) => Scenario;

/**
 * Returns a small scenario for which the judge still says yes: steps left out, then fields made simpler, until nothing more can go or
 * the budget is spent. Every candidate is a valid document, and none is known to harm the machine that a live kernel runs on.
 */
export async function shrink(scenario: Scenario, judge: Judge, options: ShrinkOptions = {}): Promise<Scenario> {
  const search = new Search(scenario, judge, options.budget ?? 3000, options.batch ?? 24);
  await untilNothingChanges(search, async () => {
    await dropSteps(search);
    await simplify(search);
  });
  return search.best;
}

/** A judge that judges one candidate at a time. */
export function oneByOne(stillDiverges: (candidate: Scenario) => Promise<boolean>): Judge {
  return async (candidates) => {
    const verdicts: boolean[] = [];
    for (const candidate of candidates) verdicts.push(await stillDiverges(candidate));
    return verdicts;
  };
}

/** Leaves out stretches of steps, from the end as what comes after a divergence never matters, shorter and shorter ones. */
async function dropSteps(search: Search): Promise<void> {
  for (let size = Math.ceil(search.best.steps.length / 2); size >= 1 && search.hasBudget; size = Math.floor(size / 2)) {
    await untilNothingChanges(search, async () => {
      const { steps } = search.best;
      const edits: Edit[] = [];
      for (let end = steps.length; end > 0; end -= size) edits.push(without(steps.slice(Math.max(0, end - size), end)));
      await search.tryAll(edits);
    });
  }
}

async function simplify(search: Search): Promise<void> {
  await untilNothingChanges(search, async () => {
    await search.tryAll(simplerMachines(search.best.machine).map((machine) => ofMachine(machine)));
    for (const edits of rounds(search.best.steps)) await search.tryAll(edits);
    // each of these is made of all steps: the next starts from what the one before gave
    for (let i = 0; i < movedDown(search.best.steps).length; i++) await search.tryAll([movingDown(i)]);
  });
}

async function untilNothingChanges(search: Search, work: () => Promise<void>): Promise<void> {
  for (let before: Scenario | undefined; before !== search.best && search.hasBudget;) {
    before = search.best;
    await work();
  }
}

/** The first simplification of every step, then the second of every step, and so on: those of one round do not get in each other's way. */
function rounds(steps: readonly Step[]): Edit[][] {
  const found: Edit[][] = [];
  for (const step of steps) {
    simplerSteps(step).forEach((simpler, i) => (found[i] ??= []).push(replacing(step, simpler)));
  }
  return found;
}

function without(dropped: readonly Step[]): Edit {
  const gone = new Set(dropped);
  return (scenario) =>
    withSteps(
      scenario,
      scenario.steps.filter((step) => !gone.has(step)),
    );
}

function replacing(old: Step, simpler: Step): Edit {
  return (scenario) =>
    withSteps(
      scenario,
      scenario.steps.map((step) => (step === old ? simpler : step)),
    );
}

function movingDown(number: number): Edit {
  return (scenario) => withSteps(scenario, movedDown(scenario.steps)[number] ?? scenario.steps);
}

function withSteps(scenario: Scenario, steps: readonly Step[]): Scenario {
  return { ...scenario, steps: repair(steps) };
}

function ofMachine(machine: Scenario["machine"]): Edit {
  return (scenario) => {
    const rest = { ...scenario };
    delete (rest as { machine?: unknown }).machine;
    return machine === undefined ? rest : { ...rest, machine };
  };
}

/** The smallest scenario so far, and what may still be spent on a smaller one. */
class Search {
  best: Scenario;
  readonly #judge: Judge;
  readonly #batch: number;
  readonly #judged = new Set<string>();
  #budget: number;

  constructor(scenario: Scenario, judge: Judge, budget: number, batch: number) {
    this.best = scenario;
    this.#judge = judge;
    this.#budget = budget;
    this.#batch = batch;
  }

  get hasBudget(): boolean {
    return this.#budget > 0;
  }

  /** Applies each edit that can be applied alone, several of them together where that works too. */
  async tryAll(edits: readonly Edit[]): Promise<void> {
    for (let i = 0; i < edits.length && this.hasBudget; i += this.#batch) {
      await this.#tryBatch(edits.slice(i, i + this.#batch));
    }
  }

  async #tryBatch(edits: readonly Edit[]): Promise<void> {
    const base = this.best;
    const good = await this.#accepted(edits.map((edit) => edit(base)));
    const accepted = edits.filter((_, i) => good[i] === true);
    const [first, ...others] = accepted;
    if (first === undefined) return;
    this.best = first(base);
    if (others.length === 0) return;
    const together = accepted.reduce((scenario, edit) => edit(scenario), base);
    if ((await this.#accepted([together]))[0] === true) this.best = together;
    else for (const edit of others) await this.#tryOne(edit);
  }

  async #tryOne(edit: Edit): Promise<void> {
    const candidate = edit(this.best);
    if ((await this.#accepted([candidate]))[0] === true) this.best = candidate;
  }

  /** Judges those candidates that are new and harmless, as far as the budget goes. */
  async #accepted(candidates: readonly Scenario[]): Promise<boolean[]> {
    const chosen = candidates.map((candidate) => this.#isWorthIt(candidate));
    const asked = candidates.filter((_, i) => chosen[i] === true);
    const verdicts = asked.length === 0 ? [] : await this.#judge(asked);
    let at = 0;
    return chosen.map((isChosen) => isChosen && verdicts[at++] === true);
  }

  #isWorthIt(candidate: Scenario): boolean {
    if (this.#budget <= 0 || !isHarmless(candidate)) return false;
    const text = JSON.stringify(candidate);
    // what was judged before was refused, or is the best already
    if (this.#judged.has(text)) return false;
    this.#judged.add(text);
    this.#budget--;
    return true;
  }
}
