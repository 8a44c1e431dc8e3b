import { existsSync, readFileSync, statfsSync } from "node:fs";
import { release, tmpdir } from "node:os";
import { join } from "node:path";
import type { Scenario, Transcript } from "../../scenario/document.js";
import { KernelUnavailableError } from "./errors.js";
import { Executor } from "./executor.js";
import { Keeper } from "./keeper.js";
import { isShared, type Machine, machineOf, makeMachine } from "./machine.js";
import { Plan } from "./plan.js";
import { buildPrograms, type Programs } from "./programs.js";

const DEFAULT_JOBS = 2;
const DEFAULT_STEP_TIMEOUT_MS = 5000;
/** Scenarios that an executor has at a time: while it carries one out, the next is already there. */
const QUEUED = 8;
const OLDEST_KERNEL = [6, 7] as const;
/** Filesystems in memory, by the number that statfs(2) gives: tmpfs and ramfs. */
const IN_MEMORY: readonly number[] = [0x01021994, 0x858458f6];

/** Options of {@link openKernel}. */
export interface KernelOptions {
  /** After which a step counts as one that never ends. Default 5000. */
  readonly stepTimeoutMs?: number;
  /** The file that is locked while scenarios run, so that only one program at a time changes the machine's settings. */
  readonly lockFile?: string;
}

/** Options of {@link LiveKernel.runMany}. */
export interface BatchOptions {
  /** CPUs to use. Default: 2, or what there is. */
  readonly jobs?: number;
  /** Called for each document as soon as it is done; not in their order. */
  readonly onResult?: (transcript: Transcript, index: number) => void;
}

/** The kernel of this machine, as an executor of scenarios. */
export interface LiveKernel {
  /** As `uname -r` says it. */
  readonly release: string;
  /**
   * Carries one scenario out. Steps after one that never ends are skipped; where the machine has no swap or not so many huge pages, all
   * are unsupported.
   * @throws ScenarioError if the document, which is taken to be checked, has what cannot be expressed.
   */
  run(document: Scenario): Promise<Transcript>;
  /** Carries many out, those for equal machines together. Returns the transcripts in the order of the documents. */
  runMany(documents: readonly Scenario[], options?: BatchOptions): Promise<Transcript[]>;
  /** Ends all processes. Settings of the machine are only changed while scenarios run, and put back also if this is not called. */
  close(): Promise<void>;
}

/**
 * Makes the running kernel ready to carry out scenarios.
 * @throws KernelUnavailableError that says why it cannot be done here.
 */
export async function openKernel(options: KernelOptions = {}): Promise<LiveKernel> {
  checkPlatform();
  const kernel = new Kernel(buildPrograms(), options);
  try {
    await checkFaults(kernel);
  } catch (error) {
    await kernel.close();
    throw error instanceof Error && !(error instanceof KernelUnavailableError)
      ? new KernelUnavailableError(error.message, { cause: error })
      : error;
  }
  return kernel;
}

function checkPlatform(): void {
  if (process.platform !== "linux" || process.arch !== "x64") {
    throw new KernelUnavailableError(`this is ${process.platform} on ${process.arch}, not Linux on x86-64`);
  }
  const [major = 0, minor = 0] = release()
    .split(".")
    .map((part) => Number.parseInt(part, 10));
  const [oldestMajor, oldestMinor] = OLDEST_KERNEL;
  if (major < oldestMajor || (major === oldestMajor && minor < oldestMinor)) {
    throw new KernelUnavailableError(`this is Linux ${release()}; ${OLDEST_KERNEL.join(".")} or newer is needed`);
  }
  if (process.getuid?.() !== 0)
    throw new KernelUnavailableError("only root can change the machine and look into others");
}

/** Lets a thread wait for a page fault: that needs userfaultfd and a look at what threads wait for. */
async function checkFaults(kernel: LiveKernel): Promise<void> {
  const { results } = await kernel.run({
    scenario: 1,
    steps: [
      { op: "mmap", as: "ram", pages: 1 },
      { op: "uffd", as: "u", handler: { missing: "none" } },
      { op: "register", uffd: "u", range: "ram", modes: ["missing"] },
      { op: "read", at: "ram" },
    ],
  });
  const [, opened, , access] = results;
  if (opened?.ok !== true) throw new KernelUnavailableError(`userfaultfd is refused: ${opened?.errno ?? "no answer"}`);
  if (access?.outcome === "blocked") return;
  throw new KernelUnavailableError(
    "a thread that waits for a page fault is not seen to wait (/proc/PID/task/TID/wchan)",
  );
}

class Kernel implements LiveKernel {
  readonly release: string = release();
  readonly #keeper: Keeper;
  readonly #executors: readonly Executor[];
  readonly #lockFile: string;
  /** The last call; the next one waits for it. */
  #last: Promise<unknown> = Promise.resolve();

