import { freshTwin } from "./entry-rows.js";
import { type Case, expectEqual } from "./harness.js";
import type { Row, Sizes, Tools } from "./row.js";
import { FIRST_PAGE, Subject, type Tables } from "./subject.js";

const PAGES_OF_4_GIB = 2 ** 20;
const PAGES_OF_64_TIB = 2 ** 34;
const POPULATED_PAGES = 2 ** 18;
const ENTRIES_PER_TABLE = 512;
/** Address spaces of one pass: calls of microseconds are timed together. */
const CALLS = 16;
/** Fewer where each call may take milliseconds. */
const FEW_CALLS = 2;

/** Rows about ranges of which nothing was there: shared page tables. */
export function rangeRows(tools: Tools, { mapPages }: Sizes): Row[] {
  return [
    protect4g(tools, mapPages),
    callRow("protect-empty-64t", "protect 64 TiB of nothing", {
      cases: { ours: () => protectNothing(tools, PAGES_OF_64_TIB) },
    }),
    callRow("unprotect-64t", "unprotect 64 TiB of markers", {
      cases: { ours: () => unprotectMarkers(tools, PAGES_OF_64_TIB) },
    }),
    populateRow(tools),
    scanNothing(tools),
  ];
}

function callRow(
  id: string,
  title: string,
  rest: Partial<Pick<Row, "units" | "questions" | "limitIs">> & Pick<Row, "cases">,
): Row {
  return { id, title, group: "templates", unit: "us/call", units: CALLS, questions: {}, ...rest };
}

function protect4g(tools: Tools, mapPages: number): Row {
  const pages = PAGES_OF_4_GIB;
  const question = { command: "first-protect", pages, units: 1, expected: [pages] };
  return callRow("protect-empty-4g", "protect 4 GiB of nothing", {
    questions: { kernel: question, native: question },
    cases: {
      ours: () => protectNothing(tools, pages),
      js: () => ({ ...freshTwin(tools.makeTwin, pages), units: 1 }),
      map: () => ({ ...freshTwin(tools.makeMapTwin, mapPages), units: mapPages / pages }),
    },
  });
}

/** UFFDIO_WRITEPROTECT of a range that has no table, each time in an address space of its own. */
function protectNothing(tools: Tools, pages: number): Case {
  return overSpaces(tools, "templates", pages, CALLS, {
    ready: () => undefined,
    run: (subject) => subject.protect(),
    check: (subject) => {
      expectEqual(subject.counters().armedNone, pages, "markers");
      expectEqual(subject.counters().pteTables, pages / ENTRIES_PER_TABLE, "last-level tables");
      subject.expectSampled(true);
    },
  });
}

function unprotectMarkers(tools: Tools, pages: number): Case {
  return overSpaces(tools, "templates", pages, CALLS, {
    ready: (subject) => subject.protect(),
    run: (subject) => subject.unprotect(),
    check: (subject) => {
      expectEqual(subject.counters().disarmedMarker, pages, "markers removed");
      subject.expectSampled(false);
    },
  });
}

/** MADV_POPULATE_READ; the limit is the same with tables that are really there. */
function populateRow(tools: Tools): Row {
  const populate = (tables: Tables): Case =>
    overSpaces(tools, tables, POPULATED_PAGES, FEW_CALLS, {
      ready: () => undefined,
      run: (subject) => {
        subject.advise("populate-read");
      },
      check: (subject) => expectEqual(subject.counters().zeroPageFaults, POPULATED_PAGES, "zero pages"),
    });
  return callRow("populate-read-1g", "populate-read 1 GiB of nothing", {
    units: FEW_CALLS,
    limitIs: "the same with tables that are really there",
    questions: { kernel: { command: "populate-read", pages: POPULATED_PAGES, units: 1, expected: [POPULATED_PAGES] } },
    cases: { ours: () => populate("templates"), limit: () => populate("materialised") },
  });
}

function scanNothing(tools: Tools): Row {
  const pages = PAGES_OF_64_TIB;
  return callRow("scan-empty-64t", "scan 64 TiB of nothing", {
    questions: { kernel: { command: "scan-empty", pages, units: 1, expected: [1, pages] } },
    cases: {
      ours: () =>
        overSpaces(tools, "templates", pages, CALLS, {
          ready: () => undefined,
          run: (subject) => {
            subject.scanWritten();
          },
          check: (subject) => expectEqual(subject.scanWritten()[1] ?? 0, FIRST_PAGE + pages, "end of the region"),
        }),
    },
  });
}

/** What is done with each of several address spaces; only `run` is timed. */
interface Steps {
  readonly ready: (subject: Subject) => void;
  readonly run: (subject: Subject) => void;
  readonly check: (subject: Subject) => void;
}

/** Does the same in several new address spaces of an engine whose memory has been used before. */
function overSpaces(tools: Tools, tables: Tables, pages: number, count: number, steps: Steps): Case {
  const engine = tools.makeEngine(tables);
  let subjects: Subject[] = [];
  return {
    prepare: () => {
      subjects = Array.from({ length: count }, () => new Subject(engine, pages));
      subjects.forEach(steps.ready);
    },
    run: () => {
      for (const subject of subjects) steps.run(subject);
    },
    check: () => {
      for (const subject of subjects) {
        steps.check(subject);
        subject.dispose();
      }
    },
  };
}
