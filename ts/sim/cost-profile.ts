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

/** One figure, and where it comes from. */
export interface Cost {
  readonly ns: number;
  readonly source: string;
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
}

/** A cost that a calculation needs and the profile does not have. */
export class MissingCostError extends Error {
  override readonly name: string = "MissingCostError";

  constructor(profile: CostProfile, cost: CostName) {
    super(`the cost profile "${profile.name}" has no "${cost}" (${COSTS[cost]}); choose another profile or add it`);
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
  const costs: Partial<Record<CostName, Cost>> = {};
  for (const [name, cost] of Object.entries(objectAt(profile["costs"], `${where}.costs`))) {
    if (!Object.hasOwn(COSTS, name))
      throw new RangeError(`${where}.costs.${name}: expected one of ${Object.keys(COSTS).join(", ")}`);
    const { ns, source } = objectAt(cost, `${where}.costs.${name}`);
    if (typeof ns !== "number" || !(ns >= 0 && ns < Infinity)) {
      throw new RangeError(`${where}.costs.${name}.ns: expected nanoseconds, found ${show(ns)}`);
    }
    costs[name as CostName] = { ns, source: stringAt(source, `${where}.costs.${name}.source`) };
  }
  const name = stringAt(profile["name"], `${where}.name`);
  return { profile: 1, name, provenance: stringAt(profile["provenance"], `${where}.provenance`), costs };
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
