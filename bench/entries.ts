import type { Engine } from "../ts/engine/engine.js";
import { AddressSpace } from "../ts/mm/address-space.js";
import { Random } from "../ts/base/random.js";
import { PAGE_SIZE } from "../ts/base/pages.js";
import { ACCESS_WRITE } from "../ts/trace/access.js";
import { Userfaultfd } from "../ts/uffd/userfaultfd.js";
import { type Case, expectEqual } from "./harness.js";
import { TwinSpace } from "./twin.js";

/** Where the benchmarks' memory is mapped. */
export const FIRST_PAGE = 0x100000000;

/** What the entries of the range are before the timed pass. */
export type State = "none" | "present" | "mixed";

/** A row about entries: our case and the plain JavaScript one. */
export interface EntryRow {
  readonly id: string;
  readonly what: string;
  readonly pages: number;
  readonly ours: Case;
  readonly twin: Case;
}

/** Makes an engine; a fresh one has memory that nobody has touched. */
export type MakeEngine = () => Engine;

/** Rows for first protection: fresh memory, page tables allocated on the way. */
export function coldRows(makeEngine: MakeEngine, pages: number): EntryRow[] {
  let subject: Subject | undefined;
  let twin: TwinSpace | undefined;
  const ours: Case = {
    prepare: () => {
      subject = new Subject(makeEngine(), pages);
    },
    run: () => subject?.protect(),
    check: () => expectEqual(subject?.space.counters().armedNone ?? 0, pages, "markers"),
  };
  const plain: Case = {
    prepare: () => {
      twin = new TwinSpace(tablesFor(pages), 1);
    },
    run: () => twin?.protect(FIRST_PAGE, pages),
    check: () => expectEqual(twin?.count(FIRST_PAGE, pages).markers ?? 0, pages, "markers"),
  };
  return [{ id: "protect-none-cold", what: "protect none, fresh memory", pages, ours, twin: plain }];
}

/** Rows for passes over tables that exist. `state`: what the entries are when they are not protected. */
export function warmRows(makeEngine: MakeEngine, pages: number, state: State): EntryRow[] {
  const subject = new Subject(makeEngine(), pages);
  const twin = new TwinSpace(tablesFor(pages), pages + 1);
  subject.fill(state);
  fillTwin(twin, pages, state);
  subject.protect();
  twin.protect(FIRST_PAGE, pages);
  const expected = twin.count(FIRST_PAGE, pages);
  const checkProtected = (): void => subject.expectProtected(pages);
  const unprotected = (): void => expectEqual(subject.protectedPages(), 0, "protected entries");
  return [
    {
      id: `protect-${state}`,
      what: `protect ${state}`,
      pages,
      ours: { prepare: () => subject.unprotect(), run: () => subject.protect(), check: checkProtected },
      twin: {
        prepare: () => twin.unprotect(FIRST_PAGE, pages),
        run: () => twin.protect(FIRST_PAGE, pages),
        check: () => expectEqual(twin.count(FIRST_PAGE, pages).markers, expected.markers, "markers"),
      },
    },
    {
      id: `unprotect-${state === "none" ? "markers" : state}`,
      what: state === "none" ? "unprotect markers" : `unprotect ${state}`,
      pages,
      ours: { prepare: () => subject.protect(), run: () => subject.unprotect(), check: unprotected },
      twin: {
        prepare: () => twin.protect(FIRST_PAGE, pages),
        run: () => twin.unprotect(FIRST_PAGE, pages),
        check: () => expectEqual(twin.count(FIRST_PAGE, pages).protected, 0, "protected pages"),
      },
    },
  ];
}

/** Number of tables that so many pages need, in plain JavaScript's numbering. */
export function tablesFor(pages: number): number {
  return Math.ceil(pages / 512) + Math.ceil(pages / 2 ** 18) + 8;
}

/** An address space with one registered mapping. */
class Subject {
  readonly space: AddressSpace;
  readonly #uffd: Userfaultfd;
  readonly #pages: number;

  constructor(engine: Engine, pages: number) {
    this.space = new AddressSpace(engine);
    this.space.mmap({ at: FIRST_PAGE * PAGE_SIZE, length: pages * PAGE_SIZE });
    this.#uffd = Userfaultfd.open(this.space, { features: ["wp-unpopulated"] });
    this.#uffd.register(FIRST_PAGE * PAGE_SIZE, pages * PAGE_SIZE, ["wp"]);
    this.#pages = pages;
  }

  fill(state: State): void {
    if (state === "present") this.space.madvise(FIRST_PAGE * PAGE_SIZE, this.#pages * PAGE_SIZE, "populate-write");
    if (state === "mixed") this.space.replay(mixedRecords(this.#pages), { value: 1 });
  }

  protect(): void {
    this.#uffd.writeProtect(FIRST_PAGE * PAGE_SIZE, this.#pages * PAGE_SIZE);
  }

  unprotect(): void {
    this.#uffd.removeWriteProtection(FIRST_PAGE * PAGE_SIZE, this.#pages * PAGE_SIZE);
  }

  /** Entries that are protected now, by what the counters say was armed and disarmed. */
  protectedPages(): number {
    const { armedNone, armedPage, armedZeroPage, disarmedMarker, disarmedPage, disarmedZeroPage } =
      this.space.counters();
    return armedNone + armedPage + armedZeroPage - disarmedMarker - disarmedPage - disarmedZeroPage;
  }

  /** Unprotecting counts a writable page that stays as it is as not changed, so all entries are protected when the numbers meet. */
  expectProtected(pages: number): void {
    expectEqual(this.protectedPages(), pages, "protected entries");
  }
}

function fillTwin(twin: TwinSpace, pages: number, state: State): void {
  if (state === "present") twin.populate(FIRST_PAGE, pages, 1);
  if (state === "mixed") twin.replay(mixedRecords(pages), 1);
}

/** Accesses after which a third of the pages each is none, read, written; at random, so that no branch can be predicted. */
function mixedRecords(pages: number): Uint32Array {
  const random = new Random(1);
  const records = new Uint32Array(2 * pages);
  let length = 0;
  for (let page = FIRST_PAGE; page < FIRST_PAGE + pages; page++) {
    const kind = random.below(3);
    if (kind === 0) continue;
    records[length++] = page;
    records[length++] = Math.floor(page / 2 ** 32) | (kind === 2 ? ACCESS_WRITE : 0);
  }
  return records.subarray(0, length);
}
