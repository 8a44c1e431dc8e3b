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
import {
  accessibilityProblems,
  PHONE,
  type Site,
  skipReason,
  startSite,
  tabTo,
  takePicture,
  type Visit,
} from "./support/site.js";

const TIMEOUT = 60_000;
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

  it.each([LESSONS[1], LESSONS[6], LESSONS[16]].filter((lesson) => lesson !== undefined))(
    "$file: its transcript is what the library gives",
    async (lesson) => {
      const { page, complaints } = await open();
      await page.click(`.lesson-title:text-is("${lesson.title}")`);
      await page.waitForFunction(
        (steps) => document.querySelectorAll(".transcript li").length === steps,
        lesson.scenario.steps.length,
      );
      await page.click("[aria-label='Run to end']");
      await at(page, lesson.scenario.steps.length);
      const expected = runScenario(lesson.scenario, await createEngine({}, engineUrl));
      expect(await saved(page)).toBe(`${transcriptText(expected)}\n`);
      expect(await page.$(".unmet-line")).toBeNull();
      expect(complaints).toEqual([]);
    },
  );

  it("steps, goes back, plays to the end and is scrubbed", async () => {
    const { page, complaints } = await open({ lesson: "marker-keeps-write", step: 0 });
    const { length } = lessonNamed("marker-keeps-write").scenario.steps;
    await at(page, 0);
    await page.click("[aria-label='Next step']");
    await at(page, 1);
    await page.click("[aria-label='Step back']");
    await at(page, 0);
    await page.selectOption(".transport select", "20");
    await page.click(".play:has-text('Play')");
    await at(page, length);
    await page.waitForSelector(".play:has-text('Play')");
    await page.click("[aria-label=Restart]");
    await at(page, 0);
    await page.fill(".time-line input", "5");
    await at(page, 5);
    expect(await page.textContent(".transcript [aria-current] .request")).toBe("writeprotect uffd=u range=ram");
    expect(JSON.parse(await saved(page))).toHaveProperty("results.length", 5);
    await page.click(".transcript li:nth-child(2) button");
    await at(page, 2);
    expect(complaints).toEqual([]);
  });

  it("shows what there is to look at, and leads back to the step that made it", async () => {
    const { page, complaints } = await open();
    await page.click('.lesson-title:text-is("A marker where no page is")');
    await at(page, 5); // the first thing to look at is after step 4
    await page.waitForSelector(".entry-state:text-is('marker')");
    await page.click(".looks li:nth-child(2) button");
    await at(page, 7);
    await page.waitForSelector(".entry-state:text-is('dirty')");
    await page.waitForFunction(() => document.querySelectorAll(".entry-history li").length === 3);
    expect(await page.textContent(".entry-history li:nth-child(2)")).toContain("exception 0x6");
    await page.click(".entry-history li:first-child button");
    await at(page, 5);
    await page.waitForSelector(".entry-state:text-is('marker')");
    expect(complaints).toEqual([]);
  });

  it("shows the mapping that there is to look at, however far from the largest", async () => {
    const { page, complaints } = await open();
    await page.click('.lesson-title:text-is("MADV_DONTNEED: anonymous against shared")');
    await page.waitForSelector(".entry h2:has-text('0x100000000000')");
    await page.click(".looks li:nth-child(2) button");
    await page.waitForSelector(".entry h2:has-text('0x108000000000')");
    await page.hover(".map-canvas"); // in its middle
    await page.waitForSelector(".map-facts:has-text('shared')");
    await page.click(".looks li:first-child button");
    await page.hover(".map-canvas");
    await page.waitForSelector(".map-facts:has-text('anon')");
    expect(complaints).toEqual([]);
  });

  it("leaves the page where it is when another step is shown, on a phone", async () => {
    const { page, complaints } = await open({}, PHONE);
    await editorOf(page);
    const isStepInSight = (): boolean => {
      const step = document.querySelector(".editor-host")?.shadowRoot?.querySelector(".cm-step");
      const [box, scroller] = [step, step?.closest(".cm-scroller")].map((found) => found?.getBoundingClientRect());
      return box !== undefined && scroller !== undefined && box.top >= scroller.top && box.bottom <= scroller.bottom;
    };
    await page.waitForFunction(isStepInSight);
    expect(await page.evaluate(() => scrollY)).toBe(0);
    await page.keyboard.press("End");
    await at(page, lessonNamed("hole-loses-write").scenario.steps.length);
    await page.waitForFunction(isStepInSight);
    expect(await page.evaluate(() => scrollY)).toBe(0);
    expect(complaints).toEqual([]);
  });

  it("shows the memory of each process, also before and after it lives", async () => {
    const { page, complaints } = await open({ lesson: "fork-forgets", step: 8 });
    await page.selectOption(".transport .inline:last-of-type select", "child");
    await page.waitForSelector("section[aria-label='Address space of child']");
    await page.click("[aria-label=Restart]");
    await at(page, 0);
    expect(await page.textContent(".transport option[value=child]")).toBe("child (not there)");
    await page.waitForSelector(".map-facts:text-is('Nothing is mapped.')");
    await page.click("[aria-label='Run to end']");
    await at(page, lessonNamed("fork-forgets").scenario.steps.length);
    expect(complaints).toEqual([]);
  });

  it("says what is wrong on its line, and shows the last text that was right", async () => {
    const { page, complaints } = await open({ text: scenarioText(lessonNamed("marker-keeps-write").scenario) });
    await editorOf(page);
    await write(page, DAMAGED);
    await page.waitForSelector(".fault:not(:empty)");
    expect(await page.textContent(".fault")).toContain("Line 5 steps[1].at: expected");
    expect(await page.textContent(".cm-lintRange-error")).toBe('"rom[2]"');
    expect(await page.locator(".transcript li").count()).toBe(8);
    await page.click(".fault button");
    await page.keyboard.press("ArrowRight");
    await page.keyboard.press("Delete");
    await page.keyboard.type("ra");
    await page.keyboard.press("Delete");
    await page.waitForSelector(".fault:empty", { state: "attached" });
    await page.waitForFunction(() => document.querySelectorAll(".transcript li").length === 2);
    expect(complaints).toEqual([]);
  });

  it.each([
    ["JSON with a comma too few", '{\n  "scenario": 1\n  "steps": []\n}', 'Line 3 expected "," or "}"'],
    [
      "YAML with a field too many",
      "scenario: 1\nsteps:\n  - op: stat\n    range: ram\n",
      "Line 4 steps[0].range: expected no such field",
    ],
    [
      "a field that is missing",
      '{\n  "scenario": 1,\n  "steps": [\n    { "op": "mmap" }\n  ]\n}',
      "Line 4 steps[0].pages: expected a whole number",
    ],
  ])("names the line of %s", async (_what, text, message) => {
    const { page } = await open({ text });
    await page.waitForSelector(".fault:not(:empty)");
    expect(await page.textContent(".fault")).toContain(message);
  });

  it("shows what was expected and did not come", async () => {
    const text = '{ "scenario": 1, "steps": [{ "op": "mmap", "as": "ram", "pages": 0, "expect": { "ok": true } }] }';
    const { page } = await open({ text });
    await page.waitForSelector(".unmet-line");
    expect(await page.textContent(".unmet-line")).toContain("expected ok true, found nothing");
    expect(await page.textContent(".tick-legend")).toContain("not as expected 1");
  });

  it("completes whole steps", async () => {
    const { page, complaints } = await open({
      text: '{\n  "scenario": 1,\n  "steps": [\n    { "op": "uffd", "as": "u" },\n    \n  ]\n}',
    });
    await editorOf(page);
    const complete = async (line: number, text: string): Promise<string[]> => {
      await page.click(`.cm-line:nth-child(${line})`);
      await page.keyboard.press("End");
      await page.keyboard.type(text);
      await page.keyboard.press("Control+Space");
      await page.waitForSelector(".cm-tooltip-autocomplete li");
      await page.waitForTimeout(150);
      return page.locator(".cm-tooltip-autocomplete .cm-completionLabel").allTextContents();
    };
    expect(await complete(5, "")).toEqual(expect.arrayContaining(["mmap", "writeprotect", "pagemap-scan"]));
    await page.keyboard.type("regi");
    await page.waitForTimeout(150);
    await page.keyboard.press("Enter");
    expect(await page.textContent(".cm-line:nth-child(5)")).toContain(
      '{ "op": "register", "uffd": "uffd", "range": "range", "modes": ["missing"] }',
    );
    expect(complaints).toEqual([]);
  });

  it("can be used with the keyboard alone", async () => {
    const { page, complaints } = await open({ lesson: "marker-keeps-write", step: 0 });
    await at(page, 0);
    await page.keyboard.press("n");
    await page.keyboard.press("j");
    await at(page, 2);
    await page.keyboard.press("p");
    await at(page, 1);
    await page.keyboard.press("End");
    await at(page, 8);
    await page.keyboard.press("Home");
    await at(page, 0);
    await page.keyboard.press("ArrowRight");
    await at(page, 1);
    await page.focus(".map-canvas");
    await page.keyboard.press("ArrowRight"); // moves the map, and goes to no step
    await page.keyboard.press("ArrowRight");
    await page.keyboard.press("k");
    await at(page, 0);
    await page.keyboard.press("Space");
    await page.waitForSelector(".play:has-text('Pause')");
    await page.keyboard.press("Space");
    await page.waitForSelector(".play:has-text('Play')");
    await tabTo(page, ".lesson-title[aria-expanded=false]");
    await page.keyboard.press("Space");
    await page.waitForSelector(".open .lesson-title:text-is('The write that goes missing')");
    await tabTo(page, ".looks button");
    await page.keyboard.press("Enter");
    await tabTo(page, ".time-line input");
    await page.keyboard.press("Home");
    await at(page, 0);
    await page.keyboard.press("ArrowRight");
    await at(page, 1);
    await editorOf(page);
    await tabTo(page, ".editor-host");
    await page.keyboard.press("Tab"); // out of the editor again
    await tabTo(page, ".transcript li button");
    await tabTo(page, ".entry-walk button");
    await page.keyboard.press("?");
    await page.waitForSelector("dialog.help[open] kbd:text-is('n, j, →')");
    expect(complaints).toEqual([]);
  });

  it("restores lesson and step from a link", async () => {
    const { page } = await open();
    await page.click('.lesson-title:text-is("A marker where no page is")');
    await at(page, 5);
    await page.keyboard.press("n");
    await at(page, 6);
    await page.waitForTimeout(1000); // the address follows the last change
    const { page: other } = await site.open(`/${new URL(page.url()).hash}`);
    await at(other, 6);
    expect(await other.textContent(".lesson-title[aria-expanded=true]")).toBe("A marker where no page is");
    expect(await other.textContent(".entry h2")).toBe("0x100000002000");
  });

  it("says that a link names no lesson, and works", async () => {
    const { page } = await open({ lesson: "no-such-lesson" });
    expect(await page.textContent("[role=alert] p")).toContain("scenario.lesson: expected one of hole-loses-write");
    await page.waitForSelector(".open .lesson-title:text-is('The write that goes missing')");
  });

  it("loads nothing of this before it is shown", async () => {
    const { page } = await site.open("/");
    await page.waitForSelector(".sentence[aria-busy=false]");
    const loaded = (): Promise<string[]> =>
      page.evaluate(() => performance.getEntriesByType("resource").map(({ name }) => new URL(name).pathname));
    expect((await loaded()).filter((path) => /scenario|editor|yaml/.test(path))).toEqual([]);
    await page.click(".tabs button:text-is('Scenario')");
    await editorOf(page);
    expect((await loaded()).some((path) => path.includes("/chunks/editor-"))).toBe(true);
  });

  it("goes through thousands of steps", async () => {
    const steps = Array.from(
      { length: 3000 },
      (_, value) => ({ op: "write", at: `ram[${value % 64}]`, value }) as const,
    );
    const mmap = { op: "mmap", as: "ram", pages: 64 } as const;
    const text = JSON.stringify({ scenario: 1, steps: [mmap, ...steps] }); // on one line, as programs write it
    const { page, complaints } = await open({ text, step: 2900 });
    await at(page, 2900);
    const start = performance.now();
    await page.fill(".time-line input", "1500");
    await at(page, 1500);
    console.log(`3,001 steps: from 2,900 to 1,500 and drawn in ${(performance.now() - start).toFixed(0)} ms`);
    expect(complaints).toEqual([]);
  });

  it("goes on answering while a scenario takes long, and can be stopped", async () => {
    const { page, complaints } = await open({ lesson: "marker-keeps-write", step: 0 });
    await editorOf(page);
    const rounds = Array.from({ length: 2000 }, () => [
      { op: "touch", range: "ram", access: "write", value: 1 } as const,
      { op: "madvise", range: "ram", advice: "dontneed" } as const,
    ]);
    const steps = [{ op: "mmap", as: "ram", pages: 1 << 18 } as const, ...rounds.flat()];
    await page.setInputFiles("input[type=file]", {
      name: "long.json",
      mimeType: "",
      buffer: Buffer.from(scenarioText({ scenario: 1, steps })),
    });
    await page.waitForSelector(".carrying button:text-is('Stop')");
    await page.keyboard.press("n"); // what is shown is the lesson, and goes on
    await at(page, 1);
    expect(await accessibilityProblems(page)).toEqual([]);
    await takePicture(page, "scenario-takes-long");
    await page.press(".carrying button", "Enter");
    await page.waitForSelector(".carrying:has-text('Stopped')");
    await page.press(".carrying button:text-is('Begin again')", "Enter");
    await page.waitForSelector(".carrying button:text-is('Stop')");
    await page.click('.lesson-title:text-is("The write that goes missing")');
    await page.waitForSelector(".looks .where:has-text('step 6')");
    await at(page, 5);
    await page.waitForSelector(".carrying", { state: "detached" });
    expect(complaints).toEqual([]);
  });

  it("opens scenarios that are dropped on another view", async () => {
    const { page, complaints } = await site.open("/");
    const text = "scenario: 1\nabout: mine\nsteps:\n  - { op: mmap, as: ram, pages: 2 }\n  - { op: write, at: ram }\n";
    await page.evaluate((content) => {
      const dataTransfer = new DataTransfer();
      dataTransfer.items.add(new File([content], "mine.yaml"));
      document.body.dispatchEvent(new DragEvent("drop", { dataTransfer, bubbles: true, cancelable: true }));
    }, text);
    await at(page, 2);
    expect(await page.textContent(".own")).toBe("Your own text: mine");
    await editorOf(page);
    expect(await page.textContent(".cm-step")).toContain("op: write");
    expect(complaints).toEqual([]);
  });

  it.each(["light", "dark"] as const)("has no serious accessibility problem, %s", async (colorScheme) => {
    const { page } = await open({ lesson: "marker-keeps-write", step: 7 }, { colorScheme });
    await editorOf(page);
    await page.waitForSelector(".entry-history");
    expect(await accessibilityProblems(page)).toEqual([]);
    await write(page, DAMAGED);
    await page.waitForSelector(".fault:not(:empty)");
    expect(await accessibilityProblems(page)).toEqual([]);
  });

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
    const map = await page.locator(".map-canvas").boundingBox();
    expect(map?.height).toBeGreaterThan(200);
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(page.viewportSize()?.width);
    expect(complaints).toEqual([]);
  });
});

