import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  AddressSpace,
  CATEGORIES,
  createEngine,
  EndlessCallError,
  type Engine,
  runScenario,
  Userfaultfd,
} from "../../ts/node.js";
import { generateScenario, PROFILES } from "../../ts/verify/generate/generate.js";
import { engineUrl } from "../support/engine-url.js";
import { World } from "./lockstep.js";
import { anyOperation, anyStart, type Operation, type Start } from "./operations.js";

const RUNS = Number(process.env["PTE_FUZZ_RUNS"] ?? 60);
const SEED = Number(process.env["PTE_FUZZ_SEED"] ?? 20230306);
const LONGEST = 14;
const SCENARIOS_EACH = Math.ceil(RUNS / 2);
const TIME_LIMIT_MS = 60_000 + RUNS * 5_000;

/** An engine whose tables are shared and one whose tables are all there. */
type Engines = readonly [shared: Engine, materialized: Engine];

async function twoEngines(): Promise<Engines> {
  return [await createEngine({}, engineUrl), await createEngine({ materialize: true }, engineUrl)];
}

function runBoth(engines: Engines, start: Start, operations: readonly Operation[]): void {
  const [shared, materialized] = engines.map((engine) => new World(engine, start)) as [World, World];
  try {
    for (const operation of operations) {
      const results = [shared, materialized].map((world) => attempt(() => world.apply(operation)));
      expect(results[0]).toEqual(results[1]);
      if (results[0] === HANGS) break;
      const ranges = [[operation.first, operation.first + operation.pages]] as const;
      expectAlike(shared.observe(ranges), materialized.observe(ranges));
    }
    expectAlike(shared.scanEverything(), materialized.scanEverything());
    shared.auditTables(false);
    materialized.auditTables(true);
  } finally {
    shared.dispose();
    materialized.dispose();
  }
}

const PAGE = 4096;
/** Three whole tables of 512 GiB and parts of two others. */
const BIG = { first: 2 ** 34 + 2 ** 18 - 512, pages: 4 * 2 ** 27 };

const HANGS = "never ends";

function attempt(call: () => unknown): unknown {
  try {
    return call();
  } catch (error) {
    if (error instanceof EndlessCallError) return HANGS;
    throw error;
  }
}

/** Two long texts are compared much faster than what they are made from. */
function expectAlike(actual: unknown, expected: unknown, message?: string): void {
  const text = (value: unknown): string => JSON.stringify(value, plain);
  if (text(actual) !== text(expected)) expect(actual, message).toEqual(expected);
}

function plain(_: string, value: unknown): unknown {
  if (value instanceof BigUint64Array) return Array.from(value, (word) => word.toString(16)).join();
  return value;
}

/** Where a range of several TiB is cut, so that each call ends inside of other tables. */
const anyCall = fc.record({
  kind: fc.constantFrom("protect", "protect", "unprotect", "dontneed", "populate-read", "scan", "write", "mprotect"),
  first: fc.nat(BIG.pages / 512 - 1).map((table) => BIG.first + 512 * table),
  pages: fc.constantFrom(512, 2 ** 18, 2 ** 27 + 512, 2 ** 28, BIG.pages),
  cuts: fc.array(fc.nat(2 ** 28), { minLength: 1, maxLength: 3 }),
  isReadOnly: fc.boolean(),
});

type Call = typeof anyCall extends fc.Arbitrary<infer T> ? T : never;

/** Does one call for a range, in parts that end at the cuts. */
function callInParts({ space, uffd }: BigSpace, call: Call, cuts: readonly number[]): void {
  const end = Math.min(call.first + call.pages, BIG.first + BIG.pages);
  const inside = cuts.map((cut) => Math.floor((call.first + (cut % (end - call.first))) / 512) * 512);
  const borders = [...new Set([call.first, ...inside.filter((page) => page > call.first), end])].sort((a, b) => a - b);
  borders.slice(1).forEach((to, i) => {
    const [start, length] = [(borders[i] as number) * PAGE, (to - (borders[i] as number)) * PAGE];
    if (call.kind === "protect") uffd.writeProtect(start, length);
    else if (call.kind === "unprotect") uffd.removeWriteProtection(start, length);
    else if (call.kind === "dontneed" || call.kind === "populate-read") space.madvise(start, length, call.kind);
    else if (call.kind === "mprotect") space.mprotect(start, length, call.isReadOnly ? "r" : "rw");
    else if (call.kind === "scan") space.pagemapScan({ start, end: start + length, vectorLength: 0, wpMatching: true });
    else if (i === 0) space.write(start, 5);
  });
}

