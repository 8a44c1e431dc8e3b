import { type AccessBlock } from "./access.js";
import { BlockBuilder } from "./block-builder.js";
import { ChampsimParser } from "./champsim.js";
import { FtraceFormat } from "./ftrace.js";
import { LackeyFormat } from "./lackey.js";
import { type LineFormat, LineParser } from "./lines.js";
import { type OnMalformed, type ParseContext, READ, type TraceParser, WRITE } from "./parser.js";
import { PerfFormat } from "./perf.js";
import { MAX_BLOCK_RECORDS } from "./pte-format.js";
import { PteParser } from "./pte-parser.js";
import { SNIFF_BYTES, sniffFormat } from "./sniff.js";
import { SummaryBuilder, type TraceFormat, type TraceSummary } from "./summary.js";

export { type OnMalformed } from "./parser.js";
export { type TraceFormat, type TraceSummary } from "./summary.js";
export { TraceError } from "./trace-error.js";

/** How a trace is to be read. */
export interface TraceReadOptions {
  /** Name of the trace in messages; "trace" by default. */
  readonly name?: string;
  /** The format; recognised by the first bytes when not given. */
  readonly format?: TraceFormat;
  /** What becomes of malformed lines and ChampSim records; "fail" by default. The own format always fails. */
  readonly lenient?: OnMalformed;
  /**
   * What becomes of lines in lackey text that do not begin like one of its lines: with `--log-fd=1` the traced program's own output
   * is in between. "skip" counts them apart from malformed ones; "fail", the default, treats them as such.
   */
  readonly programOutput?: OnMalformed;
  /** Most records in a block, 64 to 2^18; 65536 by default. A file in the own format keeps its own blocks. */
  readonly blockRecords?: number;
  /** What a fault in perf's output is taken for, since perf does not say; "write" by default, the safe side. */
  readonly perfFaults?: "read" | "write";
  /** Called after each chunk with the number of (decompressed) bytes read so far. */
  onProgress?(bytes: number): void;
}

const DEFAULT_BLOCK_RECORDS = 65536;

/** Leaves room for what one line can add. */
const MIN_BLOCK_RECORDS = 64;

/**
 * Reads a trace from its bytes as blocks of page accesses, in constant memory.
 *
 * A block and its arrays are valid until the next one is asked for. A reader can be iterated once; its summary is
 * complete when the iteration has ended.
 */
export class TraceReader implements AsyncIterable<AccessBlock> {
  readonly #bytes: AsyncIterable<Uint8Array> | Iterable<Uint8Array>;
  readonly #options: TraceReadOptions;
  readonly #context: ParseContext;
  #isStarted = false;

  /** Throws a RangeError when `options.blockRecords` is out of range. Nothing is read yet. */
  constructor(bytes: AsyncIterable<Uint8Array> | Iterable<Uint8Array>, options: TraceReadOptions = {}) {
    const blockRecords = options.blockRecords ?? DEFAULT_BLOCK_RECORDS;
    if (!Number.isInteger(blockRecords) || blockRecords < MIN_BLOCK_RECORDS || blockRecords > MAX_BLOCK_RECORDS) {
      const range = `[${MIN_BLOCK_RECORDS}, ${MAX_BLOCK_RECORDS}]`;
      throw new RangeError(`"blockRecords" expected an integer in ${range}, got ${blockRecords}`);
    }
    this.#bytes = bytes;
    this.#options = options;
    this.#context = {
      file: options.name ?? "trace",
      onMalformed: options.lenient ?? "fail",
      onProgramOutput: options.programOutput ?? "fail",
      builder: new BlockBuilder(blockRecords),
      summary: new SummaryBuilder(),
    };
  }

  /** What was read so far. */
  get summary(): TraceSummary {
    return this.#context.summary;
  }

  /** Yields the blocks. Throws a TraceError for a trace that cannot be read, an Error on a second iteration. */
  async *[Symbol.asyncIterator](): AsyncGenerator<AccessBlock, void, undefined> {
    if (this.#isStarted) throw new Error("a TraceReader can be iterated once; keep the trace in a TraceStore instead");
    this.#isStarted = true;
    const { summary, builder } = this.#context;
    let parser: TraceParser | undefined;
    for await (const chunk of withLongHead(this.#bytes)) {
      parser ??= this.#chooseParser(chunk);
      summary.bytes += chunk.length;
      yield* this.#counted(parser.push(chunk));
      this.#options.onProgress?.(summary.bytes);
    }
    parser ??= this.#chooseParser(new Uint8Array(0));
    yield* this.#counted(parser.finish());
    yield* this.#counted([builder.take()]);
  }

  *#counted(blocks: Iterable<AccessBlock>): Iterable<AccessBlock> {
    for (const block of blocks) {
      if (block.length === 0) continue;
      this.#context.summary.addBlock(block);
      yield block;
    }
  }

  #chooseParser(head: Uint8Array): TraceParser {
    const format = this.#options.format ?? sniffFormat(head.subarray(0, SNIFF_BYTES), this.#context.file);
    this.#context.summary.format = format;
    if (format === "champsim") return new ChampsimParser(this.#context);
    if (format === "pte") return new PteParser(this.#context);
    return new LineParser(this.#lineFormat(format), this.#context);
  }

  #lineFormat(format: "lackey" | "perf" | "ftrace"): LineFormat {
    if (format === "lackey") return new LackeyFormat();
    if (format === "ftrace") return new FtraceFormat();
    return new PerfFormat(this.#options.perfFaults === "read" ? READ : WRITE);
  }
}

/**
 * Passes chunks on, joining the first ones until there is enough to recognise a format by. All come out as plain
 * Uint8Arrays: a mixture with Node's Buffers would make the parsers' byte accesses polymorphic.
 */
async function* withLongHead(chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let head = new Uint8Array(0);
  let isHeadDone = false;
  for await (const chunk of chunks) {
    if (isHeadDone || (head.length === 0 && chunk.length >= SNIFF_BYTES)) {
      isHeadDone = true;
      yield new Uint8Array(chunk.buffer, chunk.byteOffset, chunk.length);
      continue;
    }
    head = joined(head, chunk);
    isHeadDone = head.length >= SNIFF_BYTES;
    if (isHeadDone) yield head;
  }
  if (!isHeadDone && head.length > 0) yield head;
}

/** Returns a copy of both; the producer may reuse its chunks. */
function joined(first: Uint8Array, second: Uint8Array): Uint8Array<ArrayBuffer> {
  const both = new Uint8Array(first.length + second.length);
  both.set(first);
  both.set(second, first.length);
  return both;
}
