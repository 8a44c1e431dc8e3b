import { beforeAll, describe, expect, it } from "vitest";
import { createEngine, type Engine, runScenario, type Step } from "../../ts/node.js";
import { describeReport, describeRequest } from "../../ts/scenario/account.js";
import { engineUrl } from "../support/engine-url.js";

let engine: Engine;

beforeAll(async () => {
  engine = await createEngine({}, engineUrl);
});

/** The account of the last of some steps. */
function lastAccount(...steps: unknown[]): string[] {
  const accounts: string[][] = [];
  runScenario({ scenario: 1, steps }, engine, { onStep: (report) => accounts.push(describeReport(report)) });
  return accounts.at(-1) ?? [];
}

const RAM = { op: "mmap", as: "ram", pages: 4 };
const U = { op: "uffd", as: "u", features: ["wp-unpopulated", "event-remove"], handler: { wp: "none" } };
const REGISTER = { op: "register", uffd: "u", range: "ram", modes: ["wp"] };
const PROTECT = { op: "writeprotect", uffd: "u", range: "ram" };
const COPY = { op: "copy", uffd: "u", range: "ram[1..3]" };

describe("what was asked for", () => {
  it.each<[Step, string]>([
    [{ op: "stat" }, "stat"],
    [{ op: "mmap", as: "ram", pages: 8, expect: { ok: true } }, "mmap as=ram pages=8"],
    [
      { op: "uffd", as: "u", features: ["sigbus", "move"], userModeOnly: true },
      "uffd as=u features=sigbus+move userModeOnly=true",
    ],
    [{ op: "uffd", as: "u", features: [] }, "uffd as=u features=none"],
    [{ op: "munmap", range: { start: "ram", length: 8 } }, 'munmap range={"start":"ram","length":8}'],
  ])("%j reads %s", (step, text) => {
    expect(describeRequest(step)).toBe(text);
  });
});

describe("what happened", () => {
  it.each<[string, unknown[], string[]]>([
    ["a call", [RAM], ["ok"]],
    ["a descriptor", [RAM, U], ["ok"]],
    ["a registration", [RAM, U, REGISTER], ["ok, allows copy, move, poison, wake, writeprotect, zeropage"]],
    ["tables that are made", [RAM, U, REGISTER, PROTECT], ["ok", "page tables +12.0 KiB"]],
    [
      "an access with a fault",
      [RAM, { op: "write", at: "ram" }],
      ["ok, 1 minor fault", "page tables +12.0 KiB, resident +1 page"],
    ],
    ["what a read finds", [RAM, { op: "write", at: "ram", value: 5 }, { op: "read", at: "ram" }], ["ok: 5"]],
    [
      "a message",
      [RAM, U, REGISTER, PROTECT, { op: "write", at: "ram[2]" }],
      ["blocked, 1 minor fault", "u reads: page fault at ram[2], write+wp", "resident +1 page"],
    ],
    [
      "an event and what goes",
      [
        RAM,
        U,
        REGISTER,
        { op: "touch", range: "ram", access: "write" },
        { op: "madvise", range: "ram", advice: "dontneed" },
      ],
      ["ok", "u reads: remove ram", "resident -4 pages"],
    ],
    ["a copy", [RAM, U, REGISTER, COPY], ["ok, 8192 bytes done", "page tables +12.0 KiB, resident +2 pages"]],
    ["a copy that is refused", [RAM, U, REGISTER, COPY, COPY], ["EEXIST, field -EEXIST"]],
    [
      "a touch",
      [RAM, { op: "touch", range: "ram[2..6]", access: "read" }],
      ["2 ok, 2 SIGSEGV, 2 minor faults", "page tables +12.0 KiB"],
    ],
    ["an empty touch", [RAM, { op: "touch", range: "ram[0..0]", access: "read" }], ["no access"]],
    [
      "a pagemap",
      [RAM, U, REGISTER, { op: "writeprotect", uffd: "u", range: "ram[1]" }, { op: "pagemap", range: "ram" }],
      ["3 runs", "[0] nothing", "[1] swapped uffd-wp", "[2..4] nothing"],
    ],
    [
      "a scan",
      [
        RAM,
        { op: "write", at: "ram[1]" },
        { op: "pagemap-scan", range: "ram", mask: ["present"], return: ["present", "written"] },
      ],
      ["1 region, walk ended at ram[4]", "[1] present written"],
    ],
    ["memory", [RAM, { op: "write", at: "ram[1]" }, { op: "stat" }], ["page tables 12.0 KiB, 1 page anonymous"]],
    ["an errno", [RAM, { op: "munmap", range: { start: "ram", length: 0 } }], ["EINVAL"]],
    ["what is not modelled", [RAM, { op: "write", at: "ram[1]+4" }], ["not modelled"]],
  ])("%s", (_name, steps, account) => {
    expect(lastAccount(...steps)).toEqual(account);
  });
});
