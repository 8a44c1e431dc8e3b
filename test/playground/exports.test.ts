import { readFileSync } from "node:fs";
import type { Page } from "playwright-core";
import { parse } from "parse5";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { LESSONS } from "../../playground/gallery/index.js";
import { encodeHash } from "../../playground/src/state/hash.js";
import { SEED_MODES } from "../../playground/src/state/seed.js";
import { DEFAULT_STATE, type ViewId } from "../../playground/src/state/state.js";
import { FILM_TRACKERS, type TraceEventFile } from "../../ts/node.js";
import { trackerOf } from "../../ts/sim/trackers.js";
import { traceProblems } from "../support/trace-events.js";
import { filmInNode, filmsDone, SMALL } from "./support/films.js";
import { accessibilityProblems, type Site, skipReason, startSite } from "./support/site.js";

const TIMEOUT = 60_000;

describe.skipIf(skipReason !== "")(`what can be taken away ${skipReason}`, { timeout: TIMEOUT }, () => {
  let site: Site;

  beforeAll(async () => {
    site = await startSite();
  }, TIMEOUT);

  afterAll(() => site.close());

  async function open(view: ViewId): Promise<{ page: Page; complaints: readonly string[] }> {
    return site.open(`/${await encodeHash({ ...DEFAULT_STATE, view, film: SMALL })}`, { acceptDownloads: true });
  }

  it("of the experiment are its tables and its chart", async () => {
    const { page, complaints } = await open("experiment");
    await page.waitForSelector(".sentence[aria-busy=false]");
    const arming = rowsOf(await taken(page, "Four ways to arm"));
    expect(arming.map(({ way }) => way)).toEqual(SEED_MODES.map((mode) => trackerOf(mode).seedLabel));
    expect(arming[3]).toMatchObject({ bytes: String(10 * 2 ** 30), armed_none: "2621440", thp: "never" });
    const [writes] = rowsOf(await taken(page, "What the writes met"));
    expect(writes).toMatchObject({ way: "DEFAULT", writes: "4096", reported: "0" });
    expect(writes?.["missed"]).toBe(writes?.["pages_changed"]);
    expectPicture(await taken(page, "Time to arm"));
    expect(complaints).toEqual([]);
  });

  it("of a snapshot are its tables, its charts and its course", async () => {
    const { page, complaints } = await open("snapshot");
    await filmsDone(page);
    const trackers = rowsOf(await taken(page, "Trackers"));
    const frames = rowsOf(await taken(page, "Frames of all films"));
    for (const tracker of FILM_TRACKERS) {
      const { summary, frames: expected } = filmInNode(SMALL, tracker);
      const row = trackers.find((found) => found["tracker"] === tracker);
      expect(row).toMatchObject({
        inconsistent: String(summary.verdict.inconsistent),
        pause_ns: String(summary.pauseNs),
        faults_marker: String(summary.faults.marker),
        stall_p99_ns: String(summary.stalls.p99Ns),
      });
      const ofTracker = frames.filter((found) => found["tracker"] === tracker);
      expect(ofTracker.map((frame) => Number(frame["saved_by_faults"]))).toEqual(
        expected.map(({ byFault }) => byFault),
      );
      expect(ofTracker.map((frame) => Number(frame["time_ns"]))).toEqual(expected.map(({ timeNs }) => timeNs));
    }
    for (const chart of ["Pages saved", "Messages that wait", "Writes that met a fault"]) {
      expectPicture(await taken(page, chart));
    }
    const course = JSON.parse(await taken(page, "Course of the film")) as TraceEventFile;
    expect(traceProblems(course)).toEqual([]);
    const { faults } = filmInNode(SMALL, SMALL.tracker).summary;
    const answers = course.traceEvents.filter(({ name }) => name === "save, unprotect");
    expect(answers).toHaveLength(faults.page + faults.marker + faults.zeroPage);
    expect(await page.textContent(".toasts [role=status]")).toContain("ui.perfetto.dev");
    expect(complaints).toEqual([]);
  });

  it("of a scenario are its transcript, its text and its course", async () => {
    const { page, complaints } = await site.open(
      `/${await encodeHash({ ...DEFAULT_STATE, view: "scenario", scenario: { lesson: "who-waits", text: null, step: 7 } })}`,
      { acceptDownloads: true },
    );
    await page.waitForSelector(".transcript li:nth-child(7) [aria-current]");
    const { scenario } = LESSONS.find(({ file }) => file === "who-waits") ?? {};
    expect(JSON.parse(await taken(page, "Scenario"))).toEqual(scenario);
    expect(JSON.parse(await taken(page, "Transcript of the steps so far"))).toHaveProperty("results.length", 7);
    const course = JSON.parse(await taken(page, "Course of the steps so far")) as TraceEventFile;
    expect(traceProblems(course)).toEqual([]);
    expect(course.traceEvents.filter(({ cat }) => cat === "step")).toHaveLength(7);
    expect(course.traceEvents.filter(({ cat }) => cat === "wait").map(({ ph, ts }) => [ph, ts])).toEqual([
      ["b", 5000],
      ["e", 7000],
    ]);
    expect(complaints).toEqual([]);
  });

  it("of a write are its events and its picture", async () => {
    const { page, complaints } = await open("write");
    await page.waitForSelector(".sequence svg");
    const events = rowsOf(await taken(page, "Events"));
    expect(events.map(({ exception }) => exception).filter(Boolean)).toEqual(["0x6", "0x7"]);
    expect(events.find(({ message }) => message !== "")?.["message"]).toMatch(/^12(?:00){7}03/);
    expectPicture(await taken(page, "Sequence"));
    expect(complaints).toEqual([]);
  });

  it("can be reached with the keyboard alone", async () => {
    const { page } = await open("write");
    await page.waitForSelector(".sequence svg");
    await page.focus(".menu > button");
    await page.keyboard.press("Enter");
    expect(await accessibilityProblems(page)).toEqual([]);
    await page.keyboard.press("ArrowDown");
    const waiting = page.waitForEvent("download");
    await page.keyboard.press("Enter");
    expect((await waiting).suggestedFilename()).toBe("one-write.csv");
    await page.focus(".menu > button");
    await page.keyboard.press("Enter");
    await page.keyboard.press("ArrowDown");
    await page.keyboard.press("Escape");
    expect(await page.getAttribute(".menu > button", "aria-expanded")).toBe("false");
    expect(await page.evaluate(() => document.activeElement?.textContent)).toBe("Export");
    await page.keyboard.press("Enter");
    await page.keyboard.press("Shift+Tab");
    expect(await page.getAttribute(".menu > button", "aria-expanded")).toBe("false");
  });
});

