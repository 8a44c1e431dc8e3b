import { OutOfMemoryError } from "../ts/base/errors.js";
import { formatBytes, PAGE_SIZE } from "../ts/base/pages.js";
import type { Engine } from "../ts/engine/engine.js";
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
/** A call that takes so long at one size is not made at larger ones. */
const PATIENCE_US = 1e6;

const CALLS = {
  protect: { ready: () => undefined, run: (subject: Subject) => subject.protect() },
  unprotect: { ready: (subject: Subject) => subject.protect(), run: (subject: Subject) => subject.unprotect() },
  populateRead: { ready: () => undefined, run: (subject: Subject) => subject.advise("populate-read") },
} as const;

type Call = keyof typeof CALLS;

/** Measures what calls on ranges of every size cost, of which nothing is there before. */
export function measureSizes(makeEngine: MakeEngine, rounds: number): SizeResult[] {
  return (["templates", "materialised"] as const).flatMap((tables) => {
    const patient = new Set<Call>(["protect", "unprotect", "populateRead"]);
    return SIZES.filter((bytes) => tables === "templates" || bytes <= MATERIALISED_LIMIT).map((bytes) =>
      measureSize(makeEngine, tables, bytes, rounds, patient),
    );
  });
}

function measureSize(
  makeEngine: MakeEngine,
  tables: Tables,
  bytes: number,
  rounds: number,
  patient: Set<Call>,
): SizeResult {
  const pages = bytes / PAGE_SIZE;
  const callUs = (call: Call): number | null => {
    if (!patient.has(call)) return null;
    const us = whereItFits(() => medianUs(makeEngine(tables), pages, CALLS[call], rounds));
    if (us === null || us > PATIENCE_US) patient.delete(call);
    return us;
  };
  const us = { protect: callUs("protect"), unprotect: callUs("unprotect"), populateRead: callUs("populateRead") };
  const taken = us.protect === null ? null : memoryFor(makeEngine(tables), pages);
  console.log(
    `size ${formatBytes(bytes).padEnd(9)} ${tables.padEnd(13)} ${Object.values(us).map(usText).join(", ")} us`,
  );
  return {
    bytes,
    tables,
    protectUs: us.protect,
    unprotectUs: us.unprotect,
    populateReadUs: us.populateRead,
    tableBytes: taken?.tableBytes ?? null,
    memoryBytes: taken?.memoryBytes ?? null,
  };
}

function usText(us: number | null): string {
  return us === null ? "–" : us.toFixed(1);
}

/** Page tables of a range that is protected, and the memory that the engine takes for them. */
function memoryFor(engine: Engine, pages: number): { tableBytes: number; memoryBytes: number } {
  const before = engine.memoryBytes;
  const subject = new Subject(engine, pages);
  subject.protect();
  return { tableBytes: subject.space.status().tableBytes, memoryBytes: engine.memoryBytes - before };
}

/** The median of single calls on an engine whose memory has been used; the first of them is not counted. */
function medianUs(engine: Engine, pages: number, { ready, run }: (typeof CALLS)[Call], rounds: number): number {
  const samples: number[] = [];
  for (let round = -1; round < rounds; round++) {
    const subject = new Subject(engine, pages);
    ready(subject);
    const started = performance.now();
    run(subject);
    const us = (performance.now() - started) * 1000;
    subject.dispose();
    if (round >= 0) samples.push(us);
  }
  return median(samples);
}

/** Returns null where the engine's memory does not hold the tables. */
function whereItFits(measure: () => number): number | null {
  try {
    return measure();
  } catch (error) {
    if (error instanceof OutOfMemoryError) return null;
    throw error;
  }
}
