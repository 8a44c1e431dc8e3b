import { readdirSync, readFileSync } from "node:fs";
import { beforeAll, describe, expect, it } from "vitest";
import { LESSONS } from "../../playground/gallery/index.js";
import { describeEntry, entryOf, PAGE_SIZE, Timeline, unmetExpectations } from "../../ts/node.js";
import type { Engine } from "../../ts/engine/engine.js";
import { engineFromModule } from "../../ts/engine/load.js";
import { engineUrl } from "../support/engine-url.js";

const FOLDER = new URL("../../playground/gallery/", import.meta.url);

let makeEngine: () => Engine;

beforeAll(() => {
  makeEngine = engineFromModule(readFileSync(engineUrl));
});

describe("a lesson of the gallery", () => {
  it.each(LESSONS.map((lesson) => [lesson.file, lesson] as const))("%s: what it expects is so", (_file, lesson) => {
    const { scenario } = lesson;
    const timeline = new Timeline(scenario, makeEngine);
    timeline.goTo(timeline.length);
    expect(scenario.steps.filter((step) => step.expect !== undefined).length).toBeGreaterThan(1);
    expect(unmetExpectations(scenario, timeline.transcript)).toEqual([]);
    timeline.dispose();
  });

  it.each(LESSONS.map((lesson) => [lesson.file, lesson] as const))("%s: there is something to see", (_file, lesson) => {
    const timeline = new Timeline(lesson.scenario, makeEngine);
    expect(lesson.look.length).toBeGreaterThan(0);
    for (const { step, at, proc = "main", entry } of lesson.look) {
      timeline.goTo(step + 1);
      const match = /^([a-z]+)\[([0-9]+)\]$/.exec(at);
      const mapping = timeline.mappings.find(({ name }) => name === match?.[1]);
      const index = Number(match?.[2]);
      expect(mapping?.pages, `${at} at step ${step}`).toBeGreaterThan(index);
      const space = timeline.spaces.get(proc);
      if (space === undefined || mapping === undefined) throw new Error(`step ${step}: nothing to look at`);
      const found = entryOf(space.engine, space.handle, mapping.start / PAGE_SIZE + index);
      expect(describeEntry(found), `${at} at step ${step}`).toBe(entry);
    }
    timeline.dispose();
  });
});

describe("the gallery", () => {
  it("shows every file", () => {
    const files = readdirSync(FOLDER).filter((name) => name.endsWith(".json") && name !== "lessons.json");
    expect(LESSONS.map(({ file }) => `${file}.json`).sort()).toEqual(files.sort());
    for (const { file, scenario } of LESSONS) expect(scenario.name).toBe(file);
  });
});
