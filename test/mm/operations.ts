import fc from "fast-check";
import type { Advice, Category, Feature, MemoryKind, Mode, Protection } from "../../ts/node.js";

const MIB2 = 2 ** 9;
const GIB = 2 ** 18;
const GIB512 = 2 ** 27;

interface Window {
  readonly first: number;
  readonly pages: number;
  readonly kind: MemoryKind;
  readonly sharing: "private" | "shared";
  readonly thp?: true;
}

/** What is mapped before the first operation. Together they cross every border of tables, and two of them hold tables of all 512 GiB below. */
export const WINDOWS: readonly Window[] = [
  { first: 3 * GIB512 - GIB - 700, pages: GIB + 2000, kind: "anon", sharing: "private" },
  { first: 5 * GIB512 + GIB - 515, pages: 2 * GIB + 1040, kind: "anon", sharing: "private" },
  { first: 6 * GIB512 + 500, pages: 1100, kind: "anon", sharing: "private" },
  { first: 7 * GIB512 - GIB - 1000, pages: GIB + 1500, kind: "shmem", sharing: "shared" },
  { first: 8 * GIB512 + GIB - 600, pages: 1300, kind: "shmem", sharing: "private" },
  { first: 9 * GIB512 + GIB - 1024, pages: 2048, kind: "hugetlb", sharing: "shared" },
  { first: 9 * GIB512 + GIB + 1024, pages: 1600, kind: "anon", sharing: "private", thp: true },
];

/** Where mappings are moved to: alike aligned to 2 MiB or 1 GiB, or not. */
const TARGETS = [11 * GIB512, 11 * GIB512 + 3 * GIB - 700, 11 * GIB512 + 6 * GIB - 515, 12 * GIB512 + 77, 9 * GIB512];

export const EVERY_CATEGORY: readonly Category[] = [
  "wpallowed",
  "written",
  "file",
  "present",
  "swapped",
  "pfnzero",
  "huge",
  "guard",
];

/** What descriptors are opened with, and for what the windows are registered with them. */
export interface Start {
  readonly features: readonly (readonly Feature[])[];
  readonly modes: readonly (readonly Mode[])[];
  /** What is done to each window that is registered. */
  readonly prepared: readonly (readonly ("protect" | "populate-read")[])[];
}

interface Range {
  readonly first: number;
  readonly pages: number;
}

interface Common extends Range {
  readonly process: number;
  readonly uffd: number;
}

interface Scan {
  readonly vectorLength: number;
  readonly maxPages: number;
  readonly inverted: readonly Category[];
  readonly mask: readonly Category[];
  readonly anyOf: readonly Category[];
  readonly return: readonly Category[];
  readonly wpMatching: boolean;
}

/** One call of a process. */
export type Operation = Common &
  (
    | {
        kind:
          | "munmap"
          | "fork"
          | "exit"
          | "unregister"
          | "reopen"
          | "protect"
          | "unprotect"
          | "zeropage"
          | "poison"
          | "read";
      }
    | { kind: "mmap" | "mprotect"; protection: Protection }
    | { kind: "mremap"; newPages: number; target: number | null; keepsSource: boolean }
    | { kind: "madvise"; advice: Advice }
    | { kind: "register"; modes: readonly Mode[] }
    | { kind: "copy"; value: number; wp: boolean }
    | { kind: "continue"; wp: boolean }
    | { kind: "move"; source: number; allowsHoles: boolean }
    | { kind: "access"; access: "read" | "write"; value: number; count: number; stride: number }
    | { kind: "replay"; accesses: readonly { page: number; isWrite: boolean }[]; value: number; resolves: boolean }
    | { kind: "scan"; scan: Scan }
  );

const window = fc.constantFrom(0, 0, 0, 1, 1, 2, 2, 3, 3, 4, 5, 6, 6).map((i) => WINDOWS[i] as Window);

/** A page of a window, mostly near its ends or a border of tables. */
function pageOf({ first, pages }: Range): fc.Arbitrary<number> {
  const up = (span: number): number => Math.ceil(first / span) * span;
  const down = (span: number): number => Math.floor((first + pages) / span) * span;
  const borders = [first, first + pages, ...[MIB2, GIB, GIB512].flatMap((span) => [up(span), down(span)])];
  const inside = borders.filter((page) => page >= first && page <= first + pages);
  return fc.oneof(
    { weight: 4, arbitrary: fc.constantFrom(...inside) },
    {
      weight: 3,
      arbitrary: fc.tuple(fc.constantFrom(...inside), fc.integer({ min: -4, max: 4 })).map(([at, near]) => at + near),
    },
    { weight: 1, arbitrary: fc.integer({ min: first, max: first + pages }) },
  );
}

