import type { Scenario, Step } from "../../scenario/document.js";
import { addressesOf, Layout, meets, type Interval, type Span } from "./layout.js";
import { HUGE, PAGE } from "./places.js";

type StepOf<Op extends Step["op"]> = Extract<Step, { op: Op }>;

const GIB = 2 ** 30;

/**
 * Keeps out of a scenario what Linux 6.18 does not survive, or what costs the machine something for good. It remembers where such a thing
 * could be, in any process, and for ever: what is refused wrongly is no loss.
 */
export class Hazards {
  readonly layout: Layout = new Layout();
  /** Where entries of mappings of objects may be write-protected. */
  readonly #protectedObjects: Interval[] = [];
  /** Where huge pages may be write-protected. */
  readonly #protectedHuge: Interval[] = [];
  /** Where memory was without access at some time. */
  readonly #closedOff: Interval[] = [];
  /** Huge pages of all mappings that were made. */
  #hugePages = 0;
  #processes = 1;
  /** Whether processes may have a huge page at different addresses. */
  #isApart = false;
  /** Whether a process may wait in a call, so that it touches nothing. */
  #mayWait = false;
  readonly #pool: number;
  #previous: Step | undefined;

  /** `pool`: huge pages that the machine has for sure. */
  constructor(pool = 0) {
    this.#pool = pool;
  }

  /** Whether the step can be made; if so, takes it in. @throws RangeError if it names a place that is unknown. */
  allow(step: Step): boolean {
    if (!this.#isHarmless(step)) return false;
    this.layout.add(step);
    this.#takeIn(step);
    this.#previous = step;
    return true;
  }

  #isHarmless(step: Step): boolean {
    switch (step.op) {
      case "fork":
        return !this.#isApart || this.#isPlenty(this.#processes + 1);
      case "mmap":
        return !this.#isApart;
      case "register":
        // a hugetlb page that stays protected without a registration makes a writer fault for ever
        return step.modes.includes("wp") || !meets(this.layout.interval(step.range), this.#protectedHuge);
      case "madvise":
        // installing a guard marker over a write-protection marker of an object starts again for ever
        return step.advice !== "guard-install" || !meets(this.layout.interval(step.range), this.#protectedObjects);
      case "mremap":
        return this.#isHarmlessRemap(step);
      case "pagemap-scan":
        return step.flags?.includes("wp-matching") !== true || this.#isHarmlessScan(step);
      default:
        return true;
    }
  }

  /**
   * Moving a part of a private hugetlb mapping loses reservations of the pool for good. An owner that needs the page of a process which has
   * it elsewhere, as the pool is empty, looks for it for ever, in the kernel and without giving the CPU to anybody.
   */
  #isHarmlessRemap(step: StepOf<"mremap">): boolean {
    const interval = this.layout.interval(step.range);
    return this.#hugetlbAt(interval).every((span) => {
      const [start, end] = addressesOf(span);
      const isWhole = interval[0] === start && interval[1] === end && step.pages === span.pages;
      return !isPrivate(span) || (isWhole && (this.#processes === 1 || this.#isPlenty(this.#processes)));
    });
  }

  /** Whether the pool is never empty, even if each process has copied each page. */
  #isPlenty(processes: number): boolean {
    return this.#hugePages * processes <= this.#pool;
  }

  /** A scan that protects waits for a lock that it holds where a hugetlb mapping has no page table: a read must have made one. */
  #isHarmlessScan(step: StepOf<"pagemap-scan">): boolean {
    const huge = this.#hugetlbAt(this.layout.interval(step.range));
    const read = this.#previous;
    if (huge.length === 0) return true;
    if (this.#mayWait || read?.op !== "touch" || read.access !== "read" || (read.stride ?? 1) > HUGE) return false;
    if ((read.proc ?? "main") !== (step.proc ?? "main")) return false;
    const [from, to] = this.layout.interval(read.range);
    return huge.every((span) => {
      const [start, end] = addressesOf(span);
      const isInOneTable = Math.floor(start / GIB) === Math.floor((end - 1) / GIB);
      return isInOneTable && from <= start && start + span.pages * PAGE <= to && !meets([start, end], this.#closedOff);
    });
  }

  #takeIn(step: Step): void {
    switch (step.op) {
      case "fork":
        this.#processes++;
        break;
      case "mmap":
        this.#hugePages += hugePagesOf(this.layout.spans.at(-1));
        if (step.prot === "none") this.#closedOff.push(this.layout.interval(step.as));
        break;
      case "mprotect":
        if (step.prot === "none") this.#closedOff.push(this.layout.interval(step.range));
        break;
      case "madvise":
        if (step.advice.startsWith("populate")) this.#mayWait = true;
        break;
      case "mremap":
        this.#isApart ||= this.#processes > 1 && this.#hugetlbAt(this.layout.interval(step.range)).some(isPrivate);
        if (step.as !== undefined) this.#follow(this.layout.interval(step.range), this.layout.interval(step.as));
        break;
      case "register":
        if (step.modes.includes("wp")) this.#protect(this.layout.interval(step.range));
        break;
    }
  }

  #protect(interval: Interval): void {
    const objects = this.layout.spans.filter(({ kind, sharing }) => kind !== "anon" || sharing === "shared");
    if (meets(interval, objects.map(addressesOf))) this.#protectedObjects.push(interval);
    if (this.#hugetlbAt(interval).length > 0) this.#protectedHuge.push(interval);
  }

  /** What is moved takes its protection with it. */
  #follow(from: Interval, to: Interval): void {
    for (const known of [this.#protectedObjects, this.#protectedHuge, this.#closedOff]) {
      if (meets(from, known)) known.push(to);
    }
  }

  #hugetlbAt(interval: Interval): Span[] {
    return this.layout.spans.filter((span) => span.kind === "hugetlb" && meets(interval, [addressesOf(span)]));
  }
}

function isPrivate({ sharing }: Span): boolean {
  return sharing === "private";
}

function hugePagesOf(span: Span | undefined): number {
  return span?.kind === "hugetlb" ? Math.ceil(span.pages / HUGE) : 0;
}

/** Whether a live kernel survives a scenario, as far as is known. @throws RangeError if it names a place that is unknown. */
export function isHarmless(scenario: Scenario): boolean {
  const hazards = new Hazards(scenario.machine?.hugetlbPages);
  return scenario.steps.every((step) => hazards.allow(step));
}
