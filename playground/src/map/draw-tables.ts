import { type TableKind, tableKind } from "./cell-facts.js";
import { zoomFor } from "./draw-tiles.js";
import { SIGNS_FROM } from "./draw-pages.js";
import type { Frame } from "./frame.js";
import { LABEL_HEIGHT } from "./labels.js";
import { indexesOf, pageAt, type Rect, type TableLevel, TABLE_LEVELS, tableRect } from "./geometry.js";

/** Tables are outlined from this height on, and fully so from the other. */
const LEAST_HEIGHT = 9;
const FULL_HEIGHT = 30;
/** Dashes are drawn where they can be seen. */
const DASHED_HEIGHT = 22;
const LEAST_LABEL_WIDTH = 84;

/** How the outline of a table of a kind looks. */
const ALPHA: Readonly<Record<TableKind, number>> = {
  real: 0.75,
  huge: 0.75,
  shared: 0.4,
  mixed: 0.4,
  missing: 0.07,
};
const WIDTH: Readonly<Record<TableLevel, number>> = { pud: 2.5, pmd: 1.75, pte: 1 };

const KINDS: readonly TableKind[] = ["missing", "shared", "huge", "real"];

/** The entry that points to a table, and where its index is among those of a page. */
const ABOVE: Readonly<Record<TableLevel, { readonly name: string; readonly index: 0 | 1 | 2 }>> = {
  pud: { name: "PGD", index: 0 },
  pmd: { name: "PUD", index: 1 },
  pte: { name: "PMD", index: 2 },
};

/** Draws the outlines of the tables that are large enough, real, shared and missing ones each in their way, and puts their names. */
export function drawTables(frame: Frame): void {
  for (const level of TABLE_LEVELS) {
    const { height } = tableRect(level, 0);
    const onScreen = height * frame.camera.scale;
    if (onScreen >= LEAST_HEIGHT) drawLevel(frame, level, onScreen);
  }
  frame.context.setLineDash([]);
  frame.context.globalAlpha = 1;
}

function drawLevel(frame: Frame, level: TableLevel, height: number): void {
  const { context, inks } = frame;
  const byKind = new Map<TableKind, Rect[]>();
  for (const { rect, kind } of tablesIn(frame, level)) {
    const boxes = byKind.get(kind) ?? [];
    boxes.push(frame.box(rect));
    byKind.set(kind, boxes);
  }
  const strength = Math.min(1, (height - LEAST_HEIGHT) / (FULL_HEIGHT - LEAST_HEIGHT) + 0.15);
  context.strokeStyle = inks.table;
  for (const kind of KINDS) {
    context.globalAlpha = ALPHA[kind] * strength;
    context.lineWidth = kind === "real" ? WIDTH[level] : 1;
    context.setLineDash(kind === "shared" && height >= DASHED_HEIGHT ? [4, 4] : []);
    context.beginPath();
    for (const { x, y, width, height: high } of byKind.get(kind) ?? []) {
      context.rect(x + 0.5, y + 0.5, width - 1, high - 1);
    }
    context.stroke();
  }
}

function* tablesIn(frame: Frame, level: TableLevel): Generator<{ rect: Rect; kind: TableKind }> {
  const { part, process, tiles } = frame;
  const zoom = zoomFor(frame.camera);
  const { width, height } = tableRect(level, 0);
  const most = Math.max(60, width * frame.camera.scale);
  for (let y = Math.floor(part.y / height) * height; y < part.y + part.height; y += height) {
    for (let x = Math.floor(part.x / width) * width; x < part.x + part.width; x += width) {
      const found = tiles.cellAt(process, zoom, x, y);
      if (found === null || 2 ** found.zoom > height) continue;
      const kind = tableKind(found.cell, level);
      const rect = { x, y, width, height };
      if (most >= LEAST_LABEL_WIDTH && kind !== "missing") putName(frame, level, rect, kind);
      yield { rect, kind };
    }
  }
}

/**
 * The name stands in the corner; where that is not seen, the table is the whole picture, and there is nothing to tell apart. Where pages have
 * signs, it would hide one, and the way to the page stands above the map.
 */
function putName(frame: Frame, level: TableLevel, rect: Rect, kind: TableKind): void {
  const { x: left, y: top, width, height } = frame.box(rect);
  const [x, y] = [left + 3, top + 3];
  if (frame.camera.scale >= SIGNS_FROM || x < 0 || y < 0 || LABEL_HEIGHT + 6 > height) return;
  const room = width - 6;
  const { name, index } = ABOVE[level];
  const entry = `${name}[${indexesOf(pageAt(rect.x, rect.y))[index]}]`;
  const label = { x, y, colour: kind === "shared" ? frame.inks.quiet : frame.inks.ink, isStrong: false };
  const long = kind === "huge" ? `${entry} → huge page` : `${entry} → ${level.toUpperCase()} table, ${kind}`;
  if (!frame.labels.put({ ...label, text: long }, room)) frame.labels.put({ ...label, text: entry }, room);
}
