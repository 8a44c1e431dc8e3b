import * as abi from "../../assembly/abi.js";
import { checkCount } from "../base/pages.js";
import { type Outcome, OUTCOMES } from "./outcome.js";

/** Faults of a replay that concern the host, in the order in which they happened; the arrays have `count` numbers each. */
export interface ReplayFaults {
  readonly count: number;
  readonly pages: Float64Array;
  /** Which access of the block it was. */
  readonly indexes: Uint32Array;
  /** What each waited for or ended in, as a number: `replayFault` takes it apart. */
  readonly kinds: Uint32Array;
  /** What a write-protected page held when the write to it faulted: what a copier saves before it lets the write happen. */
  readonly contents: Float64Array;
}

/** One fault of a replay. */
export interface ReplayFault {
  readonly page: number;
  readonly index: number;
  readonly outcome: Outcome;
  readonly access: "read" | "write";
}

/** Returns one fault of a replay. @throws RangeError if there is none with that number. */
export function replayFault(faults: ReplayFaults, index: number): ReplayFault {
  const kind = faults.kinds[checkCount(index, "index", faults.count - 1)] ?? 0;
  return {
    page: faults.pages[index] ?? 0,
    index: faults.indexes[index] ?? 0,
    outcome: OUTCOMES[kind & ~abi.FAULT_RECORD_WRITE] ?? "done",
    access: (kind & abi.FAULT_RECORD_WRITE) !== 0 ? "write" : "read",
  };
}

/** Joins the faults of the chunks of a replay. */
export class FaultCollector {
  readonly #parts: ReplayFaults[] = [];

  /** Adds the faults of a chunk whose first access is number `first` of the block. */
  add(part: ReplayFaults, first: number): void {
    for (let i = 0; i < part.count; i++) part.indexes[i] = (part.indexes[i] as number) + first;
    if (part.count > 0) this.#parts.push(part);
  }

  /** Returns them all, in the order in which they were added. */
  all(): ReplayFaults {
    const count = this.#parts.reduce((sum, part) => sum + part.count, 0);
    const all = {
      count,
      pages: new Float64Array(count),
      indexes: new Uint32Array(count),
      kinds: new Uint32Array(count),
      contents: new Float64Array(count),
    };
    let at = 0;
    for (const part of this.#parts) {
      all.pages.set(part.pages, at);
      all.indexes.set(part.indexes, at);
      all.kinds.set(part.kinds, at);
      all.contents.set(part.contents, at);
      at += part.count;
    }
    return all;
  }
}
