import { OutOfMemoryError } from "../ts/base/errors.js";
import { formatBytes, PAGE_SIZE } from "../ts/base/pages.js";
import { median } from "./harness.js";
import type { SizeResult } from "./results.js";
import { type MakeEngine, Subject, type Tables } from "./subject.js";

const GIB = 2 ** 30;
const TIB = 2 ** 40;
const SIZES: readonly number[] = [
  GIB / 16,
  GIB / 4,
  GIB,
  4 * GIB,
  16 * GIB,
  64 * GIB,
  256 * GIB,
  TIB,
  4 * TIB,
  16 * TIB,
  64 * TIB,
];
const MATERIALISED_LIMIT = 16 * GIB;

/** Measures what calls on ranges of every size cost, of which nothing is there before. */
export function measureSizes(makeEngine: MakeEngine, rounds: number): SizeResult[] {
  const results: SizeResult[] = [];
  for (const tables of ["templates", "materialised"] as const) {
    for (const bytes of SIZES) {
      if (tables === "materialised" && bytes > MATERIALISED_LIMIT) continue;
      const result = measureSize(makeEngine, tables, bytes, rounds);
      if (result === null) break;
      results.push(result);
      console.log(
        `size ${formatBytes(bytes).padEnd(8)} ${tables.padEnd(13)} protect ${result.protectUs.toFixed(1)} us`,
      );
    }
  }
  return results;
}

/** Returns null where the engine's memory does not hold the tables. */
function measureSize(makeEngine: MakeEngine, tables: Tables, bytes: number, rounds: number): SizeResult | null {
  try {
    const engine = makeEngine(tables);
    const before = engine.memoryBytes;
    const subject = new Subject(engine, bytes / PAGE_SIZE);
    subject.protect();
    const { tableBytes } = subject.space.status();
    const memoryBytes = engine.memoryBytes - before;
    subject.dispose();
    const onNew = (ready: (subject: Subject) => void, run: (subject: Subject) => void): number =>
      medianUs(rounds, () => {
        const made = new Subject(engine, bytes / PAGE_SIZE);
        ready(made);
        return { run: () => run(made), end: () => made.dispose() };
      });
    return {
      bytes,
      tables,
      protectUs: onNew(nothing, (made) => made.protect()),
      unprotectUs: onNew(
        (made) => made.protect(),
        (made) => made.unprotect(),
      ),
      populateReadUs: onNew(nothing, (made) => made.advise("populate-read")),
      tableBytes,
      memoryBytes,
    };
  } catch (error) {
    if (error instanceof OutOfMemoryError) return null;
    throw error;
  }
}

function nothing(): void {
  // an address space as it is made
}

/** The median of single calls; the first of them is not counted. */
function medianUs(rounds: number, make: () => { run: () => void; end: () => void }): number {
  const samples: number[] = [];
  for (let round = -1; round < rounds; round++) {
    const { run, end } = make();
    const started = performance.now();
    run();
    const us = (performance.now() - started) * 1000;
    end();
    if (round >= 0) samples.push(us);
  }
  return median(samples);
}
