import { readFileSync } from "node:fs";
import { beforeAll, describe, expect, it } from "vitest";
import { entryOf, PAGE_SIZE, Random, type Scenario, ScenarioError, Timeline } from "../../ts/node.js";
import type { Engine } from "../../ts/engine/engine.js";
import { engineFromModule } from "../../ts/engine/load.js";
import { FIRST_PLACE } from "../../ts/mm/address-space.js";
import { engineUrl } from "../support/engine-url.js";
import { readRecordings } from "../support/golden.js";

const RAM = FIRST_PLACE / PAGE_SIZE;

let makeEngine: () => Engine;

beforeAll(() => {
  makeEngine = engineFromModule(readFileSync(engineUrl));
});

/** Engines are kept for the next timeline, so that two thousand of them do not take two thousand memories. */
function enginesAgain(): () => () => Engine {
  const all: Engine[] = [];
  return () => {
    let used = 0;
    return () => (all[used++] ??= makeEngine());
  };
}

describe("in whatever order the steps are gone to, a timeline gives what Linux gave", () => {
  const engines = enginesAgain();

  it.each(["hand-written", "selftests", "fork", "thp", "hugetlb", "swap"])("%s", { timeout: 60_000 }, (name) => {
    const random = new Random(1);
    for (const { document, transcript } of readRecordings(`${name}.jsonl.gz`)) {
      const timeline = new Timeline(document, engines());
      for (let i = 0; i < 12; i++) {
        const position = random.below(timeline.length + 1);
        timeline.goTo(position);
        expect(timeline.transcript.results).toEqual(transcript.results.slice(0, position));
      }
      timeline.goTo(timeline.length);
      expect(timeline.transcript, document.name).toEqual(transcript);
      timeline.dispose();
    }
  });

  it("random, backwards step by step", { timeout: 60_000 }, () => {
    for (const { document, transcript } of readRecordings("random.jsonl.gz").slice(0, 100)) {
      const timeline = new Timeline(document, engines());
      timeline.goTo(timeline.length);
      while (timeline.back()) timeline.prepare();
      while (timeline.step());
      expect(timeline.transcript).toEqual(transcript);
      timeline.dispose();
    }
  });
});

const PROTECTED: Scenario = {
  scenario: 1,
  steps: [
    { op: "mmap", as: "ram", pages: 4 },
    { op: "uffd", as: "u", features: ["wp-unpopulated"] },
    { op: "register", uffd: "u", range: "ram", modes: ["wp"] },
    { op: "writeprotect", uffd: "u", range: "ram" },
    { op: "read", at: "ram[1]" },
    { op: "write", at: "ram[2]", value: 7 },
    { op: "madvise", range: "ram", advice: "dontneed" },
  ],
};

describe("moving along a timeline", () => {
  it("shows the memory as it was after each step", () => {
    const timeline = new Timeline(PROTECTED, makeEngine);
    const entries = (): bigint[] => {
      const space = timeline.spaces.get("main");
      return space === undefined ? [] : [...space.engine.readEntries(space.handle, RAM, 4)];
    };
    const seen: bigint[][] = [];
    do seen.push(entries());
    while (timeline.step());
    for (const position of [3, 7, 0, 6, 5, 4, 2, 1, 6]) {
      timeline.goTo(position);
      expect(entries()).toEqual(seen[position]);
    }
    expect(timeline.mappings).toMatchObject([{ name: "ram", pages: 4 }]);
    expect(timeline.reports[5]).toMatchObject({ index: 5, anonPagesChange: 1 });
  });

  it("ends at both ends", () => {
    const timeline = new Timeline(PROTECTED, makeEngine);
    expect(timeline.back()).toBe(false);
    timeline.goTo(timeline.length);
    expect(timeline.step()).toBe(false);
    expect(() => {
      timeline.goTo(8);
    }).toThrow(RangeError);
  });

  it("may be given up on the way, and is where it came to", () => {
    const timeline = new Timeline(PROTECTED, makeEngine);
    const going = timeline.going(6);
    going.next();
    going.next();
    expect(timeline.position).toBe(2);
    timeline.goTo(4);
    const done = timeline.transcript;
    const telling = timeline.tellingHistory("main", RAM + 1);
    telling.next();
    telling.return([]);
    expect(timeline.history("main", RAM + 1)).toHaveLength(1);
    timeline.goTo(1);
    timeline.goTo(4);
    expect(timeline.transcript).toEqual(done);
  });

  it("does not begin a document that is wrong", () => {
    expect(() => new Timeline({ scenario: 1, steps: [{ op: "jump" }] }, makeEngine)).toThrow(ScenarioError);
  });

  it("takes little time for ten thousand steps, and less where checkpoints are ready", { timeout: 30_000 }, () => {
    const middle = Array.from({ length: 10_000 }, (_, i) => ({ op: "write", at: `ram[${i % 4096}]`, value: i }));
    const steps = [{ op: "mmap", as: "ram", pages: 4096 }, ...middle];
    const timeline = new Timeline({ scenario: 1, steps }, makeEngine);
    const time = (work: () => void): number => {
      const start = performance.now();
      work();
      return performance.now() - start;
    };
    const forward = time(() => {
      timeline.goTo(timeline.length);
    });
    const back = time(() => timeline.back());
    timeline.prepare();
    const prepared = time(() => {
      timeline.goTo(timeline.position - 100);
    });
    const ms = (value: number): string => `${value.toFixed(1)} ms`;
    console.info(`10,001 steps: ${ms(forward)}; back: ${ms(back)}; back with a checkpoint: ${ms(prepared)}`);
    expect(timeline.position).toBe(9900);
  });
});

