import type { RangeText, Step } from "../../scenario/document.js";
import type { Chooser } from "./chooser.js";
import { Hazards } from "./hazards.js";
import { HUGE, pageOf } from "./places.js";
import type { Feature, Memory, Mode, Profile } from "./profile.js";

/** A mapping as it was made. What became of it is only guessed: most calls should hit something, not all. */
export interface Mapping extends Memory {
  readonly name: string;
  readonly pages: number;
  readonly start: number;
  /** Name of the mapping that made the object; its own where that is this one. */
  readonly object: string;
  /** Pages that steps like to meet at. */
  readonly focus: readonly number[];
  /** Names of the processes that have it. */
  readonly procs: Set<string>;
  /** Whether it probably is no longer there as a whole. */
  isGone: boolean;
}

export interface Registration {
  readonly mapping: Mapping;
  readonly from: number;
  readonly to: number;
  readonly modes: readonly Mode[];
}

export interface Descriptor {
  readonly name: string;
  readonly proc: string;
  readonly features: ReadonlySet<Feature>;
  readonly isSilent: boolean;
  registrations: Registration[];
  isClosed: boolean;
  forks: number;
}

export interface Process {
  readonly name: string;
  hasEnded: boolean;
}

export interface Thread {
  readonly name: string;
  readonly mapping: Mapping;
  readonly page: number;
}

/** Limits of an executor, with a distance. */
const MAX_PROCESSES = 6;
const MAX_THREADS = 14;
const MAX_TOUCHED = 16000;

/** The light model of what a scenario made so far, and its steps. */
export class World {
  readonly choose: Chooser;
  readonly profile: Profile;
  readonly wildness: number;
  readonly silence: number;
  readonly steps: Step[] = [];
  readonly mappings: Mapping[] = [];
  readonly descriptors: Descriptor[] = [];
  readonly threads: Thread[] = [];
  readonly procs: Process[] = [{ name: "main", hasEnded: false }];
  /** Pages that steps were aimed at last: the next ones like to meet them there. */
  last: { readonly mapping: Mapping; readonly from: number; readonly to: number } | undefined;
  /** What the last step that changed something was about. */
  changed: { proc: string; mapping: Mapping } | undefined;
  readonly #hazards = new Hazards();
  #names = 0;
  #touched = 0;

  constructor(choose: Chooser, profile: Profile) {
    this.choose = choose;
    this.profile = profile;
    this.wildness = choose.pick(profile.wildness);
    this.silence = choose.pick(profile.silence);
  }

  /** Appends a step, unless Linux might not survive it. Returns whether it did. */
  push(step: Step): boolean {
    if (!this.#hazards.allow(step)) return false;
    this.steps.push(step);
    return true;
  }

  /** A new name that starts with a letter for what it names. */
  name(letter: string): string {
    return `${letter}${this.#names++}`;
  }

  /** Whether to do something odd. */
  wild(probability: number): boolean {
    return this.choose.chance(probability * this.wildness);
  }

  /** The address that the memory of this name starts at. @throws RangeError if there is none. */
  startOf(name: string): number {
    return this.#hazards.layout.interval(name)[0];
  }

  /** What the memory of this name is of, to an executor: what is moved from beyond a mapping is of what lies there. */
  kindOf(name: string): Memory["kind"] {
    return this.#hazards.layout.spans.find((span) => span.name === name)?.kind ?? "anon";
  }

  /** Returns a process that probably runs. */
  proc(): string {
    if (this.wild(0.03)) return this.choose.pick(this.procs).name;
    const running = this.procs.filter((proc) => !proc.hasEnded);
    return running.length === 0 ? "main" : this.choose.pick(running).name;
  }

  get canFork(): boolean {
    return this.procs.length < MAX_PROCESSES;
  }

  get canBlock(): boolean {
    return this.threads.length < MAX_THREADS;
  }

  /** A mapping that the process has, if it is not to be an odd one. */
  mapping(proc: string, wanted: (mapping: Mapping) => boolean = () => true): Mapping {
    const fitting = this.mappings.filter((mapping) => !mapping.isGone && mapping.procs.has(proc) && wanted(mapping));
    if (fitting.length > 0 && !this.wild(0.08)) return this.choose.pick(fitting);
    return this.choose.pick(this.mappings);
  }

  /** A descriptor that is open, if it is not to be an odd one. */
  descriptor(wanted: (descriptor: Descriptor) => boolean = () => true): Descriptor | undefined {
    const open = this.descriptors.filter((descriptor) => !descriptor.isClosed && wanted(descriptor));
    if (open.length > 0 && !this.wild(0.05)) return this.choose.pick(open);
    return this.descriptors.length > 0 ? this.choose.pick(this.descriptors) : undefined;
  }

  /** Takes as many touches as there are left of what a scenario may cost. Returns the stride that keeps to it. */
  strideFor(pages: number): number {
    const left = Math.max(16, MAX_TOUCHED - this.#touched);
    const stride = Math.max(1, Math.ceil(pages / left));
    this.#touched += Math.ceil(pages / stride);
    return stride;
  }

  /** `{ proc }` where it is not the default. */
  of(proc: string): { proc?: string } {
    return proc === "main" ? {} : { proc };
  }

  /** Says what a step changed, for observations. */
  touchedBy(proc: string, mapping: Mapping): void {
    this.changed = { proc, mapping };
  }
}

/** Pages of a mapping that steps meet at: its ends, and for large ones the borders of huge pages. */
export function focusOf(choose: Chooser, pages: number, start: number): number[] {
  if (pages <= 8) return Array.from({ length: pages }, (_, page) => page);
  const border = (HUGE - (pageOf(start) % HUGE)) % HUGE;
  const points = [
    0,
    1,
    pages - 1,
    border - 1,
    border,
    border + 1,
    border + HUGE - 1,
    border + HUGE,
    choose.below(pages),
  ];
  return [...new Set(points.filter((page) => page >= 0 && page < pages))];
}

/** The text of a range of pages of a mapping. */
export function pagesText(mapping: Mapping, from: number, to: number): RangeText {
  if (from === 0 && to === mapping.pages) return mapping.name;
  return to === from + 1 ? `${mapping.name}[${from}]` : `${mapping.name}[${from}..${to}]`;
}
