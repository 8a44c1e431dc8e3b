import type { PublishedFigure, TrackerId } from "./comparison.js";

const SERIES = "patch series, THP off";
const SERIES_HUGE = "patch series, THP on";
const AUTHOR = "its author, in a VM";

/** Published measurements of the experiment of WP_UNPOPULATED: 10 GiB of untouched anonymous memory, microseconds. */
export const PUBLISHED_SEED_FIGURES: Readonly<Partial<Record<TrackerId, readonly PublishedFigure[]>>> = {
  wp: [
    { source: SERIES, totalUs: 4 },
    { source: AUTHOR, totalUs: 2 },
  ],
  "wp-pre-read": [
    { source: SERIES, totalUs: 1_111_453, prefaultUs: 1_101_011 },
    { source: AUTHOR, totalUs: 3_277_099, prefaultUs: 3_253_826 },
  ],
  "wp-populate-read": [
    { source: SERIES, totalUs: 278_276, prefaultUs: 266_378 },
    { source: AUTHOR, totalUs: 2_250_361, prefaultUs: 2_226_310 },
  ],
  "wp-unpopulated": [
    { source: SERIES, totalUs: 11_712 },
    { source: AUTHOR, totalUs: 20_850 },
  ],
};

/** The same with transparent huge pages: reads map the huge zero page, markers are of 4 KiB all the same. */
export const PUBLISHED_SEED_FIGURES_HUGE: Readonly<Partial<Record<TrackerId, readonly PublishedFigure[]>>> = {
  wp: [{ source: SERIES_HUGE, totalUs: 4 }],
  "wp-pre-read": [{ source: SERIES_HUGE, totalUs: 22_521, prefaultUs: 22_348 }],
  "wp-populate-read": [{ source: SERIES_HUGE, totalUs: 4_909, prefaultUs: 4_743 }],
  "wp-unpopulated": [{ source: SERIES_HUGE, totalUs: 14_448 }],
};
