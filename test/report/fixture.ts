import type { Spread } from "../../ts/base/statistics.js";
import type {
  Comparison,
  FaultCounts,
  ModelledItem,
  ModelledTime,
  TrackerId,
  TrackerResult,
} from "../../ts/sim/comparison.js";

/** What a program's memory is at the snapshot point and which of its pages it touches afterwards; counts of pages. */
interface Shape {
  /** Pages of its own, zero pages and holes at the point. */
  readonly present: number;
  readonly zero: number;
  readonly none: number;
  /** Of these, written afterwards. */
  readonly writtenPresent: number;
  readonly writtenZero: number;
  readonly writtenNone: number;
  /** Holes that are only read afterwards. */
  readonly readNone: number;
  /** Accesses before the point and in all. */
  readonly snapshotAt: number;
  readonly accesses: number;
  /** Page-table bytes at the point, and what the holes' tables add to them. */
  readonly tablesBefore: number;
  readonly tablesOfHoles: number;
  readonly tablesOfTouchedHoles: number;
}

const LABELS: Readonly<Record<TrackerId, string>> = {
  wp: "sync wp",
  "wp-pre-read": "+ pre-read",
  "wp-populate-read": "+ POPULATE_READ",
  "wp-unpopulated": "WP_UNPOPULATED",
  "wp-async": "WP_ASYNC + scan",
};

const TRACKER_IDS = Object.keys(LABELS) as TrackerId[];

/** A traced program: the first tracker loses the 1,234 pages that it writes for the first time after the point. */
const MISSING: Shape = {
  present: 3000,
  zero: 500,
  none: 5500,
  writtenPresent: 2000,
  writtenZero: 300,
  writtenNone: 1234,
  readNone: 400,
  snapshotAt: 1_000_000,
  accesses: 4_250_000,
  tablesBefore: 61_440,
  tablesOfHoles: 45_056,
  tablesOfTouchedHoles: 16_384,
};

/** 10 GiB that nobody touched, armed and left alone. */
const SEED: Shape = {
  present: 0,
  zero: 0,
  none: 2_621_440,
  writtenPresent: 0,
  writtenZero: 0,
  writtenNone: 0,
  readNone: 0,
  snapshotAt: 0,
  accesses: 0,
  tablesBefore: 4096,
  tablesOfHoles: 5120 * 4096 + 11 * 4096,
  tablesOfTouchedHoles: 0,
};

const NOTHING: Shape = { ...SEED, none: 0, tablesBefore: 0, tablesOfHoles: 0 };

/** A trace with missed pages. */
export function missingCase(): Comparison {
  return comparisonOf(MISSING, {
    title: "Dirty trackers compared",
    source: "python-sort.pte (project's own format, from valgrind 3.19.0 lackey)",
    layout: "mappings inferred from the accesses, gaps up to 2.00 MiB closed",
  });
}

/** The published benchmark: no dirty page, all of the time is arming. */
export function seedCase(): Comparison {
  return {
    ...comparisonOf(SEED, {
      title: "uffd_wp_perf",
      source: "seed workload: 10.0 GiB anonymous memory, never touched (seed 1)",
      layout: "one anonymous mapping",
    }),
    published: {
      wp: [{ source: "v4 commit text", totalUs: 4 }],
      "wp-pre-read": [{ source: "v4 commit text", totalUs: 1_111_453, prefaultUs: 1_101_011 }],
      "wp-populate-read": [{ source: "v4 commit text", totalUs: 278_276, prefaultUs: 266_378 }],
      "wp-unpopulated": [
        { source: "v4 commit text", totalUs: 11_712 },
        { source: "in a VM, 27 Feb 2023", totalUs: 20_850 },
      ],
    },
  };
}

