import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { HostError } from "./host-error.js";

/** A program in C that comes with the package: the text of each of its files by name. */
export type CSources = Readonly<Record<string, string>>;

/** How a program ended: its exit code or the signal that ended it, and what it wrote to standard error. */
export interface CProgramEnd {
  readonly code: number | null;
  readonly signal: string | null;
  readonly stderr: string;
}

const FLAGS: readonly string[] = ["-std=gnu11", "-O2", "-pthread"];
const COMPILER_LINES_SHOWN = 5;

/**
 * Compiles a program with `cc` (or $CC), runs it and hands over the lines that it prints. Nothing is left behind: the
 * files are removed as soon as the program has started.
 * @throws HostError where there is no C compiler, or none that can compile it.
 */
export async function runCProgram(
  sources: CSources,
  args: readonly string[],
  onLine: (line: string) => void,
): Promise<CProgramEnd> {
  const folder = await mkdtemp(join(tmpdir(), "pte-engine-"));
  try {
    const program = await compile(sources, folder);
    return await run(program, args, onLine, () => rm(folder, { recursive: true, force: true }));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function compile(sources: CSources, folder: string): Promise<string> {
  const names = Object.keys(sources);
  await Promise.all(names.map((name) => writeFile(join(folder, name), sources[name] ?? "")));
  const compiler = process.env["CC"] ?? "cc";
  const program = join(folder, "program");
  const files = names.filter((name) => name.endsWith(".c")).map((name) => join(folder, name));
  const { code, stderr } = await run(compiler, [...FLAGS, "-o", program, ...files]).catch((error: unknown) => {
    throw isMissing(error)
      ? new HostError(`needs a C compiler and there is no "${compiler}": install gcc or clang, or set CC`)
      : error;
  });
  if (code === 0) return program;
  const lines = stderr.replaceAll(`${folder}/`, "").trim().split("\n").slice(0, COMPILER_LINES_SHOWN);
  throw new HostError(`"${compiler}" cannot compile the program that asks the kernel:\n${lines.join("\n")}`);
}

async function run(
  program: string,
  args: readonly string[],
  onLine: (line: string) => void = () => undefined,
  onStarted: () => Promise<void> = () => Promise.resolve(),
): Promise<CProgramEnd> {
  const child = spawn(program, args, { stdio: ["ignore", "pipe", "pipe"] });
  let stderr = "";
  let refused: { readonly error: unknown } | undefined;
  child.stderr.setEncoding("utf8").on("data", (text: string) => (stderr += text));
  const lines = createInterface({ input: child.stdout }).on("line", (line) => {
    try {
      if (refused === undefined) onLine(line);
    } catch (error) {
      refused = { error };
      child.kill();
    }
  });
  const ended = Promise.all([once(child, "close"), once(lines, "close")]);
  let started: Promise<void> | undefined;
  child.once("spawn", () => {
    started = onStarted();
  });
  const [[code, signal]] = (await ended) as [[number | null, string | null], unknown];
  await started;
  if (refused !== undefined) throw refused.error;
  return { code, signal, stderr };
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "ENOENT";
}