/** Saves a file through the menu and returns what is in it. */
async function taken(page: Page, label: string): Promise<string> {
  await page.click(".menu > button");
  const waiting = page.waitForEvent("download");
  await page.click(`.menu li button:has-text("${label}")`);
  const path = await (await waiting).path();
  await page.waitForSelector(".menu ul", { state: "detached" });
  return readFileSync(path, "utf8");
}

/** Reads CSV without line breaks in cells. */
function rowsOf(text: string): Record<string, string>[] {
  expect(text.endsWith("\r\n")).toBe(true);
  const [head = [], ...rows] = text.trimEnd().split("\r\n").map(cellsOf);
  return rows.map((row) => {
    expect(row).toHaveLength(head.length);
    return Object.fromEntries(head.map((name, i) => [name, row[i] ?? ""]));
  });
}

function cellsOf(line: string): string[] {
  return Array.from(line.matchAll(/(?:^|,)(?:"((?:[^"]|"")*)"|([^",]*))/g), ([, quoted, plain]) =>
    (quoted?.replaceAll('""', '"') ?? plain ?? "").trim(),
  );
}

/** A picture that needs nothing else: well-formed, with colours, without classes and custom properties. */
function expectPicture(text: string): void {
  expect(text).toMatch(/^<svg [^>]*xmlns="http:\/\/www\.w3\.org\/2000\/svg"/);
  expect(text).not.toMatch(/var\(|class=|style=|NaN|undefined/);
  expect(text).toMatch(/(?:fill|stroke)="rgb\(/);
  const document = parse(text, { onParseError: ({ code }) => expect(code).toBe("missing-doctype") });
  expect(document.childNodes).toHaveLength(1);
  const stack: string[] = [];
  for (const [, slash = "", name = "", empty = ""] of text.matchAll(/<(\/?)([\w:]+)(?:"[^"]*"|[^">])*?(\/?)>/g)) {
    if (slash === "/") expect(stack.pop()).toBe(name);
    else if (empty === "") stack.push(name);
  }
  expect(stack).toEqual([]);
}
