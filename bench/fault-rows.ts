import { ask, armed, expectFaults, faultNumbers, faultsOf, type Trace, writesTo } from "./accesses.js";
import { NO_FAULTS } from "./faults.js";
import { type Case, expectEqual } from "./harness.js";
import type { Question, Row, Sizes, Tools } from "./row.js";
import { placed, Subject, type Tables, VALUE } from "./subject.js";
import type { MakeTwin } from "./twin-model.js";

/** Pages that are written to with a handler that answers each fault: the kernel takes a while. */
const SYNC_PAGES = 2048;

/** Rows about a write to every page: of nothing that was just protected, and of protected pages that are there. */
export function faultRows(tools: Tools, sizes: Sizes): Row[] {
  return [touchAllRow(tools, sizes), faultRow(tools, sizes, "async"), faultRow(tools, sizes, "sync")];
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
  const records = placed(engine, trace.records);
  const make = (): Subject => new Subject(engine, trace.pages);
  let subject = make();
  return {
    prepare: () => {
      subject.dispose();
      subject = make();
    },
    run: () => {
      subject.protect();
      subject.replay(records);
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
  const engine = tools.makeEngine("templates");
  const subject = new Subject(engine, trace.pages, { faults });
  const records = placed(engine, trace.records);
  subject.advise("populate-write");
  let before = 0;
  const count = (): number => subject.counters()[faults === "async" ? "wpAsyncFaults" : "wpMessages"];
  return {
    prepare: () => {
      subject.protect();
      before = count();
    },
    run: () => subject.replay(records),
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
