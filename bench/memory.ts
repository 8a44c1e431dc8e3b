import { PAGE_SIZE } from "../ts/base/pages.js";
import { Random } from "../ts/base/random.js";
import { expectEqual } from "./harness.js";
import type { MemoryResult } from "./results.js";
import { type MakeEngine, recordsFor, Subject, writeAll } from "./subject.js";

const TIB = 2 ** 40;
const MILLION = 2 ** 20;
const SHARE_TOUCHED = 0.01;

/** Measures the linear memory that guests take, all that an engine needs included. */
export function measureMemory(makeEngine: MakeEngine): MemoryResult[] {
  const guestPages = TIB / PAGE_SIZE;
  return [
    touched(makeEngine, "memory-1m-pages", "1 Mi pages, all written", MILLION, (subject) => {
      subject.replay(writeAll(subject.firstPage, MILLION));
      return MILLION;
    }),
    touched(makeEngine, "memory-1t-1pct", "1 TiB armed, 1 % of its pages written at random", guestPages, (subject) => {
      const random = new Random(1);
      const pages = new Set<number>();
      while (pages.size < guestPages * SHARE_TOUCHED) pages.add(random.below(guestPages));
      subject.replay(recordsFor(subject.firstPage, pages, "write"));
      return pages.size;
    }),
  ];
}

function touched(
  makeEngine: MakeEngine,
  id: string,
  title: string,
  pages: number,
  touch: (subject: Subject) => number,
): MemoryResult {
  const engine = makeEngine("templates");
  const subject = new Subject(engine, pages);
  subject.protect();
  const touchedPages = touch(subject);
  expectEqual(subject.counters().anonPages, touchedPages, "pages that are there");
  const { tableBytes } = subject.space.status();
  return { id, title, touchedPages, tableBytes, memoryBytes: engine.memoryBytes };
}
