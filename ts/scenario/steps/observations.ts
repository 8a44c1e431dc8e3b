import { PAGE_LIMIT, PAGE_SIZE } from "../../base/pages.js";
import type { AddressSpace } from "../../mm/address-space.js";
import { CATEGORIES, type PageRegion } from "../../mm/pagemap-scan.js";
import type { PagemapRun, ScanRun } from "../document.js";
import { attempt } from "../execution.js";
import type { Checked, StepFields } from "../plan.js";

/** Names of the bits 55 to 63 of a word of /proc/PID/pagemap, which are the bits 23 to 31 of its upper half. */
const PAGEMAP_FLAGS = ["soft-dirty", "exclusive", "uffd-wp", "guard", null, null, "file", "swapped", "present"];
const FLAGS_SHIFT = 23;
/** Pages whose words are read in one call. */
const CHUNK_PAGES = 1 << 16;
/** Regions that a scan may put out in one call. */
const MAX_VECTOR_LENGTH = 65536;

export function readPagemap(step: StepFields): Checked {
  const { start, length } = step.range();
  const firstPage = Math.floor(start / PAGE_SIZE);
  const pages = Math.ceil((start + length) / PAGE_SIZE) - firstPage;
  return { action: ({ space }) => ({ runs: pagemapRuns(space, firstPage, pages) }) };
}

export function readPagemapScan(step: StepFields): Checked {
  const { start, length } = step.range();
  const flags = step.get("flags").or([]).names(["wp-matching", "check-wpasync"]);
  const categories = (key: string): (typeof CATEGORIES)[number][] => step.get(key).or([]).names(CATEGORIES);
  const scan = {
    start,
    end: start + length,
    wpMatching: flags.includes("wp-matching"),
    checkWpAsync: flags.includes("check-wpasync"),
    inverted: categories("inverted"),
    mask: categories("mask"),
    anyOf: categories("anyof"),
    return: categories("return"),
    maxPages: step.get("maxPages").or(0).count(),
    vectorLength: Math.min(step.get("vecLen").or(4096).count(), MAX_VECTOR_LENGTH),
  };
  return {
    action: (execution) =>
      attempt(() => {
        const { regions, walkEnd } = execution.space.pagemapScan(scan);
        return {
          found: regions.length,
          walkEnd: execution.placeText(walkEnd),
          regions: regions.map((region) => scanRun(region, start)),
        };
      }),
  };
}

export function readStat(): Checked {
  return {
    action: ({ space }) => {
      const { tableBytes, anonPages, filePages, shmemPages, swapPages } = space.status();
      return { tables: tableBytes, anon: anonPages, file: filePages, shmem: shmemPages, swap: swapPages };
    },
  };
}

function scanRun(region: PageRegion, start: number): ScanRun {
  const pages = [(region.start - start) / PAGE_SIZE, (region.end - start) / PAGE_SIZE] as const;
  return { pages, categories: [...region.categories].sort() };
}

/** Runs of pages with the same flags. Words are read only where something is mapped: everywhere else they are 0. */
function pagemapRuns(space: AddressSpace, firstPage: number, pages: number): PagemapRun[] {
  const runs = new Runs();
  const end = Math.min(firstPage + pages, PAGE_LIMIT);
  for (const vma of space.vmas) {
    const to = Math.min(vma.endPage, end);
    for (let page = Math.max(vma.firstPage, firstPage); page < to; page += CHUNK_PAGES) {
      const words = space.pagemap(page * PAGE_SIZE, Math.min(CHUNK_PAGES, to - page));
      runs.skipTo(page - firstPage);
      runs.addWords(words);
    }
  }
  runs.skipTo(pages);
  return runs.done();
}

/** Runs under construction. */
class Runs {
  readonly #runs: PagemapRun[] = [];
  #from = 0;
  #end = 0;
  #flags = 0;

  /** Adds pages without flags up to a page. */
  skipTo(page: number): void {
    if (page > this.#end) this.#add(0, page - this.#end);
  }

  addWords(words: BigUint64Array): void {
    const halves = new Uint32Array(words.buffer, words.byteOffset, words.length * 2);
    for (let i = 1; i < halves.length; i += 2) this.#add((halves[i] ?? 0) >>> FLAGS_SHIFT, 1);
  }

  done(): PagemapRun[] {
    this.#endRun();
    return this.#runs;
  }

  #add(flags: number, pages: number): void {
    if (flags !== this.#flags) {
      this.#endRun();
      this.#flags = flags;
    }
    this.#end += pages;
  }

  #endRun(): void {
    if (this.#end > this.#from) this.#runs.push({ pages: [this.#from, this.#end], flags: flagNames(this.#flags) });
    this.#from = this.#end;
  }
}

function flagNames(flags: number): string[] {
  return PAGEMAP_FLAGS.filter((name, bit): name is string => name !== null && (flags & (1 << bit)) !== 0).sort();
}
