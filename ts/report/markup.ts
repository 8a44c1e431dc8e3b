/** HTML and SVG as text in which nothing foreign can become markup. */
import { visibleText } from "./format.js";

/** Text that is markup already; only this module makes it. */
export interface Markup {
  readonly markup: string;
}

/** What may stand in a template: text is escaped, markup stays. */
export type Piece = string | number | Markup | readonly Markup[];

/** Template tag: `markup`<p>${text}</p>`` escapes what is put in, in elements and in quoted attributes. */
export function markup(strings: TemplateStringsArray, ...pieces: readonly Piece[]): Markup {
  return { markup: String.raw({ raw: strings }, ...pieces.map(render)) };
}

/** Text without any markup, made so by its author: a style sheet. */
export function trusted(text: string): Markup {
  return { markup: text };
}

/**
 * Writes a value as JSON that can stand in a script element: no `<` in it, so no end tag and no comment, and no
 * character that HTML forbids.
 */
export function scriptJson(value: unknown): Markup {
  const escaped = JSON.stringify(value).replace(
    /[<>&\u007f-\u009f\u2028\u2029]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
  return { markup: escaped };
}

function render(piece: Piece): string {
  if (typeof piece === "string") return escapeText(piece);
  if (typeof piece === "number") return String(piece);
  return "markup" in piece ? piece.markup : piece.map((one) => one.markup).join("");
}

const ENTITIES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

function escapeText(text: string): string {
  return visibleText(text).replace(/[&<>"']/g, (character) => ENTITIES[character] ?? character);
}
