import { describe, expect, it } from "vitest";
import { ADDRESS_LIMIT, AddressSpace, createEngine, Userfaultfd } from "../../ts/node.js";
import { engineUrl } from "../support/engine-url.js";
import { errorOf, MARKER_WORD, PAGE, setUp, type Setup, word } from "../support/setup.js";

interface Case {
  readonly name: string;
  readonly call: (setup: Setup) => unknown;
  readonly error: string;
}

const cases: readonly Case[] = [
  { name: "mmap of nothing", call: ({ space }) => space.mmap({ length: 0 }), error: "EINVAL" },
  { name: "mmap beside a page", call: ({ space }) => space.mmap({ at: 5, length: PAGE }), error: "EINVAL" },
  {
    name: "mmap where something is",
    call: ({ space, at }) => space.mmap({ at: at + PAGE, length: PAGE }),
    error: "EEXIST",
  },
  {
    name: "mmap over something",
    call: ({ space, at }) => space.mmap({ at: at - PAGE, length: 3 * PAGE }),
    error: "EEXIST",
  },
  {
    name: "mmap up to the end of user space",
    call: ({ space }) => space.mmap({ at: ADDRESS_LIMIT - PAGE, length: PAGE }),
    error: "ok",
  },
  {
    name: "mmap beyond user space",
    call: ({ space }) => space.mmap({ at: ADDRESS_LIMIT - PAGE, length: PAGE + 1 }),
    error: "ENOMEM",
  },
  {
    name: "munmap of nothing",
    call: ({ space, at }) => {
      space.munmap(at, 0);
    },
    error: "EINVAL",
  },
  {
    name: "munmap beside a page",
    call: ({ space, at }) => {
      space.munmap(at + 1, PAGE);
    },
    error: "EINVAL",
  },
  {
    name: "munmap beyond user space",
    call: ({ space }) => {
      space.munmap(ADDRESS_LIMIT - PAGE, 2 * PAGE);
    },
    error: "EINVAL",
  },
  {
    name: "munmap where nothing is",
    call: ({ space }) => {
      space.munmap(0, PAGE);
    },
    error: "ok",
  },
  {
    name: "mprotect beside a page",
    call: ({ space, at }) => {
      space.mprotect(at + 1, PAGE, "r");
    },
    error: "EINVAL",
  },
  {
    name: "mprotect of nothing",
    call: ({ space, at }) => {
      space.mprotect(at, 0, "r");
    },
    error: "ok",
  },
  {
    name: "mprotect where nothing is",
    call: ({ space }) => {
      space.mprotect(0, PAGE, "r");
    },
    error: "ENOMEM",
  },
  { name: "madvise beside a page", call: ({ space, at }) => space.madvise(at + 1, PAGE, "dontneed"), error: "EINVAL" },
  { name: "madvise of nothing", call: ({ space, at }) => space.madvise(at, 0, "dontneed"), error: "ok" },
  { name: "MADV_DONTNEED where nothing is", call: ({ space }) => space.madvise(0, PAGE, "dontneed"), error: "ENOMEM" },
  { name: "populate where nothing is", call: ({ space }) => space.madvise(0, PAGE, "populate-read"), error: "ENOMEM" },
  {
    name: "a scan beside a page",
    call: ({ space, at }) => space.pagemapScan({ start: at + 1, end: at + PAGE }),
    error: "EINVAL",
  },
  {
    name: "a scan that ends before it starts",
    call: ({ space, at }) => space.pagemapScan({ start: at, end: at - PAGE }),
    error: "EFAULT",
  },
  {
    name: "a scan beyond user space",
    call: ({ space }) => space.pagemapScan({ start: 0, end: ADDRESS_LIMIT + PAGE }),
    error: "EFAULT",
  },
  {
    name: "a scan of what is not async",
    call: ({ space, at }) => space.pagemapScan({ start: at, end: at + PAGE, checkWpAsync: true }),
    error: "EPERM",
  },
];

