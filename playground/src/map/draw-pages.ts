import { STATE_NONE } from "../../../assembly/abi.js";
import { tableKind } from "./cell-facts.js";
import type { Frame } from "./frame.js";
import { COLUMNS, pageAt, type Rect, ROWS } from "./geometry.js";
import { ENTRY_STATES, textOn } from "./palette.js";

/** Lines between pages are drawn from this scale on, then their signs, then index, state and bits. */
const LINES_FROM = 8;
export const SIGNS_FROM = 17;
const BITS_FROM = 68;
const NUMBERS_FROM = 132;

/** Returns the raw entries of the last-level table of a page, if they are known. */
export type EntriesOf = (firstPage: number) => BigUint64Array | null;

/** Writes into pages that are large enough what they are: a sign, or index, state and the 64 bits of the entry. */
export function drawPages(frame: Frame, entriesOf: EntriesOf): void {
  const { scale } = frame.camera;
  if (scale < LINES_FROM) return;
  drawLines(frame);
  if (scale < SIGNS_FROM) return;
  const { part } = frame;
  for (let y = Math.floor(part.y); y < part.y + part.height; y++) {
    for (let x = Math.floor(part.x); x < part.x + part.width; x++) {
      const found = frame.tiles.cellAt(frame.process, 0, x, y);
      if (found === null || found.zoom !== 0 || isNowhere(found.cell)) continue;
      const box = frame.box({ x, y, width: 1, height: 1 });
      if (scale < BITS_FROM) drawSign(frame, box, found.cell & 0xff);
      else drawEntry(frame, box, pageAt(x, y), found.cell & 0xff, entriesOf);
    }
  }
}

/** Returns the first pages of the last-level tables that are shown so large that their bits are. */
export function tablesWithBits({ camera, part }: Pick<Frame, "camera" | "part">): number[] {
  if (camera.scale < BITS_FROM) return [];
  const pages: number[] = [];
  for (let y = Math.floor(part.y / ROWS) * ROWS; y < part.y + part.height; y += ROWS) {
    for (let x = Math.floor(part.x / COLUMNS) * COLUMNS; x < part.x + part.width; x += COLUMNS) {
      pages.push(pageAt(x, y));
    }
  }
  return pages;
}

/** Tells whether there is not even a table that could have an entry. */
function isNowhere(cell: number): boolean {
  return (cell & 0xff) === STATE_NONE && tableKind(cell, "pte") === "missing";
}

function drawLines(frame: Frame): void {
  const { context, part, inks } = frame;
  context.strokeStyle = inks.ground;
  context.globalAlpha = Math.min(1, (frame.camera.scale - LINES_FROM) / 12 + 0.2);
  context.lineWidth = 1;
  context.beginPath();
  const from = frame.box(part);
  for (let x = Math.floor(part.x); x <= part.x + part.width; x++) {
    const at = frame.box({ x, y: part.y, width: 1, height: 1 }).x + 0.5;
    context.moveTo(at, from.y);
    context.lineTo(at, from.y + from.height);
  }
  for (let y = Math.floor(part.y); y <= part.y + part.height; y++) {
    const at = frame.box({ x: part.x, y, width: 1, height: 1 }).y + 0.5;
    context.moveTo(from.x, at);
    context.lineTo(from.x + from.width, at);
  }
  context.stroke();
  context.globalAlpha = 1;
}

function drawSign(frame: Frame, { x, y, width, height }: Rect, state: number): void {
  const { context, theme } = frame;
  context.font = `600 ${Math.min(22, Math.round(height * 0.5))}px system-ui, sans-serif`;
  context.textAlign = "center";
  context.textBaseline = "middle";
  context.fillStyle = textOn(state, theme);
  context.fillText(ENTRY_STATES[state]?.sign ?? "", x + width / 2, y + height / 2 + 1);
}

function drawEntry(frame: Frame, box: Rect, page: number, state: number, entriesOf: EntriesOf): void {
  const { context, theme } = frame;
  const { x, y, width, height } = box;
  const line = Math.min(15, Math.round(height * 0.115));
  context.fillStyle = textOn(state, theme);
  context.textBaseline = "top";
  context.textAlign = "left";
  context.font = `600 ${Math.max(10, line)}px system-ui, sans-serif`;
  context.fillText(`PTE[${page % (COLUMNS * ROWS)}]`, x + width * 0.06, y + height * 0.05, width * 0.88);
  context.font = `${Math.max(9, line)}px system-ui, sans-serif`;
  context.fillText(ENTRY_STATES[state]?.name ?? "", x + width * 0.06, y + height * 0.05 + line * 1.35, width * 0.88);
  const slot = page % (COLUMNS * ROWS);
  const entry = entriesOf(page - slot)?.[slot];
  if (entry === undefined) return;
  const top = height * 0.06 + line * 2.7;
  const side = Math.min(width * 0.88, height - top - height * 0.05);
  drawBits(frame, { x: x + width * 0.06, y: y + top, width: width * 0.88, height: side }, entry, state);
}

/** 64 bits as 8 × 8 squares, bit 63 at the top left: those that are set are filled. */
function drawBits({ context, camera, theme }: Frame, box: Rect, entry: bigint, state: number): void {
  const ink = textOn(state, theme);
  const [width, height] = [box.width / 8, box.height / 8];
  context.textAlign = "center";
  context.textBaseline = "middle";
  context.font = `${Math.round(height * 0.62)}px system-ui, sans-serif`;
  for (let bit = 0; bit < 64; bit++) {
    const isSet = ((entry >> BigInt(bit)) & 1n) === 1n;
    const [column, row] = [7 - (bit % 8), 7 - Math.floor(bit / 8)];
    const [x, y] = [box.x + column * width, box.y + row * height];
    context.fillStyle = ink;
    context.globalAlpha = isSet ? 0.92 : 0.13;
    context.fillRect(x + 0.5, y + 0.5, width - 1, height - 1);
    if (camera.scale < NUMBERS_FROM) continue;
    context.globalAlpha = isSet ? 1 : 0.75;
    if (isSet) context.fillStyle = ink === "#ffffff" ? "#000000" : "#ffffff";
    context.fillText(String(bit), x + width / 2, y + height / 2 + 0.5);
  }
  context.globalAlpha = 1;
}