  constructor(programs: Programs, options: KernelOptions) {
    const { stepTimeoutMs = DEFAULT_STEP_TIMEOUT_MS, lockFile = join(tmpdir(), "scenario-oracle.lock") } = options;
    this.#lockFile = lockFile;
    const folder = folderOnDisk();
    this.#keeper = new Keeper(programs.keeper);
    this.#executors = usableCpus().map(
      (cpu) => new Executor({ program: programs.executor, cpu, folder, stepTimeoutMs }),
    );
  }

  async run(document: Scenario): Promise<Transcript> {
    const [transcript] = await this.runMany([document], { jobs: 1 });
    if (transcript === undefined) throw new Error("a scenario gave no transcript");
    return transcript;
  }

  runMany(documents: readonly Scenario[], options: BatchOptions = {}): Promise<Transcript[]> {
    const batch = new Batch(documents, options);
    const done = this.#last.then(() => this.#runBatch(batch));
    this.#last = done.catch(() => undefined);
    return done;
  }

  async close(): Promise<void> {
    await Promise.all(this.#executors.map((executor) => executor.close()));
    await this.#keeper.close();
  }

  async #runBatch(batch: Batch): Promise<Transcript[]> {
    for (const { machine, indexes } of batch.groups) await this.#runGroup(batch, machine, indexes);
    return batch.transcripts;
  }

  async #runGroup(batch: Batch, machine: Machine, indexes: readonly number[]): Promise<void> {
    await this.#keeper.lock(this.#lockFile);
    try {
      const isThere = await makeMachine(machine, this.#keeper);
      if (isThere) await this.#runAll(batch, indexes, isShared(machine) ? 1 : batch.jobs);
      else for (const index of indexes) batch.finish(index, batch.plan(index).unsupported());
    } finally {
      await this.#keeper.restore();
    }
  }

  async #runAll(batch: Batch, indexes: readonly number[], jobs: number): Promise<void> {
    const left = indexes.values();
    const runSome = async (executor: Executor): Promise<void> => {
      for (const index of left) {
        const plan = batch.plan(index);
        batch.finish(index, plan.transcript(await executor.run(plan.commands)));
      }
    };
    const executors = this.#executors.slice(0, Math.max(1, jobs));
    await Promise.all(executors.flatMap((executor) => Array.from({ length: QUEUED }, () => runSome(executor))));
  }
}

interface Group {
  readonly machine: Machine;
  /** Of the documents. */
  readonly indexes: number[];
}

/** Documents that are run by one call. */
class Batch {
  readonly #documents: readonly Scenario[];
  readonly #onResult: NonNullable<BatchOptions["onResult"]>;
  readonly transcripts: Transcript[];
  readonly jobs: number;
  readonly groups: readonly Group[];

  constructor(documents: readonly Scenario[], { jobs = DEFAULT_JOBS, onResult = () => undefined }: BatchOptions) {
    this.#documents = documents;
    this.#onResult = onResult;
    this.transcripts = new Array<Transcript>(documents.length);
    this.jobs = jobs;
    this.groups = groupByMachine(documents);
  }

  plan(index: number): Plan {
    return new Plan(this.#documents[index] ?? { scenario: 1, steps: [] });
  }

  finish(index: number, transcript: Transcript): void {
    this.transcripts[index] = transcript;
    this.#onResult(transcript, index);
  }
}

function groupByMachine(documents: readonly Scenario[]): Group[] {
  const groups = new Map<string, Group>();
  documents.forEach((document, index) => {
    const machine = machineOf(document);
    const key = JSON.stringify(machine);
    const group = groups.get(key) ?? { machine, indexes: [] };
    group.indexes.push(index);
    groups.set(key, group);
  });
  return [...groups.values()];
}

/** The CPUs that this process may be on. */
function usableCpus(): number[] {
  const list = /^Cpus_allowed_list:\s*(\S+)$/m.exec(readFileSync("/proc/self/status", "utf8"))?.[1] ?? "0";
  return list.split(",").flatMap((part) => {
    const [from = 0, to = from] = part.split("-").map(Number);
    return Array.from({ length: to - from + 1 }, (_, i) => from + i);
  });
}

/** A folder of which the files are not in memory, where they would be shmem. What is made in it has no name that could stay. */
function folderOnDisk(): string {
  const folder = [tmpdir(), "/var/tmp", process.cwd()].find(isOnDisk);
  if (folder === undefined) throw new KernelUnavailableError("no folder to make files in is on a disk");
  return folder;
}

function isOnDisk(folder: string): boolean {
  return existsSync(folder) && !IN_MEMORY.includes(statfsSync(folder).type);
}
