import { describe, expect, it } from "vitest";
import {
  AddressSpace,
  type Counters,
  type Engine,
  Machine,
  Random,
  replayFault,
  type ReplayFaults,
  Userfaultfd,
} from "../../ts/node.js";
import { createEngine } from "../../ts/node.js";
import { engineUrl } from "../support/engine-url.js";
import { PAGE, setUp } from "../support/setup.js";

interface Access {
  readonly page: number;
  readonly access: "read" | "write";
}

const FIRST_PAGE = 2 ** 28;
const PAGES = 1500;

function recordsOf(accesses: readonly Access[]): Uint32Array {
  const words = new Uint32Array(2 * accesses.length);
  accesses.forEach(({ page, access }, i) => {
    words[2 * i] = page % 2 ** 32;
    words[2 * i + 1] = Math.floor(page / 2 ** 32) + (access === "write" ? 2 ** 31 : 0);
  });
  return words;
}

function listOf(faults: ReplayFaults): unknown[] {
  return Array.from({ length: faults.count }, (_, i) => replayFault(faults, i));
}

function randomAccesses(count: number, seed: number): Access[] {
  const random = new Random(seed);
  return Array.from({ length: count }, () => {
    const page = FIRST_PAGE + random.below(PAGES);
    return { page, access: random.below(3) === 0 ? "read" : "write" };
  });
}

/** A space with all kinds of entries and protections. */
function prepare(engine: Engine): { space: AddressSpace; uffd: Userfaultfd } {
  const space = new AddressSpace(engine);
  const uffd = Userfaultfd.open(space, { features: ["wp-unpopulated"] });
  const at = space.mmap({ at: FIRST_PAGE * PAGE, length: PAGES * PAGE });
  uffd.register(at, PAGES * PAGE, ["wp"]);
  space.start({ address: at, access: "write", count: 200, stride: 3, value: 4 });
  space.start({ address: at, access: "read", count: 200, stride: 7, value: 0 });
  uffd.writeProtect(at + 300 * PAGE, 900 * PAGE);
  space.mprotect(at + 700 * PAGE, 20 * PAGE, "r");
  space.mprotect(at + 900 * PAGE, 20 * PAGE, "none");
  space.munmap(at + 1000 * PAGE, 10 * PAGE);
  return { space, uffd };
}

function contentsOf(space: AddressSpace): bigint[] {
  return [...space.engine.readContents(space.handle, FIRST_PAGE, PAGES)];
}

/** Entries without frame numbers: those depend on the order of allocation, which is the same, but in other spaces. */
function entriesOf(space: AddressSpace): bigint[] {
  return [...space.engine.readEntries(space.handle, FIRST_PAGE, PAGES)].map((entry) => entry & ~0x000ffffffffff000n);
}

function withoutReplayed(counters: Counters): Counters {
  return { ...counters, replayedReads: 0, replayedWrites: 0 };
}

