import { describe, expect, it } from "vitest";
import { AddressSpace, createEngine, type Engine, OutOfMemoryError, Userfaultfd } from "../../ts/node.js";
import { auditTables } from "../support/audit.js";
import { engineUrl } from "../support/engine-url.js";

const PAGE = 4096;
const GIB = 2 ** 30;
/** What the engine needs for itself, and about two thousand tables. */
const LIMIT = 20 * 2 ** 20;
const HUGE = 64 * GIB;
/** Pages that lie in a table each. */
const SPARSE = { stride: 512, count: 4096 };

interface Fixture {
  readonly engine: Engine;
  readonly space: AddressSpace;
  readonly uffd: Userfaultfd;
  readonly at: number;
}

async function setUp(materialize = true): Promise<Fixture> {
  const engine = await createEngine({ memoryLimit: LIMIT, materialize }, engineUrl);
  const space = new AddressSpace(engine);
  const uffd = Userfaultfd.open(space, { features: ["wp-async"] });
  const at = space.mmap({ length: HUGE });
  uffd.register(at, HUGE, ["wp"]);
  return { engine, space, uffd, at };
}

/** Does what needs a buffer once, so that the buffers are there when the memory is used up. */
function takeBuffers({ space, at }: Fixture): void {
  space.pagemap(at, 1);
  space.pagemapScan({ start: at, end: at + PAGE });
  space.replay(records(at).fill(0), { value: 0, signals: "pass" });
}

function records(at: number): Uint32Array {
  return Uint32Array.from({ length: 2 * SPARSE.count }, (_, i) => {
    const page = at / PAGE + (i >> 1) * SPARSE.stride;
    return i % 2 === 0 ? page % 2 ** 32 : Math.floor(page / 2 ** 32) + 2 ** 31;
  });
}

const CALLS: Readonly<Record<string, (fixture: Fixture) => unknown>> = {
  writeProtect: ({ uffd, at }) => {
    uffd.writeProtect(at, HUGE);
  },
  "populate-read": ({ space, at }) => space.madvise(at, HUGE, "populate-read"),
  "populate-write": ({ space, at }) => space.madvise(at, HUGE, "populate-write"),
  copy: ({ uffd, at }) => uffd.copy(at, HUGE, { value: 1 }),
  zeropage: ({ uffd, at }) => uffd.zeropage(at, HUGE),
  read: ({ space, at }) => space.start({ address: at, access: "read", ...SPARSE, value: 0 }),
  write: ({ space, at }) => space.start({ address: at, access: "write", ...SPARSE, value: 1 }),
  replay: ({ space, at }) => space.replay(records(at), { value: 1 }),
  pagemapScan: ({ space, at }) =>
    space.pagemapScan({ start: at, end: at + HUGE, mask: ["written"], return: ["written"], wpMatching: true }),
};

