import { readFileSync } from "node:fs";
import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { encodeHash } from "../../playground/src/state/hash.js";
import { DEFAULT_STATE } from "../../playground/src/state/state.js";
import type { WriteState } from "../../playground/src/state/write.js";
import { sentence } from "../../playground/src/write/words.js";
import {
  defaultCostProfile,
  engineFromModule,
  oneWrite,
  type OneWrite,
  WRITE_PAGES,
  WRITE_TRACKERS,
  type WriteChoice,
} from "../../ts/node.js";
import { formatTime } from "../../ts/report/format.js";
import { engineUrl } from "../support/engine-url.js";
import { accessibilityProblems, PHONE, type Site, skipReason, startSite, takePicture } from "./support/site.js";

const TIMEOUT = 60_000;
const CHOICES = WRITE_TRACKERS.flatMap((tracker) => WRITE_PAGES.map((page) => ({ tracker, page, armed: true })));

describe.skipIf(skipReason !== "")(`the view of one write ${skipReason}`, { timeout: TIMEOUT }, () => {
  let site: Site;

  beforeAll(async () => {
    site = await startSite();
  }, TIMEOUT);

  afterAll(() => site.close());

  async function open(write: WriteState, options = {}): Promise<{ page: Page; complaints: readonly string[] }> {
    const hash = await encodeHash({ ...DEFAULT_STATE, view: "write", write });
    const visit = await site.open(`/${hash}`, options);
    await visit.page.waitForSelector(".sequence svg");
    return visit;
  }

  it("tells every write as the library does", async () => {
    const { page, complaints } = await open({ ...DEFAULT_STATE.write });
    for (const choice of CHOICES) {
      const expected = inNode(choice);
      await page.check(`input[value="${choice.tracker}"]`);
      await page.check(`fieldset:nth-of-type(2) input[value="${choice.page}"]`);
      const first = `event ${expected.events.length} of ${expected.events.length}`;
      await page.waitForSelector(`.step-count:has-text("${first}")`);
      await expect.poll(() => list(page)).toEqual(expected.events.map(sentence));
      const title = (await page.textContent("#write-title")) ?? "";
      if (expected.totalNs !== null && expected.spans.length > 0) expect(title).toContain(formatTime(expected.totalNs));
      expect(title).toContain(expected.reported === "to nobody" ? "nobody is told" : expected.reported.slice(3));
    }
    expect(complaints).toEqual([]);
  });

  it("goes through a write step by step with the keyboard", async () => {
    const { events } = inNode({ tracker: "sync-unpopulated", page: "none", armed: true });
    const { page, complaints } = await open({ ...DEFAULT_STATE.write });
    await page.keyboard.press("Home");
    expect(await now(page)).toBe(sentence(events[0] as (typeof events)[0]));
    for (const event of events.slice(1)) {
      await page.keyboard.press("ArrowRight");
      expect(await now(page)).toBe(sentence(event));
    }
    await page.keyboard.press("ArrowLeft");
    expect(await page.textContent(".step-count")).toBe(`event ${events.length - 1} of ${events.length}`);
    await page.keyboard.press("p");
    await page.keyboard.press("p");
    await page.keyboard.press("n");
    expect(await page.textContent(".step-count")).toBe(`event ${events.length - 2} of ${events.length}`);
    await page.keyboard.press("End");
    await page.focus("#view");
    await page.keyboard.press(" ");
    await page.waitForSelector(".step-count:text-matches('event [12] of')");
    await page.waitForSelector(".step-count:text-matches('event [23] of')");
    await page.keyboard.press(" ");
    expect(await page.textContent(".stepper .play")).toBe("Slow motion");
    expect(complaints).toEqual([]);
  });

  it("shows the message byte by byte, and which bits of an entry change", async () => {
    const { events } = inNode({ tracker: "sync", page: "page", armed: true });
    const message = events.findIndex((event) => event.message !== undefined);
    const { page } = await open({ tracker: "sync", page: "page", armed: true, step: message });
    expect(await page.textContent(".message-bytes")).toContain("00  12 00 00 00 00 00 00 00");
    expect(await page.textContent(".message-bytes")).toContain("08  03 00 00 00 00 00 00 00");
    const cleared = events.findIndex((event, index) => index > message && event.change !== undefined);
    for (let i = message; i < cleared; i++) await page.keyboard.press("n");
    const { before = { entry: 0n }, after = { entry: 0n } } = events[cleared]?.change ?? {};
    const changed = Array.from((before.entry ^ after.entry).toString(2)).filter((bit) => bit === "1").length;
    expect(await page.locator(".bit-row .changed").count()).toBe(changed);
  });

  it("carries its state in a link", async () => {
    const { page } = await open({ ...DEFAULT_STATE.write });
    await page.check("input[value=async]");
    await page.click("[role=switch]");
    await page.keyboard.press("p");
    await page.waitForTimeout(800); // the address follows the last change
    const { page: other } = await site.open(`/${new URL(page.url()).hash}`);
    await other.waitForSelector(".sequence svg");
    expect(await other.isChecked("input[value=async]")).toBe(true);
    expect(await other.isChecked("[role=switch]")).toBe(false);
    expect(await other.textContent(".step-count")).toBe(await page.textContent(".step-count"));
  });

  it.each([1600, 1440, 1100, 900, 390])("has no text on another one, %s pixels wide", async (width) => {
    const { page } = await open({ ...DEFAULT_STATE.write }, { viewport: { width, height: 900 } });
    for (const tracker of WRITE_TRACKERS) {
      await page.check(`input[value="${tracker}"]`);
      const { length } = inNode({ ...DEFAULT_STATE.write, tracker }).events;
      await page.waitForSelector(`.step-count:has-text("event ${length} of ${length}")`);
      await expect.poll(() => page.evaluate(overlaps)).toEqual([]);
    }
  });

  it("says what a profile does not know", async () => {
    const { page } = await open({ ...DEFAULT_STATE.write });
    await page.selectOption(".write-costs select", "series-2023");
    await page.waitForSelector(".cost-spans .total:has-text('not all figures are in series-2023')");
  });

  it.each([
    { name: "desktop-light", options: { colorScheme: "light" } },
    { name: "desktop-dark", options: { colorScheme: "dark" } },
    { name: "wide-light", options: { colorScheme: "light", viewport: { width: 1720, height: 980 } } },
    { name: "phone-light", options: { colorScheme: "light", ...PHONE } },
    { name: "phone-dark", options: { colorScheme: "dark", ...PHONE } },
  ] as const)("fits and can be read by everybody, $name", async ({ name, options }) => {
    const { page, complaints } = await open(
      { ...DEFAULT_STATE.write, step: 12 },
      { ...options, reducedMotion: "reduce" },
    );
    await takePicture(page, `one-write-${name}`);
    expect(await accessibilityProblems(page)).toEqual([]);
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(page.viewportSize()?.width);
    expect(complaints).toEqual([]);
  });
});

