import { formatBytes, hex, PAGE_LIMIT, PAGE_SIZE } from "../base/pages.js";
import type { Protection } from "../mm/vma.js";

/** A mapping of a simulated process. */
export interface LayoutMapping {
  readonly firstPage: number;
  readonly pageCount: number;
  readonly protection: Protection;
}

/** How the addresses of a trace become the mappings of a process. */
export interface Layout {
  /** In words, for the report. */
  readonly description: string;
  /** In ascending order, without overlap. */
  readonly mappings: readonly LayoutMapping[];
}

const AREA_PAGES = 512;
/** Where simulated RAM is mapped. */
export const RAM_FIRST_PAGE: number = 0x100000000000 / PAGE_SIZE;

/**
 * Returns the mappings of a trace that says nothing about them: every aligned 2 MiB area in which it touches a page is mapped, so there are pages
 * beside the touched ones that nobody ever touches, as in real heaps and stacks. `pages` are distinct and ascending.
 */
export function layoutAroundPages(pages: Float64Array): Layout {
  const mappings: LayoutMapping[] = [];
  let first = -1;
  let end = -1;
  for (const page of pages) {
    const area = page - (page % AREA_PAGES);
    if (area > end) {
      if (first >= 0) mappings.push({ firstPage: first, pageCount: end - first, protection: "rw" });
      first = area;
    }
    end = Math.max(end, Math.min(area + AREA_PAGES, PAGE_LIMIT));
  }
  if (first >= 0) mappings.push({ firstPage: first, pageCount: end - first, protection: "rw" });
  return { description: "every 2 MiB area that the trace touches", mappings };
}

/** Returns one mapping of `bytes`, rounded down to pages: the RAM of a guest. @throws RangeError for less than a page or too much. */
export function layoutRam(bytes: number): Layout {
  const pageCount = Math.floor(bytes / PAGE_SIZE);
  if (!(pageCount >= 1 && RAM_FIRST_PAGE + pageCount <= PAGE_LIMIT)) {
    throw new RangeError(
      `"ram" expected 4K to ${formatBytes((PAGE_LIMIT - RAM_FIRST_PAGE) * PAGE_SIZE)}, got ${bytes} bytes`,
    );
  }
  const description = `${formatBytes(pageCount * PAGE_SIZE)} of RAM at ${hex(RAM_FIRST_PAGE * PAGE_SIZE)}`;
  return { description, mappings: [{ firstPage: RAM_FIRST_PAGE, pageCount, protection: "rw" }] };
}

/**
 * Reads the mappings of a process from the text of its /proc/PID/maps. All are taken for anonymous private memory with the permissions that
 * the line gives; lines above user space (vsyscall) are left out.
 * @throws RangeError that names the line and what was expected.
 */
export function layoutFromMaps(text: string, file: string): Layout {
  const mappings: LayoutMapping[] = [];
  text.split("\n").forEach((line, index) => {
    if (line.trim() === "") return;
    const mapping = parseMapsLine(line, `${file}:${index + 1}`);
    if (mapping === null) return;
    const last = mappings.at(-1);
    if (last !== undefined && mapping.firstPage < last.firstPage + last.pageCount) {
      throw new RangeError(`${file}:${index + 1}: expected mappings in ascending order without overlap`);
    }
    mappings.push(mapping);
  });
  if (mappings.length === 0) throw new RangeError(`${file}: expected lines of /proc/PID/maps, found none`);
  return { description: `the mappings of ${file}, as anonymous memory`, mappings };
}

/** Returns how many pages a layout maps. */
export function pagesOf(layout: Layout): number {
  return layout.mappings.reduce((sum, mapping) => sum + mapping.pageCount, 0);
}

function parseMapsLine(line: string, where: string): LayoutMapping | null {
  const match = /^([0-9a-f]{1,16})-([0-9a-f]{1,16}) ([r-])([w-])[x-][ps] /.exec(`${line} `);
  const [first, end] = [parseInt(match?.[1] ?? "", 16) / PAGE_SIZE, parseInt(match?.[2] ?? "", 16) / PAGE_SIZE];
  if (match === null || !Number.isInteger(first) || !Number.isInteger(end) || end <= first) {
    const found = JSON.stringify(line.slice(0, 60));
    throw new RangeError(`${where}: expected "START-END rwxp …" as in /proc/PID/maps, found ${found}`);
  }
  if (end > PAGE_LIMIT) return null;
  const readOnly = match[3] === "r" ? "r" : "none";
  return { firstPage: first, pageCount: end - first, protection: match[4] === "w" ? "rw" : readOnly };
}
