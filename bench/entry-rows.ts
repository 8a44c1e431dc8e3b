import { type Case, expectEqual } from "./harness.js";
import { type Kind, pagesOfKind } from "./pick.js";
import type { Cases, Question, Row, Sizes, Tools } from "./row.js";
import { FIRST_PAGE, Subject, VALUE, writeAll, recordsFor } from "./subject.js";
import type { MakeTwin, Twin } from "./twin-model.js";

const ENTRY_BYTES = 8;

/** Rows about passes over tables that are really there. */
export function entryRows(tools: Tools, sizes: Sizes): Row[] {
  return [
    ...noneRows(tools, sizes, ""),
    firstProtect(tools, sizes),
    ...presentRows(tools, sizes),
    mixedRow(tools, sizes),
  ];
}

/** Markers come and go in tables of nothing else. */
export function noneRows(tools: Tools, sizes: PassSizes, suffix: string): Row[] {
  const { pages } = sizes;
  const ask = (command: string, expected: number): Row["questions"] => {
    const question = { command, pages, units: pages, expected: [expected] };
    return { kernel: question, native: question };
  };
  const shared = {
    group: "materialised",
    unit: "ns/PTE",
    units: pages,
    limitIs: "memory.fill of the same bytes",
  } as const;
  const fill = (): Case => tools.limits.fill(pages * ENTRY_BYTES);
  return [
    {
      ...shared,
      id: `protect-none${suffix}`,
      title: "protect none, tables exist",
      questions: ask("protect-none", pages),
      cases: { ...protecting(tools, sizes, { fills: false }), limit: fill },
    },
    {
      ...shared,
      id: `unprotect-markers${suffix}`,
      title: "unprotect markers",
      questions: ask("unprotect-markers", 0),
      cases: { ...unprotecting(tools, sizes, { fills: false }), limit: fill },
    },
  ];
}

function firstProtect(tools: Tools, { pages, mapPages }: Sizes): Row {
  const question = { command: "first-protect", pages, units: pages, expected: [pages] };
  return {
    id: "first-protect",
    title: "first protect, fresh memory",
    group: "materialised",
    unit: "ns/PTE",
    units: pages,
    limitIs: "touching a byte of every 4 KiB of fresh memory",
    questions: { kernel: question, native: question },
    cases: {
      ours: () => freshEngine(tools, pages),
      js: () => freshTwin(tools.makeTwin, pages),
      map: () => freshTwin(tools.makeMapTwin, mapPages),
      limit: () => tools.limits.touch(pages * ENTRY_BYTES),
    },
  };
}

function presentRows(tools: Tools, sizes: Sizes): Row[] {
  const { pages, realPages } = sizes;
  const ask = (command: string, isProtected: 0 | 1): Row["questions"] => {
    const question = (count: number): Question => ({
      command,
      pages: count,
      units: count,
      expected: [isProtected * count],
    });
    return { kernel: question(realPages), native: question(pages) };
  };
  const shared = {
    group: "materialised",
    unit: "ns/PTE",
    units: pages,
    limitIs: "SIMD load, change and store of the same bytes",
  } as const;
  const modify = (): Case => tools.limits.modify(pages * ENTRY_BYTES);
  return [
    {
      ...shared,
      id: "protect-present",
      title: "protect written pages",
      questions: ask("protect-present", 1),
      cases: { ...protecting(tools, sizes, { fills: true }), limit: modify },
    },
    {
      ...shared,
      id: "unprotect-present",
      title: "unprotect written pages",
      questions: ask("unprotect-present", 0),
      cases: { ...unprotecting(tools, sizes, { fills: true }), limit: modify },
    },
  ];
}

type PassSizes = Pick<Sizes, "pages" | "mapPages">;

/** What is protected and unprotected: a range that is empty, or of which every page has been written to. */
interface Contents {
  readonly fills: boolean;
}

function protecting(tools: Tools, sizes: PassSizes, contents: Contents): Cases {
  const { pages, mapPages } = sizes;
  const plain = (make: MakeTwin, pages: number): Case => {
    const twin = twinOf(make, pages, contents);
    return {
      units: pages,
      prepare: () => twin.unprotect(),
      run: () => twin.protect(),
      check: () => expectAll(pages)(twin),
    };
  };
  const engine = (): Case => {
    const subject = subjectOf(tools, pages, contents);
    return {
      prepare: () => subject.unprotect(),
      run: () => subject.protect(),
      check: () => expectEqual(subject.protectedPages(), pages, "protected pages"),
    };
  };
  return { ours: engine, js: () => plain(tools.makeTwin, pages), map: () => plain(tools.makeMapTwin, mapPages) };
}

