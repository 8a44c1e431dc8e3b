import { PAGE_LIMIT } from "../../../ts/base/pages.js";
import { integer, number, orNull, type Part, partOf, text } from "./fields.js";

/** What the map shows. */
export interface MapState {
  /** Name of the process. */
  readonly process: string;
  /** The page in the middle; null for what the view is about. */
  readonly page: number | null;
  /** log2 of the pages along an edge of a picture element, broken while zooming; null to fit the mappings near the page. */
  readonly zoom: number | null;
  /** The page whose entry is explained. */
  readonly pin: number | null;
}

export const MAP_PART: Part<MapState> = partOf<MapState>(
  { process: "main", page: null, zoom: null, pin: null },
  {
    process: text(64),
    page: orNull(integer(0, PAGE_LIMIT - 1)),
    zoom: orNull(number(-8, 20)),
    pin: orNull(integer(0, PAGE_LIMIT - 1)),
  },
);
