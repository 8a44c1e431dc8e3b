import { ScenarioError } from "./error.js";

const LONGEST_FOUND = 120;
const LARGEST_SIZE: number = 2 ** 52;

/** One value of a document on its way in. It knows where it stands, so that it can say what was expected there. */
export class Field {
  readonly where: string;
  /** Undefined where the field is absent. */
  readonly value: unknown;

  constructor(where: string, value: unknown) {
    this.where = where;
    this.value = value;
  }

  /** @throws ScenarioError always. */
  wrong(expected: string): never {
    throw new ScenarioError(this.where, `expected ${expected}, found ${found(this.value)}`);
  }

  /** Returns this field, or one with the default where it is absent. */
  or(fallback: unknown): Field {
    return this.value === undefined ? new Field(this.where, fallback) : this;
  }

  string(expected: string): string {
    return typeof this.value === "string" ? this.value : this.wrong(expected);
  }

  flag(): boolean {
    return typeof this.value === "boolean" ? this.value : this.wrong("true or false");
  }

  /** An integer from 0 to 2^53 - 1. */
  count(expected: string = "a whole number that is not negative"): number {
    const { value } = this;
    return Number.isSafeInteger(value) && (value as number) >= 0 ? (value as number) : this.wrong(expected);
  }

  /** One of some names. */
  choice<Name extends string>(among: readonly Name[]): Name {
    const name = among.find((candidate) => candidate === this.value);
    return name ?? this.wrong(`one of ${among.join(", ")}`);
  }

  /** A list of names, each of which counts once. */
  names<Name extends string>(among: readonly Name[]): Name[] {
    const names = this.list("a list of names").map((field) => field.choice(among));
    return [...new Set(names)];
  }

  list(expected: string): Field[] {
    if (!Array.isArray(this.value)) return this.wrong(expected);
    return this.value.map((value: unknown, i) => new Field(`${this.where}[${i}]`, value));
  }

  /** A number of bytes, also as `"4K"`; anything larger than can be mapped counts as 2^52. */
  size(): number {
    const expected = 'a number of bytes or a string such as "4K"';
    if (typeof this.value !== "string") return this.count(expected);
    const match = /^([0-9]+)([KMGT])$/.exec(this.value);
    if (match === null) return this.wrong(expected);
    return Math.min(Number(match[1]) * 1024 ** (1 + "KMGT".indexOf(match[2] ?? "")), LARGEST_SIZE);
  }

  /** The fields of an object. `owner` names it in messages: "no such field of …". */
  fields(owner: string): Fields {
    const { value } = this;
    if (typeof value !== "object" || value === null || Array.isArray(value)) return this.wrong("an object");
    return new Fields(this.where, owner, value);
  }
}

/** The fields of an object. What nobody has asked for when reading ends is an error. */
export class Fields {
  readonly where: string;
  readonly #owner: string;
  readonly #values: Readonly<Record<string, unknown>>;
  readonly #asked = new Set<string>();

  constructor(where: string, owner: string, values: object) {
    this.where = where;
    this.#owner = owner;
    this.#values = values as Readonly<Record<string, unknown>>;
  }

  /** Returns the same fields, named without what holds them: `steps` instead of `document.steps`. */
  atTop(): Fields {
    return new Fields("", this.#owner, this.#values);
  }

  /** Returns a field; its value is undefined where there is none. */
  get(key: string): Field {
    this.#asked.add(key);
    return new Field(this.#whereOf(key), Object.hasOwn(this.#values, key) ? this.#values[key] : undefined);
  }

  /** Tells whether a field is there. */
  has(key: string): boolean {
    return this.get(key).value !== undefined;
  }

  /** @throws ScenarioError if there is a field that was not asked for. */
  end(): void {
    const unknown = Object.keys(this.#values).find((key) => !this.#asked.has(key));
    if (unknown === undefined) return;
    throw new ScenarioError(
      this.#whereOf(unknown),
      `expected no such field of ${this.#owner}, which has ${[...this.#asked].sort().join(", ")}; found ${unknown}`,
    );
  }

  #whereOf(key: string): string {
    return this.where === "" ? key : `${this.where}.${key}`;
  }
}

function found(value: unknown): string {
  if (value === undefined) return "nothing";
  const text = JSON.stringify(value);
  return text.length <= LONGEST_FOUND ? text : `${text.slice(0, LONGEST_FOUND)}…`;
}
