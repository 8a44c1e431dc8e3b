import { beforeAll, describe, expect, it } from "vitest";
import { AddressSpace, createEngine, type Engine, type Feature, KernelError, Userfaultfd } from "../../ts/node.js";
import { engineUrl } from "../support/engine-url.js";

const PAGE_SIZE = 4096;
const PFN_MASK = 0x000ffffffffff000n;

/** Published values of entries, the PFN left out. */
const VALUES = {
  nothing: "0000000000000000",
  marker: "fffffffffffffc00",
  page: "8000000000000067",
  "protected page": "8400000000000425",
  "read-only page": "8400000000000025",
  "zero page": "8000000000000225",
  "protected zero page": "8000000000000625",
  "inaccessible page": "0400000000000120",
  "inaccessible protected page": "0400000000000520",
  "inaccessible zero page": "0000000000000320",
  "inaccessible protected zero page": "0000000000000720",
} as const;

type Value = keyof typeof VALUES;

const STATES = [
  "no table",
  "none",
  "marker",
  "page",
  "protected page",
  "zero page",
  "protected zero page",
  "inaccessible page",
] as const;

type State = (typeof STATES)[number];

const FEATURE_SETS = { none: [], unpopulated: ["wp-unpopulated"], async: ["wp-async"] } as const;

type FeatureSet = keyof typeof FEATURE_SETS;

/** What becomes of an entry; and, where the call does more than return, how it ends and how many faults it takes. */
type Expected = Value | readonly [Value, string] | readonly [Value, string, number];

type Row = Readonly<Record<State, Expected | Readonly<Record<FeatureSet, Expected>>>>;

class Fixture {
  readonly space: AddressSpace;
  readonly uffd: Userfaultfd;
  readonly address: number;

  /** One page in the middle of a mapping that is registered for wp, in the state asked for. */
  constructor(engine: Engine, features: readonly Feature[], state: State) {
    this.space = new AddressSpace(engine);
    this.uffd = Userfaultfd.open(this.space, { features });
    const start = this.space.mmap({ length: 4 * PAGE_SIZE });
    this.address = start + PAGE_SIZE;
    this.uffd.register(start, 4 * PAGE_SIZE, ["wp"]);
    if (state !== "no table") this.space.read(start); // the neighbour's fault makes the table
    this.#prepare(state);
  }

  get entry(): string {
    const entry = this.space.engine.readEntries(this.space.handle, this.address / PAGE_SIZE, 1)[0] ?? 0n;
    return (entry === 0xfffffffffffffc00n ? entry : entry & ~PFN_MASK).toString(16).padStart(16, "0");
  }

  #prepare(state: State): void {
    const { space, address, uffd } = this;
    if (state.endsWith("zero page")) space.read(address);
    else if (state.endsWith("page")) space.write(address, 7);
    if (state.startsWith("protected") || state === "marker") uffd.writeProtect(address, PAGE_SIZE);
    if (state === "inaccessible page") space.mprotect(address, PAGE_SIZE, "none");
  }
}

/** Does something to the page and says how it ended. */
type Operation = (fixture: Fixture) => string;

