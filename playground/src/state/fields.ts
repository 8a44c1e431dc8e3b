/** Checks for what a link says. Each returns the value or throws a `StateError` that names the field and what was expected. */

/** Something in a link that the page does not understand. */
export class StateError extends Error {
  override readonly name: string = "StateError";
}

/** A part of the page's state: what it is without a link, and how it is read from one. */
export interface Part<T> {
  readonly defaults: T;
  /** Reads what a link says; fields that are absent are as in `defaults`. @throws StateError */
  readonly read: (value: unknown, where: string) => T;
}

/** How one field is read. */
export type Reader<T> = (value: unknown, where: string) => T;

/** Makes a part of fields that are read one by one; fields that it does not have are refused. */
export function partOf<T extends object>(defaults: T, readers: { readonly [K in keyof T]: Reader<T[K]> }): Part<T> {
  const names = Object.keys(defaults) as (keyof T & string)[];
  const read = (value: unknown, where: string): T => {
    const given = objectAt(value, where);
    const unknown = Object.keys(given).find((name) => !Object.hasOwn(defaults, name));
    if (unknown !== undefined) throw new StateError(`${where}.${unknown}: expected one of ${names.join(", ")}`);
    const result = { ...defaults };
    for (const name of names) {
      if (Object.hasOwn(given, name)) result[name] = readers[name](given[name], `${where}.${name}`);
    }
    return result;
  };
  return { defaults, read };
}

/** Reads one of several names. */
export function oneOf<Name extends string>(names: readonly Name[]): Reader<Name> {
  return (value, where) => {
    if (names.includes(value as Name)) return value as Name;
    throw new StateError(`${where}: expected one of ${names.join(", ")}; found ${show(value)}`);
  };
}

/** Reads an integer from `least` to `most`. */
export function integer(least: number, most: number): Reader<number> {
  return (value, where) => {
    if (Number.isSafeInteger(value) && (value as number) >= least && (value as number) <= most) return value as number;
    throw new StateError(`${where}: expected an integer from ${least} to ${most}, found ${show(value)}`);
  };
}

/** Reads a number from `least` to `most`. */
export function number(least: number, most: number): Reader<number> {
  return (value, where) => {
    if (typeof value === "number" && value >= least && value <= most) return value;
    throw new StateError(`${where}: expected a number from ${least} to ${most}, found ${show(value)}`);
  };
}

/** Reads true or false. */
export const truth: Reader<boolean> = (value, where) => {
  if (typeof value === "boolean") return value;
  throw new StateError(`${where}: expected true or false, found ${show(value)}`);
};

/** Reads a text of at most `limit` characters. */
export function text(limit: number): Reader<string> {
  return (value, where) => {
    if (typeof value === "string" && value.length <= limit) return value;
    throw new StateError(`${where}: expected a text of at most ${limit} characters, found ${show(value)}`);
  };
}

/** Reads what another reader reads, or null. */
export function orNull<T>(reader: Reader<T>): Reader<T | null> {
  return (value, where) => (value === null ? null : reader(value, where));
}

/** Returns a value that is an object and no array. @throws StateError */
export function objectAt(value: unknown, where: string): Record<string, unknown> {
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  throw new StateError(`${where}: expected an object, found ${show(value)}`);
}

function show(value: unknown): string {
  return value === undefined ? "nothing" : JSON.stringify(value).slice(0, 60);
}