describe("a replay", () => {
  it.each([1, 2, 3, 4])("does what the same accesses do one by one (seed %i)", async (seed) => {
    const engine = await createEngine({}, engineUrl);
    const [batch, single] = [prepare(engine), prepare(engine)];
    const accesses = randomAccesses(20_000, seed);
    const { done, reason, faults } = batch.space.replay(recordsOf(accesses), {
      value: 77,
      wp: "unprotect",
      signals: "pass",
    });
    const expected: unknown[] = [];
    for (const [index, { page, access }] of accesses.entries()) {
      const { space, uffd } = single;
      const thread = space.start({ address: page * PAGE, access, count: 1, stride: 1, value: 77 });
      if (thread.outcome === "blocked") {
        expected.push({ page, index, outcome: "wp", access });
        uffd.removeWriteProtection(page * PAGE, PAGE);
      }
      if (thread.outcome === "SIGSEGV") expected.push({ page, index, outcome: "sigsegv", access });
    }
    expect([done, reason]).toEqual([accesses.length, "end"]);
    expect(listOf(faults)).toEqual(expected);
    expect(expected.length).toBeGreaterThan(500);
    expect(contentsOf(batch.space)).toEqual(contentsOf(single.space));
    expect(entriesOf(batch.space)).toEqual(entriesOf(single.space));
    expect(withoutReplayed(batch.space.counters())).toEqual(single.space.counters());
    const { replayedReads, replayedWrites } = batch.space.counters();
    expect(replayedReads + replayedWrites).toBe(accesses.length - expected.filter(isSignal).length);
  });

  it("cut into pieces is the same as in one", async () => {
    const engine = await createEngine({}, engineUrl);
    const [whole, pieces] = [prepare(engine), prepare(engine)];
    const records = recordsOf(randomAccesses(5000, 9));
    const options = { value: 3, wp: "unprotect", signals: "pass" } as const;
    whole.space.replay(records, options);
    for (let at = 0; at < records.length; at += 2 * 37) pieces.space.replay(records.subarray(at, at + 2 * 37), options);
    expect(contentsOf(pieces.space)).toEqual(contentsOf(whole.space));
    expect(pieces.space.counters()).toEqual(whole.space.counters());
  });

  it("of nothing does nothing", async () => {
    const { space } = await setUp();
    expect(space.replay(new Uint32Array(0), { value: 1 })).toMatchObject({ done: 0, reason: "end" });
  });

  it("stops with full records and goes on where it stopped", async () => {
    const { space, uffd, at } = await setUp({ features: ["wp-unpopulated"], pages: 20_000 });
    uffd.writeProtect(at, 20_000 * PAGE);
    const records = recordsOf(
      Array.from({ length: 20_000 }, (_, i) => ({ page: at / PAGE + i, access: "write" as const })),
    );
    const seen: unknown[] = [];
    const reasons: string[] = [];
    for (let done = 0; done < 20_000;) {
      const result = space.replay(records.subarray(2 * done), { value: 2, wp: "unprotect" });
      reasons.push(result.reason);
      for (let i = 0; i < result.faults.count; i++) seen.push(result.faults.pages[i]);
      done += result.done;
    }
    expect(reasons).toEqual(["full", "full", "end"]);
    expect(seen).toEqual(Array.from({ length: 20_000 }, (_, i) => at / PAGE + i));
    expect(space.counters()).toMatchObject({ wpMessages: 20_000, replayedWrites: 20_000, minflt: 40_000 });
  });

  it("that only counts needs no records", async () => {
    const { space, uffd, at } = await setUp({ features: ["wp-unpopulated"], pages: 20_000 });
    uffd.writeProtect(at, 20_000 * PAGE);
    const records = recordsOf(
      Array.from({ length: 20_000 }, (_, i) => ({ page: at / PAGE + i, access: "write" as const })),
    );
    const result = space.replay(records, { value: 2, wp: "unprotect", records: "count" });
    expect([result.done, result.reason, result.faults.count]).toEqual([20_000, "end", 0]);
    expect(space.counters().wpMessages).toBe(20_000);
  });

  it("stops at a message and goes on with the fault that waited", async () => {
    const { space, uffd, at } = await setUp({ features: ["wp-unpopulated"] });
    uffd.writeProtect(at, PAGE);
    const records = recordsOf([
      { page: at / PAGE + 1, access: "write" },
      { page: at / PAGE, access: "write" },
      { page: at / PAGE, access: "read" },
    ]);
    const stopped = space.replay(records, { value: 6 });
    expect([stopped.done, stopped.reason, listOf(stopped.faults)]).toEqual([
      1,
      "wp",
      [{ page: at / PAGE, index: 1, outcome: "wp", access: "write" }],
    ]);
    expect(space.counters()).toMatchObject({ replayedWrites: 1, wpMessages: 1, minflt: 2 });
    uffd.removeWriteProtection(at, PAGE);
    const rest = space.replay(records.subarray(2), { value: 6, waits: 1 });
    expect([rest.done, rest.reason]).toEqual([2, "end"]);
    expect(space.counters()).toMatchObject({
      replayedWrites: 2,
      replayedReads: 1,
      minflt: 3,
      majflt: 0,
      writeProtected: 1,
    });
  });

  it("counts a fault that waited twice as a major one", async () => {
    const { space, uffd, at } = await setUp();
    space.write(at, 1);
    uffd.writeProtect(at, PAGE);
    const records = recordsOf([{ page: at / PAGE, access: "write" }]);
    expect(space.replay(records, { value: 6 }).reason).toBe("wp");
    expect(space.replay(records, { value: 6, waits: 1 }).reason).toBe("wp");
    uffd.removeWriteProtection(at, PAGE);
    expect(space.replay(records, { value: 6, waits: 2 }).reason).toBe("end");
    expect(space.counters()).toMatchObject({ majflt: 1, wpMessages: 2 });
  });

  it("stops at a signal unless it shall pass over it", async () => {
    const { space, at } = await setUp();
    const records = recordsOf([
      { page: at / PAGE + 100, access: "read" },
      { page: at / PAGE, access: "write" },
    ]);
    expect(space.replay(records, { value: 1 })).toMatchObject({ done: 0, reason: "sigsegv" });
    expect(space.replay(records, { value: 1, signals: "pass" })).toMatchObject({ done: 2, reason: "end" });
  });

  it("passes a record of the last user page and one behind it", async () => {
    const { space } = await setUp();
    const last = 2 ** 35 - 2;
    space.mmap({ at: last * PAGE, length: PAGE });
    const records = recordsOf([
      { page: last, access: "write" },
      { page: last + 1, access: "write" },
    ]);
    expect(space.replay(records, { value: 1, signals: "pass" })).toMatchObject({ done: 2, reason: "end" });
    expect(space.counters()).toMatchObject({ sigsegv: 1, replayedWrites: 1 });
  });

  it("gives a mapping its anon_vma, as accesses one by one do", async () => {
    const { space, uffd, at } = await setUp({ modes: [], pages: 2 });
    uffd.register(at, PAGE, ["wp"]);
    const records = (page: number): Uint32Array => recordsOf([{ page: at / PAGE + page, access: "write" }]);
    space.replay(records(0), { value: 1 });
    space.replay(records(1), { value: 1 });
    uffd.unregister(at, PAGE);
    expect(space.vmas).toHaveLength(2); // their pages hang on different anon_vmas: Linux does not merge them again
  });

  it("unprotects a part of the huge zero page as the ioctl does", async () => {
    const engine = await createEngine({}, engineUrl);
    const space = new AddressSpace(engine, { machine: new Machine(engine, { thp: "always" }) });
    const at = space.mmap({ at: FIRST_PAGE * PAGE, length: 512 * PAGE });
    space.read(at);
    const uffd = Userfaultfd.open(space);
    uffd.register(at, 512 * PAGE, ["wp"]);
    uffd.writeProtect(at, 512 * PAGE);
    const records = recordsOf([{ page: FIRST_PAGE + 5, access: "write" }]);
    const { done, reason, faults } = space.replay(records, { value: 7, wp: "unprotect" });
    expect({ done, reason, messages: faults.count }).toEqual({ done: 1, reason: "end", messages: 1 });
    expect([...engine.readContents(space.handle, FIRST_PAGE + 4, 3)]).toEqual([0n, 7n, 0n]);
  });

  it.each([-1, 0.5, 2 ** 53])("refuses to write %s", async (value) => {
    const { space } = await setUp();
    expect(() => space.replay(new Uint32Array(0), { value })).toThrow('"value"');
  });

  it("names a fault that is not there", async () => {
    const { space } = await setUp();
    const { faults } = space.replay(new Uint32Array(0), { value: 1 });
    expect(() => replayFault(faults, 0)).toThrow('"index"');
  });
});

function isSignal(fault: unknown): boolean {
  return (fault as { outcome: string }).outcome === "sigsegv";
}
