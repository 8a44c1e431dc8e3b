import { expect } from "vitest";
import {
  AddressSpace,
  type Feature,
  KernelError,
  type Mode,
  replayFault,
  type Thread,
  Userfaultfd,
} from "../../ts/node.js";
import type { Category, Engine, PopulateCall } from "../../ts/node.js";
import { OracleContext, type OraclePopulate, OracleSpace, type OracleThread, Refusal } from "../support/oracle.js";
import { type Modes, type Step, WINDOWS } from "./steps.js";

const PAGE = 4096;
const PFN_MASK = 0x000ffffffffff000n;
const PAGEMAP_PFN_MASK = (1n << 55n) - 1n;

/** Counters of memory that these spaces have none of. */
const NOT_ANONYMOUS = { filePages: 0, shmemPages: 0, swapEntries: 0, minorMessages: 0 };

/** A call's result in a form that both sides can give. */
type Result = { errno: string; progress: unknown } | { value: unknown };

/** An address space, its userfaultfds and the oracle of both. */
export class Twin {
  readonly space: AddressSpace;
  readonly oracle: OracleSpace = new OracleSpace();
  readonly #features: readonly (readonly Feature[])[];
  #uffds: Userfaultfd[];
  #contexts: OracleContext[];
  readonly #threads: [Thread, OracleThread][] = [];
  readonly #calls: [PopulateCall | null, OraclePopulate | null][] = [];

  constructor(engine: Engine, features: readonly (readonly Feature[])[], start: readonly Modes[]) {
    this.space = new AddressSpace(engine);
    this.#features = features;
    this.#uffds = features.map((names) => Userfaultfd.open(this.space, { features: names }));
    this.#contexts = features.map(contextWith);
    for (const [i, { first, end }] of WINDOWS.entries()) {
      const where = { space: 0, context: i, first, pages: end - first, flag: false };
      this.apply({ ...where, kind: "mmap", protection: "rw" });
      this.apply({ ...where, kind: "register", ...(start[i] as Modes) });
    }
  }

