import { readFileSync } from "node:fs";
import { spawnSync } from "node:child_process";
import { gzipSync } from "node:zlib";
import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { encodeHash } from "../../playground/src/state/hash.js";
import type { FilmState } from "../../playground/src/state/film.js";
import { DEFAULT_STATE } from "../../playground/src/state/state.js";
import { FILM_TRACKERS, TraceReader, TraceStore } from "../../ts/node.js";
import { formatCount, formatTime } from "../../ts/report/format.js";
import { filmInNode, filmsDone, SMALL, trackerRow } from "./support/films.js";
import { accessibilityProblems, PHONE, type Site, skipReason, startSite, takePicture } from "./support/site.js";

const TIMEOUT = 90_000;

/** A program that writes the same 300 pages twice, and 200 others after the middle. */
const LACKEY = [
  ...Array.from({ length: 300 }, (_, i) => ` S 0480${(i + 16).toString(16).padStart(3, "0")}000,8`),
  ...Array.from({ length: 300 }, (_, i) => ` S 0490${((i % 200) + 16).toString(16).padStart(3, "0")}000,8`),
].join("\n");

/** The trace as a program compresses it: a machine without the program leaves the case out. */
function compressed(name: string, program: string, ...args: string[]): { name: string; bytes: Buffer }[] {
  const { status, stdout } = spawnSync(program, args, { input: LACKEY });
  return status === 0 ? [{ name, bytes: stdout }] : [];
}

