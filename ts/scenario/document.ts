import type { ErrnoName } from "../base/errors.js";
import type { Category } from "../mm/pagemap-scan.js";
import type { ThreadOutcome } from "../mm/thread.js";
import type { Protection } from "../mm/vma.js";
import type { Feature, IoctlName, Mode } from "../uffd/features.js";

/** A place in memory: `"ram"`, `"ram[7]"`, `"ram[7]+16"`, or an address `"0x100000000000"`. */
export type PlaceText = string;

/** A range of memory: `"ram"`, `"ram[7]"`, `"ram[0..512]"`, or what starts and ends anywhere; `length` in bytes or as `"4K"`. */
export type RangeText = string | { readonly start: PlaceText; readonly length: number | string };

/** What the process that owns a descriptor does at once with each page-fault message. */
export interface HandlerPolicy {
  readonly missing?: "copy" | "zeropage" | "poison" | "none";
  readonly wp?: "unprotect" | "none";
  readonly minor?: "continue" | "poison" | "none";
}

interface OfProcess {
  /** Name of the process; default `"main"`. */
  readonly proc?: string;
  /** Fields that the result must have. */
  readonly expect?: Readonly<Record<string, unknown>>;
}

interface OnRange extends OfProcess {
  readonly range: RangeText;
}

interface OnDescriptor extends OnRange {
  readonly uffd: string;
}

interface Fill extends OnDescriptor {
  readonly dontwake?: boolean;
}

/** Every advice that the format knows. */
export const ADVICE = [
  "dontneed",
  "free",
  "remove",
  "populate-read",
  "populate-write",
  "hugepage",
  "nohugepage",
  "collapse",
  "pageout",
  "cold",
  "guard-install",
  "guard-remove",
  "dontfork",
  "dofork",
  "wipeonfork",
  "keeponfork",
] as const;

/** One step of a scenario, told apart by `op`. */
export type Step =
  | (OfProcess & {
      readonly op: "mmap";
      readonly as: string;
      readonly pages: number;
      readonly kind?: "anon" | "shmem" | "file" | "hugetlb";
      readonly sharing?: "private" | "shared";
      readonly prot?: Protection;
      readonly at?: PlaceText;
      readonly source?: string;
      /** In pages. */
      readonly offset?: number;
    })
  | (OnRange & { readonly op: "munmap" })
  | (OnRange & { readonly op: "mprotect"; readonly prot: Protection })
  | (OnRange & {
      readonly op: "mremap";
      readonly pages: number;
      readonly move?: boolean;
      readonly as?: string;
      readonly dontunmap?: boolean;
    })
  | (OnRange & { readonly op: "madvise"; readonly advice: (typeof ADVICE)[number] })
  | (OfProcess & { readonly op: "fork"; readonly as: string })
  | (OfProcess & { readonly op: "exit" })
  | (OfProcess & {
      readonly op: "uffd";
      readonly as: string;
      readonly features?: readonly Feature[];
      readonly userModeOnly?: boolean;
      readonly handler?: HandlerPolicy;
    })
  | (OnDescriptor & { readonly op: "register"; readonly modes: readonly Mode[] })
  | (OnDescriptor & { readonly op: "unregister" | "wake" })
  | (OfProcess & { readonly op: "close"; readonly uffd: string })
  | (OnDescriptor & { readonly op: "writeprotect"; readonly wp?: boolean; readonly dontwake?: boolean })
  | (Fill & { readonly op: "copy"; readonly value?: number; readonly wp?: boolean })
  | (Fill & { readonly op: "zeropage" | "poison" })
  | (Fill & { readonly op: "continue"; readonly wp?: boolean })
  | (Fill & { readonly op: "move"; readonly from: PlaceText; readonly allowSrcHoles?: boolean })
  | (OfProcess & { readonly op: "read"; readonly at: PlaceText; readonly as?: string })
  | (OfProcess & { readonly op: "write"; readonly at: PlaceText; readonly value?: number; readonly as?: string })
  | (OnRange & {
      readonly op: "touch";
      readonly access: "read" | "write";
      readonly value?: number;
      /** In pages. */
      readonly stride?: number;
    })
  | (OfProcess & { readonly op: "resume"; readonly thread: string })
  | (OnRange & { readonly op: "pagemap" })
  | (OnRange & {
      readonly op: "pagemap-scan";
      readonly flags?: readonly ("wp-matching" | "check-wpasync")[];
      readonly inverted?: readonly Category[];
      readonly mask?: readonly Category[];
      readonly anyof?: readonly Category[];
      readonly return?: readonly Category[];
      readonly maxPages?: number;
      readonly vecLen?: number;
    })
  | (OfProcess & { readonly op: "stat" });

/** A scenario document. */
export interface Scenario {
  readonly scenario: 1;
  readonly name?: string;
  readonly about?: string;
  readonly machine?: {
    readonly thp?: "never" | "madvise" | "always";
    readonly shmemThp?: "never" | "madvise" | "always";
    /** Huge pages of 2 MiB in the pool. */
    readonly hugetlbPages?: number;
    readonly swapPages?: number;
    readonly kernel?: string;
  };
  readonly steps: readonly Step[];
}

/** A message that was read during a step. Runs of page faults on consecutive pages have `range` in place of `at`. */
export interface TranscriptMessage {
  readonly uffd: string;
  readonly event: "pagefault" | "fork" | "remap" | "remove" | "unmap";
  readonly at?: PlaceText;
  readonly range?: RangeText;
  readonly flags?: readonly ("write" | "wp" | "minor")[];
  /** Of a fork: the name of the child's descriptor. */
  readonly child?: string;
  /** Of a remap, as are `to` and `length` in bytes. */
  readonly from?: PlaceText;
  readonly to?: PlaceText;
  readonly length?: number;
}

/** A run of pages with the same flags; `pages` is half open and counted from the start of the range. */
export interface PagemapRun {
  readonly pages: readonly [number, number];
  readonly flags: readonly string[];
}

/** A run of pages that a scan put out. */
export interface ScanRun {
  readonly pages: readonly [number, number];
  readonly categories: readonly Category[];
}

/** What a step gave. Which fields there are depends on the operation. */
export interface StepResult {
  readonly ok?: true;
  readonly errno?: ErrnoName;
  /** The executor cannot do it. */
  readonly unsupported?: true;
  /** The step never ends. */
  readonly hang?: true;
  /** A step before this one never ends. */
  readonly skipped?: true;
  readonly messages?: readonly TranscriptMessage[];
  readonly outcome?: ThreadOutcome;
  readonly outcomes?: Readonly<Partial<Record<ThreadOutcome, number>>>;
  readonly value?: number;
  readonly minflt?: number;
  readonly majflt?: number;
  readonly features?: readonly Feature[];
  readonly ioctls?: readonly IoctlName[];
  /** Bytes done, or the errno's name with a minus sign. */
  readonly copied?: number | string;
  readonly zeroed?: number | string;
  readonly updated?: number | string;
  readonly mapped?: number | string;
  readonly moved?: number | string;
  readonly runs?: readonly PagemapRun[];
  readonly found?: number;
  readonly walkEnd?: PlaceText;
  readonly regions?: readonly ScanRun[];
  /** Bytes of page tables. */
  readonly tables?: number;
  /** Resident pages. */
  readonly anon?: number;
  readonly file?: number;
  readonly shmem?: number;
  readonly swap?: number;
}

/** What a scenario gave: one result for each step. */
export interface Transcript {
  readonly scenario: 1;
  readonly name?: string;
  readonly results: readonly StepResult[];
}
