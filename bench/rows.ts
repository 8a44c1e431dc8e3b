import { entryRows, noneRows } from "./entry-rows.js";
import { rangeRows } from "./range-rows.js";
import { replayRows } from "./replay-rows.js";
import type { Row, Sizes, Tools } from "./row.js";
import { scanRows } from "./scan-rows.js";

const MILLION = 2 ** 20;

export const FULL_SIZES: Sizes = {
  pages: MILLION,
  realPages: MILLION / 4,
  accesses: 10_000_000,
  kernelReplay: { pages: MILLION, accesses: 10_000_000 },
};

/** Replay by the kernel is a quarter in pages and accesses, so that pages are touched as often. */
export const QUICK_SIZES: Sizes = {
  pages: MILLION,
  realPages: MILLION / 8,
  accesses: 2_000_000,
  kernelReplay: { pages: MILLION / 8, accesses: 250_000 },
};

/** All rows in the order of the report. */
export function allRows(tools: Tools, sizes: Sizes, isQuick: boolean): Row[] {
  return [
    ...entryRows(tools, sizes),
    ...(isQuick ? [] : noneRows(tools, 16 * MILLION, "-16m")),
    ...rangeRows(tools),
    ...scanRows(tools, sizes),
    ...replayRows(tools, sizes),
  ];
}
