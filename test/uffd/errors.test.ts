import { describe, expect, it } from "vitest";
import { KernelError, type Mode, Userfaultfd } from "../../ts/node.js";
import { errorOf, PAGE, setUp, type Setup, word, MARKER_WORD, WP_BIT } from "../support/setup.js";

type Call = (setup: Setup) => unknown;

const LIMIT = 2 ** 47 - PAGE;

describe("ranges that every call refuses", () => {
  const calls: Record<string, (uffd: Userfaultfd, start: number, length: number) => unknown> = {
    register: (uffd, start, length) => uffd.register(start, length, ["wp"]),
    unregister: (uffd, start, length) => {
      uffd.unregister(start, length);
    },
    writeProtect: (uffd, start, length) => {
      uffd.writeProtect(start, length);
    },
    removeWriteProtection: (uffd, start, length) => {
      uffd.removeWriteProtection(start, length);
    },
    copy: (uffd, start, length) => uffd.copy(start, length, { value: 1 }),
    zeropage: (uffd, start, length) => uffd.zeropage(start, length),
    wake: (uffd, start, length) => {
      uffd.wake(start, length);
    },
  };
  const cases = Object.entries(calls).flatMap(([name, call]) => [
    { name, call, why: "a start beside a page", range: (at: number): [number, number] => [at + 1, PAGE] },
    { name, call, why: "a length that is no multiple of a page", range: (at: number): [number, number] => [at, 100] },
    { name, call, why: "a length of 0", range: (at: number): [number, number] => [at, 0] },
    { name, call, why: "an end beyond user space", range: (): [number, number] => [LIMIT - PAGE, 2 * PAGE] },
    { name, call, why: "a start beyond user space", range: (): [number, number] => [LIMIT, PAGE] },
  ]);

  it.each(cases)("$name refuses $why with EINVAL and leaves the result field alone", async ({ call, range }) => {
    const { uffd, at } = await setUp();
    expect(errorOf(() => call(uffd, ...range(at)))).toBe("EINVAL");
  });

  it.each(Object.entries(calls))("%s on a closed descriptor gives EBADF", async (_, call) => {
    const { uffd, at } = await setUp();
    uffd.close();
    expect(errorOf(() => call(uffd, at, PAGE))).toBe("EBADF");
  });

  it.each(Object.entries(calls))("%s names the argument that is no number", async (_, call) => {
    const { uffd, at } = await setUp();
    expect(() => call(uffd, "x" as unknown as number, PAGE)).toThrow(
      new TypeError('"start" expected a number or bigint, got string'),
    );
    expect(() => call(uffd, at, -1)).toThrow(RangeError);
    expect(() => call(uffd, at, 0.5)).toThrow('"length"');
  });
});

describe("errors of a registration", () => {
  const stranger = (setup: Setup): Userfaultfd => Userfaultfd.open(setup.space);
  const cases: { name: string; modes?: readonly Mode[]; call: Call; error: string }[] = [
    { name: "register without a mode", call: ({ uffd, at }) => uffd.register(at, PAGE, []), error: "EINVAL" },
    { name: "register for minor faults", call: ({ uffd, at }) => uffd.register(at, PAGE, ["minor"]), error: "EINVAL" },
    {
      name: "register where nothing is mapped",
      call: ({ uffd, at, bytes }) => uffd.register(at + bytes, PAGE, ["wp"]),
      error: "EINVAL",
    },
    { name: "register what another has", call: (s) => stranger(s).register(s.at, PAGE, ["wp"]), error: "EBUSY" },
    {
      name: "register with a hole behind",
      call: ({ uffd, at, bytes }) => uffd.register(at, bytes + PAGE, ["wp"]),
      error: "ok",
    },
    { name: "register again", call: ({ uffd, at }) => uffd.register(at, PAGE, ["wp"]), error: "ok" },
    {
      name: "unregister where nothing is mapped",
      call: ({ uffd, at, bytes }) => {
        uffd.unregister(at + bytes, PAGE);
      },
      error: "EINVAL",
    },
    {
      name: "unregister what another has",
      call: (s) => {
        stranger(s).unregister(s.at, PAGE);
      },
      error: "EINVAL",
    },
    {
      name: "unregister what nobody has",
      modes: [],
      call: ({ uffd, at }) => {
        uffd.unregister(at, PAGE);
      },
      error: "ok",
    },
    {
      name: "wake where nothing is mapped",
      call: ({ uffd }) => {
        uffd.wake(0, PAGE);
      },
      error: "ok",
    },
  ];

  it.each(cases)("$name: $error", async ({ modes, call, error }) => {
    const setup = await setUp(modes === undefined ? {} : { modes });
    expect(errorOf(() => call(setup))).toBe(error);
  });

  it("changes nothing when a part of the range is another's", async () => {
    const setup = await setUp({ modes: [] });
    stranger(setup).register(setup.at + 4 * PAGE, PAGE, ["wp"]);
    expect(errorOf(() => setup.uffd.register(setup.at, setup.bytes, ["wp"]))).toBe("EBUSY");
    expect(setup.space.vmas.map((vma) => vma.modes)).toEqual([0, 2, 0]);
  });

  it("tells the ioctls that the modes asked for allow", async () => {
    const { uffd, at } = await setUp({ modes: [] });
    expect(uffd.register(at, PAGE, ["missing"])).toEqual(["copy", "move", "poison", "wake", "zeropage"]);
    expect(uffd.register(at, PAGE, ["missing", "wp"])).toContain("writeprotect");
  });

  it("replaces modes, but keeps them when it has them all", async () => {
    const { uffd, at, space, bytes } = await setUp({ modes: ["missing", "wp"] });
    uffd.register(at, bytes, ["wp"]);
    expect(space.vmas[0]?.modes).toBe(3);
    uffd.unregister(at, bytes);
    uffd.register(at, bytes, ["missing"]);
    uffd.register(at, bytes, ["wp"]);
    expect(space.vmas[0]?.modes).toBe(2);
  });

  it("names a feature or mode that does not exist", async () => {
    const { space, uffd, at } = await setUp();
    expect(() => Userfaultfd.open(space, { features: ["rwp" as "move"] })).toThrow('"features"');
    expect(() => uffd.register(at, PAGE, ["rwp" as "wp"])).toThrow('"modes"');
  });
});

