import type { RangeText, Step } from "../../scenario/document.js";
import { HUGE, intervalOf, PAGE } from "./places.js";
import type { Mapping } from "./world.js";

type Interval = readonly [from: number, to: number];

/**
 * Keeps out of a scenario what Linux 6.18 does not survive, or what costs the machine something for good. It remembers where such a thing
 * could be, in any process, and for ever: what is refused wrongly is no loss.
 */
export class Hazards {
  /** Where entries of mappings of objects may be write-protected. */
  readonly #protectedObjects: Interval[] = [];
  /** Where huge pages may be write-protected. */
  readonly #protectedHuge: Interval[] = [];
  /** Where a hugetlb mapping has page tables for sure, until a step changes something. */
  #tabled: { readonly proc: string; readonly interval: Interval } | undefined;

  /** Whether the step can be made; remembers what it did. */
  allow(step: Step, mappings: readonly Mapping[]): boolean {
    const tabled = this.#tabled;
    this.#tabled = undefined;
    switch (step.op) {
      case "register":
        return this.#allowRegister(intervalOf(step.range, mappings), step.modes.includes("wp"), mappings);
      case "madvise":
        // installing a guard marker over a write-protection marker starts again for ever
        return step.advice !== "guard-install" || !meets(intervalOf(step.range, mappings), this.#protectedObjects);
      case "mremap":
        return this.#allowRemap(step.range, step.pages, mappings);
      case "touch":
        this.#tabled = { proc: step.proc ?? "main", interval: intervalOf(step.range, mappings) };
        return true;
      case "pagemap-scan":
        if (step.flags?.includes("wp-matching") !== true) return true;
        return allowProtectingScan(intervalOf(step.range, mappings), step.proc ?? "main", tabled, mappings);
      default:
        return true;
    }
  }

  /** A hugetlb page that stays protected without a registration makes a writer fault for ever. */
  #allowRegister(interval: Interval, isForWrites: boolean, mappings: readonly Mapping[]): boolean {
    if (!isForWrites) return !meets(interval, this.#protectedHuge);
    const objects = mappings.filter((mapping) => mapping.kind !== "anon" || mapping.sharing === "shared");
    if (meets(interval, objects.map(span))) this.#protectedObjects.push(interval);
    if (meets(interval, mappings.filter(isHugetlb).map(span))) this.#protectedHuge.push(interval);
    return true;
  }

  /** Moving a part of a private hugetlb mapping loses reservations of the pool. What moves takes its protection with it. */
  #allowRemap(range: RangeText, pages: number, mappings: readonly Mapping[]): boolean {
    const interval = intervalOf(range, mappings);
    const huge = mappings.filter((mapping) => isHugetlb(mapping) && meets(interval, [span(mapping)]));
    if (huge.some((mapping) => mapping.sharing === "private" && !isWhole(mapping, interval, pages))) return false;
    return true;
  }

  /** Tells that memory went from one place to another, and took its protection with it. */
  moved(source: Mapping, target: Mapping): void {
    const [from, to] = [span(source), span(target)];
    if (meets(from, this.#protectedObjects)) this.#protectedObjects.push(to);
    if (meets(from, this.#protectedHuge)) this.#protectedHuge.push(to);
  }
}

/** A scan that protects waits for a lock it holds where a hugetlb mapping has no page table. */
function allowProtectingScan(
  interval: Interval,
  proc: string,
  tabled: { readonly proc: string; readonly interval: Interval } | undefined,
  mappings: readonly Mapping[],
): boolean {
  const huge = mappings.filter((mapping) => isHugetlb(mapping) && meets(interval, [span(mapping)]));
  if (huge.length === 0) return true;
  if (huge.length > 1 || huge.some((mapping) => mapping.wasClosedOff)) return false;
  return tabled !== undefined && tabled.proc === proc && meets(interval, [tabled.interval]);
}

function isHugetlb(mapping: Mapping): boolean {
  return mapping.kind === "hugetlb";
}

function isWhole(mapping: Mapping, [from, to]: Interval, pages: number): boolean {
  const [start, end] = span(mapping);
  return from === start && to === end && pages === mapping.pages;
}

/** Linux makes hugetlb mappings end with a whole huge page. */
function span(mapping: Mapping): Interval {
  const pages = isHugetlb(mapping) ? Math.ceil(mapping.pages / HUGE) * HUGE : mapping.pages;
  return [mapping.start, mapping.start + pages * PAGE];
}

function meets([from, to]: Interval, others: readonly Interval[]): boolean {
  return others.some(([start, end]) => from < end && start < to);
}
