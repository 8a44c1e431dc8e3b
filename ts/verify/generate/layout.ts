import type { RangeText, Step } from "../../scenario/document.js";
import { addressOf, FIRST_PLACE, HUGE, intervalOf, PAGE, PLACE_SPACING } from "./places.js";
import type { Memory } from "./profile.js";

export type Interval = readonly [from: number, to: number];

/** A mapping as it was made, where it was made. */
export interface Span extends Memory {
  readonly name: string;
  readonly start: number;
  readonly pages: number;
}

/** Where the mappings of a scenario are: what can be told without running it. */
export class Layout {
  readonly spans: Span[] = [];
  #placed = 0;

  /** Takes in a step that gives a name to memory; ignores others. @throws RangeError if it names what is unknown. */
  add(step: Step): void {
    if (step.op === "mmap") {
      const start = step.at === undefined ? this.#nextPlace() : addressOf(step.at, this.spans);
      const source = this.spans.find(({ name }) => name === step.source);
      const kind = source?.kind ?? step.kind ?? "anon";
      this.spans.push({ name: step.as, start, pages: step.pages, kind, sharing: step.sharing ?? "private" });
    } else if (step.op === "mremap" && step.move === true) {
      const [from] = this.interval(step.range);
      const old = this.nearest(from);
      const { kind, sharing } = old ?? { kind: "anon", sharing: "private" };
      this.spans.push({ name: step.as ?? "", start: this.#nextPlace(), pages: step.pages, kind, sharing });
    }
  }

  /** The addresses that a range starts and ends at. @throws RangeError if a name is unknown. */
  interval(range: RangeText): Interval {
    return intervalOf(range, this.spans);
  }

  /** The mapping with the highest start that is not above the address; of two with the same start, the later. */
  nearest(address: number): Span | undefined {
    let found: Span | undefined;
    for (const span of this.spans) if (span.start <= address && span.start >= (found?.start ?? 0)) found = span;
    return found;
  }

  #nextPlace(): number {
    return FIRST_PLACE + this.#placed++ * PLACE_SPACING;
  }
}

/** The addresses of a mapping: Linux makes hugetlb mappings end with a whole huge page. */
export function addressesOf({ kind, start, pages }: Span): Interval {
  return [start, start + (kind === "hugetlb" ? Math.ceil(pages / HUGE) * HUGE : pages) * PAGE];
}

/** Whether some addresses are in one of the others too. */
export function meets([from, to]: Interval, others: readonly Interval[]): boolean {
  return others.some(([start, end]) => from < end && start < to);
}
