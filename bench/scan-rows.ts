import { type Case, expectEqual } from "./harness.js";
import { chosen, isOneIn100, runsIn } from "./pick.js";
import type { Question, Row, Sizes, Tools } from "./row.js";
import { FIRST_PAGE, recordsFor, Subject, VALUE, writeAll } from "./subject.js";
import type { MakeTwin } from "./twin-model.js";

/** A share of the pages that is written to after they were protected. */
interface Written {
  readonly id: string;
  readonly title: string;
  readonly isWritten: (index: number) => boolean;
}

const SHARES: readonly Written[] = [
  { id: "scan-clean", title: "scan, nothing written", isWritten: () => false },
  { id: "scan-1pct", title: "scan, 1 % written at random", isWritten: isOneIn100 },
  { id: "scan-written", title: "scan, everything written", isWritten: () => true },
];

/** SCAN_NS of the C programs. */
const SCAN_MS = 2;

/** PAGEMAP_SCAN for written pages over a range of which every page is there, all regions read out. */
export function scanRows(tools: Tools, sizes: Sizes): Row[] {
  return SHARES.map((share) => scanRow(tools, sizes, share));
}

function scanRow(tools: Tools, { pages, realPages, mapPages }: Sizes, { id, title, isWritten }: Written): Row {
  const written = chosen(pages, isWritten);
  const ask = (count: number): Question => {
    const found = written.filter((index) => index < count);
    return { command: id, pages: count, units: count, expected: [runsIn(found), found.length] };
  };
  return {
    id,
    title,
    group: "scan",
    unit: "ns/PTE",
    units: pages,
    leastMs: SCAN_MS,
    questions: { kernel: ask(realPages), native: ask(pages) },
    cases: {
      ours: () => scanOurs(tools, pages, written),
      js: () => scanTwin(tools.makeTwin, pages, isWritten),
      map: () => scanTwin(tools.makeMapTwin, mapPages, isWritten),
    },
  };
}

function scanOurs(tools: Tools, pages: number, written: readonly number[]): Case {
  const subject = new Subject(tools.makeEngine("templates"), pages, { faults: "async" });
  subject.advise("populate-write");
  subject.protect();
  subject.access(written, "write");
  let regions: Float64Array = new Float64Array();
  return {
    prepare: () => undefined,
    run: () => {
      regions = subject.scanWritten();
    },
    check: () => {
      expectEqual(regions.length / 3, runsIn(written), "regions");
      let pagesFound = 0;
      for (let i = 0; i < regions.length; i += 3) pagesFound += (regions[i + 1] ?? 0) - (regions[i] ?? 0);
      expectEqual(pagesFound, written.length, "pages in regions");
    },
  };
}

function scanTwin(make: MakeTwin, pages: number, isWritten: Written["isWritten"]): Case {
  const twin = make(FIRST_PAGE, pages);
  const written = chosen(pages, isWritten);
  twin.replay(writeAll(FIRST_PAGE, pages), VALUE);
  twin.protect();
  twin.replay(recordsFor(FIRST_PAGE, written, "write"), VALUE);
  let edges: readonly number[] = [];
  return {
    units: pages,
    prepare: () => undefined,
    run: () => {
      edges = twin.scan();
    },
    check: () => expectEqual(edges.length, 2 * runsIn(written), "starts and ends of regions in plain JavaScript"),
  };
}
