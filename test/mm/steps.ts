import fc from "fast-check";
import type { OracleAccess, OracleProtection } from "../support/oracle.js";

/** Pages that steps are about: a whole 2 MiB with what lies beside it, and the borders of 1 GiB and 512 GiB. */
export const WINDOWS: readonly { first: number; end: number }[] = [
  { first: 2 ** 27 + 500, end: 2 ** 27 + 1036 },
  { first: 2 ** 27 + 2 ** 18 - 10, end: 2 ** 27 + 2 ** 18 + 10 },
  { first: 2 ** 28 - 10, end: 2 ** 28 + 10 },
];

interface Common {
  readonly space: number;
  readonly context: number;
  readonly first: number;
  readonly pages: number;
  readonly flag: boolean;
}

/** One call on an address space or on one of its userfaultfds. */
export type Step = Common &
  (
    | {
        kind:
          | "munmap"
          | "dontneed"
          | "unregister"
          | "close"
          | "protect"
          | "unprotect"
          | "zeropage"
          | "wake"
          | "read-message";
      }
    | { kind: "mmap" | "mprotect"; protection: OracleProtection }
    | { kind: "populate"; access: OracleAccess }
    | { kind: "register"; missing: boolean; wp: boolean }
    | { kind: "copy"; value: number; wp: boolean }
    | { kind: "access"; access: OracleAccess; count: number; stride: number; value: number }
    | {
        kind: "replay";
        accesses: readonly { page: number; access: OracleAccess }[];
        value: number;
        resolve: "unprotect" | "stop";
        signals: "pass" | "stop";
        waits: number;
      }
    | {
        kind: "scan";
        vectorLength: number;
        maxPages: number;
        inverted: readonly string[];
        mask: readonly string[];
        anyOf: readonly string[];
        returned: readonly string[];
        wpMatching: boolean;
        checkWpAsync: boolean;
      }
  );

const BORDERS = [2 ** 27 + 512, 2 ** 27 + 1024, 2 ** 27 + 2 ** 18, 2 ** 28];

/** Mostly pages beside the borders of tables: few enough to be met again by later steps. */
const anyPage: fc.Arbitrary<number> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc
      .tuple(fc.integer({ min: -4, max: 3 }), fc.constantFrom(...BORDERS))
      .map(([near, border]) => border + near),
  },
  {
    weight: 1,
    arbitrary: fc.constantFrom(...WINDOWS).chain(({ first, end }) => fc.integer({ min: first, max: end - 1 })),
  },
);

interface Range {
  first: number;
  pages: number;
}

const anyRange: fc.Arbitrary<Range> = fc.oneof(
  { weight: 20, arbitrary: fc.record({ first: anyPage, pages: fc.integer({ min: 1, max: 6 }) }) },
  { weight: 6, arbitrary: fc.constantFrom(...WINDOWS).map(({ first, end }) => ({ first, pages: end - first })) },
  { weight: 3, arbitrary: fc.constant({ first: 2 ** 27 + 512, pages: 512 }) },
  { weight: 1, arbitrary: fc.record({ first: anyPage, pages: fc.integer({ min: 200, max: 600 }) }) },
  { weight: 1, arbitrary: fc.constant({ first: 2 ** 27 + 700, pages: 2 ** 27 }) },
);

const protection = fc.constantFrom<OracleProtection>("rw", "rw", "rw", "r", "none");
const access = fc.constantFrom<OracleAccess>("read", "write", "write");
const modes = fc.constantFrom<Modes>(
  { missing: false, wp: true },
  { missing: false, wp: true },
  { missing: true, wp: true },
  { missing: true, wp: false },
);
const value = fc.integer({ min: 1, max: 2 ** 40 });
const categories = fc.subarray(["wpallowed", "written", "present", "swapped", "pfnzero"]);
const fewCategories = fc.oneof(fc.constant([]), fc.constant(["written"]), categories);

/** How a window is registered before the first step, by the descriptor of the same number. */
export interface Modes {
  readonly missing: boolean;
  readonly wp: boolean;
}