/** The published benchmark, measured too: the last row with huge pages has no prediction. */
export function measuredCase(): Comparison {
  const around = (ns: number): Spread => ({
    samples: 7,
    minNs: ns,
    q1Ns: ns * 1.02,
    medianNs: ns * 1.05,
    q3Ns: ns * 1.1,
    maxNs: ns * 1.5,
    madNs: ns * 0.02,
  });
  return {
    ...seedCase(),
    measured: {
      host: {
        kernel: "Linux 6.18.0",
        cpu: "a CPU",
        cpus: 2,
        memoryBytes: 2 ** 34,
        hugePages: "madvise",
        at: "2026-05-01T12:34:56.000Z",
      },
      bytes: 10 * 2 ** 30,
      rounds: 7,
      slowdown: 1.3,
      rows: [
        { tracker: "wp", hugePages: "off", total: around(400), predictedNs: 440, predictedNowNs: 400 },
        {
          tracker: "wp-pre-read",
          hugePages: "off",
          total: around(2e9),
          prefault: around(1.9e9),
          predictedNs: 1.5e9,
          predictedNowNs: 1.95e9,
        },
        { tracker: "wp-populate-read", hugePages: "on", total: around(5e6), prefault: around(4.8e6) },
      ],
    },
  };
}

/** What a hostile or careless file name holds. */
export const HOSTILE_SOURCE: string = `\u001b[2J\u001b]0;owned\u0007</script><script>alert("1")</script>&amp;<img src=x onerror=alert(1)>\u202egpj.${"very-long-name".repeat(20)}`;

/** Nothing accessed, nothing dirty, nothing armed, from a file with a hostile name. */
export function emptyCase(): Comparison {
  const empty = comparisonOf(NOTHING, { title: HOSTILE_SOURCE, source: HOSTILE_SOURCE, layout: HOSTILE_SOURCE });
  const trackers = empty.trackers.map((result) => ({
    ...result,
    label: `${result.label} ${HOSTILE_SOURCE}`,
    modelled: { arm: modelled([]), fault: modelled([]), collect: modelled([]) },
  }));
  return { ...empty, trackers, profile: { name: HOSTILE_SOURCE, provenance: HOSTILE_SOURCE } };
}

/** As many of everything as a number can count. */
export function hugeCase(): Comparison {
  const huge = Number.MAX_SAFE_INTEGER;
  const ordinary = missingCase();
  const [first, ...others] = ordinary.trackers;
  if (first === undefined) throw new Error("the ordinary case has trackers");
  const time = modelled([{ cost: "preRead", count: huge, nsEach: 420 }]);
  const biggest: TrackerResult = {
    ...first,
    armed: { none: huge, page: huge, zeroPage: huge },
    tableBytes: { before: huge, armed: huge, end: huge },
    pteTables: { before: 0, armed: huge, end: huge },
    messages: huge,
    dirty: { ...first.dirty, found: huge, missed: huge },
    modelled: { arm: time, fault: time, collect: time },
  };
  return { ...ordinary, dirtyPages: huge, trackers: [biggest, ...others] };
}

function comparisonOf(shape: Shape, words: { title: string; source: string; layout: string }): Comparison {
  const writes = Math.floor(shape.accesses / 4);
  return {
    title: words.title,
    source: words.source,
    memory: { layout: words.layout, mappings: shape.none > 0 ? 1 : 0, pages: shape.present + shape.zero + shape.none },
    accesses: { total: shape.accesses, reads: shape.accesses - writes, writes, skipped: 0 },
    snapshot: { at: shape.snapshotAt, pages: shape.present, zeroPages: shape.zero },
    dirtyPages: shape.writtenPresent + shape.writtenZero + shape.writtenNone,
    profile: { name: "v4-thp-off", provenance: "fitted to the v4 commit text, THP off" },
    trackers: TRACKER_IDS.map((tracker) => trackerResult(tracker, shape)),
    elapsedMs: 812,
  };
}