  /** Does a step on both sides and compares what the calls gave. */
  apply(step: Step): void {
    const actual = attempt(() => this.#doReal(step));
    const expected = attempt(() => this.#doModel(step));
    expect(actual).toEqual(expected);
    if (step.kind === "close") this.#reopen(step.context);
  }

  /** Compares everything that can be seen. */
  compare(isMaterialized: boolean): void {
    for (const { first, end } of WINDOWS) this.#compareWindow(first, end);
    const { oracle, space } = this;
    const { realTables, ...counters } = space.counters();
    const { pudTables, pmdTables, pteTables } = counters;
    if (isMaterialized) expect(realTables).toBe(pudTables + pmdTables + pteTables);
    expect(counters).toEqual({ ...oracle.counters, ...oracle.levels, ...NOT_ANONYMOUS });
    expect(
      space.vmas.map(({ firstPage, endPage, protection, modes }) => [firstPage, endPage, protection, modes]),
    ).toEqual(
      oracle.areas.map((area) => [area.first, area.end, area.protection, Number(area.missing) + 2 * Number(area.wp)]),
    );
    expect(this.#uffds.map((uffd) => uffd.pendingMessages)).toEqual(
      this.#contexts.map((context) => context.unread.length),
    );
    for (const [real, model] of this.#threads) expect(threadState(real)).toEqual(modelThreadState(model));
    for (const [real, model] of this.#calls) {
      expect([real?.isBlocked, real?.error?.code]).toEqual([model?.isWaiting, model?.error?.code]);
    }
  }

  #compareWindow(first: number, end: number): void {
    const entries = this.space.engine.readEntries(this.space.handle, first, end - first);
    const contents = this.space.engine.readContents(this.space.handle, first, end - first);
    const words = this.space.pagemap(first * PAGE, end - first);
    for (let page = first; page < end; page++) {
      const [entry, content, word] = [
        entries[page - first] ?? 0n,
        contents[page - first] ?? 0n,
        words[page - first] ?? 0n,
      ];
      const isMarker = word === this.oracle.pagemapOf(page) && (word & (1n << 62n)) !== 0n;
      const actual = isMarker ? [entry, content, word] : [entry & ~PFN_MASK, content, word & ~PAGEMAP_PFN_MASK];
      const expected = [this.oracle.entryOf(page), BigInt(this.oracle.contentOf(page)), this.oracle.pagemapOf(page)];
      // compared by hand first: this runs millions of times
      if (actual.some((value, i) => value !== expected[i]))
        expect({ page, actual }).toEqual({ page, actual: expected });
      const pfn = ((entry & 1n) !== 0n ? entry : ~entry) & PFN_MASK;
      if (word >> 63n === 1n && pfn >> 12n !== (word & PAGEMAP_PFN_MASK)) expect(word).toBe(entry);
    }
  }

  #reopen(index: number): void {
    const names = this.#features[index] ?? [];
    this.#uffds = this.#uffds.with(index, Userfaultfd.open(this.space, { features: names }));
    this.#contexts = this.#contexts.with(index, contextWith(names));
  }

  #doReal(step: Step): unknown {
    const { space } = this;
    const uffd = this.#uffds[step.context] as Userfaultfd;
    const [start, length] = [step.first * PAGE, step.pages * PAGE];
    switch (step.kind) {
      case "mmap":
        return void space.mmap({ at: start, length, protection: step.protection });
      case "munmap": {
        space.munmap(start, length);
        return;
      }
      case "mprotect": {
        space.mprotect(start, length, step.protection);
        return;
      }
      case "dontneed":
        return void space.madvise(start, length, "dontneed");
      case "populate": {
        const call = space.madvise(start, length, `populate-${step.access}`);
        if (call !== null) this.#calls.push([call, null]);
        return call !== null;
      }
      case "register":
        return void uffd.register(start, length, modesOf(step));
      case "unregister": {
        uffd.unregister(start, length);
        return;
      }
      case "close": {
        uffd.close();
        return;
      }
      case "protect": {
        uffd.writeProtect(start, length);
        return;
      }
      case "unprotect": {
        uffd.removeWriteProtection(start, length, step.flag ? "later" : "now");
        return;
      }
      case "copy":
        return uffd.copy(start, length, {
          value: step.value,
          step: 1,
          writeProtect: step.wp,
          wake: step.flag ? "later" : "now",
        });
      case "zeropage":
        return uffd.zeropage(start, length, step.flag ? "later" : "now");
      case "wake": {
        uffd.wake(start, length);
        return;
      }
      case "read-message":
        return readReal(uffd);
      case "access": {
        const { access, count, stride, value } = step;
        const thread = space.start({ address: start, access, count, stride, value });
        this.#threads.push([thread, undefined as unknown as OracleThread]);
        return { outcome: thread.outcome, value: count === 1 ? thread.value : 0 };
      }
      case "replay":
        return this.#replayReal(step);
      case "scan":
        return this.#scanReal(step);
    }
  }

