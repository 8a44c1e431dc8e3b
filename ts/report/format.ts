/** Numbers, times and foreign text as a person reads them; the terminal table and the HTML report share these. */

const COUNT = new Intl.NumberFormat("en-US");
/** For axes, where no digit stands that says nothing. */
const THREE_DIGITS = new Intl.NumberFormat("en-US", { maximumSignificantDigits: 3 });

const TIME_UNITS = [
  { name: "ns", ns: 1 },
  { name: "µs", ns: 1e3 },
  { name: "ms", ns: 1e6 },
  { name: "s", ns: 1e9 },
] as const;

const COMPACT_UNITS = [
  { name: "", size: 1 },
  { name: " k", size: 1e3 },
  { name: " M", size: 1e6 },
  { name: " G", size: 1e9 },
  { name: " T", size: 1e12 },
  { name: " P", size: 1e15 },
] as const;

/** Writes a count in full: `2,621,440`. */
export function formatCount(count: number): string {
  return COUNT.format(count);
}

/** Writes a count with what is counted: `1 page`, `2,621,440 pages`. */
export function formatCounted(count: number, singular: string, plural: string = `${singular}s`): string {
  return `${formatCount(count)} ${count === 1 ? singular : plural}`;
}

/** Writes a count in at most three digits, for axes: `2.5 M`. */
export function formatCompact(count: number): string {
  const unit = COMPACT_UNITS.findLast(({ size }) => count >= size) ?? COMPACT_UNITS[0];
  return THREE_DIGITS.format(count / unit.size) + unit.name;
}

/** Writes nanoseconds in the unit that suits: `4.10 µs`, `11.7 ms`, `1,230 s`; nothing is plain `0`. */
export function formatTime(ns: number): string {
  if (ns === 0) return "0";
  const rounded = Number(ns.toPrecision(3)); // first, so that 999.9 ns becomes 1.00 µs and not 1,000 ns
  const unit = TIME_UNITS.findLast((candidate) => rounded >= candidate.ns) ?? TIME_UNITS[0];
  return `${threeDigits(rounded / unit.ns)} ${unit.name}`;
}

/** Writes how many times `base` goes into `value`: `1.26×`. Without a base there is no ratio: `–`. */
export function formatRatio(value: number, base: number): string {
  return base === 0 ? "–" : `${threeDigits(value / base)}×`;
}

/** Writes a share as a change: `+12 %`, `-3.5 %`. */
export function formatPercent(share: number): string {
  const percent = share * 100;
  const digits = Math.abs(percent) < 9.95 ? 1 : 0;
  return `${percent < 0 ? "-" : "+"}${Math.abs(percent).toFixed(digits)} %`;
}

/** As many digits as a model deserves, with the zeros that keep columns aligned. */
function threeDigits(value: number): string {
  return value >= 1000 ? COUNT.format(Math.round(value)) : value.toPrecision(3);
}

/** Joins names as a sentence does: `a`, `a and b`, `a, b and c`. */
export function formatList(names: readonly string[]): string {
  return names.length < 2 ? names.join("") : `${names.slice(0, -1).join(", ")} and ${names.at(-1) ?? ""}`;
}

/** Control characters, lone surrogates, line separators and everything that changes the direction of text. */
const INVISIBLE = /[\p{Cc}\p{Cs}\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/gu;

/**
 * Writes text that comes from outside (file names, labels) on one line and without effects: what would move a cursor,
 * change a colour or turn the direction is written as its code, `\u{1b}`.
 */
export function visibleText(text: string): string {
  return text.replace(INVISIBLE, (character) => `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`);
}

/** Cuts text that is longer than `length` characters and ends it with an ellipsis. */
export function shortenText(text: string, length: number): string {
  const characters = Array.from(text);
  return characters.length <= length ? text : `${characters.slice(0, length - 1).join("")}…`;
}
