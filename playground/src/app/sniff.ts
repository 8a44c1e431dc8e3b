/** What a file is that was dropped on the page: a trace of memory accesses or a scenario. */
import { sniffFormat, SNIFF_BYTES } from "../../../ts/trace/sniff.js";
import { TraceError } from "../../../ts/trace/trace-error.js";

/** What the page opens. */
export type DroppedKind = "trace" | "scenario";

/** A file that was dropped or chosen. */
export interface Dropped {
  readonly kind: DroppedKind;
  readonly name: string;
  /** Its content as it is, compressed or not. */
  readonly blob: Blob;
}

/** A file that is neither. */
export class UnknownFileError extends Error {
  override readonly name: string = "UnknownFileError";
}

/** First bytes of compressed files; only traces come compressed. */
const COMPRESSIONS: readonly (readonly number[])[] = [
  [0x1f, 0x8b],
  [0x28, 0xb5, 0x2f, 0xfd],
  [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00],
];

/** A document in JSON or YAML whose outermost object has steps. */
const SCENARIO = /^\s*(?:\{|---|#|[\w-]+:)/;
const STEPS = /(?:^|[\s{,])"?steps"?\s*:/m;

/** Returns what a file is. @throws UnknownFileError that says what was expected and found. */
export async function sniff(blob: Blob, name: string): Promise<Dropped> {
  const head = new Uint8Array(await blob.slice(0, SNIFF_BYTES).arrayBuffer());
  if (COMPRESSIONS.some((magic) => magic.every((byte, index) => head[index] === byte)))
    return { kind: "trace", name, blob };
  const text = await blob.slice(0, MAX_SCENARIO_BYTES).text();
  if (SCENARIO.test(text) && STEPS.test(text)) return { kind: "scenario", name, blob };
  return { kind: traceOrNothing(head, name), name, blob };
}

/** A scenario's steps may begin behind a long text about it. */
const MAX_SCENARIO_BYTES = 1 << 16;

function traceOrNothing(head: Uint8Array, name: string): "trace" {
  try {
    sniffFormat(head, name);
    return "trace";
  } catch (error) {
    if (!(error instanceof TraceError)) throw error;
    throw new UnknownFileError(`${error.message}; nor is it a scenario, which is JSON or YAML with "steps"`);
  }
}
