import type { Case } from "./harness.js";
import type { Limits } from "./limits.js";
import type { MakeEngine } from "./subject.js";
import type { MakeTwin } from "./twin-model.js";

export type Unit = "ns/PTE" | "ns/access" | "ns/fault" | "us/call";

/** Sections of the report. */
export type Group = "materialised" | "templates" | "scan" | "replay" | "fault";

/** What a C program is asked for. */
export interface Question {
  readonly command: string;
  readonly pages: number;
  /** Units of the row that the pass is. */
  readonly units: number;
  /** The numbers that prove the work. */
  readonly expected: readonly number[];
  readonly records?: Uint32Array;
  readonly firstPage?: number;
}

/** Sides that are C programs: the live kernel, and our own. "branchy" and "sse42" are other ways to compile or write the native one. */
export const PROGRAMS = ["kernel", "native", "branchy", "sse42"] as const;
export type ProgramSide = (typeof PROGRAMS)[number];

/** Sides inside this process. */
export const OWN_SIDES = ["ours", "js", "map", "limit"] as const;
export type OwnSide = (typeof OWN_SIDES)[number];

/** Makes the cases of the sides inside this process. */
export type Cases = Readonly<Partial<Record<OwnSide, () => Case>>>;

/** One line of the report. */
export interface Row {
  readonly id: string;
  readonly title: string;
  readonly group: Group;
  readonly unit: Unit;
  /** Units of one pass of our own sides. */
  readonly units: number;
  /** Milliseconds for which a pass is repeated within a round, for passes of microseconds; the C programs of such rows do the same. */
  readonly leastMs?: number;
  /** What `limit` is, if there is one. */
  readonly limitIs?: string;
  readonly questions: Readonly<Partial<Record<ProgramSide, Question>>>;
  /** Making a case takes memory and time, so it is made when the row's turn comes. */
  readonly cases: Cases;
}

/** What rows are made with. */
export interface Tools {
  readonly makeEngine: MakeEngine;
  readonly limits: Limits;
  readonly makeTwin: MakeTwin;
  readonly makeMapTwin: MakeTwin;
}

export interface ReplaySize {
  readonly pages: number;
  readonly accesses: number;
}

/** How much work rows do. */
export interface Sizes {
  readonly pages: number;
  /** Pages of rows in which the kernel needs real memory. */
  readonly realPages: number;
  /** Pages of the rows of a Map, which takes its time. */
  readonly mapPages: number;
  readonly accesses: number;
  /** Pages and accesses of replay by the kernel, and by a Map. */
  readonly kernelReplay: ReplaySize;
  readonly mapReplay: ReplaySize;
}
