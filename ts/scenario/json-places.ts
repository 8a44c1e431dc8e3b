import { memberOf, TextError, TextPlaces } from "./text-places.js";

/** Tokens of JSON. They are sticky: each is tried at one position. */
const SPACE = /[ \t\n\r]*/y;
const STRING = /"(?:[^"\\\u0000-\u001f]|\\(?:["\\/bfnrt]|u[0-9A-Fa-f]{4}))*"/y;
const WORD = /-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?(?![\w.+-])|(?:true|false|null)(?!\w)/y;

/** What an error points at: a word, or else one character. */
const FOUND = /[\w.+-]+|[^]?/y;

/** Deeper than any scenario; a text may not use up the stack. */
const MAX_DEPTH = 100;

/**
 * Finds where the values of a JSON text are. `JSON.parse` tells neither this nor, in every browser, where an error is.
 * @throws TextError for what is no JSON, as `JSON.parse` would.
 */
export function jsonPlaces(text: string): TextPlaces {
  const scanner = new JsonScanner(text);
  scanner.value("", 0);
  scanner.end();
  return scanner.places;
}

class JsonScanner {
  readonly places = new TextPlaces();
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
    this.#take(SPACE);
  }

  value(where: string, depth: number): void {
    const from = this.#at;
    if (depth > MAX_DEPTH) this.#wrong(`at most ${MAX_DEPTH} values inside each other`);
    if (this.#skip("{")) this.#members(where, depth);
    else if (this.#skip("[")) this.#elements(where, depth);
    else if (this.#take(STRING) === "" && this.#take(WORD) === "") this.#wrong("a value");
    this.places.add(where, { from, to: this.#at });
    this.#take(SPACE);
  }

  end(): void {
    if (this.#at < this.#text.length) this.#wrong("the end of the text");
  }

  #members(where: string, depth: number): void {
    if (this.#close("}")) return;
    do {
      const key = this.#take(STRING);
      if (key === "") this.#wrong("the name of a field, in double quotes");
      this.#take(SPACE);
      if (!this.#skip(":")) this.#wrong('":" after the name of a field');
      this.value(memberOf(where, JSON.parse(key) as string), depth + 1);
    } while (this.#skip(","));
    if (!this.#close("}")) this.#wrong('"," or "}"');
  }

  #elements(where: string, depth: number): void {
    if (this.#close("]")) return;
    let index = 0;
    do this.value(memberOf(where, index++), depth + 1);
    while (this.#skip(","));
    if (!this.#close("]")) this.#wrong('"," or "]"');
  }

  /** Goes over a character and the space behind it. */
  #skip(character: string): boolean {
    if (!this.#close(character)) return false;
    this.#take(SPACE);
    return true;
  }

  /** Goes over a character. */
  #close(character: string): boolean {
    if (this.#text[this.#at] !== character) return false;
    this.#at++;
    return true;
  }

  #take(token: RegExp): string {
    token.lastIndex = this.#at;
    const [found = ""] = token.exec(this.#text) ?? [];
    this.#at += found.length;
    return found;
  }

  #wrong(expected: string): never {
    const from = this.#at;
    const found = this.#take(FOUND);
    const what = found === "" ? "the end of the text" : JSON.stringify(found);
    throw new TextError(`expected ${expected}, found ${what}`, { from, to: from + found.length });
  }
}
