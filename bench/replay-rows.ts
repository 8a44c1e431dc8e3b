import { PATTERNS, type Pattern, workloadBlocks } from "../ts/sim/workloads.js";
import { RAM_FIRST_PAGE } from "../ts/sim/layout.js";
import { expectedOf, type Expected, type Faults, NO_FAULTS } from "./faults.js";
import { type Case, expectEqual } from "./harness.js";
import type { Question, Row, Sizes, Tools } from "./row.js";
import { FIRST_PAGE, Subject, type Tables, VALUE, writeAll } from "./subject.js";
import type { MakeTwin, Twin } from "./twin-model.js";

/** Pages that are written to with a handler that answers each fault: the kernel takes a while. */
const SYNC_PAGES = 2048;

/** Accesses, and what they have to come to. */
interface Trace {
  readonly firstPage: number;
  readonly pages: number;
  readonly records: Uint32Array;
  readonly expected: Expected;
}

/** Rows about accesses in batches: by patterns, with and without faults, and one fault for each access. */
export function replayRows(tools: Tools, sizes: Sizes): Row[] {
  const patterns = PATTERNS.flatMap((pattern) => [
    patternRow(tools, sizes, pattern, "armed"),
    patternRow(tools, sizes, pattern, "steady"),
  ]);
  return [...patterns, touchAllRow(tools, sizes), faultRow(tools, sizes, "async"), faultRow(tools, sizes, "sync")];
}

/** "armed": every page is protected and nothing is mapped. "steady": the same accesses again. */
function patternRow(tools: Tools, sizes: Sizes, pattern: Pattern, start: "armed" | "steady"): Row {
  const isArmed = start === "armed";
  const traces = lazily(() => tracesOf(pattern, sizes));
  const command = isArmed ? "replay" : "replay-steady";
  const steadyId = pattern === "uniform" ? "replay-steady" : `replay-steady-${pattern}`;
  return {
    id: isArmed ? `replay-${pattern}` : steadyId,
    title: isArmed ? `replay ${pattern}, all armed` : `replay ${pattern}, no faults left`,
    group: "replay",
    unit: "ns/access",
    units: sizes.accesses,
    get questions() {
      const { own, slow } = traces();
      return {
        kernel: ask(command, slow, [slow.expected.protectedPages]),
        native: ask(command, own, faultNumbers(isArmed ? own.expected.faults : NO_FAULTS)),
      };
    },
    cases: {
      ours: () => (isArmed ? replayArmed(tools, traces().own) : replaySteady(tools, traces().own)),
      js: () => replayTwin(tools.makeTwin, traces().own, start),
      map: () => replayTwin(tools.makeMapTwin, traces().slow, start),
    },
  };
}

function ask(command: string, trace: Trace, expected: readonly number[]): Question {
  const { pages, records, firstPage } = trace;
  return { command, pages, units: records.length / 2, expected, records, firstPage };
}

/** In the order in which the native program prints them. */
function faultNumbers({ wp, zeroPage, allocate, copy }: Faults): number[] {
  return [wp, zeroPage, allocate, copy];
}

function tracesOf(pattern: Pattern, { pages, accesses, slowReplay }: Sizes): { own: Trace; slow: Trace } {
  const own = patternTrace(pattern, pages, accesses);
  const isSame = slowReplay.pages === pages && slowReplay.accesses === accesses;
  return { own, slow: isSame ? own : patternTrace(pattern, slowReplay.pages, slowReplay.accesses) };
}

function patternTrace(pattern: Pattern, pages: number, accesses: number): Trace {
  const records = new Uint32Array(2 * accesses);
  let at = 0;
  for (const block of workloadBlocks({ pattern, pages, accesses, writeShare: 0.5, seed: 1 })) {
    records.set(block.words.subarray(0, 2 * block.length), at);
    at += 2 * block.length;
  }
  return traceOf(RAM_FIRST_PAGE, pages, records);
}

/** A write to every page, in order. */
function writesTo(pages: number): Trace {
  return traceOf(FIRST_PAGE, pages, writeAll(FIRST_PAGE, pages));
}

function traceOf(firstPage: number, pages: number, records: Uint32Array): Trace {
  return { firstPage, pages, records, expected: expectedOf(records, firstPage, pages) };
}

/** The engine's memory has been used before, by the address space of the last round. */
function replayArmed(tools: Tools, trace: Trace): Case {
  const engine = tools.makeEngine("templates");
  const make = (): Subject => new Subject(engine, trace.pages, { firstPage: trace.firstPage });
  let subject = make();
  return {
    prepare: () => {
      subject.dispose();
      subject = make();
      subject.protect();
    },
    run: () => subject.replay(trace.records),
    check: () => expectFaults(faultsOf(subject), trace.expected.faults, "ours"),
  };
}

function replaySteady(tools: Tools, trace: Trace): Case {
  const subject = new Subject(tools.makeEngine("templates"), trace.pages, { firstPage: trace.firstPage });
  subject.protect();
  subject.replay(trace.records);
  return {
    prepare: () => undefined,
    run: () => subject.replay(trace.records),
    check: () => expectFaults(faultsOf(subject), trace.expected.faults, "ours, since the start"),
  };
}

