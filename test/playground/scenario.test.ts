import { readFileSync } from "node:fs";
import type { BrowserContextOptions, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Lesson, LESSONS } from "../../playground/gallery/index.js";
import { encodeHash } from "../../playground/src/state/hash.js";
import { SCENARIO_PART, type ScenarioState } from "../../playground/src/state/scenario.js";
import { DEFAULT_STATE } from "../../playground/src/state/state.js";
import { createEngine, runScenario } from "../../ts/node.js";
import { scenarioText } from "../../ts/scenario/scenario-text.js";
import { transcriptText } from "../../ts/scenario/transcript-text.js";
import { engineUrl } from "../support/engine-url.js";
import { accessibilityProblems, type Site, skipReason, startSite, takePicture, type Visit } from "./support/site.js";

const TIMEOUT = 60_000;
const PHONE = { viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true } as const;
const DESKTOP = { viewport: { width: 1440, height: 900 } } as const;

/** Where a scenario is damaged, and what is said of it. */
const DAMAGED = `{
  "scenario": 1,
  "steps": [
    { "op": "mmap", "as": "ram", "pages": 4 },
    { "op": "write", "at": "rom[2]", "value": 7 }
  ]
}
`;

describe.skipIf(skipReason !== "")(`scenarios ${skipReason}`, { timeout: TIMEOUT }, () => {
  let site: Site;

  beforeAll(async () => {
    site = await startSite();
  }, TIMEOUT);

  afterAll(() => site.close());

  const open = async (fields: Partial<ScenarioState> = {}, options?: BrowserContextOptions): Promise<Visit> => {
    const hash = await encodeHash({
      ...DEFAULT_STATE,
      view: "scenario",
      scenario: { ...SCENARIO_PART.defaults, ...fields },
    });
    const visit = await site.open(`/${hash}`, { ...DESKTOP, ...options });
    await visit.page.waitForSelector(".transcript li [aria-current], .transcript li.ahead, .fault:not(:empty)");
    return visit;
  };

  it.each([
    { name: "desktop-light", options: { colorScheme: "light", ...DESKTOP } },
    { name: "desktop-dark", options: { colorScheme: "dark", ...DESKTOP } },
    { name: "small-desktop-light", options: { colorScheme: "light", viewport: { width: 1024, height: 768 } } },
    { name: "phone-light", options: { colorScheme: "light", ...PHONE } },
    { name: "phone-dark", options: { colorScheme: "dark", ...PHONE } },
  ] as const)("fits, $name", async ({ name, options }) => {
    const { page, complaints } = await open({ lesson: "marker-keeps-write", step: 7 }, options);
    await editorOf(page);
    await page.waitForTimeout(500); // the map's tiles and the history come
    await takePicture(page, `scenario-${name}`);
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(page.viewportSize()?.width);
    expect(complaints).toEqual([]);
  });
});

async function editorOf(page: Page): Promise<void> {
  await page.waitForSelector(".editor-host .cm-content");
}

void [readFileSync, DAMAGED, transcriptText, scenarioText, createEngine, runScenario, engineUrl, accessibilityProblems, LESSONS];
export type { Lesson };
