import type { Scenario, Transcript } from "./document.js";

/** Returns a line for each field of an `expect` that the result does not have. `document` must be one that was run. */
export function unmetExpectations(document: unknown, transcript: Transcript): string[] {
  return (document as Scenario).steps.flatMap((step, i) => {
    const result = (transcript.results[i] ?? {}) as Readonly<Record<string, unknown>>;
    return Object.entries(step.expect ?? {})
      .filter(([key, value]) => !Object.hasOwn(result, key) || !isEqual(result[key], value))
      .map(([key, value]) => `steps[${i}]: expected ${key} ${JSON.stringify(value)}, found ${found(result, key)}`);
  });
}

function found(result: Readonly<Record<string, unknown>>, key: string): string {
  return Object.hasOwn(result, key) ? JSON.stringify(result[key]) : `nothing in ${JSON.stringify(result)}`;
}

/** Compares JSON values; the order of an object's fields does not matter. */
function isEqual(a: unknown, b: unknown): boolean {
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) return a === b;
  if (Array.isArray(a) !== Array.isArray(b)) return false;
  const [left, right] = [a, b] as [Readonly<Record<string, unknown>>, Readonly<Record<string, unknown>>];
  const keys = Object.keys(left);
  if (keys.length !== Object.keys(right).length) return false;
  return keys.every((key) => Object.hasOwn(right, key) && isEqual(left[key], right[key]));
}
