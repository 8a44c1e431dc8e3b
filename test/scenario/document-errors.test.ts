import { beforeAll, describe, expect, it } from "vitest";
import { createEngine, type Engine, runScenario, ScenarioError } from "../../ts/node.js";
import { engineUrl } from "../support/engine-url.js";

let engine: Engine;

beforeAll(async () => {
  engine = await createEngine({}, engineUrl);
});

const RAM = { op: "mmap", as: "ram", pages: 8 };
const SHMEM = { op: "mmap", as: "mem", pages: 8, kind: "shmem" };
const U = { op: "uffd", as: "u" };

/** Returns the message for a document with these steps after one that maps "ram" and one that opens "u". */
function messageOf(...steps: unknown[]): string {
  return messageOfDocument({ scenario: 1, steps: [RAM, U, ...steps] });
}

function messageOfDocument(document: unknown): string {
  try {
    runScenario(document, engine);
  } catch (error) {
    if (error instanceof ScenarioError) return error.message;
    throw error;
  }
  return "no error";
}

describe("a document", () => {
  it.each([
    [7, "document: expected an object, found 7"],
    [null, "document: expected an object, found null"],
    [[], "document: expected an object, found []"],
    [{ steps: [] }, "scenario: expected 1, found nothing"],
    [{ scenario: 2, steps: [] }, "scenario: expected 1, found 2"],
    [{ scenario: 1 }, "steps: expected a list of steps, found nothing"],
    [{ scenario: 1, steps: {} }, "steps: expected a list of steps, found {}"],
    [{ scenario: 1, steps: [], name: 3 }, "name: expected a text, found 3"],
    [{ scenario: 1, steps: [], about: [] }, "about: expected a text, found []"],
    [
      { scenario: 1, steps: [], step: [] },
      "step: expected no such field of a scenario, which has about, machine, name, scenario, steps; found step",
    ],
    [{ scenario: 1, steps: [3] }, "steps[0]: expected an object, found 3"],
  ])("%j: %s", (document, message) => {
    expect(messageOfDocument(document)).toBe(message);
  });

  it.each([
    [{ thp: "on" }, 'machine.thp: expected one of never, madvise, always, found "on"'],
    [{ shmemThp: 1 }, "machine.shmemThp: expected one of never, madvise, always, found 1"],
    [{ hugetlbPages: -1 }, "machine.hugetlbPages: expected a whole number that is not negative, found -1"],
    [{ swapPages: "8" }, 'machine.swapPages: expected a whole number that is not negative, found "8"'],
    [{ kernel: 6.18 }, "machine.kernel: expected a version from 5.7 to 6.18, such as 6.4 or 6.18.44, found 6.18"],
    [{ kernel: "5.6" }, 'machine.kernel: expected a version from 5.7 to 6.18, such as 6.4 or 6.18.44, found "5.6"'],
    [
      { cpus: 2 },
      "machine.cpus: expected no such field of machine, which has hugetlbPages, kernel, shmemThp, swapPages, thp; found cpus",
    ],
    [[], "machine: expected an object, found []"],
  ])("machine %j: %s", (machine, message) => {
    expect(messageOfDocument({ scenario: 1, machine, steps: [] })).toBe(message);
  });

  it.each([
    { kernel: "6.18" },
    { kernel: "6.18.44" },
    { thp: "always", shmemThp: "madvise", hugetlbPages: 2, swapPages: 8 },
  ])("may ask for the machine %j", (machine) => {
    expect(messageOfDocument({ scenario: 1, name: "n", about: "a", machine, steps: [] })).toBe("no error");
  });
});