  #doModel(step: Step): unknown {
    const { oracle } = this;
    const context = this.#contexts[step.context] as OracleContext;
    const [first, end] = [step.first, step.first + step.pages];
    switch (step.kind) {
      case "mmap": {
        oracle.mmap(first, end, step.protection);
        return;
      }
      case "munmap": {
        oracle.munmap(first, end);
        return;
      }
      case "mprotect": {
        oracle.mprotect(first, end, step.protection);
        return;
      }
      case "dontneed": {
        oracle.dontneed(first, end);
        return;
      }
      case "populate": {
        const call = oracle.populate(first, end, step.access);
        const last = this.#calls.at(-1);
        if (call !== null && last !== undefined) last[1] = call;
        return call !== null;
      }
      case "register": {
        oracle.register(context, first, end, step.missing, step.wp);
        return;
      }
      case "unregister": {
        oracle.unregister(context, first, end);
        return;
      }
      case "close": {
        oracle.close(context);
        return;
      }
      case "protect": {
        oracle.writeProtect(first, end);
        return;
      }
      case "unprotect": {
        oracle.removeWriteProtection(context, first, end, !step.flag);
        return;
      }
      case "copy":
        return oracle.copy(context, first, end, { value: step.value, step: 1, wp: step.wp, wakes: !step.flag });
      case "zeropage":
        return oracle.zeropage(context, first, end, !step.flag);
      case "wake": {
        oracle.wake(context, first, end);
        return;
      }
      case "read-message":
        return context.read() ?? null;
      case "access": {
        const { access, count, stride, value } = step;
        const thread = oracle.start({ page: first, access, count, stride, value });
        const last = this.#threads.at(-1);
        if (last !== undefined) last[1] = thread;
        return { outcome: outcomeName(thread), value: count === 1 ? thread.value : 0 };
      }
      case "replay":
        return oracle.replay(step.accesses, { ...step, wp: step.resolve, waits: step.waits });
      case "scan":
        return oracle.scan({ ...step, first, end });
    }
  }

  #replayReal(step: Extract<Step, { kind: "replay" }>): unknown {
    const records = new Uint32Array(2 * step.accesses.length);
    step.accesses.forEach(({ page, access }, i) => {
      records[2 * i] = page % 2 ** 32;
      records[2 * i + 1] = Math.floor(page / 2 ** 32) + (access === "write" ? 2 ** 31 : 0);
    });
    const { value, resolve, signals, waits } = step;
    const { done, reason, faults } = this.space.replay(records, { value, wp: resolve, signals, waits });
    return { done, reason, records: Array.from({ length: faults.count }, (_, i) => replayFault(faults, i)) };
  }

  #scanReal(step: Extract<Step, { kind: "scan" }>): unknown {
    const { regions, walkEnd } = this.space.pagemapScan({
      start: step.first * PAGE,
      end: (step.first + step.pages) * PAGE,
      vectorLength: step.vectorLength,
      ...(step.maxPages === Infinity ? {} : { maxPages: step.maxPages }),
      inverted: step.inverted as Category[],
      mask: step.mask as Category[],
      anyOf: step.anyOf as Category[],
      return: step.returned as Category[],
      wpMatching: step.wpMatching,
      checkWpAsync: step.checkWpAsync,
    });
    const runs = regions.map(({ start, end, categories }) => {
      return { first: start / PAGE, end: end / PAGE, categories: [...categories].sort() };
    });
    return { regions: runs, walkEnd: walkEnd / PAGE };
  }
}

function contextWith(names: readonly Feature[]): OracleContext {
  return new OracleContext({
    unpopulated: names.includes("wp-unpopulated"),
    async: names.includes("wp-async"),
    sigbus: names.includes("sigbus"),
  });
}

function attempt(call: () => unknown): Result {
  try {
    return { value: call() };
  } catch (error) {
    if (error instanceof KernelError || error instanceof Refusal)
      return { errno: error.code, progress: error.progress };
    throw error;
  }
}

function modesOf(step: { missing: boolean; wp: boolean }): Mode[] {
  return [...(step.missing ? (["missing"] as const) : []), ...(step.wp ? (["wp"] as const) : [])];
}

function readReal(uffd: Userfaultfd): unknown {
  const message = uffd.read();
  if (message?.event !== "pagefault") return message ?? null;
  return { page: message.address / PAGE, kind: message.kind, access: message.access };
}

function outcomeName(thread: OracleThread): string {
  if (thread.isWaiting) return "blocked";
  return { done: "ok", sigsegv: "SIGSEGV", sigbus: "SIGBUS", missing: "blocked", wp: "blocked" }[thread.last];
}

function threadState(thread: Thread): unknown {
  const { outcome, outcomes, minflt, majflt } = thread;
  return { outcome, ok: outcomes.ok, sigsegv: outcomes.SIGSEGV, sigbus: outcomes.SIGBUS, minflt, majflt };
}

function modelThreadState(thread: OracleThread): unknown {
  const { ended, minflt, majflt } = thread;
  return { outcome: outcomeName(thread), ok: ended.done, sigsegv: ended.sigsegv, sigbus: ended.sigbus, minflt, majflt };
}
