import type { PlaceText, RangeText } from "../../scenario/document.js";

export const PAGE = 4096;
export const HUGE = 512;
/** Where mappings without a place of their own go: the k-th to the first place and k times the spacing. */
export const FIRST_PLACE = 0x100000000000;
export const PLACE_SPACING = 0x8000000000;

interface Named {
  readonly name: string;
  readonly start: number;
  readonly pages: number;
}

/** Returns the number of the page that an address is in. */
export function pageOf(address: number): number {
  return Math.floor(address / PAGE);
}

/** Returns the address of a place. @throws RangeError if a name is unknown. */
export function addressOf(place: PlaceText, mappings: readonly Named[]): number {
  if (place.startsWith("0x")) return Number(place);
  const match = /^([^[]+)(?:\[(\d+)\](?:\+(\d+))?)?$/.exec(place);
  const mapping = mappings.find(({ name }) => name === match?.[1]);
  if (match === null || mapping === undefined) throw new RangeError(`no place: ${place}`);
  return mapping.start + Number(match[2] ?? 0) * PAGE + Number(match[3] ?? 0);
}

/** Returns the addresses that a range starts and ends at. @throws RangeError if a name is unknown. */
export function intervalOf(range: RangeText, mappings: readonly Named[]): [from: number, to: number] {
  if (typeof range !== "string") {
    const start = addressOf(range.start, mappings);
    return [start, start + bytesOf(range.length)];
  }
  const match = /^([^[]+)(?:\[(\d+)(?:\.\.(\d+))?\])?$/.exec(range);
  const mapping = mappings.find(({ name }) => name === match?.[1]);
  if (match === null || mapping === undefined) throw new RangeError(`no range: ${range}`);
  const first = Number(match[2] ?? 0);
  const end = match[3] !== undefined ? Number(match[3]) : match[2] !== undefined ? first + 1 : mapping.pages;
  return [mapping.start + first * PAGE, mapping.start + end * PAGE];
}

function bytesOf(length: number | string): number {
  if (typeof length === "number") return length;
  return parseInt(length, 10) * 1024 ** (1 + "KMGT".indexOf(length.slice(-1)));
}
