/** A part of a text, in UTF-16 units from its start; `to` is not in it. */
export interface Span {
  readonly from: number;
  readonly to: number;
}

/** A text that is no document; the message says what was expected there. */
export class TextError extends Error {
  override readonly name: string = "TextError";
  readonly span: Span;

  constructor(message: string, span: Span) {
    super(message);
    this.span = span;
  }
}

/** Where in a text the values of its document are, by the places that a ScenarioError names: `steps[3].range`. */
export class TextPlaces {
  readonly #spans = new Map<string, Span>();

  /** Notes a value; the place of the whole document is empty. */
  add(where: string, span: Span): void {
    this.#spans.set(where, span);
  }

  /** Returns where a value is; of one that is missing, where what should hold it is. */
  find(where: string): Span {
    for (let place = where; place !== ""; place = parentOf(place)) {
      const span = this.#spans.get(place);
      if (span !== undefined) return span;
    }
    return this.#spans.get("") ?? { from: 0, to: 0 };
  }
}

/** Writes the place of a member of a value, as the checks of documents do. */
export function memberOf(where: string, key: string | number): string {
  if (typeof key === "number") return `${where}[${key}]`;
  return where === "" ? key : `${where}.${key}`;
}

/** Returns line and column of a position, both from 1. */
export function lineAndColumn(text: string, position: number): { readonly line: number; readonly column: number } {
  const before = text.slice(0, position);
  return { line: before.split("\n").length, column: position - before.lastIndexOf("\n") };
}

function parentOf(where: string): string {
  return where.slice(0, Math.max(0, where.lastIndexOf("."), where.lastIndexOf("[")));
}
