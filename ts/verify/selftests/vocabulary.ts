import type { HandlerPolicy, Scenario, Step } from "../../scenario/document.js";

type StepOf<Op extends Step["op"]> = Extract<Step, { op: Op }>;
type Feature = NonNullable<StepOf<"uffd">["features"]>[number];
export type Mode = StepOf<"register">["modes"][number];
export type Machine = NonNullable<Scenario["machine"]>;

/** A kind of memory that cases are repeated for. */
export interface Memory {
  readonly name: string;
  readonly kind: NonNullable<StepOf<"mmap">["kind"]>;
  readonly sharing: "private" | "shared";
  /** Pages of 4 KiB that make one page of it. */
  readonly unit: number;
  readonly machine: Machine;
}

const POOL: Machine = { hugetlbPages: 12 };

export const ANON: Memory = { name: "anon", kind: "anon", sharing: "private", unit: 1, machine: {} };
export const SHMEM: Memory = { name: "shmem", kind: "shmem", sharing: "shared", unit: 1, machine: {} };
const SHMEM_PRIVATE: Memory = { ...SHMEM, name: "shmem-private", sharing: "private" };
export const HUGETLB: Memory = { name: "hugetlb", kind: "hugetlb", sharing: "shared", unit: 512, machine: POOL };
const HUGETLB_PRIVATE: Memory = { ...HUGETLB, name: "hugetlb-private", sharing: "private" };
export const FILE: Memory = { name: "file", kind: "file", sharing: "shared", unit: 1, machine: {} };
export const FILE_PRIVATE: Memory = { ...FILE, name: "file-private", sharing: "private" };

/** Those that the kernel's tests of userfaultfd go through. */
export const MEMORIES: readonly Memory[] = [ANON, SHMEM, SHMEM_PRIVATE, HUGETLB, HUGETLB_PRIVATE];
export const ALIASED: readonly Memory[] = [SHMEM, HUGETLB];
export const SMALL: readonly Memory[] = [ANON, SHMEM, SHMEM_PRIVATE];

export const WP_FEATURES: readonly Feature[] = ["pagefault-flag-wp", "wp-unpopulated", "wp-hugetlbfs-shmem"];
export const ASYNC_FEATURES: readonly Feature[] = ["wp-async", "wp-unpopulated", "wp-hugetlbfs-shmem"];
export const SILENT: HandlerPolicy = { missing: "none", wp: "none", minor: "none" };
export const LOOK: Step = { op: "stat" };

/** A case. */
export function selftest(name: string, about: string, machine: Machine, steps: readonly Step[]): Scenario {
  return { scenario: 1, name, about, ...(Object.keys(machine).length > 0 ? { machine } : {}), steps };
}

/** The case of a name for each kind of memory. */
export function forEach(
  memories: readonly Memory[],
  name: string,
  about: string,
  steps: (memory: Memory) => readonly Step[],
): Scenario[] {
  return memories.map((memory) => selftest(`${name}-${memory.name}`, about, memory.machine, steps(memory)));
}

/** Maps so many pages of a memory. */
export function map(as: string, memory: Memory, count: number): Step {
  const { kind, sharing, unit } = memory;
  return { op: "mmap", as, pages: count * unit, kind, sharing };
}

/** A second mapping of what a name stands for. */
export function alias(as: string, source: string, memory: Memory, count: number): Step {
  return { op: "mmap", as, pages: count * memory.unit, source, sharing: memory.sharing };
}

export function open(as: string, features: readonly Feature[], handler?: HandlerPolicy): Step {
  return { op: "uffd", as, features, ...(handler === undefined ? {} : { handler }) };
}

export function register(uffd: string, range: string, ...modes: Mode[]): Step {
  return { op: "register", uffd, range, modes };
}

export function protect(uffd: string, range: string): Step {
  return { op: "writeprotect", uffd, range };
}

export function unprotect(uffd: string, range: string): Step {
  return { op: "writeprotect", uffd, range, wp: false };
}

/** The range of pages `from` to `to`, exclusive, of a memory. */
export function pages(as: string, memory: Memory, from: number, to: number = from + 1): string {
  const [first, end] = [from * memory.unit, to * memory.unit];
  return end === first + 1 ? `${as}[${first}]` : `${as}[${first}..${end}]`;
}

/** The place where a page of a memory starts. */
export function page(as: string, memory: Memory, number: number): string {
  return `${as}[${number * memory.unit}]`;
}

/** Accesses every page once. */
export function touch(range: string, access: "read" | "write", { unit }: Memory, value?: number): Step {
  return { op: "touch", range, access, stride: unit, ...(value === undefined ? {} : { value }) };
}

export function advise(range: string, advice: StepOf<"madvise">["advice"]): Step {
  return { op: "madvise", range, advice };
}

export function pagemap(range: string): Step {
  return { op: "pagemap", range };
}

/** A scan for written pages; `rest` has what is special. */
export function scan(range: string, rest: Partial<StepOf<"pagemap-scan">> = {}): Step {
  return { op: "pagemap-scan", range, mask: ["written"], return: ["written"], ...rest };
}

/** Takes what was written and protects it again. */
export function take(range: string, rest: Partial<StepOf<"pagemap-scan">> = {}): Step {
  return scan(range, { flags: ["wp-matching", "check-wpasync"], ...rest });
}

/** The same step in another process. */
export function inProcess(proc: string, ...steps: readonly Step[]): Step[] {
  return steps.map((step) => ({ ...step, proc }));
}