describe("errors of UFFDIO_WRITEPROTECT", () => {
  it("ENOENT where nothing is mapped", async () => {
    const { uffd, at, bytes } = await setUp();
    expect(
      errorOf(() => {
        uffd.writeProtect(at + bytes, PAGE);
      }),
    ).toBe("ENOENT");
  });

  it("ENOENT at what is not registered, and what lies before it is protected all the same", async () => {
    const { space, uffd, at, bytes } = await setUp({ features: ["wp-unpopulated"] });
    space.mmap({ at: at + bytes, length: PAGE });
    expect(
      errorOf(() => {
        uffd.writeProtect(at, bytes + PAGE);
      }),
    ).toBe("ENOENT");
    expect([word(space, at), word(space, at + bytes)]).toEqual([MARKER_WORD, 0n]);
  });

  it("none at a hole: both sides of it are protected", async () => {
    const { space, uffd, at, bytes } = await setUp({ features: ["wp-unpopulated"] });
    space.munmap(at + PAGE, PAGE);
    uffd.writeProtect(at, bytes);
    expect([...space.pagemap(at, 3)]).toEqual([MARKER_WORD, 0n, MARKER_WORD]);
  });

  it("none for another descriptor of the same memory; whether it leaves markers is the owner's", async () => {
    const { space, at, bytes } = await setUp({ features: ["wp-unpopulated"] });
    const other = Userfaultfd.open(space);
    const next = space.mmap({ at: at + bytes, length: PAGE });
    other.register(next, PAGE, ["wp"]);
    other.writeProtect(at, bytes + PAGE);
    expect([word(space, at), word(space, next)]).toEqual([MARKER_WORD, 0n]);
  });
});

