import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { encodeHash } from "../../playground/src/state/hash.js";
import { SEED_MODES, SEED_PART, type SeedMode, type SeedState } from "../../playground/src/state/seed.js";
import { DEFAULT_STATE } from "../../playground/src/state/state.js";
import { SeedRun, type WriteOutcome } from "../../playground/src/worker/seed-run.js";
import { createEngine } from "../../ts/node.js";
import { formatCount, formatTime } from "../../ts/report/format.js";
import { PUBLISHED_SEED_FIGURES } from "../../ts/sim/published.js";
import { trackerOf } from "../../ts/sim/trackers.js";
import { engineUrl } from "../support/engine-url.js";
import { accessibilityProblems, PHONE, type Site, skipReason, startSite, tabTo, takePicture } from "./support/site.js";

const TIMEOUT = 60_000;

describe.skipIf(skipReason !== "")(`first sight ${skipReason}`, { timeout: TIMEOUT }, () => {
  let site: Site;

  beforeAll(async () => {
    site = await startSite();
  }, TIMEOUT);

  afterAll(() => site.close());

  it("comes at once, without complaints and without asking anybody else", async () => {
    const { page, complaints } = await site.open("/");
    await result(page);
    const { painted, done } = await page.evaluate(() => ({
      painted: performance.getEntriesByName("first-contentful-paint")[0]?.startTime ?? NaN,
      done: performance.now(),
    }));
    console.log(`first sight: painted after ${painted.toFixed(0)} ms, experiment done after ${done.toFixed(0)} ms`);
    expect(complaints).toEqual([]);
  });

  it.each(SEED_MODES)("says of %s what the library counts", async (mode) => {
    const expected = await inNode({ ...SEED_PART.defaults, mode });
    const { page } = await site.open("/");
    await page.check(`input[value=${mode}]`);
    const sentence = await result(page, mode);
    expect(sentence).toContain(`${formatCount(expected.dirty)} written page`);
    expect(sentence).toContain(mode === "wp" ? "will be missed" : "none of");
    expect(await figure(page, "MISSED")).toBe(formatCount(expected.missed));
    expect(await figure(page, "messages")).toBe(formatCount(expected.messages));
    expect(await figure(page, "exceptions 0x6")).toBe(formatCount(expected.writeNotPresent));
    expect(await figure(page, "exceptions 0x7")).toBe(formatCount(expected.writeProtected));
  });

  it("has the published times beside the modelled ones", async () => {
    const { page } = await site.open("/");
    await result(page);
    for (const mode of SEED_MODES) {
      const row = page.locator(".arm-chart .row", { hasText: trackerOf(mode).seedLabel }).first();
      const published = (PUBLISHED_SEED_FIGURES[mode] ?? []).map(({ totalUs }) => formatTime(totalUs * 1e3));
      expect(published).not.toEqual([]);
      for (const time of published) expect(await row.locator(".published").textContent()).toContain(time);
    }
  });

  it("can be used with the keyboard alone", async () => {
    const { page, complaints } = await site.open("/");
    await tabTo(page, "input[value=wp]");
    await page.keyboard.press("ArrowDown");
    expect(await page.isChecked("input[value=wp-pre-read]")).toBe(true);
    await page.keyboard.press("Tab");
    await page.keyboard.press("Space");
    expect(await page.isChecked("[role=switch]")).toBe(true);
    await page.keyboard.press("Tab");
    await page.keyboard.press("Home");
    expect(await page.textContent(".size output")).toBe("64 MiB");
    await page.keyboard.press("4");
    await page.waitForFunction(() =>
      document.querySelector(".sentence")?.textContent.startsWith("WP-UNPOPULATED armed"),
    );
    await page.keyboard.press("?");
    await page.waitForSelector("dialog.help[open]");
    expect(await page.textContent("dialog.help > p")).toContain("write-protected");
    expect(await page.textContent("dialog.help .keys")).toContain("on the map: move");
    await page.keyboard.press("Escape");
    await page.waitForSelector("dialog.help", { state: "hidden" });
    expect(complaints).toEqual([]);
  });

  it.each(["light", "dark"] as const)("has no serious accessibility problem, %s", async (colorScheme) => {
    const { page } = await site.open("/", { colorScheme });
    await result(page);
    expect(await accessibilityProblems(page)).toEqual([]);
    await page.keyboard.press("?");
    await page.waitForSelector("dialog[open]");
    expect(await accessibilityProblems(page)).toEqual([]);
  });

  it.each([
    { name: "desktop-light", options: { colorScheme: "light" } },
    { name: "desktop-dark", options: { colorScheme: "dark" } },
    { name: "phone-light", options: { colorScheme: "light", ...PHONE } },
    { name: "phone-dark", options: { colorScheme: "dark", ...PHONE } },
  ] as const)("fits, $name", async ({ name, options }) => {
    const { page } = await site.open("/", options);
    await page.check("input[value=wp-unpopulated]");
    await result(page, "wp-unpopulated");
    await takePicture(page, `first-sight-${name}`);
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(page.viewportSize()?.width);
  });

  it("can be watched at 1 TiB with huge pages and without", async () => {
    const hash = await encodeHash({
      ...DEFAULT_STATE,
      seed: { ...SEED_PART.defaults, bytes: 2 ** 40, mode: "wp-pre-read" },
    });
    const { page, complaints } = await site.open(`/${hash}`);
    expect(await result(page, "wp-pre-read")).toContain("PRE-READ armed 268,435,456 entries: none of");
    await page.keyboard.press("t");
    await page.waitForSelector("[aria-busy=true]");
    expect(await result(page, "wp-pre-read")).toContain("none of");
    expect(complaints).toEqual([]);
  });

  it("carries its state in a link, which another browser restores", async () => {
    const { page } = await site.open("/");
    await page.check("input[value=wp-populate-read]");
    await page.check("[role=switch]");
    await page.selectOption("select", "series-2023");
    await page.waitForFunction(() => location.hash.startsWith("#s="));
    await page.waitForTimeout(1000); // the address follows the last change
    const { page: other } = await site.open(`/${new URL(page.url()).hash}`);
    expect(await other.isChecked("input[value=wp-populate-read]")).toBe(true);
    expect(await other.isChecked("[role=switch]")).toBe(true);
    expect(await other.inputValue("select")).toBe("series-2023");
    expect(await result(other, "wp-populate-read")).toBe(await result(page, "wp-populate-read"));
  });

  it("explains a pinned entry and goes back in its time, with the keyboard", async () => {
    const { page, complaints } = await site.open("/");
    await result(page);
    await page.keyboard.press("4");
    await result(page, "wp-unpopulated");
    await page.focus(".map-canvas");
    await page.keyboard.press("Enter");
    const event = page.locator(".entry-history button").first();
    expect(await event.textContent()).toContain("UFFDIO_WRITEPROTECT of the whole range");
    expect(await accessibilityProblems(page)).toEqual([]);
    await takePicture(page, "first-sight-pinned");
    const legend = await page.locator(".map-legend").boundingBox();
    const entry = await page.locator("aside.entry").boundingBox();
    for (const { y, height } of [legend, entry].filter((box) => box !== null)) expect(y + height).toBeLessThan(800);
    await event.press("Enter");
    expect(await page.textContent(".moment")).toContain("before the first write");
    await page.waitForSelector(".map-legend li:has-text('marker') b:text-is('2,621,440')");
    await page.press(".moment button", "Enter");
    await page.waitForSelector(".moment", { state: "detached" });
    expect(complaints).toEqual([]);
  });

  it("says that a link is damaged, and works", async () => {
    const { page } = await site.open("/#s=damaged");
    expect(await page.textContent("[role=alert] p")).toContain("damaged");
    expect(await result(page)).toContain("DEFAULT armed nothing");
    await page.click("[role=alert] button");
    expect(await page.$("[role=alert] p")).toBeNull();
  });

  it("names the field of a link that is wrong", async () => {
    const stream = new Blob([`{"seed":{"mode":"fast"}}`]).stream().pipeThrough(new CompressionStream("deflate-raw"));
    const packed = Buffer.from(await new Response(stream).arrayBuffer()).toString("base64url");
    const { page } = await site.open(`/#s=${packed}`);
    expect(await page.textContent("[role=alert] p")).toContain("seed.mode: expected one of wp,");
  });

  it("is without its header in another page", async () => {
    const { page, complaints } = await site.open("/?embed=1");
    await result(page);
    expect(await page.$(".header")).toBeNull();
    expect(await page.isVisible("text=Open in the pte-engine playground")).toBe(true);
    await takePicture(page, "first-sight-embedded");
    await page.click(".embed-footer button");
    expect(await page.textContent("dialog.help[open]")).toContain("Times are modelled, never measured");
    expect(complaints).toEqual([]);
  });

  it("says what it opens when something else is dropped", async () => {
    const { page } = await site.open("/");
    await page.setInputFiles("input[type=file]", {
      name: "a.png",
      mimeType: "image/png",
      buffer: Buffer.from("\x89PNG"),
    });
    const complaint = await page.waitForSelector("[role=alert] p");
    expect(await complaint.textContent()).toMatch(/^a\.png: expected .*lackey.*nor is it a scenario/);
  });

  it("stays still for those who want that", async () => {
    const { page } = await site.open("/", { reducedMotion: "reduce" });
    expect(await result(page)).toContain("DEFAULT armed nothing");
  });
});

/** The sentence of a way to arm, once the experiment is done. */
async function result(page: Page, mode: SeedMode = "wp"): Promise<string> {
  const sentence = page.locator(".sentence[aria-busy=false]", { hasText: `${trackerOf(mode).seedLabel} armed` });
  return (await sentence.textContent()) ?? "";
}

async function figure(page: Page, name: string): Promise<string | null> {
  return page
    .locator(".figures dl > div", { has: page.locator(`dt:text-is("${name}")`) })
    .locator("dd")
    .textContent();
}

async function inNode(params: SeedState): Promise<WriteOutcome> {
  const run = new SeedRun(await createEngine({}, engineUrl), params);
  const arming = run.arm();
  while (arming.next().done !== true);
  const writing = run.write();
  for (;;) {
    const step = writing.next();
    if (step.done === true) return step.value;
  }
}
