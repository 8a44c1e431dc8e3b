import { createWriteStream } from "node:fs";
import { rename, rm } from "node:fs/promises";
import { pipeline } from "node:stream/promises";
import { createGzip } from "node:zlib";
import { Command } from "commander";
import { formatBytes } from "../../base/pages.js";
import { openTrace } from "../../trace/open-node.js";
import { type TraceHeader, writeTrace } from "../../trace/pte-format.js";
import { TraceReader, type TraceSummary } from "../../trace/reader.js";
import { TraceStore } from "../../trace/store.js";
import { Progress } from "../progress.js";
import { addReaderOptions, type ReaderOptions, readerOptions, reportSkipped } from "../reader-options.js";

/** `pte-engine trace info|convert`. */
export function traceCommand(): Command {
  const info = new Command("info")
    .description("say what is in a trace")
    .argument("<trace>", "trace file, or - for standard input")
    .option("--json", "print JSON")
    .action(printInfo);
  const convert = new Command("convert")
    .description("store a trace in the compact format of this program")
    .argument("<trace>", "trace file, or - for standard input")
    .argument("<output>", "file to write, compressed if it ends in .gz; - for standard output")
    .option("--source <text>", "where the trace is from, kept in the file")
    .option("--command <text>", "the traced command, kept in the file")
    .option("--note <text>", "a note, kept in the file")
    .action(convertTrace);
  return new Command("trace")
    .description("look at memory traces and convert them")
    .addCommand(addReaderOptions(info).exitOverride())
    .addCommand(addReaderOptions(convert).exitOverride());
}

interface TraceInfo extends TraceSummary {
  readonly name: string;
  /** Distinct pages: touched, written; of those, written in the second half of the accesses, and touched only there. */
  readonly pages: number;
  readonly pagesWritten: number;
  readonly pagesWrittenInSecondHalf: number;
  readonly pagesFirstTouchedInSecondHalf: number;
  readonly storedBytes: number;
}

async function printInfo(path: string, options: ReaderOptions & { json?: true }): Promise<void> {
  const { reader, name, progress } = openReader(path, options);
  const store = await TraceStore.read(reader);
  progress.clear();
  reportSkipped(reader.summary);
  const half = Math.floor(store.accesses / 2);
  const pages = store.touchedPages().pages.length;
  const info: TraceInfo = {
    ...reader.summary,
    name,
    pages,
    pagesWritten: store.touchedPages({ include: "written" }).pages.length,
    pagesWrittenInSecondHalf: store.touchedPages({ include: "written", firstAccess: half }).pages.length,
    pagesFirstTouchedInSecondHalf: pages - store.touchedPages({ endAccess: half }).pages.length,
    storedBytes: store.bytes,
  };
  process.stdout.write(options.json === true ? `${JSON.stringify(info)}\n` : infoText(info));
}

function infoText(info: TraceInfo): string {
  const count = (value: number): string => value.toLocaleString("en-US");
  const kinds = `${count(info.reads)} reads, ${count(info.writes)} writes, ${count(info.fetches)} fetches`;
  const rows: [string, string][] = [
    ["trace", info.name],
    ["format", `${info.format ?? "empty"}, ${formatBytes(info.bytes)}, ${count(info.lines)} lines or records`],
    ["accesses", `${count(info.accesses)}: ${kinds}`],
    ["left out", `${count(info.kernelAddresses)} to kernel addresses, ${count(info.skipped)} malformed`],
    ["pages", `${count(info.pages)} touched, ${count(info.pagesWritten)} of them written`],
    [
      "second half",
      `${count(info.pagesWrittenInSecondHalf)} written, ${count(info.pagesFirstTouchedInSecondHalf)} touched only there`,
    ],
    ["in memory", formatBytes(info.storedBytes)],
  ];
  return rows.map(([name, text]) => `${name.padEnd(12)} ${text}\n`).join("");
}

async function convertTrace(path: string, output: string, options: ReaderOptions & TraceHeader): Promise<void> {
  const { reader, progress } = openReader(path, options);
  const bytes = writeTrace(reader, headerOf(options));
  if (output === "-") await pipeline(bytes, process.stdout, { end: false });
  else await writeWhole(bytes, output);
  progress.clear();
  if (output !== "-") process.stderr.write(`${output}: ${reader.summary.accesses} accesses\n`);
  reportSkipped(reader.summary);
}

/** Writes beside the output and renames in the end, so that a failure leaves what was there. */
async function writeWhole(bytes: AsyncIterable<Uint8Array>, output: string): Promise<void> {
  const unfinished = `${output}.unfinished`;
  try {
    const file = createWriteStream(unfinished);
    await (output.endsWith(".gz") ? pipeline(bytes, createGzip({ level: 9 }), file) : pipeline(bytes, file));
    await rename(unfinished, output);
  } catch (error) {
    await rm(unfinished, { force: true });
    throw error;
  }
}

function headerOf({ source, command, note }: TraceHeader): TraceHeader {
  return {
    ...(source === undefined ? {} : { source }),
    ...(command === undefined ? {} : { command }),
    ...(note === undefined ? {} : { note }),
  };
}

function openReader(path: string, options: ReaderOptions): { reader: TraceReader; name: string; progress: Progress } {
  const progress = new Progress();
  const { bytes, name } = openTrace(path);
  const onProgress = (read: number): void => progress.show(`reading ${name}, ${formatBytes(read)}`);
  return { reader: new TraceReader(bytes, { ...readerOptions(options, path), name, onProgress }), name, progress };
}
