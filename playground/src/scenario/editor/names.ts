/** Names that a scenario gives, for fields that take them. They are found in the text, which need not be a document while it is written. */

const STEP = /\{[^{}]*?"op"\s*:\s*"([\w-]+)"[^{}]*?"as"\s*:\s*"([\w-]+)"/g;

/** Fields that take names, and the operations that give those. */
const GIVERS: Readonly<Record<string, readonly string[]>> = {
  uffd: ["uffd"],
  range: ["mmap", "mremap"],
  at: ["mmap", "mremap"],
  from: ["mmap", "mremap"],
  source: ["mmap"],
  proc: ["fork"],
  thread: ["read", "write"],
};

/** Names that there are without any step. */
const READY: Readonly<Record<string, readonly string[]>> = { proc: ["main"] };

/** Returns the names that a field can take. */
export function givenNames(text: string, field: string): string[] {
  const givers = GIVERS[field];
  if (givers === undefined) return [];
  const given = [...text.matchAll(STEP)].filter(([, op = ""]) => givers.includes(op)).map(([, , name = ""]) => name);
  return [...new Set([...(READY[field] ?? []), ...given])];
}
