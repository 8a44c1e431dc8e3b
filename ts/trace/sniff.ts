import { CHAMPSIM_RECORD_BYTES } from "./champsim.js";
import { PTE_MAGIC } from "./pte-format.js";
import { type TraceFormat } from "./summary.js";
import { quoteBytes, TraceError } from "./trace-error.js";

/** Bytes that are looked at; a shorter trace is looked at whole. */
export const SNIFF_BYTES = 4096;

/** Bytes of the magic that suffice: the rest is there to find damage, which the parser reports precisely. */
const MAGIC_BYTES = 5;

/** Binary records looked at. */
const MAX_CHAMPSIM_RECORDS = 16;

const LACKEY_LINE = /^(?:(?:I {2}| [SLM] )[0-9a-f]{1,16},\d{1,5}$|==\d+== )/;
const FTRACE_LINE = /^# tracer:|page_fault_(?:user|kernel): +address=/;
const PERF_LINE = /[ /]\d+ +(?:\[\d+\] +)?\d+\.\d+: /;

const COMPRESSIONS: readonly (readonly [string, readonly number[]])[] = [
  ["gzip", [0x1f, 0x8b]],
  ["zstd", [0x28, 0xb5, 0x2f, 0xfd]],
  ["xz", [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00]],
  ["bzip2", [0x42, 0x5a, 0x68]],
];

const FORMATS =
  "valgrind lackey text, perf script text, ftrace text with page_fault_user events, " +
  "ChampSim's 64-byte records or a .pte-trace file";

/**
 * Recognises a trace by its first bytes.
 *
 * @throws TraceError listing the formats when none fits; it quotes the first bytes.
 */
export function sniffFormat(head: Uint8Array, file: string): TraceFormat {
  if (PTE_MAGIC.subarray(0, MAGIC_BYTES).every((byte, index) => head[index] === byte)) return "pte";
  const format = sniffText(head) ?? (isChampsim(head) ? "champsim" : undefined);
  if (format !== undefined) return format;
  const found = head.length === 0 ? "nothing (0 bytes)" : quoteBytes(head, 0, head.length);
  throw new TraceError({ file }, FORMATS, found + compressionNote(head));
}

/** The first line that looks like one of the formats decides: a traced program may have printed something before. */
function sniffText(head: Uint8Array): TraceFormat | undefined {
  for (const line of new TextDecoder("latin1").decode(head.subarray(0, SNIFF_BYTES)).split(/\r?\n/)) {
    if (LACKEY_LINE.test(line)) return "lackey";
    if (FTRACE_LINE.test(line)) return "ftrace";
    if (PERF_LINE.test(line)) return "perf";
  }
  return undefined;
}

/** Says whether every whole record has a program counter in either half of the address space and two flags of 0 or 1. */
function isChampsim(head: Uint8Array): boolean {
  const records = Math.min(MAX_CHAMPSIM_RECORDS, Math.floor(head.length / CHAMPSIM_RECORD_BYTES));
  const view = new DataView(head.buffer, head.byteOffset, head.length);
  for (let record = 0; record < records; record++) {
    const offset = record * CHAMPSIM_RECORD_BYTES;
    const ip = view.getBigUint64(offset, true);
    const isAddress = ip !== 0n && (ip >> 47n === 0n || ip >> 47n === 0x1ffffn);
    if (!isAddress || view.getUint8(offset + 8) > 1 || view.getUint8(offset + 9) > 1) return false;
  }
  return records > 0;
}

function compressionNote(head: Uint8Array): string {
  for (const [name, magic] of COMPRESSIONS) {
    if (magic.every((byte, index) => head[index] === byte)) return ` (${name} data: decompress it first)`;
  }
  return "";
}
