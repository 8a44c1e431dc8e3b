import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { encodeHash } from "../../playground/src/state/hash.js";
import { SEED_PART } from "../../playground/src/state/seed.js";
import { DEFAULT_STATE, type State } from "../../playground/src/state/state.js";
import { RAM_FIRST_PAGE } from "../../ts/sim/layout.js";
import { accessibilityProblems, PHONE, type Site, skipReason, startSite, takePicture } from "./support/site.js";

const TIMEOUT = 60_000;
const PAN_MS = 2000;
const MAP = ".map-canvas";

describe.skipIf(skipReason !== "")(`the map ${skipReason}`, { timeout: TIMEOUT }, () => {
  let site: Site;

  beforeAll(async () => {
    site = await startSite();
  }, TIMEOUT);

  afterAll(() => site.close());

  /** Opens the experiment once it is done: 10 GiB, every entry a marker or written to. */
  async function openArmed(map: Partial<State["map"]> = {}, options = {}): Promise<Page> {
    const seed = { ...SEED_PART.defaults, mode: "wp-unpopulated" } as const;
    const hash = await encodeHash({ ...DEFAULT_STATE, seed, map: { ...DEFAULT_STATE.map, ...map } });
    const { page } = await site.open(`/${hash}`, options);
    await page.waitForSelector(".sentence[aria-busy=false]:has-text('armed')");
    return page;
  }

  it.each([1, 2])("is moved over 10 GiB that are armed, at %s pixels a CSS pixel", async (deviceScaleFactor) => {
    const page = await openArmed({}, { deviceScaleFactor });
    const box = await boxOf(page);
    await page.mouse.move(box.x + box.width / 2, box.y + box.height / 2);
    for (let i = 0; i < 4; i++) await page.mouse.wheel(0, -120);
    const before = await position(page);
    const frames = framesOf(page, PAN_MS);
    await page.mouse.down();
    for (const started = performance.now(); performance.now() - started < PAN_MS;) {
      const turn = (performance.now() - started) / 300;
      await page.mouse.move(
        box.x + box.width * (0.5 + 0.4 * Math.sin(turn)),
        box.y + box.height * (0.5 + 0.4 * Math.cos(1.3 * turn)),
      );
    }
    await page.mouse.up();
    const { count, longestMs } = await frames;
    console.log(
      `panning 10 GiB armed, ${deviceScaleFactor}x: ${(count / (PAN_MS / 1000)).toFixed(0)} frames a second, longest ${longestMs.toFixed(0)} ms`,
    );
    expect(count).toBeGreaterThan(0);
    expect(await position(page)).not.toBe(before);
  });

  it("tells what is under the mouse, and pins it with a click", async () => {
    const page = await openArmed({ page: RAM_FIRST_PAGE, zoom: -6 });
    const box = await boxOf(page);
    await page.mouse.move(box.x + box.width / 2, box.y + box.height / 2);
    const facts = page.locator(".map-facts", { hasText: "0x10000000" });
    expect(await facts.textContent()).toContain("marker");
    await page.mouse.click(box.x + box.width / 2, box.y + box.height / 2);
    await page.waitForSelector(".entry-history button");
    expect(await page.textContent("aside.entry")).toContain("PTE_MARKER_UFFD_WP");
    await takePicture(page, "map-bits");
    await page.keyboard.press("Escape");
    await page.waitForSelector("aside.entry", { state: "detached" });
  });

  it("goes to a table of the way to a pinned entry", async () => {
    const page = await openArmed({ pin: RAM_FIRST_PAGE });
    const shown = (): Promise<{ page: number; zoom: number }> =>
      page.evaluate(async () => {
        const packed = atob(location.hash.slice(3).replaceAll("-", "+").replaceAll("_", "/"));
        const bytes = Uint8Array.from(packed, (character) => character.charCodeAt(0));
        const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate-raw"));
        return ((await new Response(stream).json()) as { map: { page: number; zoom: number } }).map;
      });
    const zooms: number[] = [];
    for (const level of ["PGD", "PUD", "PMD", "PTE"]) {
      await page.click(`.entry-walk button:has-text("${level}")`);
      await position(page);
      const { page: middle, zoom } = await shown();
      expect(middle).toBeGreaterThanOrEqual(RAM_FIRST_PAGE);
      zooms.push(zoom);
    }
    expect(zooms).toEqual([...zooms].sort((a, b) => b - a));
    expect(new Set(zooms).size).toBe(4);
  });

  it("is moved, zoomed and pinned with the keyboard alone", async () => {
    const page = await openArmed();
    await page.focus(MAP);
    for (let i = 0; i < 8; i++) await page.keyboard.press("+");
    await page.keyboard.press("ArrowRight");
    await page.keyboard.press("Shift+ArrowDown");
    await page.waitForSelector(".map-facts:has-text('PTE')");
    await page.keyboard.press("Enter");
    await page.waitForSelector("aside.entry");
    expect(await accessibilityProblems(page)).toEqual([]);
    await takePicture(page, "map-keyboard");
    await page.keyboard.press("Escape");
    await page.keyboard.press("0");
    await page.waitForFunction(() => document.querySelector(".map-legend")?.textContent.includes("2,617,348"));
  });

  it("follows two fingers", async () => {
    const page = await openArmed({}, PHONE);
    await page.locator(MAP).scrollIntoViewIfNeeded();
    const before = await position(page);
    const box = await boxOf(page);
    const [x, y] = [box.x + box.width / 2, box.y + box.height / 2];
    const touch = await page.context().newCDPSession(page);
    const fingers = (apart: number): { x: number; y: number; id: number }[] => [
      { x: x - apart, y, id: 0 },
      { x: x + apart, y, id: 1 },
    ];
    await touch.send("Input.dispatchTouchEvent", { type: "touchStart", touchPoints: fingers(20) });
    for (let apart = 25; apart <= 120; apart += 5) {
      await touch.send("Input.dispatchTouchEvent", { type: "touchMove", touchPoints: fingers(apart) });
    }
    await touch.send("Input.dispatchTouchEvent", { type: "touchEnd", touchPoints: [] });
    await expect.poll(() => position(page)).not.toBe(before);
    await takePicture(page, "map-phone-pinched");
  });

  it("says in words what it shows", async () => {
    const page = await openArmed();
    const id = await page.getAttribute(MAP, "aria-describedby");
    await page.waitForFunction((name) => document.getElementById(name ?? "")?.textContent.includes("4,092"), id);
    expect(await page.textContent(`[id="${id}"]`)).toContain("2,617,348");
  });
});

interface Box {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

async function boxOf(page: Page): Promise<Box> {
  const box = await page.locator(MAP).boundingBox();
  if (box === null) throw new Error("there is no map");
  return box;
}

/** Where the map is, as the address has it once it follows. */
async function position(page: Page): Promise<string> {
  await page.waitForTimeout(700);
  return page.evaluate(() => location.hash);
}

/** Counts the frames of some time. */
async function framesOf(page: Page, ms: number): Promise<{ count: number; longestMs: number }> {
  return page.evaluate(async (span) => {
    const started = performance.now();
    let last = started;
    let longestMs = 0;
    let count = 0;
    while (last - started < span) {
      await new Promise(requestAnimationFrame);
      const now = performance.now();
      longestMs = Math.max(longestMs, now - last);
      last = now;
      count++;
    }
    return { count, longestMs };
  }, ms);
}