describe("running out of memory", () => {
  it.each(Object.entries(CALLS))(
    "%s throws OutOfMemoryError, what was done stays, and the space works on",
    async (_, call) => {
      const fixture = await setUp();
      const { engine, space, at } = fixture;
      takeBuffers(fixture);
      expect(() => call(fixture)).toThrow(OutOfMemoryError);
      expect(engine.memoryBytes).toBeLessThanOrEqual(LIMIT);

      const { entries, ...counted } = auditTables(space);
      expect(space.counters()).toMatchObject(counted);
      expect(counted.pteTables).toBeGreaterThan(10);
      expect([...entries].every(([page, entry]) => space.engine.readEntries(space.handle, page, 1)[0] === entry)).toBe(
        true,
      );

      space.madvise(at, HUGE, "dontneed"); // gives tables back
      expect(space.write(at, 5).outcome).toBe("ok");
      expect(space.read(at).value).toBe(5);
      space.munmap(at, HUGE);
      expect(space.status()).toEqual({ tableBytes: 0, anonPages: 0, filePages: 0, shmemPages: 0, swapPages: 0 });
    },
  );

  it.each(["populate-write", "copy", "write", "replay"])("happens to %s below shared tables too", async (name) => {
    const fixture = await setUp(false);
    const { space, uffd, at } = fixture;
    takeBuffers(fixture);
    uffd.writeProtect(at, HUGE);
    const { tableBytes } = space.status();
    expect(() => CALLS[name]?.(fixture)).toThrow(OutOfMemoryError);
    expect(space.status().tableBytes).toBe(tableBytes);
    space.madvise(at, HUGE, "dontneed");
    expect(space.write(at, 5).outcome).toBe("ok");
    space.munmap(at, HUGE);
    expect(space.status()).toEqual({ tableBytes: 0, anonPages: 0, filePages: 0, shmemPages: 0, swapPages: 0 });
    expect(space.counters().realTables).toBe(0);
  });

  it.each(["pagemap", "pagemapScan", "replay"] as const)("leaves %s usable once memory is free again", async (name) => {
    const { space, uffd, at } = await setUp();
    expect(() => {
      uffd.writeProtect(at, HUGE);
    }).toThrow(OutOfMemoryError);
    space.madvise(at, HUGE, "dontneed");
    expect(space.status().tableBytes).toBeLessThan(500 * 1024);
    const calls = {
      pagemap: () => space.pagemap(at, 1),
      pagemapScan: () => space.pagemapScan({ start: at, end: at + PAGE }),
      replay: () => space.replay(records(at).slice(0, 2), { value: 1 }),
    };
    expect(calls[name]).not.toThrow();
  });

  it("does not lose threads that were woken together with one that ran out", async () => {
    const { space, uffd, at } = await setUp();
    const missing = Userfaultfd.open(space);
    const second = space.mmap({ length: HUGE });
    missing.register(second, HUGE, ["missing"]);
    const threads = [0, 1, 2].map((index) => space.write(second + index * GIB, index));
    expect(() => {
      uffd.writeProtect(at, HUGE);
    }).toThrow(OutOfMemoryError);
    try {
      missing.close(); // wakes all three, for whom there may be no memory
    } catch (error) {
      expect(error).toBeInstanceOf(OutOfMemoryError);
    }
    space.madvise(at, HUGE, "dontneed");
    space.runWoken();
    expect(threads.map((thread) => thread.outcome)).toEqual(["ok", "ok", "ok"]);
  });

  it("createSpace throws when there is no room for another", async () => {
    const engine = await createEngine({ memoryLimit: LIMIT }, engineUrl);
    const spaces: AddressSpace[] = [];
    expect(() => {
      for (;;) spaces.push(new AddressSpace(engine));
    }).toThrow(OutOfMemoryError);
    expect(spaces.length).toBeGreaterThan(50);
    spaces.pop()?.dispose();
    expect(() => new AddressSpace(engine)).not.toThrow();
  });

  it("mappings beyond the room for their table throw at the next access, and fewer work again", async () => {
    const { space, uffd, at } = await setUp();
    space.read(at);
    expect(() => {
      uffd.writeProtect(at, HUGE);
    }).toThrow(OutOfMemoryError);
    const start = space.mmap({ length: 2 ** 14 * PAGE });
    for (let page = 0; page < 2 ** 14; page += 8) space.mprotect(start + page * PAGE, 4 * PAGE, "r");
    expect(() => space.read(at)).toThrow(OutOfMemoryError);
    space.munmap(start, 2 ** 14 * PAGE);
    expect(space.read(at).outcome).toBe("ok");
  });

  it("says how much is in use", async () => {
    const { uffd, at, engine } = await setUp();
    try {
      uffd.writeProtect(at, HUGE);
      expect.unreachable();
    } catch (error) {
      expect(error).toMatchObject({ name: "OutOfMemoryError", memoryBytes: engine.memoryBytes });
    }
  });
});

describe("the memory limit", () => {
  it("may be 4 GiB", async () => {
    const engine = await createEngine({ memoryLimit: 4 * GIB }, engineUrl);
    expect(() => new AddressSpace(engine)).not.toThrow();
  });

  it.each([4 * GIB + 1, -1, 0.5, NaN])("may not be %s", async (memoryLimit) => {
    await expect(createEngine({ memoryLimit }, engineUrl)).rejects.toThrow('"memoryLimit"');
  });
});

describe("memory", () => {
  it("of a disposed space is used again: a thousand rounds take no more than two", async () => {
    const engine = await createEngine({}, engineUrl);
    const round = (): void => {
      const space = new AddressSpace(engine);
      const at = space.mmap({ length: GIB });
      const uffd = Userfaultfd.open(space, { features: ["wp-unpopulated"] });
      uffd.register(at, GIB / 4, ["wp"]);
      uffd.writeProtect(at, GIB / 64);
      space.start({ address: at + GIB / 2, access: "write", count: 600, stride: 3, value: 1 });
      uffd.copy(at, 20 * PAGE, { value: 1 });
      space.dispose();
    };
    round();
    round();
    const before = engine.memoryBytes;
    for (let i = 0; i < 1000; i++) round();
    expect(engine.memoryBytes).toBe(before);
  });

  it("is each engine's own", async () => {
    const [one, two] = await Promise.all([createEngine({}, engineUrl), createEngine({}, engineUrl)]);
    const [first, second] = [new AddressSpace(one), new AddressSpace(two)];
    const at = first.mmap({ length: PAGE });
    expect(second.mmap({ length: PAGE })).toBe(at);
    first.write(at, 1);
    expect([first.read(at).value, second.read(at).value]).toEqual([1, 0]);
    expect([first.status().anonPages, second.status().anonPages]).toEqual([1, 0]);
  });

  it("of two spaces in one engine does not mix", async () => {
    const engine = await createEngine({}, engineUrl);
    const spaces = [new AddressSpace(engine), new AddressSpace(engine)];
    const addresses = spaces.map((space) => space.mmap({ length: 1000 * PAGE }));
    for (let page = 0; page < 1000; page++) {
      spaces.forEach((space, i) => space.write((addresses[i] ?? 0) + page * PAGE, 1000 * i + page));
    }
    spaces[0]?.dispose();
    const contents = engine.readContents(spaces[1]?.handle ?? 0, (addresses[1] ?? 0) / PAGE, 1000);
    expect([...contents]).toEqual(Array.from({ length: 1000 }, (_, page) => BigInt(1000 + page)));
  });
});
