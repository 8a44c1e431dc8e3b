import { PAGE_SIZE } from "../base/pages.js";
import { SCAN_REGION_NUMBERS } from "../engine/engine.js";
import type { AddressSpace } from "../mm/address-space.js";
import type { Layout } from "./layout.js";

/** Contents of the pages of an address space at one moment: what a copy of its memory would hold. Pages that are not mapped hold 0, as the zero page does. */
export class MemoryContents {
  readonly #runs: readonly ContentRun[];

  private constructor(runs: readonly ContentRun[]) {
    this.#runs = runs;
  }

  /** Copies the contents of all pages of the layout's mappings. */
  static of(space: AddressSpace, layout: Layout): MemoryContents {
    const runs: ContentRun[] = [];
    for (const mapping of layout.mappings) {
      const end = mapping.firstPage + mapping.pageCount;
      for (let page = mapping.firstPage; page < end;) {
        const found = presentRuns(space, page, end);
        runs.push(...found.runs);
        page = found.next;
      }
    }
    return new MemoryContents(runs);
  }

  /** Yields, in ascending order, the pages whose content differs from what it was `before`. */
  *changedSince(before: MemoryContents): Generator<number, void, undefined> {
    const cursor = new ContentCursor(before.#runs);
    for (const { firstPage, words } of this.#runs) {
      for (let i = 0; i < words.length; i += 2) {
        const page = firstPage + i / 2;
        if (!cursor.holds(page, words[i] as number, words[i + 1] as number)) yield page;
      }
    }
  }
}

const OWN_PAGES = { mask: ["present", "pfnzero"], inverted: ["pfnzero"], return: ["present"] } as const;

const NEAR_PAGES = 512;

interface ContentRun {
  readonly firstPage: number;
  /** Two words a page, low first. */
  readonly words: Uint32Array;
}

/** Looks contents up by ascending page number. */
class ContentCursor {
  readonly #runs: readonly ContentRun[];
  #index = 0;

  constructor(runs: readonly ContentRun[]) {
    this.#runs = runs;
  }

  holds(page: number, low: number, high: number): boolean {
    let run = this.#runs[this.#index];
    while (run !== undefined && page >= run.firstPage + run.words.length / 2) run = this.#runs[++this.#index];
    if (run === undefined || page < run.firstPage) return low === 0 && high === 0;
    const at = 2 * (page - run.firstPage);
    return run.words[at] === low && run.words[at + 1] === high;
  }
}

/** Pages that may hold something: present and not the zero page. PAGEMAP_SCAN finds them and skips what has no page table. */
function presentRuns(space: AddressSpace, firstPage: number, endPage: number): { runs: ContentRun[]; next: number } {
  const range = { start: firstPage * PAGE_SIZE, end: endPage * PAGE_SIZE };
  const { raw, walkEnd } = space.pagemapScan({ ...range, ...OWN_PAGES, vectorLength: 512 });
  const runs = joinNear(raw).map(([first, end]) => {
    const contents = space.engine.readContents(space.handle, first, end - first);
    return { firstPage: first, words: new Uint32Array(contents.buffer) };
  });
  return { runs, next: walkEnd / PAGE_SIZE };
}

/** Joins runs that lie close together: reading the zeros between them costs less than keeping many small copies. */
function joinNear(regions: Float64Array): [number, number][] {
  const joined: [number, number][] = [];
  for (let i = 0; i < regions.length; i += SCAN_REGION_NUMBERS) {
    const [firstPage = 0, endPage = 0] = regions.subarray(i, i + 2);
    const last = joined.at(-1);
    if (last !== undefined && firstPage - last[1] <= NEAR_PAGES) last[1] = endPage;
    else joined.push([firstPage, endPage]);
  }
  return joined;
}
