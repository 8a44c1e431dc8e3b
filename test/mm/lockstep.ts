import { expect } from "vitest";
import {
  type Advice,
  AddressSpace,
  type Category,
  type Engine,
  type Feature,
  KernelError,
  Machine,
  type Message,
  type Mode,
  replayFault,
  Userfaultfd,
} from "../../ts/node.js";
import type { Operation, Start } from "./operations.js";
import { EVERY_CATEGORY, WINDOWS } from "./operations.js";

const PAGE = 4096;
const ENTRIES = 512;
const TABLE_MASK = 0x000ffffffffff000n;
const PRESENT = 1n;
const HUGE = 1n << 7n;
/** A huge page without access is not present, and keeps the bit that says so. */
const NO_ACCESS = 1n << 8n;
const LEVELS = ["pudTables", "pmdTables", "pteTables"] as const;

/** Processes beside the first that there are at the same time. */
const MAX_CHILDREN = 2;

interface Process {
  readonly space: AddressSpace;
  readonly uffds: Userfaultfd[];
}

/** A machine on one engine. Two of them that get the same operations on different engines must answer the same. */
export class World {
  readonly #machine: Machine;
  readonly #start: Start;
  readonly #processes: Process[] = [];

  constructor(engine: Engine, start: Start) {
    this.#start = start;
    const thp = { thp: "madvise", shmemThp: "madvise" } as const;
    this.#machine = new Machine(engine, { ...thp, hugetlbPages: 12, swapPages: 6000 });
    const space = new AddressSpace(engine, { machine: this.#machine });
    const process: Process = { space, uffds: [] };
    start.features.forEach((names, i) => (process.uffds[i] = this.#open(process, names)));
    this.#processes.push(process);
    WINDOWS.forEach((window, i) => {
      const [at, length] = [window.first * PAGE, window.pages * PAGE];
      space.mmap({ at, length, kind: window.kind, sharing: window.sharing });
      if (window.thp === true) space.madvise(at, length, "hugepage");
      const modes = start.modes[i] ?? [];
      if (!modes.includes("wp")) return;
      const uffd = process.uffds[i] as Userfaultfd;
      uffd.register(at, length, modes);
      for (const how of start.prepared[i] ?? []) {
        if (how === "protect") uffd.writeProtect(at, length);
        else if (!modes.includes("missing") && window.kind === "anon") space.madvise(at, length, how);
      }
    });
  }

  /** Does an operation; errors of the kernel are results. */
  apply(operation: Operation): unknown {
    const process = this.#processes[operation.process % this.#processes.length] as Process;
    try {
      return { value: this.#call(process, operation) };
    } catch (error) {
      if (error instanceof KernelError) return { errno: error.code, progress: error.progress };
      throw error;
    }
  }

  /** What can be seen of all processes, beside `realTables`; entries and contents are those near the borders of mappings, tables and `ranges`. */
  observe(ranges: readonly (readonly [number, number])[]): unknown {
    return this.#processes.map(({ space, uffds }) => {
      const counters: Record<string, number> = { ...space.counters(), realTables: 0 };
      return {
        counters,
        status: space.status(),
        pending: uffds.map((uffd) => uffd.pendingMessages),
        vmas: space.vmas.map((vma) => [vma.firstPage, vma.endPage, vma.protection, vma.kind, vma.modes, vma.thp]),
        near: pagesNear([...space.vmas.map((vma) => [vma.firstPage, vma.endPage] as const), ...ranges]).map((page) => [
          page,
          space.engine.readEntries(space.handle, page, 4),
          space.engine.readContents(space.handle, page, 4),
          space.pagemap(page * PAGE, 4),
        ]),
      };
    });
  }

  /** The categories of every page that is mapped, as runs. */
  scanEverything(): unknown {
    return this.#processes.map(({ space }) => {
      return space.vmas.map((vma) => {
        const [start, end] = [vma.firstPage * PAGE, vma.endPage * PAGE];
        return space.pagemapScan({ start, end, vectorLength: 2 ** 20, return: EVERY_CATEGORY }).raw;
      });
    });
  }

  /** Compares the numbers of tables with what a walk finds, and with what takes memory if every table does. */
  auditTables(isMaterialized: boolean): void {
    for (const { space } of this.#processes) {
      const { tables, deposits } = countTables(space);
      const counters = space.counters();
      expect(LEVELS.map((level) => counters[level])).toEqual([tables[0], tables[1], tables[2] + deposits]);
      if (isMaterialized) expect(counters.realTables).toBe(tables[0] + tables[1] + tables[2]);
      else expect(counters.realTables).toBeLessThanOrEqual(tables[0] + tables[1] + tables[2]);
    }
  }

  dispose(): void {
    for (const { space } of this.#processes) space.dispose();
    this.#machine.dispose();
  }

  #open({ space }: Process, features: readonly Feature[]): Userfaultfd {
    return Userfaultfd.open(space, { features });
  }

  #call(process: Process, operation: Operation): unknown {
    const { space } = process;
    const index = operation.uffd % process.uffds.length;
    const uffd = process.uffds[index] as Userfaultfd;
    const [start, length] = [operation.first * PAGE, operation.pages * PAGE];
    switch (operation.kind) {
      case "mmap":
        return space.mmap({ at: start, length, protection: operation.protection });
      case "munmap": {
        space.munmap(start, length);
        return null;
      }
      case "mprotect": {
        space.mprotect(start, length, operation.protection);
        return null;
      }
      case "mremap": {
        const { newPages, target, keepsSource } = operation;
        const to = target === null ? {} : { to: target * PAGE };
        return space.mremap(start, length, { newLength: newPages * PAGE, keepsSource, ...to });
      }
      case "madvise":
        return space.madvise(start, length, operation.advice satisfies Advice) === null ? "done" : "waits";
      case "fork":
        return this.#fork(process);
      case "exit":
        return this.#exit(process);
      case "register":
        return uffd.register(start, length, operation.modes);
      case "unregister": {
        uffd.unregister(start, length);
        return null;
      }
      case "reopen": {
        uffd.close();
        process.uffds[index] = this.#open(process, this.#start.features[index] ?? []);
        return null;
      }
      case "protect": {
        uffd.writeProtect(start, length);
        return null;
      }
      case "unprotect": {
        uffd.removeWriteProtection(start, length);
        return null;
      }
      case "copy":
        return uffd.copy(start, length, { value: operation.value, step: 1, writeProtect: operation.wp });
      case "zeropage":
        return uffd.zeropage(start, length);
      case "poison":
        return uffd.poison(start, length);
      case "continue":
        return uffd.continue(start, length, { writeProtect: operation.wp });
      case "move":
        return uffd.move(start, length, operation.source * PAGE, { allowSourceHoles: operation.allowsHoles });
      case "read":
        return plainMessage(this.#read(process, uffd));
      case "access": {
        const { access, value, count, stride } = operation;
        const thread = space.start({ address: start, access, count, stride, value });
        return [thread.outcome, thread.outcomes, thread.value, thread.minflt, thread.majflt];
      }
      case "replay": {
        const { accesses, value, resolves } = operation;
        const records = new Uint32Array(2 * accesses.length);
        accesses.forEach(({ page, isWrite }, i) => {
          records[2 * i] = page % 2 ** 32;
          records[2 * i + 1] = Math.floor(page / 2 ** 32) + (isWrite ? 2 ** 31 : 0);
        });
        const wp = resolves ? "unprotect" : "stop";
        const { done, reason, faults } = space.replay(records, { value, wp, signals: "pass" });
        return [done, reason, Array.from({ length: faults.count }, (_, i) => replayFault(faults, i))];
      }
      case "scan": {
        const { regions, walkEnd } = space.pagemapScan({
          start,
          end: start + length,
          ...operation.scan,
        });
        return [regions, walkEnd];
      }
    }
  }

  /** A child that has a descriptor for its memory gets it from the message. */
  #fork(process: Process): unknown {
    if (this.#processes.length > MAX_CHILDREN) return "enough";
    const child: Process = { space: process.space.fork(), uffds: [] };
    this.#processes.push(child);
    this.#start.features.forEach((names, i) => (child.uffds[i] = this.#open(child, names)));
    return null;
  }

  #exit(process: Process): unknown {
    if (this.#processes.length === 1) return "the last";
    process.space.dispose();
    this.#processes.splice(this.#processes.indexOf(process), 1);
    return null;
  }

  #read(process: Process, uffd: Userfaultfd): Message | undefined {
    const message = uffd.read();
    if (message?.event !== "fork") return message;
    const owner = this.#processes.find(({ space }) => space === message.child.space);
    if (owner !== undefined) owner.uffds[process.uffds.indexOf(uffd)] = message.child;
    return message;
  }
}

