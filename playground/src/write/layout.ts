/** Where everything is in the picture of a write: a row for each event, lanes on the left, texts beside them, spans of cost on the right. */
import type { CostSpan, OneWrite, WriteEvent } from "../../../ts/sim/one-write.js";
import { detailsOf, LANES } from "./words.js";

/** A point of the picture. */
export interface Point {
  readonly x: number;
  readonly y: number;
}

/** A row. */
export interface Row {
  readonly event: WriteEvent;
  readonly top: number;
  readonly height: number;
  /** Where its dot is. */
  readonly dot: Point;
  readonly text: readonly string[];
  readonly details: readonly string[];
}

/** A span of cost: a bracket beside the rows that it covers. */
export interface Bracket {
  readonly span: CostSpan;
  readonly x: number;
  readonly top: number;
  readonly bottom: number;
}

/** The whole picture. */
export interface Layout {
  readonly width: number;
  readonly height: number;
  /** Whether there is so little room that times of spans are turned, and whether names of lanes are. */
  readonly isNarrow: boolean;
  readonly areNamesTurned: boolean;
  /** Height of the names of the lanes. */
  readonly head: number;
  readonly laneX: readonly number[];
  readonly textX: number;
  readonly rows: readonly Row[];
  readonly brackets: readonly Bracket[];
}

const HEAD = { wide: 30, narrow: 66 } as const;
/** Fonts of the picture. */
export type Face = "text" | "detail" | "lane";

/** Tells how wide a text is. */
export type Ruler = (text: string, face: Face) => number;

/** Height of a line of text, and of a line of details. */
export const LINE = 18;
export const DETAIL_LINE = 16;
const ROW_GAP = 12;
const NARROW = 640;
const PHONE = 420;
const NAME_GAP = 10;
const BRACKET = { wide: 76, narrow: 28 } as const;

/** Lays a write out in so many pixels. */
export function layoutOf({ events, spans }: OneWrite, width: number, ruler: Ruler): Layout {
  const isNarrow = width < NARROW;
  const lane = width < PHONE ? 18 : isNarrow ? 26 : Math.min(92, width * 0.085);
  const laneX = LANES.map((_, index) => (index + 0.5) * lane);
  const textX = LANES.length * lane + 12;
  const depth = spans.map((span, index) => spans.slice(0, index).filter((other) => overlaps(span, other)).length);
  const bracket = isNarrow ? BRACKET.narrow : BRACKET.wide;
  const room = width - textX - bracket * (spans.length === 0 ? 0 : Math.max(...depth) + 1) - 8;
  const areNamesTurned = LANES.some(({ name }) => ruler(name, "lane") + NAME_GAP > lane);
  const head = areNamesTurned ? HEAD.narrow : HEAD.wide;
  let top = head;
  const rows = events.map((event): Row => {
    const text = wrapped(event.what, (line) => ruler(line, "text") <= room);
    const details = detailsOf(event).flatMap((line) => wrapped(line, (part) => ruler(part, "detail") <= room));
    const height = text.length * LINE + details.length * DETAIL_LINE + ROW_GAP;
    const x = laneX[LANES.findIndex(({ actor }) => actor === event.actor)] ?? 0;
    const row = { event, top, height, dot: { x, y: top + LINE / 2 + 1 }, text, details };
    top += height;
    return row;
  });
  const brackets = spans.map((span, index): Bracket => {
    const [first, last] = [rows[span.first], rows[span.last]];
    const x = width - ((depth[index] ?? 0) + 1) * bracket + 4;
    return { span, x, top: (first?.top ?? 0) + 2, bottom: (last?.top ?? 0) + (last?.height ?? 0) - ROW_GAP };
  });
  return { width, height: top, isNarrow, areNamesTurned, head, laneX, textX, rows, brackets };
}

function overlaps(a: CostSpan, b: CostSpan): boolean {
  return a.first <= b.last && b.first <= a.last;
}

/** Breaks a text between words into lines that fit; a line that begins with a space or an arrow keeps it. */
function wrapped(text: string, fits: (line: string) => boolean): string[] {
  const lines: string[] = [];
  const indent = /^(?: {2}|→ )/.test(text) ? "  " : "";
  let line = "";
  for (const word of text.split(/(?<=\S) /)) {
    const longer = line === "" ? word : `${line} ${word}`;
    if (line !== "" && !fits(longer)) {
      lines.push(line);
      line = indent + word;
    } else line = longer;
  }
  return [...lines, line];
}
