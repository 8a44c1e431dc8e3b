import { beforeAll, describe, expect, it } from "vitest";
import { createEngine, type Engine, runScenario, type StepResult } from "../../ts/node.js";
import { engineUrl } from "../support/engine-url.js";

const UNSUPPORTED = { unsupported: true };
const RAM = { op: "mmap", as: "ram", pages: 8 };
const U = { op: "uffd", as: "u", handler: { missing: "none" } };

let engine: Engine;

beforeAll(async () => {
  engine = await createEngine({}, engineUrl);
});

function results(steps: unknown[], machine: object = {}): readonly StepResult[] {
  return runScenario({ scenario: 1, machine, steps }, engine).results;
}

describe("what is not modelled", () => {
  it.each([
    ...[1, 4, 7].map((byte) => ({ op: "write", at: `ram[1]+${byte}` })),
    { op: "touch", range: { start: "ram[1]+7", length: 4096 }, access: "write" },
  ])("is not guessed, and neither is anything after it: %j", (step) => {
    expect(results([RAM, U, { op: "stat" }, step, { op: "stat" }]).slice(3)).toEqual([UNSUPPORTED, UNSUPPORTED]);
  });

  it("is more than the memory of the engine holds", async () => {
    const small = await createEngine({ memoryLimit: 20 << 20, materialize: true }, engineUrl);
    const steps = [
      { op: "mmap", as: "ram", pages: 1 << 26 },
      { op: "uffd", as: "u", features: ["wp-unpopulated"] },
      { op: "register", uffd: "u", range: "ram", modes: ["wp"] },
      { op: "writeprotect", uffd: "u", range: "ram" },
      { op: "stat" },
    ];
    const run = (): readonly StepResult[] => runScenario({ scenario: 1, steps }, small).results;
    expect(run().map((result) => result.unsupported === true)).toEqual([false, false, false, true, true]);
    const { results: afterwards } = runScenario({ scenario: 1, steps: [RAM, { op: "write", at: "ram" }] }, small);
    expect(afterwards[1]).toMatchObject({ outcome: "ok" });
  });

  it("is read at any byte all the same, and written at those that hold no number", () => {
    const [, read, write] = results([RAM, { op: "read", at: "ram[1]+4" }, { op: "write", at: "ram[1]+8" }]);
    expect([read?.outcome, write?.outcome]).toEqual(["ok", "ok"]);
    expect(read).not.toHaveProperty("value");
  });
});

describe("what is modelled beside private anonymous memory", () => {
  const NOTHING = { tables: 0, anon: 0, file: 0, shmem: 0, swap: 0 };
  const OK = { ok: true };

  it.each<[object, object]>([
    [{ op: "mmap", as: "m", pages: 1, kind: "shmem" }, OK],
    [{ op: "mmap", as: "m", pages: 1, kind: "file" }, OK],
    [{ op: "mmap", as: "m", pages: 512, kind: "hugetlb" }, { errno: "ENOMEM" }],
    [{ op: "mmap", as: "m", pages: 1, sharing: "shared" }, OK],
    [{ op: "madvise", range: "ram", advice: "free" }, OK],
    [{ op: "madvise", range: "ram", advice: "hugepage" }, OK],
    [{ op: "madvise", range: "ram", advice: "pageout" }, OK],
    [{ op: "mremap", range: "ram", pages: 4 }, OK],
    [{ op: "mremap", range: "ram", pages: 4, move: true, as: "m" }, OK],
    [{ op: "fork", as: "child" }, OK],
    [
      { op: "continue", uffd: "u", range: "ram" },
      { errno: "ENOENT", mapped: "-ENOENT" },
    ],
    [
      { op: "move", uffd: "u", range: "ram", from: "ram[4]" },
      { errno: "EINVAL", moved: "-EINVAL" },
    ],
  ])("%j", (step, result) => {
    expect(results([RAM, U, step, { op: "stat" }]).slice(2)).toEqual([result, NOTHING]);
  });

  it("is the end of a process, after which every step for it is ESRCH", () => {
    expect(results([RAM, { op: "exit" }, { op: "stat" }]).slice(1)).toEqual([OK, { errno: "ESRCH" }]);
  });

  it("is memory that gets huge pages by itself", () => {
    const big = { op: "mmap", as: "big", pages: 1024 };
    const write = { op: "write", at: "big" };
    const anonAfter = (thp: string): number | undefined => results([big, write, { op: "stat" }], { thp }).at(-1)?.anon;
    expect(["never", "madvise", "always"].map(anonAfter)).toEqual([1, 1, 512]);
  });

  it("is a page that another process shares until one of both writes", () => {
    const given = results([
      RAM,
      { op: "write", at: "ram", value: 5 },
      { op: "fork", as: "child" },
      { op: "write", at: "ram", value: 6 },
      { op: "read", at: "ram", proc: "child" },
    ]);
    expect(given.at(-1)).toMatchObject({ outcome: "ok", value: 5 });
  });

  it("is a page of an object that is there already", () => {
    const given = results([
      { op: "mmap", as: "m", pages: 1, kind: "shmem", sharing: "shared" },
      { op: "mmap", as: "n", pages: 1, source: "m", sharing: "shared" },
      { op: "uffd", as: "u", handler: { minor: "none" } },
      { op: "register", uffd: "u", range: "n", modes: ["minor"] },
      { op: "write", at: "m", value: 7 },
      { op: "read", at: "n", as: "t" },
      { op: "continue", uffd: "u", range: "n" },
      { op: "resume", thread: "t" },
    ]);
    expect(given[5]).toMatchObject({ outcome: "blocked" });
    expect(given[6]).toEqual({ ok: true, mapped: 4096 });
    expect(given[7]).toMatchObject({ outcome: "ok", value: 7 });
  });
});

