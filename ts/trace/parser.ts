import { type AccessBlock, ACCESS_FETCH, ACCESS_WRITE } from "./access.js";
import { type BlockBuilder } from "./block-builder.js";
import { type SummaryBuilder } from "./summary.js";
import { TraceError } from "./trace-error.js";

/** Access kinds as signed words, ready to be combined with the page's high bits by `|`. */
export const READ = 0;
export const WRITE: number = ACCESS_WRITE | 0;
export const FETCH: number = ACCESS_FETCH | 0;

/** What becomes of a malformed line or record: "fail" throws, "skip" counts it and goes on. */
export type OnMalformed = "fail" | "skip";

/** Everything a parser writes to, and how it names its input. */
export interface ParseContext {
  readonly file: string;
  readonly onMalformed: OnMalformed;
  /** The same for lines of a lackey trace that do not even begin like one: what the traced program has printed. */
  readonly onProgramOutput: OnMalformed;
  readonly builder: BlockBuilder;
  readonly summary: SummaryBuilder;
}

/** A format's decoder. Both methods yield a block whenever one is full. */
export interface TraceParser {
  /** Takes the next bytes of the trace; `chunk` may be reused by the caller afterwards. */
  push(chunk: Uint8Array): Iterable<AccessBlock>;
  /** Ends the trace; complains about what is incomplete. Blocks not yet full are left in the builder. */
  finish(): Iterable<AccessBlock>;
}

/** Counts a malformed line or record, or throws it, as the context says. */
export function reportMalformed(context: ParseContext, error: TraceError): void {
  if (context.onMalformed === "fail") throw error;
  context.summary.skipped++;
  context.summary.firstSkipped ??= error.message;
}

/** Bytes of the largest access a record may state; no instruction of any known machine comes near. */
export const MAX_ACCESS_BYTES = 65536;

/** Most records one access can become: an unaligned one of 64 KiB touches 17 pages. */
export const MAX_RECORDS_PER_ACCESS: number = MAX_ACCESS_BYTES / 4096 + 1;

/**
 * Adds the pages touched by `sizeBytes` bytes at the address `addressHigh * 2^32 + addressLow` (32-bit integers,
 * signed or not). Pages in the kernel's half are counted in the summary instead. Needs room for
 * MAX_RECORDS_PER_ACCESS records.
 */
export function addAccess(
  context: ParseContext,
  addressHigh: number,
  addressLow: number,
  sizeBytes: number,
  kind: number,
): void {
  const pageLow = (addressHigh << 20) | (addressLow >>> 12);
  const isOnePage = (addressLow & 0xfff) + sizeBytes <= 4096;
  if (isOnePage && addressHigh >>> 15 === 0) {
    context.builder.add(pageLow, (addressHigh >>> 12) | kind);
    return;
  }
  addPages(context, addressHigh, pageLow, pageCountOf(addressLow, sizeBytes), kind);
}

function pageCountOf(addressLow: number, sizeBytes: number): number {
  return (((addressLow & 0xfff) + sizeBytes - 1) >>> 12) + 1;
}

function addPages(context: ParseContext, addressHigh: number, pageLow: number, pageCount: number, kind: number): void {
  if (addressHigh >>> 15 !== 0) {
    context.summary.kernelAddresses++;
    return;
  }
  const firstPage = (addressHigh >>> 12) * 2 ** 32 + (pageLow >>> 0);
  for (let page = firstPage; page < firstPage + pageCount; page++) {
    const pageHigh = Math.floor(page / 2 ** 32);
    if (pageHigh < 8) context.builder.add(page | 0, pageHigh | kind);
    else context.summary.kernelAddresses++;
  }
}