describe("errors of UFFDIO_COPY and UFFDIO_ZEROPAGE", () => {
  const cases: { name: string; modes?: readonly Mode[]; call: Call; error: string }[] = [
    {
      name: "copy where nothing is mapped",
      call: ({ uffd, at, bytes }) => uffd.copy(at + bytes, PAGE, { value: 1 }),
      error: "ENOENT, field -ENOENT",
    },
    {
      name: "copy over the end of the mapping",
      call: ({ uffd, at, bytes }) => uffd.copy(at, bytes + PAGE, { value: 1 }),
      error: "ENOENT, field -ENOENT",
    },
    {
      name: "copy into what is not registered",
      modes: [],
      call: ({ uffd, at }) => uffd.copy(at, PAGE, { value: 1 }),
      error: "ENOENT, field -ENOENT",
    },
    {
      name: "copy, protected, without wp",
      modes: ["missing"],
      call: ({ uffd, at }) => uffd.copy(at, PAGE, { value: 1, writeProtect: true }),
      error: "EINVAL, field -EINVAL",
    },
    {
      name: "zeropage into what is not registered",
      modes: [],
      call: ({ uffd, at }) => uffd.zeropage(at, PAGE),
      error: "ENOENT, field -ENOENT",
    },
    {
      name: "copy into what another has",
      call: ({ space, at }) => Userfaultfd.open(space).copy(at, PAGE, { value: 1 }),
      error: "ok",
    },
  ];

  it.each(cases)("$name: $error", async ({ modes, call, error }) => {
    const setup = await setUp(modes === undefined ? {} : { modes });
    expect(errorOf(() => call(setup))).toBe(error);
  });

  it("two mappings in one range give ENOENT and nothing is filled", async () => {
    const { space, uffd, at } = await setUp();
    space.mprotect(at + PAGE, PAGE, "r");
    expect(errorOf(() => uffd.copy(at, 2 * PAGE, { value: 1 }))).toBe("ENOENT, field -ENOENT");
    expect(word(space, at)).toBe(0n);
  });

  it.each(["copy", "zeropage"] as const)(
    "%s stops at what is there: EEXIST at the first page, EAGAIN and the bytes done later",
    async (name) => {
      const { space, uffd, at } = await setUp();
      const fill = (): unknown =>
        name === "copy" ? uffd.copy(at, 4 * PAGE, { value: 1 }) : uffd.zeropage(at, 4 * PAGE);
      space.write(at + 2 * PAGE, 9);
      expect(errorOf(fill)).toBe(`EAGAIN, field ${2 * PAGE}`);
      expect(errorOf(fill)).toBe("EEXIST, field -EEXIST");
      expect(space.read(at + 2 * PAGE).value).toBe(9);
    },
  );

  it("return the bytes done; contents count up by the step", async () => {
    const { space, uffd, at } = await setUp();
    expect(uffd.copy(at, 3 * PAGE, { value: 10, step: 5 })).toBe(3 * PAGE);
    expect([0, 1, 2].map((page) => space.read(at + page * PAGE).value)).toEqual([10, 15, 20]);
    expect(uffd.zeropage(at + 3 * PAGE, PAGE)).toBe(PAGE);
  });

  it("fill read-only and inaccessible mappings", async () => {
    const { space, uffd, at } = await setUp();
    space.mprotect(at, PAGE, "r");
    space.mprotect(at + PAGE, PAGE, "none");
    uffd.copy(at, PAGE, { value: 4 });
    uffd.copy(at + PAGE, PAGE, { value: 5 });
    expect([space.read(at).value, space.write(at, 1).outcome]).toEqual([4, "SIGSEGV"]);
    expect(space.read(at + PAGE).outcome).toBe("SIGSEGV");
    space.mprotect(at + PAGE, PAGE, "rw");
    expect(space.read(at + PAGE).value).toBe(5);
  });

  it("wake nobody when they fail at the first page", async () => {
    const { space, uffd, at } = await setUp({ modes: ["missing"] });
    const thread = space.read(at);
    uffd.copy(at, PAGE, { value: 1, wake: "later" });
    expect(errorOf(() => uffd.copy(at, PAGE, { value: 2 }))).toBe("EEXIST, field -EEXIST");
    expect(thread.outcome).toBe("blocked");
    uffd.wake(at, PAGE);
    expect([thread.outcome, thread.value]).toEqual(["ok", 1]);
  });

  it.each([
    ["value", { value: -1 }],
    ["value", { value: 2 ** 53 }],
    ["step", { value: 1, step: 0.5 }],
    ["step", { value: 1, step: -1 }],
  ])("copy names a %s that is out of range: %o", async (field, options) => {
    const { space, uffd, at } = await setUp();
    expect(() => uffd.copy(at, 2 * PAGE, options)).toThrow(`"${field}"`);
    expect(space.counters().filledCopy).toBe(0);
  });
});

it("an error says which call, which errno and its number", async () => {
  const { uffd, at } = await setUp();
  try {
    uffd.writeProtect(at + 1, PAGE);
    expect.unreachable();
  } catch (error) {
    expect(error).toBeInstanceOf(KernelError);
    expect(error).toMatchObject({ name: "KernelError", code: "EINVAL", errno: 22, call: "userfaultfd writeprotect" });
    expect((error as Error).message).toContain("EINVAL");
  }
});

it("closing wakes everyone, clears bits and markers and makes pages writable", async () => {
  const { space, uffd, at } = await setUp({ features: ["wp-unpopulated"] });
  space.write(at, 1);
  uffd.writeProtect(at, 2 * PAGE);
  const thread = space.write(at, 2);
  expect(thread.outcome).toBe("blocked");
  uffd.close();
  expect([thread.outcome, space.read(at).value]).toEqual(["ok", 2]);
  expect([word(space, at) & WP_BIT, word(space, at + PAGE)]).toEqual([0n, 0n]);
  expect(space.vmas.every((vma) => vma.context === null && vma.modes === 0)).toBe(true);
});