describe("a step", () => {
  it("has an operation of the format", () => {
    expect(messageOf({ op: "brk" })).toMatch(/^steps\[2\]\.op: expected one of mmap, .*, stat, found "brk"$/);
    expect(messageOf({})).toMatch(/^steps\[2\]\.op: expected one of .*, found nothing$/);
    expect(messageOf({ op: "toString" })).toMatch(/found "toString"$/);
  });

  it.each([
    [{ op: "stat", proc: "child" }, 'steps[2].proc: expected the name of a process, found "child"'],
    [{ op: "stat", proc: 1 }, "steps[2].proc: expected the name of a process, found 1"],
    [{ op: "stat", expect: [] }, "steps[2].expect: expected an object, found []"],
    [
      { op: "stat", range: "ram" },
      "steps[2].range: expected no such field of stat, which has expect, op, proc; found range",
    ],
    [{ op: "mmap", as: "m", pages: -1 }, "steps[2].pages: expected a whole number that is not negative, found -1"],
    [{ op: "mmap", as: "m", pages: 1.5 }, "steps[2].pages: expected a whole number that is not negative, found 1.5"],
    [{ op: "mmap", as: "m" }, "steps[2].pages: expected a whole number that is not negative, found nothing"],
    [
      { op: "mmap", as: "m", pages: 1, kind: "tmpfs" },
      'steps[2].kind: expected one of anon, shmem, file, hugetlb, found "tmpfs"',
    ],
    [{ op: "mmap", as: "m", pages: 1, sharing: 1 }, "steps[2].sharing: expected one of private, shared, found 1"],
    [{ op: "mmap", as: "m", pages: 1, prot: "x" }, 'steps[2].prot: expected one of rw, r, none, found "x"'],
    [{ op: "mmap", as: "m", pages: 1, at: 4096 }, "steps[2].at: expected a place such as"],
    [
      { op: "mmap", as: "m", pages: 1, source: "ram" },
      'steps[2].source: expected the name of a shmem, file or hugetlb mapping, found "ram"',
    ],
    [{ op: "mmap", as: "m", pages: 1, source: "u" }, 'steps[2].source: expected the name of a mapping, found "u"'],
    [{ op: "mmap", as: "m", pages: 1, offset: -1 }, "steps[2].offset: expected a whole number"],
    [{ op: "mprotect", range: "ram" }, "steps[2].prot: expected one of rw, r, none, found nothing"],
    [{ op: "mremap", range: "ram", pages: 8, as: "m" }, "steps[2].as: expected no such field of mremap"],
    [{ op: "mremap", range: "ram", pages: 8, move: true }, "steps[2].as: expected a name, found nothing"],
    [{ op: "mremap", range: "ram", pages: 8, move: "yes" }, 'steps[2].move: expected true or false, found "yes"'],
    [{ op: "madvise", range: "ram", advice: "sequential" }, "steps[2].advice: expected one of dontneed, free, "],
    [{ op: "uffd", as: "v", features: "move" }, 'steps[2].features: expected a list of names, found "move"'],
    [{ op: "uffd", as: "v", features: ["move", "rwp"] }, "steps[2].features[1]: expected one of pagefault-flag-wp, "],
    [{ op: "uffd", as: "v", handler: "copy" }, 'steps[2].handler: expected an object, found "copy"'],
    [
      { op: "uffd", as: "v", handler: { wp: "copy" } },
      'steps[2].handler.wp: expected one of unprotect, none, found "copy"',
    ],
    [
      { op: "uffd", as: "v", handler: { minor: "copy" } },
      "steps[2].handler.minor: expected one of continue, poison, none",
    ],
    [{ op: "uffd", as: "v", handler: { major: "copy" } }, "steps[2].handler.major: expected no such field of handler"],
    [
      { op: "register", uffd: "u", range: "ram", modes: ["rwp"] },
      "steps[2].modes[0]: expected one of missing, wp, minor",
    ],
    [{ op: "register", uffd: "u", range: "ram" }, "steps[2].modes: expected a list of names, found nothing"],
    [{ op: "close", uffd: "ram" }, 'steps[2].uffd: expected the name of a userfaultfd, found "ram"'],
    [{ op: "close", uffd: "u.x" }, 'steps[2].uffd: expected the name of a userfaultfd, found "u.x"'],
    [{ op: "writeprotect", uffd: "u", range: "ram", wp: 1 }, "steps[2].wp: expected true or false, found 1"],
    [{ op: "copy", uffd: "u", range: "ram", value: -1 }, "steps[2].value: expected a whole number"],
    [{ op: "zeropage", uffd: "u", range: "ram", wp: true }, "steps[2].wp: expected no such field of zeropage"],
    [{ op: "continue", uffd: "u", range: "ram", value: 1 }, "steps[2].value: expected no such field of continue"],
    [{ op: "poison", uffd: "u", range: "ram", wp: true }, "steps[2].wp: expected no such field of poison"],
    [{ op: "move", uffd: "u", range: "ram" }, "steps[2].from: expected a place such as"],
    [{ op: "read", at: "ram", value: 1 }, "steps[2].value: expected no such field of read"],
    [{ op: "write", at: "ram", value: "1" }, 'steps[2].value: expected a whole number that is not negative, found "1"'],
    [{ op: "touch", range: "ram" }, "steps[2].access: expected one of read, write, found nothing"],
    [{ op: "touch", range: "ram", access: "read", stride: 0 }, "steps[2].stride: expected at least 1, found 0"],
    [{ op: "resume", thread: "t" }, 'steps[2].thread: expected the name of a thread, found "t"'],
    [{ op: "pagemap-scan", range: "ram", mask: ["dirty"] }, "steps[2].mask[0]: expected one of wpallowed, written, "],
    [
      { op: "pagemap-scan", range: "ram", flags: ["wp"] },
      "steps[2].flags[0]: expected one of wp-matching, check-wpasync",
    ],
    [{ op: "pagemap-scan", range: "ram", maxPages: null }, "steps[2].maxPages: expected a whole number"],
  ])("%j: %s", (step, message) => {
    expect(messageOf(step).slice(0, message.length)).toBe(message);
  });

  it("may name what an earlier step gave, not a later one", () => {
    const copy = { op: "mmap", as: "copy", pages: 8, source: "mem", offset: 2 };
    expect(messageOf(SHMEM, copy)).toBe("no error");
    expect(messageOf(copy, SHMEM)).toBe('steps[2].source: expected the name of a mapping, found "mem"');
    expect(
      messageOf(SHMEM, { op: "mremap", range: "mem", pages: 8, move: true, as: "moved" }, { ...copy, source: "moved" }),
    ).toBe("no error");
    expect(messageOf({ op: "fork", as: "child" }, { op: "exit", proc: "child" })).toBe("no error");
  });
});