describe.skipIf(skipReason !== "")(`the snapshot view ${skipReason}`, { timeout: TIMEOUT }, () => {
  let site: Site;

  beforeAll(async () => {
    site = await startSite();
  }, TIMEOUT);

  afterAll(() => site.close());

  async function open(film: FilmState, options = {}): Promise<{ page: Page; complaints: readonly string[] }> {
    const hash = await encodeHash({ ...DEFAULT_STATE, view: "snapshot", film });
    return site.open(`/${hash}`, options);
  }

  it("counts what the library counts, for every tracker, and finds only holes without WP_UNPOPULATED lost", async () => {
    const { page, complaints } = await open(SMALL);
    await filmsDone(page);
    for (const tracker of FILM_TRACKERS) {
      const { summary, frames } = filmInNode(SMALL, tracker);
      const { page: onPage, marker, zeroPage } = summary.faults;
      const [verdict, , pause, duration, faults] = await trackerRow(page, tracker);
      const { inconsistent } = summary.verdict;
      expect(inconsistent > 0, tracker).toBe(tracker === "wp");
      expect(verdict).toContain(inconsistent > 0 ? `✗ ${formatCount(inconsistent)}` : "✓ consistent");
      expect([pause, duration]).toEqual([formatTime(summary.pauseNs), formatTime(summary.durationNs)]);
      expect(faults).toBe(formatCount(onPage + marker + zeroPage));
      await page.check(`input[value="${tracker}"]`);
      await page.locator(".scrubber").press("End");
      await saved(page, "copier", (frames.at(-1)?.byCopier ?? 0) - (tracker === "wp" ? inconsistent : 0));
      await saved(page, "fault", frames.at(-1)?.byFault ?? 0);
      await saved(page, "wrong", inconsistent);
      const chart = await page.textContent(".stall-chart");
      expect(chart).toContain(`met a fault: ${formatCount(summary.stalls.count)}`);
      expect(chart).toContain(`${formatCount(onPage + marker + zeroPage)} of them waited for the handler`);
    }
    expect(complaints).toEqual([]);
  });

  it("shows any moment: forward, back, frame by frame and with the keyboard", async () => {
    const { page, complaints } = await open({ ...SMALL, at: 0 });
    await filmsDone(page);
    const { frames } = filmInNode(SMALL, SMALL.tracker);
    expect(await page.textContent(".player .time")).toMatch(/^0 \//);
    await saved(page, "unsaved", (64 * 2 ** 20) / 4096);
    await page.locator(".scrubber").fill("600");
    await page.waitForFunction(() => document.querySelector("[data-count=unsaved]")?.textContent !== "16,384");
    for (const [count, name] of [
      ["copier", "saved by the copier"],
      ["fault", "saved by faults"],
    ] as const) {
      const onStrip = await page.textContent(`[data-count=${count}]`);
      await figure(page, name, Number(onStrip?.replaceAll(",", "")));
    }
    await page.keyboard.press("Tab");
    await page.locator(".scrubber").fill("0");
    await saved(page, "unsaved", 16_384);
    await page.locator("#view").focus();
    await page.keyboard.press("n");
    await page.keyboard.press("n");
    await figure(page, "saved by the copier", frames[2]?.byCopier ?? NaN);
    await page.keyboard.press("p");
    await figure(page, "saved by the copier", frames[1]?.byCopier ?? NaN);
    await page.keyboard.press(" ");
    await page.waitForSelector(".play:has-text('Pause')");
    await page.waitForFunction((before) => document.querySelector(".player .time")?.textContent !== before, "0");
    await page.keyboard.press(" ");
    await page.waitForSelector(".play:has-text('Play')");
    expect(complaints).toEqual([]);
  });

  it("says which pages are wrong and why; one of them is found on the map, and its history goes back in time", async () => {
    const { page, complaints } = await open(SMALL);
    await filmsDone(page);
    expect(await page.textContent(".wrong-pages p")).toContain("there was no entry to protect");
    const first = filmInNode(SMALL, "wp").summary.verdict.first[0];
    const link = page.locator(".wrong-pages li button").first();
    expect(await link.textContent()).toBe(`0x${((first?.page ?? 0) * 4096).toString(16)}`);
    await link.click();
    expect(await page.isChecked("input[value=wp]")).toBe(true);
    await page.locator(".scrubber").press("End");
    const event = page.locator(".entry-history button", { hasText: "exception 0x6" });
    await event.click();
    await page.waitForFunction(
      (time) => document.querySelector(".player .time")?.textContent.startsWith(time),
      formatTime(first?.writtenNs ?? 0),
    );
    expect(complaints).toEqual([]);
  });

  it.each([
    { name: "small.lackey", bytes: Buffer.from(LACKEY) },
    { name: "small.lackey.gz", bytes: gzipSync(LACKEY) },
    ...compressed("small.lackey.zst", "zstd", "-q", "-c"),
    ...compressed("small.lackey.xz", "xz", "-c"),
  ])("takes a dropped trace: $name", async ({ name, bytes }) => {
    const { page, complaints } = await site.open("/");
    await page.evaluate(
      ({ content, file }) => {
        const dataTransfer = new DataTransfer();
        const characters = Uint8Array.from(atob(content), (character) => character.charCodeAt(0));
        dataTransfer.items.add(new File([characters], file));
        document.body.dispatchEvent(new DragEvent("drop", { dataTransfer, bubbles: true, cancelable: true }));
      },
      { content: bytes.toString("base64"), file: name },
    );
    await filmsDone(page);
    const store = await TraceStore.read(new TraceReader([Buffer.from(LACKEY)]));
    const guest = { store, accessesPerSecond: SMALL.rate };
    for (const tracker of FILM_TRACKERS) {
      const { summary } = filmInNode({ ...SMALL, bandwidth: 512 * 2 ** 20 }, tracker, guest);
      const [verdict, , pause] = await trackerRow(page, tracker);
      expect(verdict).toContain(
        summary.verdict.inconsistent > 0 ? `✗ ${formatCount(summary.verdict.inconsistent)}` : "✓",
      );
      expect(pause).toBe(formatTime(summary.pauseNs));
    }
    expect(await page.textContent(".trace-guest")).toContain("A link does not carry the trace");
    await page.waitForTimeout(800); // the address follows the last change
    const { page: other } = await site.open(`/${new URL(page.url()).hash}`);
    expect(await other.textContent(".trace-guest")).toContain(`the trace ${name}, which a link cannot carry`);
    await filmsDone(other);
    expect(complaints).toEqual([]);
  });

  it("carries its state in a link", async () => {
    const { page } = await open(SMALL);
    await filmsDone(page);
    await page.check("input[value=uniform]");
    await page.check("input[value=copier]");
    await filmsDone(page);
    await page.check("input[value=wp-pre-read]");
    await page.locator(".scrubber").fill("400");
    await page.waitForTimeout(800);
    const { page: other } = await site.open(`/${new URL(page.url()).hash}`);
    await filmsDone(other);
    expect(await other.isChecked("input[value=uniform]")).toBe(true);
    expect(await other.isChecked("input[value=copier]")).toBe(true);
    expect(await other.isChecked("input[value=wp-pre-read]")).toBe(true);
    expect(await other.textContent(".player .time")).toBe(await page.textContent(".player .time"));
  });

  it("says what a profile lacks, and goes on with another", async () => {
    const { page } = await open(SMALL);
    await filmsDone(page);
    await page.selectOption(".film-charts select", "series-2023");
    await page.waitForSelector(".sentence.bad");
    expect(await page.textContent(".sentence.bad")).toContain('has no "wpSyncFault"');
    await page.selectOption(".film-charts select", "nested-vm-6.18");
    await filmsDone(page);
  });

  it("is at once there at 1 GiB, and stands still for those who want that", async () => {
    const start = Date.now();
    const { page } = await open(DEFAULT_STATE.film, { reducedMotion: "reduce" });
    await page.waitForSelector(".film .sentence[aria-busy=false]");
    const first = Date.now() - start;
    await filmsDone(page);
    console.log(`snapshot of 1 GiB: page and first film ${first} ms, all five ${Date.now() - start} ms`);
    expect(await page.textContent(".play")).toContain("Play");
    await saved(page, "unsaved", 0);
  });

  it.each([
    { name: "desktop-light", options: { colorScheme: "light" } },
    { name: "desktop-dark", options: { colorScheme: "dark" } },
    { name: "phone-light", options: { colorScheme: "light", ...PHONE } },
    { name: "phone-dark", options: { colorScheme: "dark", ...PHONE } },
  ] as const)("fits and can be read by everybody, $name", async ({ name, options }) => {
    const { page, complaints } = await open({ ...DEFAULT_STATE.film, at: 6e8 }, options);
    await filmsDone(page);
    await page.waitForFunction(() => document.querySelector("[data-count=fault]")?.textContent !== "0");
    await takePicture(page, `snapshot-${name}`);
    expect(await accessibilityProblems(page)).toEqual([]);
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(page.viewportSize()?.width);
    await page.click(".wrong-pages li button");
    await page.waitForSelector(".entry-history li");
    await takePicture(page, `snapshot-pinned-${name}`);
    expect(await accessibilityProblems(page)).toEqual([]);
    expect(complaints).toEqual([]);
  });
});

describe("the engine of the page", () => {
  it("is the one that the tests use", () => {
    const served = readFileSync(new URL("../../dist/playground/engine.wasm", import.meta.url));
    const built = readFileSync(new URL("../../build/engine.wasm", import.meta.url));
    expect(served.equals(built)).toBe(true);
  });
});

/** Waits for a count of the strip. */
async function saved(page: Page, state: string, count: number): Promise<void> {
  await page.waitForSelector(`[data-count=${state}]:text-is("${formatCount(count)}")`, { timeout: 10_000 });
}

/** Waits for a count of the moment that is shown. */
async function figure(page: Page, name: string, count: number): Promise<void> {
  const row = page.locator(".figures dl > div", { has: page.locator(`dt:text-is("${name}")`) });
  await row.locator(`dd:text-is("${formatCount(count)}")`).waitFor({ timeout: 10_000 });
}