function unprotecting(tools: Tools, sizes: PassSizes, contents: Contents): Cases {
  const { pages, mapPages } = sizes;
  const plain = (make: MakeTwin, pages: number): Case => {
    const twin = twinOf(make, pages, contents);
    return {
      units: pages,
      prepare: () => twin.protect(),
      run: () => twin.unprotect(),
      check: () => expectAll(0)(twin),
    };
  };
  const engine = (): Case => {
    const subject = subjectOf(tools, pages, contents);
    return {
      prepare: () => subject.protect(),
      run: () => subject.unprotect(),
      check: () => expectEqual(subject.protectedPages(), 0, "protected pages"),
    };
  };
  return { ours: engine, js: () => plain(tools.makeTwin, pages), map: () => plain(tools.makeMapTwin, mapPages) };
}

function subjectOf(tools: Tools, pages: number, { fills }: Contents): Subject {
  const subject = new Subject(tools.makeEngine("materialised"), pages);
  if (fills) subject.advise("populate-write");
  subject.protect();
  return subject;
}

function twinOf(make: MakeTwin, pages: number, { fills }: Contents): Twin {
  const twin = make(FIRST_PAGE, pages);
  if (fills) twin.replay(writeAll(FIRST_PAGE, pages), VALUE);
  twin.protect();
  return twin;
}

/** None, marker, zero page, written and swap by chance, so that no branch can be predicted. */
function mixedRow(tools: Tools, { pages, realPages, mapPages }: Sizes): Row {
  const swapped = pagesOfKind(pages, "swapped").length;
  const question = { command: "protect-mixed", pages, units: pages, expected: [pages - swapped, swapped] };
  return {
    id: "protect-mixed",
    title: "protect none, markers, zero pages, written pages and swap at random",
    group: "materialised",
    unit: "ns/PTE",
    units: pages,
    limitIs: "SIMD load, change and store of the same bytes",
    questions: {
      kernel: { command: "protect-mixed", pages: realPages, units: realPages, expected: [realPages] },
      native: question,
      branchy: { ...question, command: "protect-mixed-branchy" },
      sse42: question,
    },
    cases: {
      ours: () => mixedOurs(tools, pages),
      js: () => mixedTwin(tools.makeTwin, pages),
      map: () => mixedTwin(tools.makeMapTwin, mapPages),
      limit: () => tools.limits.modify(pages * ENTRY_BYTES),
    },
  };
}

function mixedOurs(tools: Tools, pages: number): Case {
  const subject = new Subject(tools.makeEngine("materialised"), pages, { swapPages: pages });
  const markers = pagesOfKind(pages, "marker");
  subject.access(pagesOfKind(pages, "swapped"), "write");
  subject.advise("pageout");
  subject.access(pagesOfKind(pages, "zero-page"), "read");
  subject.access(pagesOfKind(pages, "written"), "write");
  expectEqual(subject.counters().swapEntries, pagesOfKind(pages, "swapped").length, "pages in swap");
  return {
    prepare: () => {
      subject.unprotect();
      for (const index of markers) subject.protect(index, 1);
    },
    run: () => subject.protect(),
    check: () => expectEqual(subject.protectedPages(), pages, "protected pages"),
  };
}

function mixedTwin(make: MakeTwin, pages: number): Case {
  const twin = make(FIRST_PAGE, pages);
  const expected = pages - pagesOfKind(pages, "swapped").length;
  const records = (kind: Kind, access: "read" | "write"): Uint32Array =>
    recordsFor(FIRST_PAGE, pagesOfKind(pages, kind), access);
  const markers = pagesOfKind(pages, "marker");
  for (const index of pagesOfKind(pages, "swapped")) twin.swapOut(index);
  twin.replay(records("zero-page", "read"), VALUE);
  twin.replay(records("written", "write"), VALUE);
  return {
    units: pages,
    prepare: () => {
      twin.unprotect();
      for (const index of markers) twin.mark(index);
    },
    run: () => twin.protect(),
    check: () => expectAll(expected)(twin),
  };
}

/** An engine for each round: its memory is taken from the operating system while it protects. */
function freshEngine(tools: Tools, pages: number): Case {
  const make = (): Subject => new Subject(tools.makeEngine("materialised"), pages);
  let subject = make();
  return {
    prepare: () => {
      subject = make();
    },
    run: () => subject.protect(),
    check: () => expectEqual(subject.protectedPages(), pages, "protected pages"),
  };
}

/** Arrays have been touched when they are there, so making them is part of it. */
export function freshTwin(make: MakeTwin, pages: number): Case {
  let twin: Twin | undefined;
  return {
    units: pages,
    prepare: () => {
      twin = undefined;
    },
    run: () => {
      twin = make(FIRST_PAGE, pages);
      twin.protect();
    },
    check: () => expectEqual(twin?.protectedPages ?? 0, pages, "protected pages in plain JavaScript"),
  };
}

function expectAll(pages: number): (twin: Twin) => void {
  return (twin) => expectEqual(twin.protectedPages, pages, "protected pages in plain JavaScript");
}