/** Names of lanes that lie on each other, and lines of text that lie on a bracket. */
function overlaps(): string[] {
  const boxesOf = (selector: string): { text: string; box: DOMRect; isTurned: boolean }[] =>
    [...document.querySelectorAll(`.sequence ${selector}`)].map((found) => ({
      text: found.textContent,
      box: found.getBoundingClientRect(),
      isTurned: found.hasAttribute("transform"),
    }));
  const names = boxesOf(".lanes text").filter(({ isTurned }) => !isTurned);
  const onNames = names.filter(({ box }, index) => box.right > (names[index + 1]?.box.left ?? Infinity));
  const brackets = boxesOf(".span path");
  const onBrackets = boxesOf(".event text").filter(({ box }) =>
    brackets.some(({ box: span }) => box.right > span.left && box.bottom > span.top && box.top < span.bottom),
  );
  return [...onNames, ...onBrackets].map(({ text }) => text);
}

/** The list for those who do not see the picture. */
async function list(page: Page): Promise<string[]> {
  return page.locator("ol[aria-label='What happens'] li").allTextContents();
}

async function now(page: Page): Promise<string | null> {
  return page.textContent("ol[aria-label='What happens'] li[aria-current=step]");
}

function inNode(choice: WriteChoice): OneWrite {
  return oneWrite(engineFromModule(readFileSync(engineUrl))(), choice, defaultCostProfile());
}
