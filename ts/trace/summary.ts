import { ACCESS_FETCH, ACCESS_WRITE, type AccessBlock } from "./access.js";
import { type TraceHeader } from "./pte-format.js";

/** The trace formats that can be read. */
export type TraceFormat = "lackey" | "perf" | "ftrace" | "champsim" | "pte";

/** What a reader has seen so far; complete when the iteration has ended. */
export interface TraceSummary {
  /** Undefined until the first bytes have been looked at. */
  readonly format: TraceFormat | undefined;
  /** Bytes of (decompressed) trace read. */
  readonly bytes: number;
  /** Lines of a text format, records of a binary one, including those that hold no access. */
  readonly lines: number;
  /** Page accesses: `reads + writes + fetches`. An access that straddles a page boundary counts once per page. */
  readonly accesses: number;
  readonly reads: number;
  readonly writes: number;
  readonly fetches: number;
  /** Accesses left out because their address is 2^47 or above, the kernel's half. */
  readonly kernelAddresses: number;
  /** Lines passed over as output of the traced program; see TraceReadOptions.programOutput. */
  readonly programLines: number;
  /** Lines or records left out because they were malformed; 0 unless reading is lenient. */
  readonly skipped: number;
  /** The message the first skipped line would have failed with. */
  readonly firstSkipped: string | undefined;
  /** What a trace in the own format says about itself; undefined for the others. */
  readonly header: TraceHeader | undefined;
}

/** The summary while it is being filled in: by the parser (lines, kernel, skipped) and the reader (the rest). */
export class SummaryBuilder implements TraceSummary {
  format: TraceFormat | undefined = undefined;
  bytes = 0;
  lines = 0;
  accesses = 0;
  reads = 0;
  writes = 0;
  fetches = 0;
  kernelAddresses = 0;
  programLines = 0;
  skipped = 0;
  firstSkipped: string | undefined = undefined;
  header: TraceHeader | undefined = undefined;

  /** Adds the accesses of one block. */
  addBlock(block: AccessBlock): void {
    let writes = 0;
    let fetches = 0;
    for (let index = 0; index < block.length; index++) {
      const high = block.words[2 * index + 1] as number;
      const count = block.counts[index] as number;
      if ((high & ACCESS_WRITE) !== 0) writes += count;
      else if ((high & ACCESS_FETCH) !== 0) fetches += count;
    }
    this.accesses += block.accesses;
    this.writes += writes;
    this.fetches += fetches;
    this.reads += block.accesses - writes - fetches;
  }
}