const OPERATIONS: Readonly<Record<string, Operation>> = {
  protect: ({ uffd, address }) => attempt(() => uffd.writeProtect(address, PAGE_SIZE)),
  unprotect: ({ uffd, address }) => attempt(() => uffd.removeWriteProtection(address, PAGE_SIZE)),
  read: ({ space, address }) => space.read(address).outcome,
  write: ({ space, address }) => space.write(address, 9).outcome,
  "drop (MADV_DONTNEED)": ({ space, address }) => attempt(() => void space.madvise(address, PAGE_SIZE, "dontneed")),
  "unmap and map again": ({ space, address }) => {
    space.munmap(address, PAGE_SIZE);
    return attempt(() => void space.mmap({ at: address, length: PAGE_SIZE }));
  },
  "forbid writing": ({ space, address }) => attempt(() => space.mprotect(address, PAGE_SIZE, "r")),
  "forbid all access": ({ space, address }) => attempt(() => space.mprotect(address, PAGE_SIZE, "none")),
  "allow all access": ({ space, address }) => attempt(() => space.mprotect(address, PAGE_SIZE, "rw")),
  "populate for reading": ({ space, address }) => attempt(() => space.madvise(address, PAGE_SIZE, "populate-read")),
  "populate for writing": ({ space, address }) => attempt(() => space.madvise(address, PAGE_SIZE, "populate-write")),
  copy: ({ uffd, address }) => attempt(() => void uffd.copy(address, PAGE_SIZE, { value: 5 })),
  "copy, protected": ({ uffd, address }) =>
    attempt(() => void uffd.copy(address, PAGE_SIZE, { value: 5, writeProtect: true })),
  zeropage: ({ uffd, address }) => attempt(() => void uffd.zeropage(address, PAGE_SIZE)),
  unregister: ({ uffd, address }) => attempt(() => uffd.unregister(address, PAGE_SIZE)),
};

const WRITE: Row = {
  "no table": ["page", "ok", 1],
  none: ["page", "ok", 1],
  marker: { none: ["page", "ok", 1], unpopulated: ["protected page", "blocked", 1], async: ["page", "ok", 2] },
  page: ["page", "ok", 0],
  "protected page": {
    none: ["protected page", "blocked", 0],
    unpopulated: ["protected page", "blocked", 0],
    async: ["page", "ok", 1],
  },
  "zero page": ["page", "ok", 1],
  "protected zero page": {
    none: ["protected zero page", "blocked", 0],
    unpopulated: ["protected zero page", "blocked", 0],
    async: ["page", "ok", 1],
  },
  "inaccessible page": ["inaccessible page", "SIGSEGV", 0],
};

const COPY_OVER_PRESENT = {
  page: ["page", "EEXIST"],
  "protected page": ["protected page", "EEXIST"],
  "zero page": ["zero page", "EEXIST"],
  "protected zero page": ["protected zero page", "EEXIST"],
  "inaccessible page": ["inaccessible page", "EEXIST"],
} as const;

const NOTHING_LEFT: Row = {
  "no table": "nothing",
  none: "nothing",
  marker: "nothing",
  page: "nothing",
  "protected page": "nothing",
  "zero page": "nothing",
  "protected zero page": "nothing",
  "inaccessible page": "nothing",
};

const UNPROTECTED: Row = {
  "no table": "nothing",
  none: "nothing",
  marker: "nothing",
  page: "page",
  "protected page": "page",
  "zero page": "zero page",
  "protected zero page": "zero page",
  "inaccessible page": "inaccessible page",
};

