import { readFileSync } from "node:fs";
import type { Page } from "playwright-core";
import { FILM_PART, type FilmState } from "../../../playground/src/state/film.js";
import {
  defaultCostProfile,
  engineFromModule,
  type FilmOptions,
  type FilmSummary,
  type FilmTracker,
  type Frame,
  SnapshotFilm,
} from "../../../ts/node.js";
import { engineUrl } from "../../support/engine-url.js";

/** A film that is quick to make. */
export const SMALL: FilmState = { ...FILM_PART.defaults, bytes: 64 * 2 ** 20, bandwidth: 256 * 2 ** 20 };

/** What a film comes to in Node, with the library alone. */
export function filmInNode(
  film: FilmState,
  tracker: FilmTracker,
  guest?: FilmOptions["guest"],
): { summary: FilmSummary; frames: readonly Frame[] } {
  const { bytes, populated, pattern, rate, seed, bandwidth, handler } = film;
  const made = new SnapshotFilm(
    {
      guest: guest ?? { bytes, populatedShare: populated, pattern, writesPerSecond: rate, seed },
      copierBytesPerSecond: bandwidth,
      handler,
      tracker,
      profile: defaultCostProfile(),
    },
    engineFromModule(readFileSync(engineUrl)),
  );
  made.advance(Infinity);
  return { summary: made.summary(), frames: made.frames };
}

/** Waits until the films of all trackers are done. */
export async function filmsDone(page: Page): Promise<void> {
  await page.waitForFunction(() => document.querySelectorAll(".trackers td > b").length === 5);
}

/** The cells of a tracker's row. */
export async function trackerRow(page: Page, tracker: FilmTracker): Promise<string[]> {
  return page
    .locator(".trackers tr", { has: page.locator(`input[value="${tracker}"]`) })
    .locator("td")
    .allTextContents();
}
