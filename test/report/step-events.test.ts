import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { engineFromModule, type Scenario, stepEvents, Timeline, type TraceEventFile } from "../../ts/node.js";
import { engineUrl } from "../support/engine-url.js";
import { readRecordings } from "../support/golden.js";
import { traceProblems } from "../support/trace-events.js";

const makeEngine = engineFromModule(readFileSync(engineUrl));

function eventsOf(scenario: Scenario): TraceEventFile {
  const timeline = new Timeline(scenario, makeEngine);
  timeline.goTo(timeline.length);
  const file = stepEvents(scenario, timeline.reports);
  timeline.dispose();
  return file;
}

/** A write that waits until its protection is removed, another that waits for ever, and a child that waits until it ends. */
const WAITING: Scenario = {
  scenario: 1,
  name: "waiting",
  steps: [
    { op: "mmap", as: "ram", pages: 3 },
    { op: "uffd", as: "u", features: ["event-fork"], handler: { missing: "none" } },
    { op: "register", uffd: "u", range: "ram", modes: ["missing"] },
    { op: "write", at: "ram[0]", value: 1, as: "a" },
    { op: "write", at: "ram[1]", value: 2 },
    { op: "fork", as: "child" },
    { op: "write", at: "ram[2]", value: 3, proc: "child" },
    { op: "copy", uffd: "u", range: "ram[0]", value: 9 },
    { op: "exit", proc: "child" },
    { op: "stat" },
  ],
};

describe("a scenario in the trace event format", () => {
  it("keeps the rules of the format, whatever the steps do", () => {
    for (const name of ["hand-written", "fork", "random"])
      for (const { document } of readRecordings(`${name}.jsonl.gz`).slice(0, 20))
        expect(traceProblems(eventsOf(document))).toEqual([]);
  });

  it("has every step, every message, and who waits how long", () => {
    const { traceEvents: events, otherData } = eventsOf(WAITING);
    expect(events.filter(({ cat }) => cat === "step")).toHaveLength(WAITING.steps.length);
    const names = events.filter(({ name }) => name === "process_name").map(({ args }) => args?.["name"]);
    expect(names).toEqual(["process main", "process child", "userfaultfd u", "userfaultfd u.0"]);
    expect(events.filter(({ cat }) => cat === "message").map(({ name, ts }) => [name, ts])).toEqual([
      ["pagefault write", 3000],
      ["pagefault write", 4000],
      ["fork", 5000],
      ["pagefault write", 6000],
    ]);
    const waits = events.filter(({ cat }) => cat === "wait");
    expect(waits.map(({ name, ph, pid, ts }) => [name.slice(7, 22), ph, pid, ts])).toEqual([
      ["write at=ram[0]", "b", 1, 3000],
      ["write at=ram[0]", "e", 1, 8000],
      ["write at=ram[1]", "b", 1, 4000],
      ["write at=ram[1]", "e", 1, 10_000],
      ["write at=ram[2]", "b", 2, 6000],
      ["write at=ram[2]", "e", 2, 9000],
    ]);
    expect(otherData).toMatchObject({ scenario: "waiting", time: expect.stringContaining("none") as string });
  });

  it("counts the faults of the transcript", () => {
    for (const { document, transcript } of readRecordings("hand-written.jsonl.gz").slice(0, 20)) {
      const sum = (field: "minflt" | "majflt"): number =>
        transcript.results.reduce((total, result) => total + (result[field] ?? 0), 0);
      const last = eventsOf(document).traceEvents.findLast(({ name }) => name === "faults");
      expect(last?.args, document.name).toEqual({ minor: sum("minflt"), major: sum("majflt") });
    }
  });
});
