import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, statSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { KernelUnavailableError } from "./errors.js";

/** Tried in this order: the C library's static half is a package of its own on some systems. */
const LINKING: readonly (readonly string[])[] = [["-static"], ["-no-pie"]];
const COMPILER_OPTIONS: readonly string[] = ["-O2", "-fno-stack-protector", "-fcf-protection=none"];

/** The programs in C that do what Node cannot. */
export interface Programs {
  readonly executor: string;
  readonly keeper: string;
}

/**
 * Compiles the programs, each only when its source has changed since it was compiled last.
 * @throws KernelUnavailableError if they cannot be compiled.
 */
export function buildPrograms(): Programs {
  return {
    executor: build("executor", new URL("./executor.c", import.meta.url)),
    keeper: build("keeper", new URL("./keeper.c", import.meta.url)),
  };
}

function build(name: string, source: URL): string {
  const folder = cacheFolder();
  const hash = createHash("sha256").update(readFileSync(source)).update(COMPILER_OPTIONS.join(" ")).digest("hex");
  const program = join(folder, `${name}-${hash.slice(0, 16)}`);
  if (existsSync(program)) return program;
  const unfinished = `${program}.${process.pid}`;
  try {
    compile(fileURLToPath(source), unfinished);
    renameSync(unfinished, program); // so that nobody finds half a program
  } finally {
    rmSync(unfinished, { force: true });
  }
  return program;
}

function compile(source: string, program: string): void {
  let complaint = "";
  for (const linking of LINKING) {
    const done = spawnSync("cc", [...COMPILER_OPTIONS, ...linking, "-o", program, source], { encoding: "utf8" });
    if (done.error !== undefined) throw new KernelUnavailableError("there is no C compiler (cc)");
    if (done.status === 0) return;
    complaint = done.stderr.trim().split("\n")[0] ?? "";
  }
  throw new KernelUnavailableError(`cc cannot compile ${source}: ${complaint}`);
}

/** A folder that only this user can write to: what lies in it is executed. */
function cacheFolder(): string {
  const base = process.env["XDG_CACHE_HOME"] ?? join(homedir(), ".cache");
  const folder = join(base, "pte-engine");
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
  } catch (error) {
    throw new KernelUnavailableError(`cannot make a folder for compiled programs: ${String(error)}`);
  }
  const { uid, mode } = statSync(folder);
  if (uid === process.getuid?.() && (mode & 0o022) === 0) return folder;
  throw new KernelUnavailableError(`${folder} must belong to this user, and nobody else may be able to write to it`);
}
