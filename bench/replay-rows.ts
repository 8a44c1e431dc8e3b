import { PATTERNS, type Pattern, workloadBlocks } from "../ts/sim/workloads.js";
import { RAM_FIRST_PAGE } from "../ts/sim/layout.js";
import { ask, armed, expectFaults, faultNumbers, faultsOf, type Trace, traceOf } from "./accesses.js";
import { NO_FAULTS } from "./faults.js";
import type { Case } from "./harness.js";
import type { ReplaySize, Row, Sizes, Tools } from "./row.js";
import { placed, Subject, VALUE } from "./subject.js";
import type { MakeTwin } from "./twin-model.js";

/** Rows about accesses in batches: by patterns, with and without faults. */
export function replayRows(tools: Tools, sizes: Sizes): Row[] {
  const rows = PATTERNS.flatMap((pattern) => [
    patternRow(tools, sizes, pattern, "armed"),
    patternRow(tools, sizes, pattern, "steady"),
  ]);
  return [...rows, arrayRow(tools, sizes)];
}

/** Accesses of an array of JavaScript's, which are copied into the engine's memory on the way. */
function arrayRow(tools: Tools, sizes: Sizes): Row {
  return {
    id: "replay-steady-array",
    title: "the same, uniform, out of an array",
    group: "replay",
    unit: "ns/access",
    units: sizes.accesses,
    questions: {},
    cases: { ours: () => replaySteady(tools, patternTrace("uniform", sizes), "array") },
  };
}

/** "armed": every page is protected and nothing is mapped. "steady": the same accesses again. */
function patternRow(tools: Tools, sizes: Sizes, pattern: Pattern, start: "armed" | "steady"): Row {
  const isArmed = start === "armed";
  const own = lazily(() => patternTrace(pattern, sizes));
  const kernels = lazily(() => patternTrace(pattern, sizes.kernelReplay));
  const command = isArmed ? "replay" : "replay-steady";
  const steadyId = pattern === "uniform" ? "replay-steady" : `replay-steady-${pattern}`;
  return {
    id: isArmed ? `replay-${pattern}` : steadyId,
    title: isArmed ? `replay ${pattern}, all armed` : `replay ${pattern}, no faults left`,
    group: "replay",
    unit: "ns/access",
    units: sizes.accesses,
    get questions() {
      return {
        kernel: ask(command, kernels(), [kernels().expected.protectedPages]),
        native: ask(command, own(), faultNumbers(isArmed ? own().expected.faults : NO_FAULTS)),
      };
    },
    cases: {
      ours: () => (isArmed ? replayArmed(tools, own()) : replaySteady(tools, own())),
      js: () => replayTwin(tools.makeTwin, own(), start),
      map: () => replayTwin(tools.makeMapTwin, patternTrace(pattern, sizes.mapReplay), start),
    },
  };
}

function patternTrace(pattern: Pattern, { pages, accesses }: ReplaySize): Trace {
  const records = new Uint32Array(2 * accesses);
  let at = 0;
  for (const block of workloadBlocks({ pattern, pages, accesses, writeShare: 0.5, seed: 1 })) {
    records.set(block.words.subarray(0, 2 * block.length), at);
    at += 2 * block.length;
  }
  return traceOf(RAM_FIRST_PAGE, pages, records);
}

/** The engine's memory has been used before, by the address space of the last round. */
function replayArmed(tools: Tools, trace: Trace): Case {
  const engine = tools.makeEngine("templates");
  const records = placed(engine, trace.records);
  const make = (): Subject => new Subject(engine, trace.pages, { firstPage: trace.firstPage });
  let subject = make();
  return {
    prepare: () => {
      subject.dispose();
      subject = make();
      subject.protect();
    },
    run: () => subject.replay(records),
    check: () => expectFaults(faultsOf(subject), trace.expected.faults, "ours"),
  };
}

function replaySteady(tools: Tools, trace: Trace, where: "engine" | "array" = "engine"): Case {
  const engine = tools.makeEngine("templates");
  const subject = new Subject(engine, trace.pages, { firstPage: trace.firstPage });
  const records = where === "engine" ? placed(engine, trace.records) : trace.records;
  subject.protect();
  subject.replay(records);
  return {
    prepare: () => undefined,
    run: () => subject.replay(records),
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

function lazily<T extends object>(make: () => T): () => T {
  let made: T | undefined;
  return () => (made ??= make());
}