/** Waits until so many steps have been carried out. */
async function at(page: Page, steps: number): Promise<void> {
  const isThere = (wanted: number): boolean =>
    document.querySelectorAll(".transcript li.done").length === wanted &&
    document.querySelectorAll(".transcript li").length >= wanted &&
    document.querySelector<HTMLInputElement>(".time-line input")?.value === String(wanted);
  await page.waitForFunction(isThere, steps);
}

/** The transcript as it is saved. */
async function saved(page: Page): Promise<string> {
  await page.click("button:text-is('Export')");
  const [download] = await Promise.all([
    page.waitForEvent("download"),
    page.click(".menu button:has-text('Transcript of the steps so far')"),
  ]);
  return readFileSync(await download.path(), "utf8");
}

async function editorOf(page: Page): Promise<void> {
  await page.waitForSelector(".editor-host .cm-content");
}

/** Writes a text in the place of what is in the editor; the cursor is behind it. */
async function write(page: Page, text: string): Promise<void> {
  await page.click(".cm-content");
  await page.keyboard.press("Control+A");
  await page.keyboard.insertText(text);
}

function lessonNamed(name: string): Lesson {
  const found = LESSONS.find(({ file }) => file === name);
  if (found === undefined) throw new Error(`no lesson ${name}`);
  return found;
}
