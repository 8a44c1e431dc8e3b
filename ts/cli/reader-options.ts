import { type Command, Option } from "commander";
import type { TraceFormat, TraceReadOptions, TraceSummary } from "../trace/reader.js";

/** Options of every command that reads a trace. */
export interface ReaderOptions {
  format?: TraceFormat;
  lenient?: true;
}

const FORMATS: readonly TraceFormat[] = ["lackey", "perf", "ftrace", "champsim", "pte"];

/** Adds the options to a command. */
export function addReaderOptions(command: Command): Command {
  return command
    .addOption(new Option("--format <name>", "format of the trace; recognised by itself otherwise").choices(FORMATS))
    .option("--lenient", "count and skip malformed lines and records instead of stopping");
}

/** Returns them as the reader takes them. In a pipe from valgrind the traced program's output is in between, in a file it has no business. */
export function readerOptions(options: ReaderOptions, path: string): TraceReadOptions {
  return {
    lenient: options.lenient === true ? "skip" : "fail",
    programOutput: path === "-" ? "skip" : "fail",
    ...(options.format === undefined ? {} : { format: options.format }),
  };
}

/** Says on standard error what was passed over, if anything was. */
export function reportSkipped({ programLines, skipped, firstSkipped }: TraceSummary): void {
  if (programLines > 0)
    process.stderr.write(
      `${programLines} lines that are not the trace's (output of the traced program) were passed over\n`,
    );
  if (skipped > 0)
    process.stderr.write(`${skipped} malformed lines or records were skipped; the first: ${firstSkipped ?? ""}\n`);
}