describe("the history of a page", () => {
  const changes = (document: Scenario, page: number, process = "main") => {
    const timeline = new Timeline(document, makeEngine);
    timeline.goTo(timeline.length);
    const first = timeline.history(process, page);
    expect(timeline.history(process, page)).toEqual(first);
    return first.map(({ step, by, what, cause }) => [step, by, what, cause]);
  };

  it("has both exceptions of a write to a marker, the handler and the thread that goes on", () => {
    expect(changes(PROTECTED, RAM + 2)).toMatchInlineSnapshot(`
      [
        [
          3,
          "step",
          "none → uffd-wp marker",
          "writeprotect uffd=u range=ram",
        ],
        [
          5,
          "step",
          "uffd-wp marker → page, dirty, read-only, uffd-wp",
          "write at=ram[2] value=7: exception 0x6, a page is mapped and keeps the protection",
        ],
        [
          5,
          "handler",
          "page, dirty, read-only, uffd-wp → page, dirty, writable",
          "the handler of u answers the wp message",
        ],
        [
          6,
          "step",
          "page, dirty, writable → none",
          "madvise range=ram advice=dontneed",
        ],
      ]
    `);
  });

  it("has the zero page that keeps the protection", () => {
    expect(changes(PROTECTED, RAM + 1)).toMatchInlineSnapshot(`
      [
        [
          3,
          "step",
          "none → uffd-wp marker",
          "writeprotect uffd=u range=ram",
        ],
        [
          4,
          "step",
          "uffd-wp marker → zero page, read-only, uffd-wp",
          "read at=ram[1]: exception 0x4, the zero page is mapped and keeps the protection",
        ],
        [
          6,
          "step",
          "zero page, read-only, uffd-wp → none",
          "madvise range=ram advice=dontneed",
        ],
      ]
    `);
  });

  it("ends with the entry that the page has, in every process", { timeout: 60_000 }, () => {
    for (const { document } of ["hand-written", "fork", "thp", "swap"].flatMap((name) =>
      readRecordings(`${name}.jsonl.gz`).slice(0, 40),
    )) {
      const timeline = new Timeline(document, makeEngine);
      timeline.goTo(timeline.length);
      for (const [process, space] of timeline.spaces) {
        const now = space.isDisposed ? 0n : entryOf(space.engine, space.handle, RAM + 1).entry;
        expect(timeline.history(process, RAM + 1).at(-1)?.after.entry ?? 0n, document.name).toBe(now);
      }
    }
  });

  it("has the copy that the fault makes after it was answered, within the same exception", () => {
    const steps = [...PROTECTED.steps.slice(0, 5), { op: "write", at: "ram[1]" } as const];
    expect(changes({ scenario: 1, steps }, RAM + 1).slice(2)).toMatchInlineSnapshot(`
      [
        [
          5,
          "handler",
          "zero page, read-only, uffd-wp → zero page, read-only",
          "the handler of u answers the wp message",
        ],
        [
          5,
          "woken",
          "zero page, read-only → page, dirty, writable",
          "the fault that waited goes on: the page is copied",
        ],
      ]
    `);
  });

  it("has the huge page and its splitting", () => {
    const document: Scenario = {
      scenario: 1,
      machine: { thp: "always" },
      steps: [
        { op: "mmap", as: "ram", pages: 512 },
        { op: "write", at: "ram[3]" },
        { op: "mprotect", range: "ram[0..8]", prot: "r" },
        { op: "fork", as: "child" },
        { op: "write", at: "ram[9]", proc: "child" },
      ],
    };
    expect(changes(document, RAM + 9)).toMatchInlineSnapshot(`
      [
        [
          1,
          "step",
          "none → huge page, dirty, writable",
          "write at=ram[3]: exception 0x6, a page is mapped",
        ],
        [
          2,
          "step",
          "huge page, dirty, writable → page, dirty, writable",
          "mprotect range=ram[0..8] prot=r",
        ],
        [
          3,
          "step",
          "page, dirty, writable → page, dirty, read-only",
          "fork as=child",
        ],
      ]
    `);
    expect(changes(document, RAM + 9, "child")).toMatchInlineSnapshot(`
      [
        [
          3,
          "step",
          "none → page, dirty, read-only",
          "fork as=child",
        ],
        [
          4,
          "step",
          "page, dirty, read-only → page, dirty, writable",
          "write at=ram[9] proc=child: exception 0x7, the page is copied",
        ],
      ]
    `);
  });

  it("has the two exceptions that async resolves in one go", () => {
    const document: Scenario = {
      scenario: 1,
      steps: [
        { op: "mmap", as: "ram", pages: 1 },
        { op: "uffd", as: "u", features: ["wp-async"] },
        { op: "register", uffd: "u", range: "ram", modes: ["wp"] },
        { op: "writeprotect", uffd: "u", range: "ram" },
        { op: "write", at: "ram" },
        { op: "pagemap-scan", range: "ram", flags: ["wp-matching"], mask: ["written"], return: ["written"] },
        { op: "write", at: "ram" },
      ],
    };
    expect(changes(document, RAM)).toMatchInlineSnapshot(`
      [
        [
          3,
          "step",
          "none → uffd-wp marker",
          "writeprotect uffd=u range=ram",
        ],
        [
          4,
          "step",
          "uffd-wp marker → page, dirty, writable",
          "write at=ram: exception 0x6, a page is mapped and keeps the protection; exception 0x7, the kernel removes the protection itself",
        ],
        [
          5,
          "step",
          "page, dirty, writable → page, dirty, read-only, uffd-wp",
          "pagemap-scan range=ram flags=wp-matching mask=written return=written",
        ],
        [
          6,
          "step",
          "page, dirty, read-only, uffd-wp → page, dirty, writable",
          "write at=ram: exception 0x7, the kernel removes the protection itself",
        ],
      ]
    `);
  });
});
