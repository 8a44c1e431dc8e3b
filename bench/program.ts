import { type ChildProcessWithoutNullStreams, spawn, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { expectEqual } from "./harness.js";
import type { Question } from "./row.js";

const SOURCES = "bench/c";
const SHARED_SOURCES = ["lines.c"];

/** A program in C that is asked line by line. */
export class Program {
  readonly #child: ChildProcessWithoutNullStreams;
  readonly #lines: AsyncIterator<string, undefined>;
  readonly #tracePath: string;
  #loaded: Uint32Array | undefined;

  constructor(path: string, folder: string) {
    this.#child = spawn(path, [], { stdio: "pipe" });
    this.#lines = createInterface({ input: this.#child.stdout })[Symbol.asyncIterator]();
    this.#tracePath = join(folder, "records");
  }

  /** Has one pass done and returns its nanoseconds for one unit. Throws if it was not done. */
  async ask(question: Question): Promise<number> {
    await this.#load(question.records);
    const { command, pages, records, firstPage } = question;
    const numbers = await this.#tell(`${command} ${pages} ${(records?.length ?? 0) / 2} ${firstPage ?? 0}`);
    question.expected.forEach((expected, i) =>
      expectEqual(numbers[i + 1] ?? NaN, expected, `${command}, number ${i + 1}`),
    );
    return (numbers[0] ?? NaN) / question.units;
  }

  close(): void {
    this.#child.stdin.end();
  }

  async #load(records: Uint32Array | undefined): Promise<void> {
    if (records === undefined || records === this.#loaded) return;
    writeFileSync(this.#tracePath, records);
    await this.#tell(`load ${this.#tracePath}`);
    this.#loaded = records;
  }

  async #tell(line: string): Promise<number[]> {
    this.#child.stdin.write(`${line}\n`);
    const next: IteratorResult<string, undefined> = await this.#lines.next();
    if (next.done === true) throw new Error(`the program ended at "${line}"`);
    if (next.value.startsWith("failed ")) throw new Error(next.value);
    return next.value.split(" ").map(Number);
  }
}

/** A folder for programs and traces, removed when this process ends. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "pte-engine-bench-"));
  process.on("exit", () => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** Compiles a program. Returns its path, or why there is none. */
export function compile(
  folder: string,
  name: string,
  sources: readonly string[],
  flags: readonly string[],
): { path: string } | { reason: string } {
  const path = join(folder, name);
  const files = [...sources, ...SHARED_SOURCES].map((file) => join(SOURCES, file));
  const compiler = process.env["CC"] ?? "cc";
  const { status, stderr, error } = spawnSync(compiler, ["-std=gnu11", ...flags, "-o", path, ...files], {
    encoding: "utf8",
  });
  if (error !== undefined) return { reason: `no C compiler (${compiler})` };
  return status === 0 ? { path } : { reason: `${compiler} ${flags.join(" ")} failed:\n${stderr}` };
}
