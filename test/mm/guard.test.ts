import { describe, expect, it } from "vitest";
import { AddressSpace } from "../../ts/mm/address-space.js";
import { PAGE_SIZE } from "../../ts/base/pages.js";
import { Userfaultfd } from "../../ts/uffd/userfaultfd.js";
import { createEngine } from "../../ts/node.js";
import { engineUrl } from "../support/engine-url.js";

const engine = await createEngine({}, engineUrl);

const GUARD = 0xfffffffffffff600n;
const POISON = 0xfffffffffffffa00n;
const MARKER = 0xfffffffffffffc00n;

function entries(space: AddressSpace, start: number, pages: number): bigint[] {
  return [...space.engine.readEntries(space.handle, start / PAGE_SIZE, pages)];
}

describe("guards", () => {
  it("take the place of a page and of a marker, and nothing remembers what was there", () => {
    const space = new AddressSpace(engine);
    const start = space.mmap({ length: 3 * PAGE_SIZE });
    const uffd = Userfaultfd.open(space, { features: ["wp-unpopulated"] });
    uffd.register(start, 3 * PAGE_SIZE, ["wp"]);
    space.write(start, 1);
    uffd.writeProtect(start, 3 * PAGE_SIZE);
    space.madvise(start, 2 * PAGE_SIZE, "guard-install");
    expect(entries(space, start, 3)).toEqual([GUARD, GUARD, MARKER]);
    expect(space.read(start).outcome).toBe("SIGSEGV");
    expect(space.status().anonPages).toBe(0);
    space.madvise(start, 3 * PAGE_SIZE, "guard-remove");
    expect(entries(space, start, 3)).toEqual([0n, 0n, MARKER]);
  });

  it("pass over what is not mapped and say so in the end", () => {
    const space = new AddressSpace(engine);
    const start = space.mmap({ length: PAGE_SIZE });
    space.mmap({ at: start + 2 * PAGE_SIZE, length: PAGE_SIZE });
    expect(() => space.madvise(start, 3 * PAGE_SIZE, "guard-install")).toThrow(/ENOMEM/);
    expect(entries(space, start, 3)).toEqual([GUARD, 0n, GUARD]);
  });

  it("keep mappings of files no more apart, and are still copied by fork when these have become one", () => {
    const space = new AddressSpace(engine);
    const start = space.mmap({ length: 2 * PAGE_SIZE, sharing: "shared" });
    const uffd = Userfaultfd.open(space, {});
    uffd.register(start, PAGE_SIZE, ["missing"]);
    space.madvise(start + PAGE_SIZE, PAGE_SIZE, "guard-install");
    uffd.close();
    expect(space.vmas).toHaveLength(1);
    expect(entries(space.fork(), start, 2)).toEqual([0n, GUARD]);
  });
});

describe("poison", () => {
  it("ends accesses in SIGBUS and populates in EHWPOISON, and is healed by copying", () => {
    const space = new AddressSpace(engine);
    const start = space.mmap({ length: 2 * PAGE_SIZE });
    const uffd = Userfaultfd.open(space, {});
    uffd.register(start, 2 * PAGE_SIZE, ["missing"]);
    expect(uffd.poison(start, 2 * PAGE_SIZE)).toBe(2 * PAGE_SIZE);
    expect(entries(space, start, 2)).toEqual([POISON, POISON]);
    const read = space.read(start);
    expect([read.outcome, read.minflt, uffd.read()]).toEqual(["SIGBUS", 0, undefined]);
    expect(() => space.madvise(start, PAGE_SIZE, "populate-read")).toThrow(
      expect.objectContaining({ code: "EHWPOISON" }),
    );
    expect(() => uffd.poison(start, PAGE_SIZE)).toThrow(
      expect.objectContaining({ code: "EEXIST", progress: "-EEXIST" }),
    );
    uffd.copy(start, PAGE_SIZE, { value: 3 });
    expect(space.read(start).value).toBe(3);
  });

  it("wakes who waits, whose access then ends in SIGBUS", () => {
    const space = new AddressSpace(engine);
    const start = space.mmap({ length: PAGE_SIZE });
    const uffd = Userfaultfd.open(space, {});
    uffd.register(start, PAGE_SIZE, ["missing"]);
    const thread = space.write(start, 1);
    expect(thread.outcome).toBe("blocked");
    uffd.poison(start, PAGE_SIZE);
    expect(thread.outcome).toBe("SIGBUS");
  });
});