describe("errors of memory calls", () => {
  it.each(cases)("$name: $error", async ({ call, error }) => {
    const setup = await setUp();
    expect(errorOf(() => call(setup))).toBe(error);
  });

  it("mprotect over a hole changes what lies before it", async () => {
    const { space, at, bytes } = await setUp();
    space.munmap(at + PAGE, PAGE);
    expect(
      errorOf(() => {
        space.mprotect(at, bytes, "r");
      }),
    ).toBe("ENOMEM");
    expect([space.write(at, 1).outcome, space.write(at + 2 * PAGE, 1).outcome]).toEqual(["SIGSEGV", "ok"]);
  });

  it("MADV_DONTNEED over a hole drops both sides", async () => {
    const { space, at, bytes } = await setUp();
    for (let page = 0; page < 8; page++) space.write(at + page * PAGE, 1);
    space.munmap(at + PAGE, PAGE);
    expect(errorOf(() => space.madvise(at, bytes, "dontneed"))).toBe("ENOMEM");
    expect(space.status().anonPages).toBe(0);
  });

  it("a populate over a read-only part ends there with EINVAL", async () => {
    const { space, at, bytes } = await setUp();
    space.mprotect(at + 2 * PAGE, PAGE, "r");
    expect(errorOf(() => space.madvise(at, bytes, "populate-write"))).toBe("EINVAL");
    expect(space.status().anonPages).toBe(2);
  });
});

describe("wrong arguments", () => {
  const wrong = "x" as never;
  it.each([
    { field: "length", call: ({ space }) => space.mmap({ length: wrong }) },
    { field: "at", call: ({ space }) => space.mmap({ at: wrong, length: PAGE }) },
    { field: "at", call: ({ space }) => space.mmap({ at: -PAGE, length: PAGE }) },
    { field: "length", call: ({ space }) => space.mmap({ length: 0.5 }) },
    { field: "length", call: ({ space }) => space.mmap({ length: 2n ** 53n }) },
    {
      field: "start",
      call: ({ space }) => {
        space.munmap(wrong, PAGE);
      },
    },
    { field: "address", call: ({ space }) => space.read(NaN) },
    { field: "address", call: ({ space }) => space.write(-1, 1) },
    { field: "value", call: ({ space, at }) => space.write(at, -1) },
    { field: "value", call: ({ space, at }) => space.write(at, 2 ** 53) },
    { field: "protection", call: ({ space }) => space.mmap({ length: PAGE, protection: wrong }) },
    {
      field: "protection",
      call: ({ space, at }) => {
        space.mprotect(at, PAGE, wrong);
      },
    },
    { field: "advice", call: ({ space, at }) => space.madvise(at, PAGE, wrong) },
    { field: "mask", call: ({ space, at }) => space.pagemapScan({ start: at, end: at + PAGE, mask: [wrong] }) },
    {
      field: "vectorLength",
      call: ({ space, at }) => space.pagemapScan({ start: at, end: at + PAGE, vectorLength: -1 }),
    },
    { field: "maxPages", call: ({ space, at }) => space.pagemapScan({ start: at, end: at + PAGE, maxPages: -1 }) },
    { field: "pageCount", call: ({ space, at }) => space.pagemap(at, -1) },
    { field: "table", call: ({ engine }) => engine.readTable(100) },
  ] as { field: string; call: (setup: Setup) => unknown }[])("are named: $field ($call)", async ({ field, call }) => {
    const setup = await setUp();
    expect(() => call(setup)).toThrow(`"${field}"`);
    expect(setup.space.counters()).toMatchObject({ allocateFaults: 0, zeroPageFaults: 0 });
  });
});

describe("addresses", () => {
  it("may be bigint", async () => {
    const { space, uffd, at } = await setUp({ features: ["wp-unpopulated"] });
    const start = BigInt(at);
    uffd.writeProtect(start, BigInt(PAGE));
    expect(word(space, at)).toBe(MARKER_WORD);
    expect(space.pagemap(start, 1)[0]).toBe(MARKER_WORD);
    uffd.removeWriteProtection(start, BigInt(PAGE));
    expect(space.write(start, 7).outcome).toBe("ok");
    expect(space.read(start + 1n).value).toBe(7);
    space.munmap(start, BigInt(PAGE));
    expect(space.read(start).outcome).toBe("SIGSEGV");
    expect(space.mmap({ at: start, length: 1n })).toBe(at);
  });

  it("beyond user space give SIGSEGV, as any address without a mapping", async () => {
    const { space } = await setUp();
    for (const address of [0, ADDRESS_LIMIT - 1, ADDRESS_LIMIT, 2 ** 47, 2 ** 53 - 1]) {
      expect(space.read(address).outcome).toBe("SIGSEGV");
      expect(space.write(address, 1).outcome).toBe("SIGSEGV");
    }
    expect(space.status().tableBytes).toBe(0);
  });

  it("of new mappings lie 512 GiB apart", async () => {
    const { space, at } = await setUp();
    expect(at).toBe(0x100000000000);
    expect(space.mmap({ length: PAGE })).toBe(at + 2 ** 39);
  });
});