describe("a name", () => {
  it.each(["", "1a", "a b", "a.b", "ä"])("is no name: %j", (as) => {
    expect(messageOf({ op: "mmap", as, pages: 1 })).toBe(
      `steps[2].as: expected a name: a letter, then letters, digits, _ or -, found ${JSON.stringify(as)}`,
    );
  });

  it.each([
    [{ op: "mmap", as: "u", pages: 1 }, "u"],
    [{ op: "uffd", as: "ram" }, "ram"],
    [{ op: "fork", as: "main" }, "main"],
    [{ op: "read", at: "ram", as: "ram" }, "ram"],
  ])("is given once, whatever it names: %j", (step, name) => {
    expect(messageOf(step)).toBe(`steps[2].as: expected a new name, found "${name}", which is given twice`);
  });
});

describe("a range", () => {
  const EXPECTED = 'expected a range such as "ram", "ram[7]" or "ram[0..512]"';

  it.each([
    [undefined, `steps[2].range: ${EXPECTED}, found nothing`],
    [5, `steps[2].range: ${EXPECTED}, found 5`],
    ["ram[", `steps[2].range: ${EXPECTED}, found "ram["`],
    ["ram[1..]", `steps[2].range: ${EXPECTED}, found "ram[1..]"`],
    ["0x1000", `steps[2].range: ${EXPECTED}, found "0x1000"`],
    ["disk", 'steps[2].range: expected the name of a mapping, found "disk"'],
    ["ram[4..3]", 'steps[2].range: expected a range that does not end before it starts, found "ram[4..3]"'],
    [{ start: "ram" }, 'steps[2].range.length: expected a number of bytes or a string such as "4K", found nothing'],
    [
      { start: "ram", length: "4k" },
      'steps[2].range.length: expected a number of bytes or a string such as "4K", found "4k"',
    ],
    [
      { start: "ram", length: -1 },
      'steps[2].range.length: expected a number of bytes or a string such as "4K", found -1',
    ],
    [{ start: "disk", length: 1 }, 'steps[2].range.start: expected the name of a mapping, found "disk"'],
    [
      { start: "ram", length: 1, end: 2 },
      "steps[2].range.end: expected no such field of a range, which has length, start; found end",
    ],
  ])("%j: %s", (range, message) => {
    expect(messageOf({ op: "munmap", range })).toBe(message);
  });

  it("of a step that is not modelled is checked all the same", () => {
    expect(messageOf({ op: "mremap", range: "disk", pages: 1 })).toBe(
      'steps[2].range: expected the name of a mapping, found "disk"',
    );
  });
});

describe("a place", () => {
  it.each(["ram[1..2]", "ram+16", "4096", "0xg", ""])("is none: %j", (at) => {
    expect(messageOf({ op: "read", at })).toBe(
      `steps[2].at: expected a place such as "ram", "ram[7]", "ram[7]+16" or "0x100000000000", found ${JSON.stringify(at)}`,
    );
  });
});

describe("a message", () => {
  it("shortens what it found", () => {
    expect(messageOf({ op: "x".repeat(1000) }).length).toBeLessThan(400);
  });

  it("comes with the place as a field", () => {
    expect(() => runScenario({ scenario: 1, steps: [{ op: "fly" }] }, engine)).toThrow(
      expect.objectContaining({ where: "steps[0].op" }) as Error,
    );
  });
});