interface BigSpace {
  readonly space: AddressSpace;
  readonly uffd: Userfaultfd;
}

function bigSpace(engine: Engine): BigSpace {
  const space = new AddressSpace(engine);
  space.mmap({ at: BIG.first * PAGE, length: BIG.pages * PAGE });
  const uffd = Userfaultfd.open(space, { features: ["wp-async"] });
  uffd.register(BIG.first * PAGE, BIG.pages * PAGE, ["wp"]);
  return { space, uffd };
}

describe(`an engine with shared tables and one without (seed ${SEED}, ${RUNS} runs)`, () => {
  it(
    "answer the same operations over large ranges alike, and hold the same entries, contents, mappings, counts and messages",
    async () => {
      let engines = await twoEngines();
      const property = fc.asyncProperty(
        anyStart,
        fc.array(anyOperation, { minLength: 1, maxLength: LONGEST, size: "max" }),
        async (start, operations) => {
          try {
            runBoth(engines, start, operations);
          } catch (error) {
            engines = await twoEngines(); // what went wrong may have left something behind
            throw error;
          }
        },
      );
      await fc.assert(property, { numRuns: RUNS, seed: SEED, endOnFailure: process.env["PTE_FUZZ_NO_SHRINK"] === "1" });
    },
    TIME_LIMIT_MS,
  );

  it("hold no memory once everything is disposed of", async () => {
    const engines = await twoEngines();
    const sequences = fc.sample(fc.tuple(anyStart, fc.array(anyOperation, { minLength: 4, maxLength: LONGEST })), {
      numRuns: 6,
      seed: SEED,
    });
    const runAll = (): number[] => {
      for (const [start, operations] of sequences) runBoth(engines, start, operations);
      return engines.map((engine) => engine.memoryBytes);
    };
    expect(runAll()).toEqual(runAll());
  });

  it(
    "give the same transcripts of scenarios with every kind of memory",
    async () => {
      const engines = await twoEngines();
      for (const profile of PROFILES) {
        for (let i = 0; i < SCENARIOS_EACH; i++) {
          const scenario = generateScenario(profile, (SEED + i) % 2 ** 32);
          const [shared, materialized] = engines.map((engine) => runScenario(scenario, engine));
          expectAlike(shared, materialized, `profile ${profile}, seed ${SEED + i}`);
        }
      }
    },
    TIME_LIMIT_MS,
  );
});

describe(`shared tables of 512 GiB (seed ${SEED}, ${RUNS} runs)`, () => {
  it(
    "become what the same call makes of them in parts",
    async () => {
      const engine = await createEngine({}, engineUrl);
      const property = fc.property(fc.array(anyCall, { minLength: 1, maxLength: 8 }), (calls) => {
        const [whole, parts] = [bigSpace(engine), bigSpace(engine)];
        const everything = { start: BIG.first * PAGE, end: (BIG.first + BIG.pages) * PAGE, return: CATEGORIES };
        for (const call of calls) {
          callInParts(whole, call, []);
          callInParts(parts, call, call.cuts);
          const [a, b] = [whole, parts].map(({ space }) => ({ ...space.counters(), realTables: 0, scanPages: 0 }));
          expect(a).toEqual(b);
          expect(whole.space.pagemapScan(everything).raw).toEqual(parts.space.pagemapScan(everything).raw);
        }
        whole.space.dispose();
        parts.space.dispose();
      });
      fc.assert(property, { numRuns: RUNS, seed: SEED });
    },
    TIME_LIMIT_MS,
  );
});