describe("tables", () => {
  it("of two areas of 1 GiB share the level above", async () => {
    const { space } = await setUp({ modes: [] });
    const at = space.mmap({ length: 2 ** 31 });
    space.read(at);
    space.read(at + 2 ** 30);
    expect(space.counters()).toMatchObject({ pudTables: 1, pmdTables: 2, pteTables: 2 });
    space.munmap(at, 2 ** 31);
    expect(space.status().tableBytes).toBe(0);
  });

  it("stay while a neighbour needs them, touched or not", async () => {
    const { space } = await setUp({ modes: [] });
    const at = space.mmap({ length: PAGE });
    const neighbour = space.mmap({ at: at + 2 * PAGE, length: PAGE });
    space.write(at, 1);
    space.munmap(at, PAGE);
    expect(space.status()).toMatchObject({ tableBytes: 12 * 1024, anonPages: 0 });
    space.munmap(neighbour, PAGE);
    expect(space.status().tableBytes).toBe(0);
  });

  it("go with MADV_DONTNEED when their whole 2 MiB are dropped, also when they were empty before", async () => {
    const { space } = await setUp({ modes: [] });
    const at = space.mmap({ length: 8 * 2 ** 20 });
    for (let i = 0; i < 4; i++) space.write(at + i * 2 ** 21, 1);
    expect(space.counters().pteTables).toBe(4);
    space.madvise(at + PAGE, 4 * 2 ** 20, "dontneed");
    expect(space.counters().pteTables).toBe(3);
    space.madvise(at, PAGE, "dontneed");
    expect(space.counters()).toMatchObject({ pteTables: 3, anonPages: 1 });
    space.madvise(at, 8 * 2 ** 20, "dontneed");
    expect(space.counters()).toMatchObject({ pudTables: 1, pmdTables: 1, pteTables: 0, pteTablesFreed: 4 });
  });
});

describe("mappings", () => {
  it("merge when they are alike and split when they are not", async () => {
    const { space } = await setUp({ modes: [] });
    const at = space.mmap({ length: 12 * PAGE });
    const uffd = Userfaultfd.open(space);
    const count = (): number => space.vmas.filter((vma) => vma.firstPage >= at / PAGE).length;
    uffd.register(at, 4 * PAGE, ["wp"]);
    uffd.register(at + 8 * PAGE, 4 * PAGE, ["wp"]);
    expect(count()).toBe(3);
    uffd.register(at + 4 * PAGE, 4 * PAGE, ["wp"]);
    expect(count()).toBe(1);
    uffd.unregister(at + 4 * PAGE, 4 * PAGE);
    expect(count()).toBe(3);
    uffd.close();
    expect(count()).toBe(1);
  });

  it.each(["write", "populate-write"] as const)("that pages were allocated in apart stay apart (%s)", async (how) => {
    const { space, uffd, at } = await setUp({ modes: [], pages: 2 });
    uffd.register(at, PAGE, ["missing"]); // a write that waits has made its anon_vma
    space.write(at + PAGE, 1);
    if (how === "write") space.write(at, 1);
    else expect(space.madvise(at, PAGE, "populate-write")?.isBlocked).toBe(true);
    uffd.unregister(at, PAGE);
    expect(space.vmas).toHaveLength(2);
  });
});

it("an address space that is disposed of gives its pages back to the others", async () => {
  const engine = await createEngine({}, engineUrl);
  const first = new AddressSpace(engine);
  const at = first.mmap({ length: 100 * PAGE });
  first.start({ address: at, access: "write", count: 100, stride: 1, value: 9 });
  first.dispose();
  const second = new AddressSpace(engine);
  second.mmap({ at, length: 100 * PAGE });
  second.start({ address: at, access: "write", count: 100, stride: 1, value: undefined });
  expect([...engine.readContents(second.handle, at / PAGE, 100)].every((content) => content === 0n)).toBe(true);
});