function trackerResult(tracker: TrackerId, shape: Shape): TrackerResult {
  const prefaults = tracker === "wp-pre-read" || tracker === "wp-populate-read";
  const marks = tracker === "wp-unpopulated" || tracker === "wp-async";
  const missed = tracker === "wp" ? shape.writtenNone : 0;
  const found = shape.writtenPresent + shape.writtenZero + shape.writtenNone - missed;
  const faults = faultCounts(tracker, shape, { prefaults, marks, found });
  const reportedForNothing = tracker === "wp-async" ? Math.floor(shape.writtenPresent / 100) : 0;
  const grown = prefaults || marks ? shape.tablesOfHoles : 0;
  const armed = {
    none: marks ? shape.none : 0,
    page: shape.present,
    zeroPage: shape.zero + (prefaults ? shape.none : 0),
  };
  return {
    tracker,
    label: LABELS[tracker],
    armed,
    prefaulted: prefaults ? shape.none : 0,
    tableBytes: {
      before: shape.tablesBefore,
      armed: shape.tablesBefore + grown,
      end: shape.tablesBefore + Math.max(grown, shape.tablesOfTouchedHoles),
    },
    pteTables: { before: 10, armed: 10 + grown / 4096, end: 10 + grown / 4096 },
    faults,
    messages: faults.wpSync,
    dirty: {
      found: found + reportedForNothing,
      missed,
      false: reportedForNothing,
      missedPages: missed === 0 ? [] : [0x7f3a10, 0x7f3a11, 0x7f3a12, 0x7f3a20],
    },
    modelled: {
      arm: armTime(tracker, shape, armed),
      fault: faultTime(faults),
      collect: tracker === "wp-async" ? modelled([item("scanPage", shape.present + shape.zero, 6)]) : modelled([]),
    },
    timeline: timelineOf(faults, shape),
  };
}

function faultCounts(
  tracker: TrackerId,
  shape: Shape,
  { prefaults, marks, found }: { prefaults: boolean; marks: boolean; found: number },
): FaultCounts {
  const zeroPage = prefaults ? 0 : shape.readNone;
  const allocate = prefaults ? 0 : shape.writtenNone;
  const copy = shape.writtenZero + (prefaults ? shape.writtenNone : 0);
  const async = tracker === "wp-async";
  return {
    exceptions: { readNotPresent: zeroPage, writeNotPresent: allocate, writeProtected: found + copy },
    zeroPage,
    allocate,
    copy,
    marker: marks ? zeroPage + allocate : 0,
    wpSync: async ? 0 : found,
    wpAsync: async ? found : 0,
  };
}

function armTime(tracker: TrackerId, shape: Shape, armed: TrackerResult["armed"]): ModelledTime {
  return modelled([
    item("call", 1, 4000),
    ...(tracker === "wp-pre-read" ? [item("preRead", shape.none, 420)] : []),
    ...(tracker === "wp-populate-read" ? [item("populateRead", shape.none, 102)] : []),
    item("protectNone", armed.none, 4.5),
    item("protectPage", armed.page, 40),
    item("protectZeroPage", armed.zeroPage, 4),
  ]);
}

function faultTime(faults: FaultCounts): ModelledTime {
  return modelled([
    item("readFault", faults.zeroPage, 500),
    item("writeFault", faults.allocate, 1700),
    item("copyFault", faults.copy, 1900),
    item("wpSyncFault", faults.wpSync, 9500),
    item("wpAsyncFault", faults.wpAsync, 900),
  ]);
}

function item(cost: string, count: number, nsEach: number): ModelledItem {
  return { cost, count, nsEach };
}

function modelled(items: readonly ModelledItem[]): ModelledTime {
  const used = items.filter(({ count }) => count > 0);
  return { items: used, totalNs: used.reduce((sum, { count, nsEach }) => sum + count * nsEach, 0) };
}

/** Before the point the program maps what exists there; afterwards most faults come early and then fewer and fewer. */
function timelineOf(faults: FaultCounts, shape: Shape) {
  const before = shape.present + shape.zero;
  const mapped = faults.zeroPage + faults.allocate + faults.copy;
  const points = shape.accesses === 0 ? [0] : Array.from({ length: 101 }, (_, i) => (i * shape.accesses) / 100);
  const after = (at: number): number =>
    at <= shape.snapshotAt ? 0 : Math.sqrt((at - shape.snapshotAt) / (shape.accesses - shape.snapshotAt));
  const prior = (at: number): number => (shape.snapshotAt === 0 ? 0 : Math.min(1, at / shape.snapshotAt));
  return {
    accesses: points,
    mapFaults: points.map((at) => Math.round(before * prior(at) + mapped * after(at))),
    wpFaults: points.map((at) => Math.round((faults.wpSync + faults.wpAsync) * after(at))),
  };
}
