import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { compile, Program } from "./program.js";
import type { ProgramSide } from "./row.js";

const NATIVE_SOURCES = ["native.c", "tables.c", "protect.c", "scan.c", "replay.c"];
const KERNEL_SOURCES = ["kernel.c", "region.c", "answer-faults.c"];
const NATIVE_FLAGS = ["-O3", "-march=native"];
const SSE42_FLAGS = ["-O3", "-msse4.2", "-mno-avx"];
const KERNEL_FLAGS = ["-O2", "-D_GNU_SOURCE", "-pthread"];

/** The programs that run here, and why others do not. */
export interface Programs {
  readonly running: Readonly<Partial<Record<ProgramSide, Program>>>;
  readonly missing: readonly string[];
}

/** Compiles and starts what this machine can run. */
export async function startPrograms(folder: string): Promise<Programs> {
  const running: Partial<Record<ProgramSide, Program>> = {};
  const missing: string[] = [];
  const start = (side: ProgramSide, sources: readonly string[], flags: readonly string[]): void => {
    const compiled = compile(folder, side, sources, flags);
    if ("reason" in compiled) {
      missing.push(`${side}: ${compiled.reason}`);
      return;
    }
    const own = join(folder, `${side}-files`); // traces
    mkdirSync(own);
    running[side] = new Program(compiled.path, own);
  };
  start("native", NATIVE_SOURCES, NATIVE_FLAGS);
  if (running.native !== undefined) running.branchy = running.native;
  start("sse42", NATIVE_SOURCES, SSE42_FLAGS);
  if (process.platform === "linux") start("kernel", KERNEL_SOURCES, KERNEL_FLAGS);
  else missing.push(`kernel: userfaultfd is Linux's, and this is ${process.platform}`);
  await forgetKernelThatRefuses(running, missing);
  return { running, missing };
}

/** Asks the kernel for something small: a container may forbid userfaultfd, an older kernel lacks features. */
async function forgetKernelThatRefuses(
  running: Partial<Record<ProgramSide, Program>>,
  missing: string[],
): Promise<void> {
  try {
    await running.kernel?.ask({ command: "scan-clean", pages: 512, units: 512, expected: [0, 0] });
  } catch (error) {
    missing.push(`kernel: ${error instanceof Error ? error.message : String(error)}`);
    delete running.kernel;
  }
}
