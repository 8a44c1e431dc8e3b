import { readFileSync } from "node:fs";
import fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";
import { createEngine, type Engine, type Feature } from "../../ts/node.js";
import { auditTables } from "../support/audit.js";
import { engineUrl, scalarEngineUrl } from "../support/engine-url.js";
import { anyStart, anyStep } from "./steps.js";
import { Twin } from "./world.js";

const RUNS = Number(process.env["PTE_FUZZ_RUNS"] ?? 300);
const SEED = Number(process.env["PTE_FUZZ_SEED"] ?? 20230306);
const LONGEST = 60;
const TIME_LIMIT_MS = 60_000 + RUNS * 500;

const features = fc.constantFrom<Feature[]>(
  [],
  ["wp-unpopulated"],
  ["wp-unpopulated"],
  ["wp-async"],
  ["wp-unpopulated", "sigbus"],
);

const ENGINES = [
  { name: "tables that are shared", materialize: false, url: engineUrl },
  { name: "tables that are all there", materialize: true, url: engineUrl },
  { name: "loops without SIMD", materialize: false, url: scalarEngineUrl },
];

describe.each(ENGINES)(`random sequences of calls, $name (seed ${SEED}, ${RUNS} runs)`, ({ materialize, url }) => {
  let engine: Engine;

  beforeAll(async () => {
    engine = await createEngine({ materialize }, url);
  });

  it(
    "leave every entry, content, counter, table, mapping, thread and message as the oracle says",
    () => {
      const sequences = fc.array(anyStep, { minLength: 1, maxLength: LONGEST, size: "max" });
      const descriptors = fc.tuple(features, features, features);
      const property = fc.property(sequences, descriptors, anyStart, (steps, uffds, start) => {
        const twins = [new Twin(engine, uffds, start), new Twin(engine, uffds, start)];
        try {
          for (const step of steps) {
            const twin = twins[step.space] as Twin;
            twin.apply(step);
            twin.compare(materialize);
          }
          for (const twin of twins) {
            twin.compare(materialize);
            const { entries, ...counted } = auditTables(twin.space);
            expect(counted).toEqual(twin.oracle.levels);
            for (const [page, entry] of entries)
              expect(entry).toBe(twin.space.engine.readEntries(twin.space.handle, page, 1)[0]);
          }
        } finally {
          for (const twin of twins) twin.space.dispose();
        }
      });
      fc.assert(property, { numRuns: RUNS, seed: SEED, endOnFailure: process.env["PTE_FUZZ_NO_SHRINK"] === "1" });
    },
    TIME_LIMIT_MS,
  );

  it("are judged by an oracle that shares no code with the product", () => {
    expect(readFileSync(new URL("../support/oracle.ts", import.meta.url), "utf8")).not.toMatch(
      /\bimport\b|\brequire\b/,
    );
  });

  it("hold no memory once their address spaces are disposed of", () => {
    const before = engine.memoryBytes;
    const wp = { missing: false, wp: true };
    for (let i = 0; i < 50; i++) new Twin(engine, [[], [], []], [wp, wp, wp]).space.dispose();
    expect(engine.memoryBytes).toBe(before);
  });
});
