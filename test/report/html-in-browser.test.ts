import { type Browser, type Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { comparisonHtml } from "../../ts/report/html.js";
import type { Comparison } from "../../ts/sim/comparison.js";
import { findChromium, launchChromium } from "../support/chromium.js";
import { emptyCase, hugeCase, missingCase, seedCase } from "./fixture.js";

const CASES: readonly { name: string; comparison: Comparison }[] = [
  { name: "missed pages", comparison: missingCase() },
  { name: "a published experiment", comparison: seedCase() },
  { name: "a hostile name", comparison: emptyCase() },
  { name: "the largest numbers", comparison: hugeCase() },
];

const WIDTHS = [320, 390, 768, 1280];

const found = findChromium();
const title = "skip" in found ? `the report in a browser (${found.skip})` : "the report in a browser";

describe.skipIf("skip" in found)(title, () => {
  let browser: Browser;

  beforeAll(async () => {
    if ("path" in found) browser = await launchChromium(found.path);
  });

  afterAll(async () => {
    await browser.close();
  });

  it.each(CASES)("of $name asks for nothing, runs nothing and reports nothing wrong", async ({ comparison }) => {
    const page = await browser.newPage();
    const events: string[] = [];
    page.on("request", (request) => events.push(`request ${request.url()}`));
    page.on("console", (message) => events.push(`console ${message.text()}`));
    page.on("dialog", (dialog) => {
      events.push(`dialog ${dialog.message()}`);
      void dialog.dismiss();
    });
    await page.setContent(comparisonHtml(comparison), { waitUntil: "load" });
    expect(events).toEqual([]);
    await page.close();
  });

  describe.each(WIDTHS)("at width %i", (width) => {
    it.each(CASES)("fits, for $name", async ({ comparison }) => {
      const page = await browser.newPage({ viewport: { width, height: 900 } });
      await page.setContent(comparisonHtml(comparison));
      await page.evaluate(() => {
        document.querySelectorAll("details").forEach((details) => (details.open = true));
      });
      expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(width);
      expect(await overlappingTexts(page)).toEqual([]);
      expect(await textsOutside(page)).toEqual([]);
      await page.close();
    });
  });
});

/** Pairs of texts of the same chart that lie on each other, by more than the blank around their letters. */
function overlappingTexts(page: Page): Promise<string[]> {
  return page.evaluate(() => {
    const slack = 3;
    return [...document.querySelectorAll("svg.chart")].flatMap((chart) => {
      const texts = [...chart.querySelectorAll("text")].filter((text) => text.textContent !== "");
      const boxes = texts.map((text) => ({ text: text.textContent, box: text.getBoundingClientRect() }));
      return boxes.flatMap((a, i) =>
        boxes
          .slice(i + 1)
          .filter(
            ({ box }) =>
              Math.min(a.box.right, box.right) - Math.max(a.box.left, box.left) > 0 &&
              Math.min(a.box.bottom, box.bottom) - Math.max(a.box.top, box.top) > slack,
          )
          .map((b) => `${a.text} | ${b.text}`),
      );
    });
  });
}

/** Texts of charts that reach out of their chart at the left or the right. */
function textsOutside(page: Page): Promise<string[]> {
  return page.evaluate(() =>
    [...document.querySelectorAll("svg.chart")].flatMap((chart) => {
      const { left, right } = chart.getBoundingClientRect();
      return [...chart.querySelectorAll("text")]
        .filter((text) => {
          const box = text.getBoundingClientRect();
          return box.left < left - 1 || box.right > right + 1;
        })
        .map((text) => text.textContent);
    }),
  );
}