/** How the windows are registered before the first step. */
export const anyStart: fc.Arbitrary<readonly Modes[]> = fc.tuple(modes, modes, modes);

/** New mappings stay inside of a window, so that the oracle never has to count through 512 GiB. */
function insideWindow({ first, pages }: Range): Range {
  const window = WINDOWS[windowIndex(first)] as (typeof WINDOWS)[number];
  return { first, pages: Math.min(pages, Math.max(1, window.end - first)) };
}

function constants<T extends object>(values: T): { [K in keyof T]: fc.Arbitrary<T[K]> } {
  const entries = Object.entries(values).map(([name, constant]) => [name, fc.constant(constant)]);
  return Object.fromEntries(entries) as { [K in keyof T]: fc.Arbitrary<T[K]> };
}

function windowIndex(page: number): number {
  return WINDOWS.findLastIndex(({ first }) => first <= page);
}

function step<T extends { kind: string }>(shape: { [K in keyof T]: fc.Arbitrary<T[K]> }): fc.Arbitrary<Step> {
  const common = { space: fc.nat(1), stranger: fc.constantFrom(0, 0, 0, 0, 0, 0, 1, 2), flag: fc.boolean() };
  return fc.tuple(fc.record(common), anyRange, fc.record(shape)).map(([a, b, c]) => {
    const context = (windowIndex(b.first) + a.stranger) % WINDOWS.length;
    const made = { ...a, ...b, ...c, context } as unknown as Step;
    return made.kind === "mmap" ? { ...made, ...insideWindow(b) } : made;
  });
}

const replayed = fc.record({ page: anyPage, access });

/** A random step. */
export const anyStep: fc.Arbitrary<Step> = fc.oneof(
  { weight: 2, arbitrary: step({ kind: fc.constant("mmap"), protection }) },
  { weight: 1, arbitrary: step({ kind: fc.constantFrom("munmap", "unregister", "close") }) },
  { weight: 2, arbitrary: step({ kind: fc.constantFrom("zeropage", "wake") }) },
  { weight: 8, arbitrary: step({ kind: fc.constant("protect") }) },
  { weight: 5, arbitrary: step({ kind: fc.constant("unprotect") }) },
  { weight: 3, arbitrary: step({ kind: fc.constant("dontneed") }) },
  { weight: 2, arbitrary: step({ kind: fc.constant("read-message") }) },
  { weight: 3, arbitrary: step({ kind: fc.constant("mprotect"), protection }) },
  { weight: 2, arbitrary: step({ kind: fc.constant("populate"), access }) },
  { weight: 4, arbitrary: modes.chain((wanted) => step({ kind: fc.constant("register"), ...constants(wanted) })) },
  { weight: 4, arbitrary: step({ kind: fc.constant("copy"), value, wp: fc.boolean() }) },
  {
    weight: 14,
    arbitrary: step({
      kind: fc.constant("access"),
      access,
      value,
      count: fc.oneof(fc.constant(1), fc.integer({ min: 1, max: 20 })),
      stride: fc.integer({ min: 1, max: 300 }),
    }),
  },
  {
    weight: 5,
    arbitrary: step({
      kind: fc.constant("replay"),
      accesses: fc.array(replayed, { minLength: 1, maxLength: 30 }),
      value,
      resolve: fc.constantFrom("unprotect", "stop"),
      signals: fc.constantFrom("pass", "stop"),
      waits: fc.constantFrom(0, 0, 0, 1, 2),
    }),
  },
  {
    weight: 6,
    arbitrary: step({
      kind: fc.constant("scan"),
      vectorLength: fc.constantFrom(0, 1, 2, 5, 1000),
      maxPages: fc.constantFrom(Infinity, Infinity, 1, 7, 300),
      inverted: fewCategories,
      mask: fewCategories,
      anyOf: fewCategories,
      returned: fewCategories,
      wpMatching: fc.boolean(),
      checkWpAsync: fc.constantFrom(false, false, false, false, true),
    }),
  },
);