/** A range of at most `longest` pages, mostly inside of a window. */
function rangeWithin(longest: number): fc.Arbitrary<Range> {
  return window.chain((within) => {
    const end = within.first + within.pages;
    const between = fc.tuple(pageOf(within), pageOf(within)).map(([a, b]) => {
      return { first: Math.min(a, b), pages: Math.max(1, Math.abs(a - b)) };
    });
    const sized = fc
      .tuple(pageOf(within), fc.constantFrom(1, 2, 6, 511, 512, 513, 1024, GIB - 1, GIB, GIB + 512))
      .map(([first, pages]) => ({ first, pages: Math.max(1, Math.min(pages, end - first)) }));
    const whole = fc.constant({ first: within.first, pages: within.pages });
    const beyond = fc
      .tuple(pageOf(within), fc.integer({ min: 1, max: 3000 }))
      .map(([first, pages]) => ({ first, pages }));
    return fc
      .oneof(
        { weight: 4, arbitrary: between },
        { weight: 4, arbitrary: sized },
        { weight: 3, arbitrary: whole },
        { weight: 1, arbitrary: beyond },
      )
      .map(({ first, pages }) => ({ first, pages: Math.min(pages, longest) }));
  });
}

const ANY = Infinity;
/** What gives each page memory or an entry of its own stays small, to be quick. */
const FEW = 1600;

function operation<T extends { kind: string }>(
  longest: number,
  shape: { [K in keyof T]: fc.Arbitrary<T[K]> },
): fc.Arbitrary<Operation> {
  return fc
    .tuple(
      fc.record({ process: fc.constantFrom(0, 0, 0, 1, 2), uffd: fc.nat(20) }),
      rangeWithin(longest),
      fc.record(shape),
    )
    .map(([common, range, own]) => ({ ...common, ...range, ...own }) as unknown as Operation)
    .map(matched);
}

/** Mostly the descriptor that the window is registered with. */
function matched(made: Operation): Operation {
  if (made.uffd >= 18) return { ...made, uffd: made.uffd - 18 };
  const index = WINDOWS.findLastIndex(({ first }) => first - 10 <= made.first);
  return { ...made, uffd: Math.max(0, index) };
}

const value = fc.integer({ min: 1, max: 2 ** 40 });
const protection = fc.constantFrom<Protection>("rw", "rw", "r", "none");
const modes = fc.constantFrom<Mode[]>(
  ["wp"],
  ["wp"],
  ["wp"],
  ["missing"],
  ["missing", "wp"],
  ["minor"],
  ["minor", "wp"],
);
const wideAdvice = fc.constantFrom<Advice>(
  "dontneed",
  "dontneed",
  "dontneed",
  "populate-read",
  "populate-read",
  "populate-read",
  "free",
  "pageout",
  "cold",
  "guard-remove",
  "wipeonfork",
  "keeponfork",
  "dontfork",
  "dofork",
  "hugepage",
  "nohugepage",
  "remove",
);
const narrowAdvice = fc.constantFrom<Advice>(
  "populate-write",
  "populate-write",
  "guard-install",
  "collapse",
  "pageout",
);
const categories = fc.oneof(
  fc.constant([]),
  fc.constant(["written" as const]),
  fc.subarray(["wpallowed", "written", "file", "present", "swapped", "pfnzero", "guard"] satisfies Category[]),
);
const scan: fc.Arbitrary<Scan> = fc.record({
  vectorLength: fc.constantFrom(0, 0, 1, 2, 7, 1000),
  maxPages: fc.constantFrom(0, 0, 1, 5, 700, GIB + 3),
  inverted: categories,
  mask: categories,
  anyOf: categories,
  return: fc.oneof(fc.constant(EVERY_CATEGORY), categories),
  wpMatching: fc.boolean(),
});
const anyPage = window.chain(pageOf);
const accesses = fc.array(fc.record({ page: anyPage, isWrite: fc.boolean() }), { minLength: 1, maxLength: 25 });
const target = fc.tuple(fc.constantFrom(...TARGETS), fc.constantFrom(0, 0, 1, 512, 500)).map(([at, more]) => at + more);

