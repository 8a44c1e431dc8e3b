import type { OnProgress } from "./program.js";

/** One run of a row of the patch's experiment, nanoseconds. */
export interface SeedSample {
  readonly tracker: string;
  readonly hugePages: "off" | "on";
  readonly prefaultNs: number;
  readonly protectNs: number;
}

/** What the program says of how it could measure. */
export interface MeasureConditions {
  /** The CPU it ran on, and another that handlers ran on, or -1. */
  readonly cpu: number;
  readonly otherCpu: number;
  /** That it ran before other programs (nice -20). */
  readonly preferred: boolean;
  /** That mappings may have huge pages, and the huge zero page when they are read. */
  readonly hugeZeroPage: boolean;
}

/** What a call that failed means for a person; the call alone where there is nothing to add. */
const FAILURES: Readonly<Record<string, string>> = {
  userfaultfd:
    "this host does not let this process use userfaultfd; the kernel may lack CONFIG_USERFAULTFD, " +
    "or the container's seccomp profile forbids it",
  UFFDIO_API:
    "this kernel lacks features of userfaultfd: WP_UNPOPULATED came with Linux 6.4, WP_ASYNC with 6.7, " +
    "both need CONFIG_PTE_MARKER_UFFD_WP",
  UFFDIO_REGISTER: "this kernel cannot write-protect by userfaultfd (CONFIG_HAVE_ARCH_USERFAULTFD_WP)",
  PAGEMAP_SCAN: "this kernel has no PAGEMAP_SCAN, which came with Linux 6.7",
};

/** Takes the lines of JSON that the measuring program prints. */
export class MeasureOutput {
  readonly #onProgress: OnProgress;
  readonly figures: Map<string, number[]> = new Map<string, number[]>();
  readonly seedSamples: SeedSample[] = [];
  conditions: MeasureConditions | undefined;
  /** Why the program gave up, for a person. */
  failure: string | undefined;

  constructor(onProgress: OnProgress = () => undefined) {
    this.#onProgress = onProgress;
  }

  /** @throws Error for a line that the program does not print. */
  add(line: string): void {
    const value = parseLine(line);
    if (typeof value["figure"] === "string") this.#addFigure(value["figure"], numberIn(value, "ns", line));
    else if (typeof value["row"] === "string") this.#addRow(value["row"], value, line);
    else if ("progress" in value) this.#onProgress(numberIn(value, "progress", line));
    else if ("host" in value) this.conditions = value["host"] as MeasureConditions;
    else if (typeof value["failed"] === "string") this.failure = failureText(value["failed"], String(value["errno"]));
    else throw new Error(`unexpected line of the measuring program: ${line}`);
  }

  #addFigure(name: string, ns: number): void {
    const samples = this.figures.get(name);
    if (samples === undefined) this.figures.set(name, [ns]);
    else samples.push(ns);
  }

  #addRow(tracker: string, value: Record<string, unknown>, line: string): void {
    this.seedSamples.push({
      tracker,
      hugePages: value["thp"] === "on" ? "on" : "off",
      prefaultNs: numberIn(value, "prefaultNs", line),
      protectNs: numberIn(value, "protectNs", line),
    });
  }
}

function parseLine(line: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(line);
    if (typeof value === "object" && value !== null) return value as Record<string, unknown>;
  } catch {
    // said below, with the line
  }
  throw new Error(`unexpected line of the measuring program: ${line}`);
}

function numberIn(value: Record<string, unknown>, name: string, line: string): number {
  const number = value[name];
  if (typeof number === "number" && Number.isFinite(number)) return number;
  throw new Error(`"${name}" expected a number in a line of the measuring program: ${line}`);
}

function failureText(what: string, errno: string): string {
  const meaning = FAILURES[what];
  return meaning === undefined ? `${what}: ${errno}` : `${meaning} (${what}: ${errno})`;
}
