import { expectedOf, type Expected, type Faults } from "./faults.js";
import { expectEqual } from "./harness.js";
import type { Question } from "./row.js";
import { FIRST_PAGE, type Subject, writeAll } from "./subject.js";
import type { MakeTwin, Twin } from "./twin-model.js";

/** Accesses, and what they have to come to. */
export interface Trace {
  readonly firstPage: number;
  readonly pages: number;
  readonly records: Uint32Array;
  readonly expected: Expected;
}

/** Says what records have to come to. */
export function traceOf(firstPage: number, pages: number, records: Uint32Array): Trace {
  return { firstPage, pages, records, expected: expectedOf(records, firstPage, pages) };
}

/** A write to every page, in order. */
export function writesTo(pages: number): Trace {
  return traceOf(FIRST_PAGE, pages, writeAll(FIRST_PAGE, pages));
}

/** Makes plain JavaScript's range of which every page is protected. */
export function armed(make: MakeTwin, trace: Trace): Twin {
  const twin = make(trace.firstPage, trace.pages);
  twin.protect();
  return twin;
}

/** Asks a program for accesses. */
export function ask(command: string, trace: Trace, expected: readonly number[]): Question {
  const { pages, records, firstPage } = trace;
  return { command, pages, units: records.length / 2, expected, records, firstPage };
}

/** In the order in which the native program prints them. */
export function faultNumbers({ wp, zeroPage, allocate, copy }: Faults): number[] {
  return [wp, zeroPage, allocate, copy];
}

/** Faults of an address space since it was made. */
export function faultsOf(subject: Subject): Faults {
  const { wpMessages, zeroPageFaults, allocateFaults, copyFaults } = subject.counters();
  return { wp: wpMessages, zeroPage: zeroPageFaults, allocate: allocateFaults, copy: copyFaults };
}

/** Throws unless the faults are those that records have to come to. */
export function expectFaults(found: Faults, expected: Faults, side: string): void {
  const names = Object.keys(expected) as (keyof Faults)[];
  for (const name of names) expectEqual(found[name], expected[name], `${name} faults (${side})`);
}
