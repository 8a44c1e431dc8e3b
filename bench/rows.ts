import { entryRows, noneRows } from "./entry-rows.js";
import { faultRows } from "./fault-rows.js";
import { rangeRows } from "./range-rows.js";
import { replayRows } from "./replay-rows.js";
import type { Row, Sizes, Tools } from "./row.js";
import { scanRows } from "./scan-rows.js";

const MILLION = 2 ** 20;

/** What is slow does a part of the pages, and of the accesses too, so that pages are touched as often; caches and TLBs are on its side then. */
export const FULL_SIZES: Sizes = {
  pages: MILLION,
  realPages: MILLION / 4,
  mapPages: MILLION / 4,
  accesses: 10_000_000,
  kernelReplay: { pages: MILLION / 8, accesses: 1_250_000 },
  mapReplay: { pages: MILLION, accesses: 10_000_000 },
};

export const QUICK_SIZES: Sizes = {
  pages: MILLION,
  realPages: MILLION / 8,
  mapPages: MILLION / 8,
  accesses: 2_000_000,
  kernelReplay: { pages: MILLION / 8, accesses: 250_000 },
  mapReplay: { pages: MILLION / 8, accesses: 250_000 },
};

/** All rows in the order of the report. */
export function allRows(tools: Tools, sizes: Sizes, isQuick: boolean): Row[] {
  return [
    ...entryRows(tools, sizes),
    ...(isQuick ? [] : noneRows(tools, { pages: 16 * MILLION, mapPages: MILLION }, "-16m")),
    ...rangeRows(tools, sizes),
    ...scanRows(tools, sizes),
    ...replayRows(tools, sizes),
    ...faultRows(tools, sizes),
  ];
}
