import type { Scenario, Step } from "../../scenario/document.js";
import type { Chooser, Weighted } from "./chooser.js";

type OpenStep = Extract<Step, { op: "uffd" }>;
type RegisterStep = Extract<Step, { op: "register" }>;
type AdviseStep = Extract<Step, { op: "madvise" }>;

export type Machine = NonNullable<Scenario["machine"]>;
export type Kind = "anon" | "shmem" | "file" | "hugetlb";
export type Sharing = "private" | "shared";
export type Feature = NonNullable<OpenStep["features"]>[number];
export type Handler = NonNullable<OpenStep["handler"]>;
export type Mode = RegisterStep["modes"][number];
export type Advice = AdviseStep["advice"];

/** What memory a mapping can be of. */
export interface Memory {
  readonly kind: Kind;
  readonly sharing: Sharing;
}

/** What a scenario can do next: a call, an access, an observation, or a short story of several of them. */
export type ActionName =
  | "map"
  | "mapAgain"
  | "munmap"
  | "mprotect"
  | "advise"
  | "mremap"
  | "fork"
  | "exit"
  | "open"
  | "register"
  | "unregister"
  | "close"
  | "writeprotect"
  | "fill"
  | "minorFault"
  | "move"
  | "wake"
  | "access"
  | "touch"
  | "resume"
  | "wait"
  | "trap"
  | "swapOut"
  | "collapse"
  | "scan"
  | "observe"
  | "misuse";

/** What the scenarios of a profile are about: which memory, which machine, and how likely each thing is. */
export interface Profile {
  readonly about: string;
  readonly machine: (choose: Chooser) => Machine;
  readonly memory: Weighted<Memory>;
  /** Pages of a mapping; of a hugetlb mapping in huge pages. */
  readonly sizes: readonly number[];
  /** Whether mappings should be aligned to 2 MiB and ranges be whole huge pages now and then. */
  readonly isHuge: boolean;
  readonly mappings: readonly [number, number];
  readonly descriptors: readonly [number, number];
  readonly features: Readonly<Partial<Record<Feature, number>>>;
  readonly modes: Weighted<readonly Mode[]>;
  readonly advice: Weighted<Advice>;
  readonly actions: Readonly<Partial<Record<ActionName, number>>>;
  /** How likely what Linux refuses is: one of these for a whole scenario. */
  readonly wildness: readonly number[];
  /** How likely a descriptor leaves messages unanswered: one of these for a whole scenario. */
  readonly silence: readonly number[];
}
