import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { LESSONS } from "../../playground/gallery/index.js";
import { jsonPlaces } from "../../ts/scenario/json-places.js";
import { scenarioText } from "../../ts/scenario/scenario-text.js";
import { lineAndColumn, TextError, type TextPlaces } from "../../ts/scenario/text-places.js";
import { readYaml } from "../../ts/scenario/yaml-places.js";

const TEXT = `{
  "scenario": 1,
  "steps": [
    { "op": "mmap", "as": "ram", "pages": 4 },
    { "op": "stat" }
  ]
}`;

function partOf(text: string, places: TextPlaces, where: string): string {
  const { from, to } = places.find(where);
  return text.slice(from, to);
}

describe("places in JSON", () => {
  it("are those of the values", () => {
    const places = jsonPlaces(TEXT);
    expect(partOf(TEXT, places, "steps[0].as")).toBe('"ram"');
    expect(partOf(TEXT, places, "steps[1]")).toBe('{ "op": "stat" }');
    expect(partOf(TEXT, places, "document")).toBe(TEXT);
  });

  it("are those of what should hold a value that is missing", () => {
    const places = jsonPlaces(TEXT);
    expect(partOf(TEXT, places, "steps[1].expect.ok")).toBe('{ "op": "stat" }');
    expect(partOf(TEXT, places, "machine.thp")).toBe(TEXT);
  });

  it("accepts what JSON.parse accepts, and nothing else", () => {
    fc.assert(
      fc.property(
        fc.json(),
        fc.nat(),
        fc.constantFrom("", ",", '"', "]", "}", "0", " ", "\\", "e"),
        (json, at, extra) => {
          const position = at % (json.length + 1);
          const text = json.slice(0, position) + extra + json.slice(position);
          expect(isAccepted(() => jsonPlaces(text))).toBe(isAccepted(() => JSON.parse(text)));
        },
      ),
    );
  });

  it.each([
    ['{ "scenario": 1 "steps": [] }', 'expected "," or "}", found "\\""', 16],
    ['{ "scenario": 1, }', 'expected the name of a field, in double quotes, found "}"', 17],
    ['{ "scenario": one }', 'expected a value, found "one"', 14],
    ['{ "steps": [1,', "expected a value, found the end of the text", 14],
    ["[] []", 'expected the end of the text, found "["', 3],
    ["[".repeat(200), 'expected at most 100 values inside each other, found "["', 101],
  ])("says of %s what was expected, and where", (text, message, from) => {
    try {
      jsonPlaces(text);
      expect.unreachable();
    } catch (error) {
      expect(error).toBeInstanceOf(TextError);
      expect((error as TextError).message).toBe(message);
      expect((error as TextError).span.from).toBe(from);
    }
  });
});

describe("places in YAML", () => {
  const text = "scenario: 1\nsteps:\n  - op: mmap\n    as: ram\n  - { op: stat }\n";

  it("are those of the values", () => {
    const { document, places } = readYaml(text);
    expect(document).toEqual({ scenario: 1, steps: [{ op: "mmap", as: "ram" }, { op: "stat" }] });
    expect(partOf(text, places, "steps[0].as")).toBe("ram");
    expect(partOf(text, places, "steps[1]")).toBe("{ op: stat }");
    expect(lineAndColumn(text, places.find("steps[1].op").from)).toEqual({ line: 5, column: 11 });
  });

  it("says where a text is none", () => {
    expect(() => readYaml("steps: [1\n")).toThrow(TextError);
    expect(() => readYaml("*a")).toThrow(TextError);
  });
});

describe("scenarios as text", () => {
  it.each(LESSONS)("$file is the same when it is read again", ({ scenario }) => {
    const text = scenarioText(scenario);
    expect(JSON.parse(text)).toEqual(scenario);
    for (const [index, step] of scenario.steps.entries()) {
      expect(JSON.parse(partOf(text, jsonPlaces(text), `steps[${index}]`))).toEqual(step);
    }
  });
});

function isAccepted(read: () => unknown): boolean {
  try {
    read();
    return true;
  } catch {
    return false;
  }
}