describe("a process whose call waits", () => {
  const REGISTER = { op: "register", uffd: "u", range: "ram[4..8]", modes: ["missing"] };
  const POPULATE = { op: "madvise", range: "ram", advice: "populate-read" };

  it("makes no other call until that ends, and the steps in between do nothing", () => {
    const calls = [
      { op: "mmap", as: "m", pages: 1 },
      { op: "munmap", range: "ram" },
      { op: "mprotect", range: "ram", prot: "none" },
      { op: "madvise", range: "ram", advice: "dontneed" },
      { op: "fork", as: "child" },
      { op: "uffd", as: "v" },
    ];
    const given = results([
      RAM,
      U,
      REGISTER,
      POPULATE,
      ...calls,
      { op: "zeropage", uffd: "u", range: "ram[4..8]" },
      { op: "stat" },
    ]);
    expect(given[3]).toMatchObject({ outcome: "blocked" });
    expect(given.slice(4, 10)).toEqual(calls.map(() => UNSUPPORTED));
    expect(given.slice(10)).toEqual([
      { ok: true, zeroed: 16384 },
      { tables: 12288, anon: 0, file: 0, shmem: 0, swap: 0 },
    ]);
  });

  it("accesses memory on the threads that it has, but starts no new one", () => {
    const read = { op: "read", at: "ram" };
    expect(results([RAM, U, REGISTER, POPULATE, read])[4]).toEqual(UNSUPPORTED);
    expect(results([RAM, U, REGISTER, read, POPULATE, read])[5]).toMatchObject({ outcome: "ok" });
  });
});

describe("a thread", () => {
  it("is one of at most 16 that wait at the same time", () => {
    const reads = Array.from({ length: 17 }, (_, i) => ({ op: "read", at: "ram", as: `t${i}` }));
    const given = results([
      RAM,
      U,
      { op: "register", uffd: "u", range: "ram", modes: ["missing"] },
      ...reads,
      { op: "resume", thread: "t16" },
    ]);
    expect(given.slice(3, 19).every(({ outcome }) => outcome === "blocked")).toBe(true);
    expect(given.slice(19)).toEqual([UNSUPPORTED, { errno: "ESRCH" }]);
  });
});

describe("a descriptor that a fork would have made", () => {
  it("can be named, but is not there", () => {
    const given = results([
      RAM,
      U,
      { op: "wake", uffd: "u.0", range: "ram" },
      { op: "copy", uffd: "u.0.1", range: "ram" },
    ]);
    expect(given.slice(2)).toEqual([{ errno: "EBADF" }, { errno: "EBADF", copied: 0 }]);
  });
});
