import type { Spread } from "../base/statistics.js";
import type { Counters } from "../engine/counters.js";
import type { ModelledTime } from "./comparison.js";

/** What has a cost. Every figure is nanoseconds for one. */
export const COSTS = {
  call: "a system call or ioctl, without what it does",
  protectNone: "write-protecting an entry that is none with a marker, its share of a new page table included",
  protectPage: "write-protecting an entry that maps a page",
  protectZeroPage: "write-protecting an entry that maps the zero page",
  protectVisited: "write-protecting an entry that needs no change",
  preRead: "reading one page in a loop, to map the zero page",
  populateRead: "mapping the zero page by MADV_POPULATE_READ",
  readFault: "a read fault that maps the zero page",
  writeFault: "a write fault that allocates a page",
  copyFault: "a write fault that copies the zero page",
  wpSyncFault: "a write-protect fault from exception to return: message, handler, unprotecting one page, wake-up",
  wpAsyncFault: "a write-protect fault that the kernel resolves itself",
  scanPage: "one page looked at by PAGEMAP_SCAN",
} as const;

/** Name of a cost. */
export type CostName = keyof typeof COSTS;

/** What a calibration measures beyond the costs; nanoseconds for one. A profile may have others too. */
export const FIGURES = {
  syscall: "a system call that does nothing",
  callRepeated: "UFFDIO_WRITEPROTECT of one page, again and again",
  pageTable: "allocating a page table, by protecting the first page of 2 MiB",
  protectNoneInTable: "write-protecting an entry that is none in a table that is there",
  unprotectMarker: "removing a marker",
  unprotectPage: "removing the protection of a page",
  preReadHuge: "reading 2 MiB page by page, to map the huge zero page",
  populateReadHuge: "mapping the huge zero page by MADV_POPULATE_READ",
  protectHugeZeroPage: "write-protecting an entry that maps the huge zero page",
  populateWrite: "allocating a page by MADV_POPULATE_WRITE",
  wpAsyncMarker: "a write to a marker that the kernel resolves itself: two faults",
  wpSyncColdSameCpu: "as wpSyncFault, after a pause in which the handler fell asleep",
  wpSyncOtherCpu: "a sync write-protect fault whose handler waits in poll on another CPU",
  wpSyncColdOtherCpu: "the same after a pause in which the other CPU fell asleep",
  wpSyncSpinningOtherCpu: "the same with a handler that never sleeps",
  scanProtectClean: "one clean page looked at by PAGEMAP_SCAN that protects what it finds",
  scanWritten: "one written page reported by PAGEMAP_SCAN",
  scanProtectWritten: "one written page reported and protected by PAGEMAP_SCAN",
  mprotectFault: "a write to a page under mprotect: SIGSEGV, and mprotect of one page in the handler",
  fork: "fork of a small process, until the parent goes on",
  forkPage: "what each page of its own adds to a fork",
} as const;

/** Name of a figure that calibrations measure. */
export type FigureName = keyof typeof FIGURES;

/** One figure, and where it comes from. */
export interface Cost {
  readonly ns: number;
  readonly source: string;
  /** How far apart the measurements were, where it was measured more than once. */
  readonly spread?: Spread;
}

/** Costs of the operations of one host, so that counts can be turned into modelled time. */
export interface CostProfile {
  /** Version of this structure. */
  readonly profile: 1;
  readonly name: string;
  /** Machine, kernel, date and method, in a sentence. */
  readonly provenance: string;
  /** What is not known is absent. */
  readonly costs: Readonly<Partial<Record<CostName, Cost>>>;
  /** What else is known of the host. Comparisons need none of it; the prediction for huge pages does. */
  readonly figures?: Readonly<Record<string, Cost>>;
}

/** A cost that a calculation needs and the profile does not have. */
export class MissingCostError extends Error {
  override readonly name: string = "MissingCostError";
  /** Name of the profile. */
  readonly profile: string;
  readonly cost: CostName;

  constructor({ name }: Pick<CostProfile, "name">, cost: CostName) {
    super(`the cost profile "${name}" has no "${cost}" (${COSTS[cost]}); choose another profile or add it`);
    this.profile = name;
    this.cost = cost;
  }
}

/**
 * Returns the modelled time of so many operations; counts of 0 need no cost.
 * @throws MissingCostError
 */
