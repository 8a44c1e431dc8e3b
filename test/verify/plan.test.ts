import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import type { Scenario, Step } from "../../ts/scenario/document.js";
import { ScenarioError } from "../../ts/scenario/error.js";
import { Plan } from "../../ts/verify/kernel/plan.js";
import * as protocol from "../../ts/verify/kernel/protocol.js";
import { KINDS } from "../../ts/verify/kernel/document-names.js";
import { ANSWERS } from "../../ts/verify/kernel/steps/descriptors.js";
import { OUTCOMES } from "../../ts/verify/kernel/steps/accesses.js";

const source = readFileSync(new URL("../../ts/verify/kernel/executor.c", import.meta.url), "utf8");

describe("executor.c and its driver", () => {
  it.each([
    { name: "operation", prefix: "OP_", names: protocol.OPERATIONS },
    { name: "record", prefix: "RECORD_", names: protocol.RECORDS },
    { name: "kind", prefix: "KIND_", names: KINDS },
    { name: "answer", prefix: "ANSWER_", names: ANSWERS },
    { name: "outcome", prefix: "OUTCOME_", names: OUTCOMES },
  ])("count every $name alike", ({ name, prefix, names }) => {
    const inC = enumerators(name).filter(([key]) => key.startsWith(prefix));
    expect(inC.map(([key]) => key)).toEqual(names.map((each) => prefix + each.toUpperCase()));
  });

  it.each(["limit", "status"])("have every %s alike", (name) => {
    const ours = new Map(Object.entries(protocol));
    for (const [key, value] of enumerators(name)) expect([key, String(ours.get(key))]).toEqual([key, value]);
  });
});

describe("a plan", () => {
  it("numbers processes, objects and descriptors", () => {
    const { commands } = planOf([
      { op: "mmap", as: "a", pages: 2, kind: "shmem" },
      { op: "mmap", as: "b", pages: 3, source: "a", offset: 1 },
      { op: "fork", as: "child" },
      { op: "uffd", as: "u", proc: "child", handler: { missing: "none" } },
      { op: "wake", uffd: "u.2.0", range: "b[1]" },
    ]);
    expect(commands.map(({ operation, process, args }) => ({ operation, process, args }))).toEqual([
      { operation: "mmap", process: 0, args: [0x100000000000, 8192, 3, 0, 1, 1, 0, 8192] },
      { operation: "mmap", process: 0, args: [0x108000000000, 12288, 3, 0, 1, 1, 4096, -1] },
      { operation: "fork", process: 0, args: [1] },
      { operation: "uffd", process: 1, args: [0n, 0n, 0, 0, 0, 4, 5] },
      { operation: "wake", process: 0, args: [0x10300n, 0n, 0x108000001000, 4096] },
    ]);
  });

  it("names descriptors that no step names", () => {
    const plan = planOf([{ op: "uffd", as: "first" }, { op: "uffd", as: "u" }, { op: "stat" }]);
    const ok = record(0, [0n, 0n, 0n]);
    const message = record(2, [0x010301n, 0n, 0x13n, 4n, 0n, 0n, 1n]);
    const reply = protocol.decodeReply(bytesOf([...ok, ...ok, ...message, ...record(0, [0n, 0n, 0n, 0n, 0n, 0n])]));
    const { results } = plan.transcript(reply);
    expect(results[2]?.messages).toEqual([{ uffd: "u.2.0", event: "fork", child: "u.2.0.4" }]);
  });

  it("ends with a step that hangs, and marks the others", () => {
    const plan = planOf([{ op: "exit" }, { op: "stat" }, { op: "stat" }]);
    const reply = protocol.decodeReply(bytesOf([...record(0, [3n]), ...record(1, [])]));
    expect(plan.transcript(reply).results).toEqual([{ errno: "ESRCH" }, { hang: true }, { skipped: true }]);
  });

  it("refuses more processes than the executor has", () => {
    const forks = Array.from({ length: protocol.MAX_PROCESSES }, (_, i): Step => ({ op: "fork", as: `p${i}` }));
    expect(() => planOf(forks)).toThrow(ScenarioError);
    expect(() => planOf(forks.slice(1))).not.toThrow();
  });

  it("says which step uses an unknown name", () => {
    expect(() => planOf([{ op: "stat" }, { op: "munmap", range: "ram" }])).toThrow("steps[1].range");
  });
});

function planOf(steps: Scenario["steps"]): Plan {
  return new Plan({ scenario: 1, steps });
}

/** Names and values of an enum in C. */
function enumerators(name: string): [string, string][] {
  const body = new RegExp(`enum ${name} \\{([^}]*)\\}`).exec(source)?.[1] ?? "";
  const entries = body.replace(/\/\*.*?\*\//gs, "").split(",");
  return entries
    .map((entry) => entry.trim().split(" = "))
    .flatMap(([key = "", value = ""]) => (key ? [[key, value]] : []));
}

function record(kind: number, words: readonly bigint[]): bigint[] {
  return [BigInt(kind) | (BigInt(words.length) << 8n), ...words];
}

function bytesOf(words: readonly bigint[]): Uint8Array {
  return new Uint8Array(new BigUint64Array(words).buffer);
}