function plainMessage(message: Message | undefined): unknown {
  return message?.event === "fork" ? "fork" : (message ?? null);
}

/** Returns the first of every four pages that are looked at, without overlap. */
function pagesNear(ranges: readonly (readonly [number, number])[]): number[] {
  const borders = new Set<number>();
  for (const [first, end] of ranges) {
    for (const page of [first, end, Math.floor((first + end) / 2)]) borders.add(page);
    for (const shift of [9, 18, 27]) {
      borders.add(Math.ceil(first / 2 ** shift) * 2 ** shift);
      borders.add(Math.floor(end / 2 ** shift) * 2 ** shift);
    }
  }
  const quads = new Set<number>();
  for (const page of borders) {
    for (const near of [page - 4, page]) if (near >= 0) quads.add(Math.floor(near / 4) * 4);
  }
  return [...quads].sort((a, b) => a - b);
}

/** Walks the tables of a space. A table in reserve is there for each huge page that is anonymous memory's. */
function countTables(space: AddressSpace): { tables: [number, number, number]; deposits: number } {
  const tables: [number, number, number] = [0, 0, 0];
  let deposits = 0;
  const walk = (table: number, level: 0 | 1 | 2, firstPage: number): void => {
    const pagesEach = ENTRIES ** (3 - level);
    space.engine.readTable(table).forEach((entry, index) => {
      const page = firstPage + index * pagesEach;
      const isHuge = (entry & HUGE) !== 0n && (entry & (PRESENT | NO_ACCESS)) !== 0n;
      if (isHuge) {
        if (isAnonymous(space, page)) deposits++;
      } else if ((entry & PRESENT) !== 0n) {
        tables[level]++;
        if (level < 2) walk(Number(entry & TABLE_MASK), level === 0 ? 1 : 2, page);
      }
    });
  };
  walk(space.engine.pgdOf(space.handle), 0, 0);
  return { tables, deposits };
}

function isAnonymous(space: AddressSpace, page: number): boolean {
  return space.vmas.some((vma) => vma.firstPage <= page && page < vma.endPage && vma.kind === "anon");
}

export type { Category, Mode };
