/** The C program that measures, and what its lines say. */
import { runCProgram } from "../c-program.js";
import { HostError } from "../host-error.js";
import armingSource from "./arming.c";
import armingHeader from "./arming.h";
import calibrateSource from "./calibrate.c";
import calibrateHeader from "./calibrate.h";
import handlerSource from "./handler.c";
import handlerHeader from "./handler.h";
import mainSource from "./main.c";
import { MeasureOutput } from "./output.js";
import scanSource from "./scan.c";
import scanHeader from "./scan.h";
import seedSource from "./seed.c";
import seedHeader from "./seed.h";
import supportSource from "./support.c";
import supportHeader from "./support.h";

const SOURCES = {
  "arming.c": armingSource,
  "arming.h": armingHeader,
  "calibrate.c": calibrateSource,
  "calibrate.h": calibrateHeader,
  "handler.c": handlerSource,
  "handler.h": handlerHeader,
  "main.c": mainSource,
  "scan.c": scanSource,
  "scan.h": scanHeader,
  "seed.c": seedSource,
  "seed.h": seedHeader,
  "support.c": supportSource,
  "support.h": supportHeader,
};

/** Told how far the work is, 0 to 1. */
export type OnProgress = (share: number) => void;

/**
 * Compiles and runs the program that measures.
 * @throws HostError where this host has no C compiler, or a kernel that cannot be measured.
 */
export async function measure(args: readonly string[], onProgress: OnProgress): Promise<MeasureOutput> {
  if (process.platform !== "linux" || process.arch !== "x64")
    throw new HostError(`measures Linux on x86-64, and this is ${process.platform} on ${process.arch}`);
  const output = new MeasureOutput(onProgress);
  const { code, signal, stderr } = await runCProgram(SOURCES, args, (line) => output.add(line));
  if (output.failure !== undefined) throw new HostError(output.failure);
  if (code !== 0)
    throw new HostError(`the program that measures ended with ${signal ?? String(code)}: ${stderr.trim()}`);
  return output;
}

/** Returns why this host's kernel cannot be measured, or undefined where it can. */
export async function whyNotMeasurable(): Promise<string | undefined> {
  try {
    await measure(["probe"], () => undefined);
    return undefined;
  } catch (error) {
    if (error instanceof HostError) return error.message;
    throw error;
  }
}