const MATRIX: Readonly<Record<string, Row>> = {
  protect: {
    "no table": { none: "nothing", unpopulated: "marker", async: "marker" },
    none: { none: "nothing", unpopulated: "marker", async: "marker" },
    marker: "marker",
    page: "protected page",
    "protected page": "protected page",
    "zero page": "protected zero page",
    "protected zero page": "protected zero page",
    "inaccessible page": "inaccessible protected page",
  },
  unprotect: UNPROTECTED,
  unregister: UNPROTECTED,
  read: {
    "no table": ["zero page", "ok", 1],
    none: ["zero page", "ok", 1],
    marker: ["protected zero page", "ok", 1],
    page: ["page", "ok", 0],
    "protected page": ["protected page", "ok", 0],
    "zero page": ["zero page", "ok", 0],
    "protected zero page": ["protected zero page", "ok", 0],
    "inaccessible page": ["inaccessible page", "SIGSEGV", 0],
  },
  write: WRITE,
  "populate for writing": { ...WRITE, "inaccessible page": ["inaccessible page", "EINVAL", 0] },
  "populate for reading": {
    "no table": ["zero page", "ok", 1],
    none: ["zero page", "ok", 1],
    marker: ["protected zero page", "ok", 1],
    page: ["page", "ok", 0],
    "protected page": ["protected page", "ok", 0],
    "zero page": ["zero page", "ok", 0],
    "protected zero page": ["protected zero page", "ok", 0],
    "inaccessible page": ["inaccessible page", "EINVAL", 0],
  },
  "drop (MADV_DONTNEED)": NOTHING_LEFT,
  "unmap and map again": NOTHING_LEFT,
  "forbid writing": {
    "no table": "nothing",
    none: "nothing",
    marker: "marker",
    page: "read-only page",
    "protected page": "protected page",
    "zero page": "zero page",
    "protected zero page": "protected zero page",
    "inaccessible page": "read-only page",
  },
  "forbid all access": {
    "no table": "nothing",
    none: "nothing",
    marker: "marker",
    page: "inaccessible page",
    "protected page": "inaccessible protected page",
    "zero page": "inaccessible zero page",
    "protected zero page": "inaccessible protected zero page",
    "inaccessible page": "inaccessible page",
  },
  "allow all access": {
    "no table": "nothing",
    none: "nothing",
    marker: "marker",
    page: "page",
    "protected page": "protected page",
    "zero page": "zero page",
    "protected zero page": "protected zero page",
    "inaccessible page": "page",
  },
  copy: { "no table": "page", none: "page", marker: "page", ...COPY_OVER_PRESENT },
  "copy, protected": {
    "no table": "protected page",
    none: "protected page",
    marker: "protected page",
    ...COPY_OVER_PRESENT,
  },
  zeropage: { "no table": "zero page", none: "zero page", marker: ["marker", "EEXIST"], ...COPY_OVER_PRESENT },
};

describe("what an operation makes of an entry", () => {
  let engine: Engine;

  beforeAll(async () => {
    engine = await createEngine({}, engineUrl);
  });

  it("is written down for every operation", () => {
    expect(Object.keys(MATRIX).sort()).toEqual(Object.keys(OPERATIONS).sort());
  });

  it.each(cases())("$operation, feature $features: $state → $value, $outcome", (test) => {
    const fixture = new Fixture(engine, FEATURE_SETS[test.features], test.state);
    const before = fixture.space.counters();
    const outcome = OPERATIONS[test.operation]?.(fixture);
    const after = fixture.space.counters();
    expect({ entry: fixture.entry, outcome }).toEqual({ entry: VALUES[test.value], outcome: test.outcome });
    expect(after.minflt - before.minflt).toBe(test.faults);
    expect(after.majflt - before.majflt).toBe(0);
    fixture.space.dispose();
  });

  it.each(["none", "unpopulated", "async"] as const)("keeps the content of a page, feature %s", (features) => {
    for (const operation of ["protect", "unprotect", "forbid writing", "allow all access", "copy", "zeropage"]) {
      const fixture = new Fixture(engine, FEATURE_SETS[features], "page");
      OPERATIONS[operation]?.(fixture);
      expect(fixture.space.read(fixture.address).value).toBe(7);
      fixture.space.dispose();
    }
  });
});

interface Case {
  readonly operation: string;
  readonly features: FeatureSet;
  readonly state: State;
  readonly value: Value;
  readonly outcome: string;
  readonly faults: number;
}

function cases(): Case[] {
  return Object.entries(MATRIX).flatMap(([operation, row]) =>
    (Object.keys(FEATURE_SETS) as FeatureSet[]).flatMap((features) =>
      STATES.filter((state) => features !== "none" || state !== "marker").map((state) => {
        const cell = row[state];
        const expected = typeof cell === "string" || isList(cell) ? cell : cell[features];
        const [value, outcome = "ok", faults = 0] = typeof expected === "string" ? [expected] : expected;
        return { operation, features, state, value, outcome, faults };
      }),
    ),
  );
}

function isList(value: Row[State]): value is readonly [Value, string] | readonly [Value, string, number] {
  return Array.isArray(value);
}

function attempt(call: () => unknown): string {
  try {
    const waiting = call();
    return waiting === null || waiting === undefined ? "ok" : "blocked";
  } catch (error) {
    if (error instanceof KernelError) return error.code;
    throw error;
  }
}