function kind<K extends string>(...names: K[]): fc.Arbitrary<K> {
  return fc.constantFrom(...names);
}

/** A random operation. */
export const anyOperation: fc.Arbitrary<Operation> = fc.oneof(
  { weight: 12, arbitrary: operation(ANY, { kind: kind("protect") }) },
  { weight: 7, arbitrary: operation(ANY, { kind: kind("unprotect") }) },
  { weight: 10, arbitrary: operation(ANY, { kind: kind("madvise"), advice: wideAdvice }) },
  { weight: 4, arbitrary: operation(FEW, { kind: kind("madvise"), advice: narrowAdvice }) },
  { weight: 4, arbitrary: operation(ANY, { kind: kind("munmap") }) },
  { weight: 2, arbitrary: operation(ANY, { kind: kind("mmap"), protection }) },
  { weight: 4, arbitrary: operation(ANY, { kind: kind("mprotect"), protection }) },
  {
    weight: 5,
    arbitrary: operation(ANY, {
      kind: kind("mremap"),
      newPages: fc.constantFrom(1, 512, 513, GIB, 2 * GIB),
      target: fc.option(target, { freq: 4 }),
      keepsSource: fc.boolean(),
    }).map((made) => {
      // mostly the same size
      return made.kind === "mremap" && made.newPages >= GIB ? { ...made, newPages: made.pages } : made;
    }),
  },
  { weight: 3, arbitrary: operation(ANY, { kind: kind("fork", "fork", "exit") }) },
  { weight: 4, arbitrary: operation(ANY, { kind: kind("register"), modes }) },
  { weight: 2, arbitrary: operation(ANY, { kind: kind("unregister", "unregister", "reopen") }) },
  { weight: 3, arbitrary: operation(FEW, { kind: kind("copy"), value, wp: fc.boolean() }) },
  { weight: 4, arbitrary: operation(FEW, { kind: kind("zeropage", "poison") }) },
  { weight: 2, arbitrary: operation(FEW, { kind: kind("continue"), wp: fc.boolean() }) },
  { weight: 3, arbitrary: operation(FEW, { kind: kind("move"), source: anyPage, allowsHoles: fc.boolean() }) },
  { weight: 3, arbitrary: operation(ANY, { kind: kind("read") }) },
  {
    weight: 8,
    arbitrary: operation(ANY, {
      kind: kind("access"),
      access: fc.constantFrom("read", "write"),
      value,
      count: fc.constantFrom(1, 1, 5, 600),
      stride: fc.constantFrom(1, 3, 511, 512, 2 ** 17),
    }),
  },
  { weight: 6, arbitrary: operation(ANY, { kind: kind("replay"), accesses, value, resolves: fc.boolean() }) },
  { weight: 10, arbitrary: operation(ANY, { kind: kind("scan"), scan }) },
);

const features = fc.constantFrom<Feature[]>(
  [],
  ["wp-unpopulated"],
  ["wp-unpopulated"],
  ["wp-async"],
  ["wp-async"],
  ["wp-unpopulated", "event-remap", "event-fork"],
  ["wp-unpopulated", "event-fork"],
  ["wp-async", "event-fork"],
  ["wp-async", "event-remap", "event-fork"],
  ["wp-unpopulated", "sigbus"],
);
const preparation = fc.constantFrom<Start["prepared"][number]>(
  [],
  ["protect"],
  ["protect"],
  ["populate-read"],
  ["protect", "populate-read"],
  ["populate-read", "protect"],
);
const startModes = fc.constantFrom<Mode[]>(["wp"], ["wp"], ["wp"], ["missing", "wp"], []);

/** Everything that is there before the first operation. */
export const anyStart: fc.Arbitrary<Start> = fc.record({
  features: fc.array(features, { minLength: WINDOWS.length, maxLength: WINDOWS.length }),
  modes: fc.array(startModes, { minLength: WINDOWS.length, maxLength: WINDOWS.length }),
  prepared: fc.array(preparation, { minLength: WINDOWS.length, maxLength: WINDOWS.length }),
});
