import { hex, isPageAligned, PAGE_SIZE } from "../base/pages.js";
import type { PlaceText, RangeText } from "./document.js";

/** A mapping as it was asked for: a name for addresses, whatever becomes of it. */
export interface NamedMapping {
  readonly name: string;
  /** Address in bytes. */
  readonly start: number;
  readonly pages: number;
}

/** A range in bytes. */
export interface ByteRange {
  readonly start: number;
  readonly length: number;
}

/** The mappings that a scenario has named so far, and how addresses are written relative to them. */
export class Places<Mapping extends NamedMapping = NamedMapping> {
  readonly #mappings: Mapping[] = [];

  add(mapping: Mapping): void {
    this.#mappings.push(mapping);
  }

  /** The mapping with the highest start that is not above the address; of two with the same start, the later. */
  nearest(address: number): Mapping | undefined {
    let best: Mapping | undefined;
    for (const mapping of this.#mappings) {
      if (mapping.start <= address && mapping.start >= (best?.start ?? 0)) best = mapping;
    }
    return best;
  }

  /** Writes an address: `ram`, `ram[7]`, `ram[7]+16`, or `0x…` where no mapping is below it. */
  placeText(address: number): PlaceText {
    const mapping = this.nearest(address);
    if (mapping === undefined) return hex(address);
    const offset = address - mapping.start;
    if (offset === 0) return mapping.name;
    const byte = offset % PAGE_SIZE;
    return `${mapping.name}[${(offset - byte) / PAGE_SIZE}]${byte === 0 ? "" : `+${byte}`}`;
  }

  /** Writes a range, `end` exclusive: `ram`, `ram[7]`, `ram[0..4]`, or an object where it does not start and end at pages. */
  rangeText(start: number, end: number): RangeText {
    const mapping = this.nearest(start);
    const isAtPages = isPageAligned(start) && isPageAligned(end);
    if (mapping === undefined || !isAtPages || !isPageAligned(mapping.start)) {
      return { start: this.placeText(start), length: end - start };
    }
    const first = (start - mapping.start) / PAGE_SIZE;
    const to = (end - mapping.start) / PAGE_SIZE;
    if (first === 0 && to === mapping.pages) return mapping.name;
    return to === first + 1 ? `${mapping.name}[${first}]` : `${mapping.name}[${first}..${to}]`;
  }
}