function replayTwin(make: MakeTwin, trace: Trace, start: "armed" | "steady"): Case {
  const faults = start === "armed" ? trace.expected.faults : NO_FAULTS;
  let twin = armed(make, trace);
  if (start === "steady") twin.replay(trace.records, VALUE);
  return {
    units: trace.records.length / 2,
    prepare: () => {
      if (start === "armed") twin = armed(make, trace);
      Object.assign(twin.faults, NO_FAULTS);
    },
    run: () => twin.replay(trace.records, VALUE),
    check: () => expectFaults(twin.faults, faults, "plain JavaScript"),
  };
}

function armed(make: MakeTwin, trace: Trace): Twin {
  const twin = make(trace.firstPage, trace.pages);
  twin.protect();
  return twin;
}

/** Protecting what is empty and then writing to all of it: whether tables that are shared at first cost more in the end. */
function touchAllRow(tools: Tools, { pages, realPages, mapPages }: Sizes): Row {
  const trace = writesTo(pages);
  const kernels = writesTo(realPages);
  return {
    id: "touch-all-after-arm",
    title: "protect nothing, then write to every page",
    group: "templates",
    unit: "ns/PTE",
    units: pages,
    limitIs: "the same with tables that are really there",
    questions: {
      kernel: ask("touch-all-after-arm", kernels, [0]),
      native: ask("touch-all-after-arm", trace, [pages, 0, pages, 0]),
    },
    cases: {
      ours: () => touchAll(tools, "templates", trace),
      js: () => touchTwin(tools.makeTwin, trace),
      map: () => touchTwin(tools.makeMapTwin, writesTo(mapPages)),
      limit: () => touchAll(tools, "materialised", trace),
    },
  };
}

function touchAll(tools: Tools, tables: Tables, trace: Trace): Case {
  const engine = tools.makeEngine(tables);
  const make = (): Subject => new Subject(engine, trace.pages);
  let subject = make();
  return {
    prepare: () => {
      subject.dispose();
      subject = make();
    },
    run: () => {
      subject.protect();
      subject.replay(trace.records);
    },
    check: () => expectFaults(faultsOf(subject), trace.expected.faults, "ours"),
  };
}

function touchTwin(make: MakeTwin, trace: Trace): Case {
  let twin = make(trace.firstPage, trace.pages);
  return {
    units: trace.records.length / 2,
    prepare: () => {
      twin = make(trace.firstPage, trace.pages);
    },
    run: () => {
      twin.protect();
      twin.replay(trace.records, VALUE);
    },
    check: () => expectFaults(twin.faults, trace.expected.faults, "plain JavaScript"),
  };
}

/** A write to every page of protected memory that is there: one fault each, resolved by the kernel or by a handler. */
function faultRow(tools: Tools, { pages, realPages, mapPages }: Sizes, faults: "sync" | "async"): Row {
  const trace = writesTo(pages);
  const kernels = writesTo(realPages);
  const kernel: Question =
    faults === "async"
      ? ask("write-fault", kernels, [0])
      : { command: "write-fault-sync", pages: SYNC_PAGES, units: SYNC_PAGES, expected: [0, SYNC_PAGES] };
  const onlyWp = { ...NO_FAULTS, wp: pages };
  return {
    id: `fault-${faults}`,
    title: faults === "async" ? "write fault, async" : "write fault, answered by unprotecting",
    group: "fault",
    unit: "ns/fault",
    units: pages,
    questions: { kernel, native: ask("write-fault", trace, faultNumbers(onlyWp)) },
    cases: {
      ours: () => writeFaults(tools, trace, faults),
      js: () => faultTwin(tools.makeTwin, trace),
      map: () => faultTwin(tools.makeMapTwin, writesTo(mapPages)),
    },
  };
}

function writeFaults(tools: Tools, trace: Trace, faults: "sync" | "async"): Case {
  const subject = new Subject(tools.makeEngine("templates"), trace.pages, { faults });
  subject.advise("populate-write");
  let before = 0;
  const count = (): number => subject.counters()[faults === "async" ? "wpAsyncFaults" : "wpMessages"];
  return {
    prepare: () => {
      subject.protect();
      before = count();
    },
    run: () => subject.replay(trace.records),
    check: () => expectEqual(count() - before, trace.pages, "write-protect faults"),
  };
}

function faultTwin(make: MakeTwin, trace: Trace): Case {
  const faults = { ...NO_FAULTS, wp: trace.pages };
  const twin = armed(make, trace);
  twin.replay(trace.records, VALUE);
  return {
    units: trace.records.length / 2,
    prepare: () => {
      twin.protect();
      Object.assign(twin.faults, NO_FAULTS);
    },
    run: () => twin.replay(trace.records, VALUE),
    check: () => expectFaults(twin.faults, faults, "plain JavaScript"),
  };
}

function faultsOf(subject: Subject): Faults {
  const { wpMessages, zeroPageFaults, allocateFaults, copyFaults } = subject.counters();
  return { wp: wpMessages, zeroPage: zeroPageFaults, allocate: allocateFaults, copy: copyFaults };
}

function expectFaults(found: Faults, expected: Faults, side: string): void {
  const names = Object.keys(expected) as (keyof Faults)[];
  for (const name of names) expectEqual(found[name], expected[name], `${name} faults (${side})`);
}

function lazily<T extends object>(make: () => T): () => T {
  let made: T | undefined;
  return () => (made ??= make());
}
