import type { Engine } from "../ts/engine/engine.js";
import { PAGE_SIZE } from "../ts/base/pages.js";
import { AddressSpace } from "../ts/mm/address-space.js";
import { RAM_FIRST_PAGE } from "../ts/sim/layout.js";
import { type Pattern, workloadBlocks } from "../ts/sim/workloads.js";
import { Userfaultfd } from "../ts/uffd/userfaultfd.js";
import { type EntryRow, type MakeEngine, tablesFor } from "./entries.js";
import { expectEqual } from "./harness.js";
import { TwinSpace } from "./twin.js";

/** Rows of batch replay: all pages armed, then the accesses; and the same accesses again, when nothing faults any more. */
export function replayRows(makeEngine: MakeEngine, pattern: Pattern, pages: number, accesses: number): EntryRow[] {
  const bench = new ReplayBench(makeEngine(), recordsOf(pattern, pages, accesses), pages);
  const nothing = (): void => undefined;
  return [
    {
      id: `replay-${pattern}`,
      what: `replay ${pattern}, all armed`,
      pages: accesses,
      ours: { prepare: () => bench.arm(), run: () => bench.replay(), check: () => bench.check() },
      twin: { prepare: () => bench.armTwin(), run: () => bench.replayTwin(), check: () => bench.check() },
    },
    {
      id: `replay-${pattern}-steady`,
      what: `replay ${pattern}, no faults left`,
      pages: accesses,
      ours: { prepare: nothing, run: () => bench.replay(), check: () => bench.check() },
      twin: { prepare: nothing, run: () => bench.replayTwin(), check: () => bench.check() },
    },
  ];
}

/** The same accesses for the engine and for plain JavaScript. Both sides must have had the same faults. */
class ReplayBench {
  readonly #engine: Engine;
  readonly #records: Uint32Array;
  readonly #pages: number;
  #space: AddressSpace;
  #twin: TwinSpace;
  readonly #wpFaults: number;

  constructor(engine: Engine, records: Uint32Array, pages: number) {
    this.#engine = engine;
    this.#records = records;
    this.#pages = pages;
    this.#space = armedSpace(engine, pages);
    this.#twin = new TwinSpace(1, 1);
    this.armTwin();
    this.replayTwin();
    this.#wpFaults = this.#twin.wpFaults;
    this.replay();
  }

  arm(): void {
    this.#space.dispose();
    this.#space = armedSpace(this.#engine, this.#pages);
  }

  armTwin(): void {
    this.#twin = new TwinSpace(tablesFor(this.#pages), this.#pages + 1);
    this.#twin.protect(RAM_FIRST_PAGE, this.#pages);
  }

  replay(): void {
    const { done } = this.#space.replay(this.#records, { value: 1, wp: "unprotect", records: "count" });
    expectEqual(done, this.#records.length / 2, "accesses replayed");
  }

  replayTwin(): void {
    this.#twin.replay(this.#records, 1);
  }

  check(): void {
    if (this.#wpFaults === 0) throw new Error("the work was not done: nothing faulted");
    expectEqual(this.#space.counters().wpMessages, this.#wpFaults, "write-protect faults");
    expectEqual(this.#twin.wpFaults, this.#wpFaults, "write-protect faults in plain JavaScript");
  }
}

function armedSpace(engine: Engine, pages: number): AddressSpace {
  const space = new AddressSpace(engine);
  space.mmap({ at: RAM_FIRST_PAGE * PAGE_SIZE, length: pages * PAGE_SIZE });
  const uffd = Userfaultfd.open(space, { features: ["wp-unpopulated"] });
  uffd.register(RAM_FIRST_PAGE * PAGE_SIZE, pages * PAGE_SIZE, ["wp"]);
  uffd.writeProtect(RAM_FIRST_PAGE * PAGE_SIZE, pages * PAGE_SIZE);
  return space;
}

function recordsOf(pattern: Pattern, pages: number, accesses: number): Uint32Array {
  const records = new Uint32Array(2 * accesses);
  let at = 0;
  for (const block of workloadBlocks({ pattern, pages, accesses, writeShare: 0.5, seed: 1 })) {
    records.set(block.words.subarray(0, 2 * block.length), at);
    at += 2 * block.length;
  }
  return records;
}
