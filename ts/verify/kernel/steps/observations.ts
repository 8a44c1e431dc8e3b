import { PAGE_SIZE } from "../../../base/pages.js";
import { CATEGORIES, type Category } from "../../../mm/pagemap-scan.js";
import type { PagemapRun, ScanRun } from "../../../scenario/document.js";
import { bitsOf } from "../../../uffd/features.js";
import type { DocumentNames } from "../document-names.js";
import { MAX_REGIONS, type Words } from "../protocol.js";
import { bitNames, failure } from "../results.js";
import type { Planned, StepOf } from "./step.js";

/** Bits 55 to 63 of a word of /proc/PID/pagemap. */
const PAGEMAP_FLAGS = ["soft-dirty", "exclusive", "uffd-wp", "guard", null, null, "file", "swapped", "present"];
const SCAN_FLAGS = ["wp-matching", "check-wpasync"] as const;
const DEFAULT_VECTOR_LENGTH = 4096;

export function planPagemap(step: StepOf<"pagemap">, names: DocumentNames): Planned {
  const { start, length } = names.range(step.range);
  const firstPage = Math.floor(start / PAGE_SIZE);
  const pages = Math.ceil((start + length) / PAGE_SIZE) - firstPage;
  const args = [firstPage * PAGE_SIZE, pages];
  return { operation: "pagemap", args, read: (words) => failure(words) ?? { runs: pagemapRuns(words) } };
}

function pagemapRuns(words: Words): PagemapRun[] {
  const runs: PagemapRun[] = [];
  let page = 0;
  for (let i = 1; i < words.length; i += 2) {
    const end = page + words.number(i);
    runs.push({ pages: [page, end], flags: bitNames(words.low(i + 1), PAGEMAP_FLAGS) });
    page = end;
  }
  return runs;
}

export function planScan(step: StepOf<"pagemap-scan">, names: DocumentNames): Planned {
  const { start, length } = names.range(step.range);
  const sets = (["inverted", "mask", "anyof", "return"] as const).map((key) => categoryBits(step[key] ?? [], key));
  const vectorLength = Math.min(step.vecLen ?? DEFAULT_VECTOR_LENGTH, MAX_REGIONS);
  const flags = bitsOf(step.flags ?? [], SCAN_FLAGS, "flags");
  return {
    operation: "scan",
    args: [start, start + length, flags, ...sets, step.maxPages ?? 0, vectorLength],
    read: (words, places) =>
      failure(words) ?? {
        found: words.number(1),
        walkEnd: places.placeText(words.number(2)),
        regions: scanRuns(words, start),
      },
  };
}

function categoryBits(names: readonly Category[], field: string): number {
  return bitsOf(names, CATEGORIES, field);
}

function scanRuns(words: Words, start: number): ScanRun[] {
  const runs: ScanRun[] = [];
  for (let i = 3; i < words.length; i += 3) {
    const [from, to] = [words.number(i), words.number(i + 1)].map((end) => (end - start) / PAGE_SIZE) as [
      number,
      number,
    ];
    runs.push({ pages: [from, to], categories: bitNames(words.low(i + 2), CATEGORIES) });
  }
  return runs;
}

export function planStat(): Planned {
  return {
    operation: "stat",
    args: [],
    read: (words) => {
      const [tables, anon, file, shmem, swap] = [1, 2, 3, 4, 5].map((i) => words.signed(i)) as Usage;
      return failure(words) ?? { tables, anon, file, shmem, swap };
    },
  };
}

type Usage = [number, number, number, number, number];
