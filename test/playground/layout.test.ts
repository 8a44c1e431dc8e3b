import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { encodeHash } from "../../playground/src/state/hash.js";
import { DEFAULT_STATE, VIEW_IDS } from "../../playground/src/state/state.js";
import { RAM_FIRST_PAGE } from "../../ts/sim/layout.js";
import { SMALL } from "./support/films.js";
import { type Site, skipReason, startSite } from "./support/site.js";

const TIMEOUT = 60_000;
/** From the narrowest phone, by tablets held in both ways, to a desktop. */
const WIDTHS = [320, 390, 600, 740, 820, 940, 1024, 1130, 1280, 1920];

describe.skipIf(skipReason !== "")(`every view fits ${skipReason}`, { timeout: TIMEOUT }, () => {
  let site: Site;

  beforeAll(async () => {
    site = await startSite();
  }, TIMEOUT);

  afterAll(() => site.close());

  it.each(VIEW_IDS)("%s, with a pinned page and whatever the width", async (view) => {
    const map = { ...DEFAULT_STATE.map, pin: view === "write" ? null : RAM_FIRST_PAGE };
    const { page, complaints } = await site.open(
      `/${await encodeHash({ ...DEFAULT_STATE, view, map, film: { ...SMALL, at: 0 } })}`,
      { reducedMotion: "reduce" },
    );
    await page.waitForSelector(view === "write" ? ".sequence svg" : ".entry");
    for (const width of WIDTHS) {
      await page.setViewportSize({ width, height: 800 });
      await expect.poll(() => cutOff(page), { message: `${view} at ${width}` }).toEqual([]);
    }
    expect(complaints).toEqual([]);
  });
});

/** Controls that are beyond the right edge of the page or of what scrolls around them, and the page itself where it scrolls sideways. */
function cutOff(page: Page): Promise<string[]> {
  return page.evaluate(() => {
    const { scrollWidth, clientWidth } = document.documentElement;
    const beyond = [...document.querySelectorAll("button, select, input:not([hidden])")].filter((control) => {
      const edges = [
        control.closest(".tabs, .controls, .panel, .header")?.getBoundingClientRect().right ?? clientWidth,
        clientWidth,
      ];
      return (
        control.closest(".table-scroll") === null && control.getBoundingClientRect().right > Math.min(...edges) + 1
      );
    });
    const names = beyond.map((control) => control.outerHTML.slice(0, 100));
    return scrollWidth > clientWidth ? [...names, `the page is ${scrollWidth} wide`] : names;
  });
}
