import { readdirSync, readFileSync } from "node:fs";
import { beforeAll, describe, expect, it } from "vitest";
import { createEngine, type Engine, runScenario, unmetExpectations } from "../../ts/node.js";
import { engineUrl } from "../support/engine-url.js";

const FOLDER = new URL("../../examples/quirks/", import.meta.url);
const PAGE = readFileSync(new URL("../../docs/quirks.md", import.meta.url), "utf8");

/** What the page shows, by the name of the quirk. */
const shown = new Map(
  PAGE.split(/^### /m)
    .slice(1)
    .map((section) => [/^\S+/.exec(section)?.[0] ?? "", /^```json\n(.*?)^```$/ms.exec(section)?.[1] ?? ""]),
);

const files = readdirSync(FOLDER).sort();
const names = files.map((file) => file.replace(/\.json$/, ""));

interface Quirk {
  readonly name: string;
  readonly about: string;
  readonly steps: readonly { readonly expect?: object }[];
}

function read(name: string): Quirk {
  return JSON.parse(readFileSync(new URL(`${name}.json`, FOLDER), "utf8")) as Quirk;
}

let engine: Engine;

beforeAll(async () => {
  engine = await createEngine({}, engineUrl);
});

describe("a quirk of the kernel", () => {
  it.each(names)("%s is the engine's too", (name) => {
    const document = read(name);
    expect(document.steps.some((step) => step.expect !== undefined)).toBe(true);
    expect(unmetExpectations(document, runScenario(document, engine))).toEqual([]);
  });
});

describe("docs/quirks.md", () => {
  it("shows every scenario as its file has it", () => {
    expect([...shown.keys()].sort()).toEqual(names);
    for (const name of names) expect(JSON.parse(shown.get(name) ?? "")).toEqual(read(name));
  });

  it("says what each scenario says of itself", () => {
    const text = PAGE.replace(/\s+/g, " ");
    for (const name of names) {
      const { name: own, about } = read(name);
      expect(own).toBe(name);
      expect(text).toContain(about);
    }
  });
});