export function modelledTime(profile: CostProfile, counts: Readonly<Partial<Record<CostName, number>>>): ModelledTime {
  const items = (Object.keys(COSTS) as CostName[])
    .map((cost) => ({ cost, count: counts[cost] ?? 0 }))
    .filter(({ count }) => count > 0)
    .map(({ cost, count }) => ({ cost, count, nsEach: costOf(profile, cost) }));
  return { totalNs: items.reduce((sum, { count, nsEach }) => sum + count * nsEach, 0), items };
}

/** Returns how often each cost of write-protecting applies to what the counters say was done. */
export function protectCounts(done: Counters): Partial<Record<CostName, number>> {
  const changed = done.armedNone + done.armedPage + done.armedZeroPage;
  return {
    protectNone: done.armedNone,
    protectPage: done.armedPage,
    protectZeroPage: done.armedZeroPage,
    protectVisited: done.protectVisited - changed,
  };
}

/**
 * Returns how often each cost of a fault applies. A write to a marker is two faults, one that allocates and one that meets the protection, and
 * both are counted. An async fault on the zero page copies it in the same fault, which is then a `copyFault`.
 */
export function faultCounts(done: Counters): Partial<Record<CostName, number>> {
  return {
    readFault: done.zeroPageFaults,
    writeFault: done.allocateFaults,
    copyFault: done.copyFaults,
    wpSyncFault: done.wpMessages,
    wpAsyncFault: done.reuseFaults,
  };
}

/**
 * Reads a cost profile from JSON that was parsed already.
 * @throws RangeError that names the field and what was expected.
 */
export function readCostProfile(value: unknown, where: string): CostProfile {
  const profile = objectAt(value, where);
  if (profile["profile"] !== 1) throw new RangeError(`${where}.profile: expected 1, found ${show(profile["profile"])}`);
  const costs = costsAt(profile["costs"], `${where}.costs`);
  for (const cost of Object.keys(costs)) {
    if (!Object.hasOwn(COSTS, cost))
      throw new RangeError(`${where}.costs.${cost}: expected one of ${Object.keys(COSTS).join(", ")}`);
  }
  const name = stringAt(profile["name"], `${where}.name`);
  const provenance = stringAt(profile["provenance"], `${where}.provenance`);
  const figures = profile["figures"];
  return {
    profile: 1,
    name,
    provenance,
    costs,
    ...(figures === undefined ? {} : { figures: costsAt(figures, `${where}.figures`) }),
  };
}

function costsAt(value: unknown, where: string): Record<string, Cost> {
  const entries = Object.entries(objectAt(value, where));
  return Object.fromEntries(entries.map(([name, cost]) => [name, costAt(cost, `${where}.${name}`)]));
}

function costAt(value: unknown, where: string): Cost {
  const { ns, source, spread } = objectAt(value, where);
  return {
    ns: nsAt(ns, `${where}.ns`),
    source: stringAt(source, `${where}.source`),
    ...(spread === undefined ? {} : { spread: spreadAt(spread, `${where}.spread`) }),
  };
}

function spreadAt(value: unknown, where: string): Spread {
  const spread = objectAt(value, where);
  const { samples } = spread;
  if (!Number.isInteger(samples)) throw new RangeError(`${where}.samples: expected a count, found ${show(samples)}`);
  const ns = (name: Exclude<keyof Spread, "samples">): number => nsAt(spread[name], `${where}.${name}`);
  return {
    samples: samples as number,
    minNs: ns("minNs"),
    q1Ns: ns("q1Ns"),
    medianNs: ns("medianNs"),
    q3Ns: ns("q3Ns"),
    maxNs: ns("maxNs"),
    madNs: ns("madNs"),
  };
}

function nsAt(value: unknown, where: string): number {
  if (typeof value === "number" && value >= 0 && value < Infinity) return value;
  throw new RangeError(`${where}: expected nanoseconds, found ${show(value)}`);
}

function costOf(profile: CostProfile, cost: CostName): number {
  const known = profile.costs[cost];
  if (known === undefined) throw new MissingCostError(profile, cost);
  return known.ns;
}

function objectAt(value: unknown, where: string): Record<string, unknown> {
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  throw new RangeError(`${where}: expected an object, found ${show(value)}`);
}

function stringAt(value: unknown, where: string): string {
  if (typeof value === "string") return value;
  throw new RangeError(`${where}: expected a string, found ${show(value)}`);
}

function show(value: unknown): string {
  return value === undefined ? "nothing" : JSON.stringify(value).slice(0, 60);
}
