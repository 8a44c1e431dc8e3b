import { readFileSync } from "node:fs";
import { Ajv2020 } from "ajv/dist/2020.js";
import { describe, expect, it } from "vitest";
import { Random } from "../../ts/base/random.js";
import { checkDocument } from "../../ts/scenario/check.js";
import { ScenarioError } from "../../ts/scenario/error.js";
import { SCENARIO_SCHEMA } from "../../ts/scenario/schema.js";
import { readRecordings } from "../support/golden.js";

const validate = new Ajv2020({ strict: true, allowUnionTypes: true }).compile(SCENARIO_SCHEMA);
const documents = ["hand-written.jsonl.gz", "random.jsonl.gz"].flatMap((file) =>
  readRecordings(file).map(({ document }) => document),
);

describe("the schema of scenarios", () => {
  it("accepts every document that was run on a kernel", () => {
    const refused = documents.filter((document) => !validate(document));
    expect(refused).toEqual([]);
    expect(documents.length).toBeGreaterThan(2000);
  });

  it("refuses nothing that the runner accepts, among thousands of damaged documents", () => {
    const random = new Random(1);
    let both = 0;
    for (const document of documents) {
      const damaged = damage(structuredClone(document), random);
      if (validate(damaged)) continue;
      expect(() => checkDocument(damaged), JSON.stringify(damaged).slice(0, 400)).toThrow(ScenarioError);
      both++;
    }
    expect(both).toBeGreaterThan(1000);
  });

  it("is published with the package", () => {
    const published = readFileSync(new URL("../../dist/scenario.schema.json", import.meta.url), "utf8");
    expect(JSON.parse(published)).toEqual(SCENARIO_SCHEMA);
  });

  it.each([
    ["an unknown operation", { scenario: 1, steps: [{ op: "sleep" }] }],
    ["a field that is not the operation's", { scenario: 1, steps: [{ op: "stat", range: "ram" }] }],
    ["a field that is missing", { scenario: 1, steps: [{ op: "mmap", as: "ram" }] }],
    ["a place that is none", { scenario: 1, steps: [{ op: "read", at: "ram[" }] }],
    ["another version", { scenario: 2, steps: [] }],
  ])("refuses %s", (_, document) => {
    expect(validate(document)).toBe(false);
  });
});

const STRANGE: readonly unknown[] = [null, -1, 1.5, "", "ram[", "0x", true, [], {}, "4Q", ["ram"], 7];

/** Puts something strange in the place of one value, or adds a field that nobody knows. */
function damage(document: object, random: Random): unknown {
  const holders: Record<string, unknown>[] = [];
  const collect = (value: unknown): void => {
    if (typeof value !== "object" || value === null) return;
    holders.push(value as Record<string, unknown>);
    for (const [key, inner] of Object.entries(value)) if (key !== "expect") collect(inner);
  };
  collect(document);
  const holder = holders[random.below(holders.length)] ?? {};
  const keys = [...Object.keys(holder).filter((key) => key !== "expect"), "unknown"];
  holder[keys[random.below(keys.length)] ?? "unknown"] = STRANGE[random.below(STRANGE.length)];
  return document;
}
