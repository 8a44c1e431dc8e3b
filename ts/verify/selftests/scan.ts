import type { Scenario, Step } from "../../scenario/document.js";
import * as v from "./vocabulary.js";
import type { Memory } from "./vocabulary.js";

/** Private files and objects can be scanned as well as what the tests of userfaultfd use. */
const SCANNED: readonly Memory[] = [...v.MEMORIES, v.FILE, v.FILE_PRIVATE];

/** What pagemap_ioctl.c does, with fewer pages. */
export function scanCases(): Scenario[] {
  const huge: v.Machine = { thp: "madvise" };
  return [
    ...v.forEach(SCANNED, "scan-base", "Nothing written, all, all but the ends, one, two in the middle.", base),
    ...v.forEach(SCANNED, "scan-categories", "What pages are, before and after they are written.", categories),
    v.selftest("scan-arguments", "Empty ranges, results without room, flags, masks that are none.", {}, argumentsOf()),
    v.selftest("scan-alternate", "Every second page: a region each, in one scan and in parts.", {}, alternate()),
    v.selftest("scan-limits", "Limits of pages and of regions, and where the walk ends.", {}, limits()),
    v.selftest("scan-two-areas", "What is taken in one area stays in the other.", {}, twoAreas()),
    v.selftest("scan-masks", "Masks, any of them, and inverted ones.", {}, masks()),
    v.selftest("scan-mprotect", "Rights come and go around writes.", {}, mprotected()),
    v.selftest("scan-replaced", "A page in the middle is mapped again.", {}, replaced()),
    v.selftest("scan-unmapped", "A range in which nothing is mapped.", {}, unmapped()),
    v.selftest("scan-zeros", "Pages of zeros, small and huge.", huge, zeros()),
    v.selftest("scan-dropped", "Written and dropped is written.", {}, dropped([])),
    v.selftest("scan-dropped-huge", "The same with a huge page.", huge, dropped([v.advise("area", "hugepage")])),
    v.selftest("scan-huge", "Huge pages: whole, one byte, taken in halves.", huge, hugePages()),
    v.selftest("scan-huge-limits", "Limits that end within a huge page.", huge, hugeLimits()),
    v.selftest("scan-not-async", "Memory that is not registered, and that which waits for an answer.", {}, notAsync()),
  ];
}

/** Registers an area and protects all of it, as each of the tests starts. */
function armed(range = "area"): Step[] {
  return [v.open("fd", v.ASYNC_FEATURES), v.register("fd", range, "wp"), v.protect("fd", range)];
}

/** A protecting scan. Where a huge page of the pool has no table it would hang, so that all of them are read first. */
function take(range: string, memory: Memory): Step[] {
  return memory.unit > 1 ? [v.touch("area", "read", memory), v.take(range)] : [v.take(range)];
}

function base(memory: Memory): Step[] {
  return [
    v.map("area", memory, 6),
    ...armed(),
    ...take("area", memory),
    v.touch("area", "write", memory, 1),
    v.scan("area"),
    ...take("area", memory),
    v.touch(v.pages("area", memory, 1, 5), "write", memory, 2),
    ...take("area", memory),
    v.scan("area"),
    { op: "write", at: v.page("area", memory, 3), value: 3 },
    ...take("area", memory),
    v.touch(v.pages("area", memory, 2, 4), "write", memory, 4),
    ...take(v.pages("area", memory, 2, 4), memory),
    v.pagemap("area"),
    v.LOOK,
  ];
}

function categories(memory: Memory): Step[] {
  const all: Step = v.scan("area", {
    mask: [],
    return: ["wpallowed", "written", "file", "present", "swapped", "pfnzero", "huge"],
  });
  return [
    v.map("area", memory, 4),
    all,
    ...armed(),
    all,
    v.touch(v.pages("area", memory, 0, 2), "read", memory),
    all,
    v.touch(v.pages("area", memory, 1, 3), "write", memory, 1),
    all,
    v.advise("area", "dontneed"),
    all,
    v.LOOK,
  ];
}

function argumentsOf(): Step[] {
  const empty = { start: "area", length: 0 };
  return [
    { op: "mmap", as: "area", pages: 20 },
    ...armed(),
    { op: "pagemap-scan", range: empty, mask: ["written"], return: ["written"] },
    { op: "pagemap-scan", range: empty, mask: ["written"], return: ["written"], vecLen: 0 },
    v.scan("area", { vecLen: 0 }),
    v.take("area", { vecLen: 0 }),
    v.scan("area", { mask: [] }),
    v.scan("area", { return: [] }),
    v.scan("area", { return: [], anyof: ["written"] }),
    v.take("area", { mask: ["written", "present"], inverted: ["written", "present"] }),
    { op: "pagemap-scan", range: { start: "area[0]+1", length: 4096 }, mask: ["written"], return: ["written"] },
    { op: "pagemap-scan", range: { start: "area[2]", length: 100 }, mask: ["written"], return: ["written"] },
  ];
}

function alternate(): Step[] {
  return [
    { op: "mmap", as: "area", pages: 100 },
    ...armed(),
    { op: "touch", range: "area", access: "write", stride: 2 },
    v.scan("area"),
    v.take("area", { maxPages: 48 }),
    v.scan("area", { vecLen: 2 }),
    v.take("area"),
    { op: "touch", range: "area", access: "write", stride: 2 },
    { op: "write", at: "area[99]" },
    v.take("area", { maxPages: 50 }),
    v.take("area"),
    { op: "touch", range: "area", access: "write" },
    v.take("area[1..3]"),
    v.scan("area"),
  ];
}

function limits(): Step[] {
  return [
    { op: "mmap", as: "area", pages: 90 },
    ...armed(),
    { op: "touch", range: "area", access: "write" },
    ...[{}, { vecLen: 1 }, { maxPages: 90 }, { maxPages: 45 }, { maxPages: 1 }].map((rest) => v.scan("area", rest)),
    v.take("area"),
    { op: "touch", range: "area", access: "write", stride: 2 },
    ...[{ vecLen: 45 }, { vecLen: 1 }, { vecLen: 44 }, { maxPages: 1 }, { vecLen: 45, maxPages: 45 }].map((rest) =>
      v.scan("area", rest),
    ),
    ...[18, 18, 18].map((maxPages) => v.take("area", { maxPages })),
  ];
}

function twoAreas(): Step[] {
  return [
    { op: "mmap", as: "left", pages: 12 },
    { op: "mmap", as: "right", pages: 12 },
    v.open("fd", v.ASYNC_FEATURES),
    ...["left", "right"].flatMap((area) => [v.register("fd", area, "wp"), v.protect("fd", area)]),
    ...["left", "right"].map((range): Step => ({ op: "touch", range, access: "write" })),
    v.take("left"),
    v.scan("left"),
    v.scan("right"),
    v.LOOK,
  ];
}

function masks(): Step[] {
  const reported = ["written", "present", "swapped", "file"] as const;
  return [
    { op: "mmap", as: "area", pages: 12 },
    ...armed(),
    { op: "touch", range: "area[0..9]", access: "write" },
    { op: "touch", range: "area[9..11]", access: "read" },
    v.scan("area", { mask: [], anyof: ["written", "present", "swapped"], return: reported }),
    v.scan("area", { mask: ["written", "present"], return: reported }),
    v.scan("area", { mask: ["written"], anyof: ["present", "file"], return: reported }),
    v.scan("area", { mask: ["written"], inverted: ["written"], return: reported }),
    v.scan("area", { mask: ["present"], inverted: ["present"], return: reported }),
    v.scan("area", { mask: [], anyof: ["written", "pfnzero"], inverted: ["pfnzero"], return: reported }),
    v.take("area", { mask: ["written", "present"], return: ["written"] }),
    v.pagemap("area"),
  ];
}

function mprotected(): Step[] {
  return [
    { op: "mmap", as: "area", pages: 3 },
    ...armed(),
    v.advise("area", "populate-write"),
    v.scan("area"),
    v.take("area"),
    { op: "mprotect", range: "area[1]", prot: "r" },
    { op: "mprotect", range: "area[1]", prot: "rw" },
    v.scan("area"),
    { op: "write", at: "area[1]", value: 1 },
    { op: "mprotect", range: "area", prot: "r" },
    { op: "write", at: "area[0]", value: 1 },
    { op: "mprotect", range: "area", prot: "rw" },
    { op: "write", at: "area[2]", value: 1 },
    v.take("area"),
    v.LOOK,
  ];
}

function replaced(): Step[] {
  return [
    { op: "mmap", as: "area", pages: 4 },
    ...armed(),
    { op: "touch", range: "area", access: "write" },
    v.take("area"),
    { op: "munmap", range: "area[1]" },
    { op: "mmap", as: "new", pages: 1, at: "area[1]" },
    v.scan("area"),
    v.register("fd", "new", "wp"),
    v.protect("fd", "new"),
    v.scan("area"),
    { op: "touch", range: "area", access: "write" },
    v.take("area"),
    v.LOOK,
  ];
}

function unmapped(): Step[] {
  return [
    { op: "mmap", as: "area", pages: 8 },
    { op: "touch", range: "area", access: "write" },
    { op: "munmap", range: "area[2..5]" },
    v.scan("area[2..5]"),
    v.scan("area"),
    v.scan("area", { mask: [], return: ["present"] }),
    { op: "munmap", range: "area" },
    v.scan("area"),
  ];
}

function zeros(): Step[] {
  const pfnzero = { mask: ["pfnzero"], return: ["pfnzero", "present", "huge"] } as const;
  return [
    { op: "mmap", as: "area", pages: 10, prot: "r" },
    v.touch("area", "read", v.ANON),
    v.scan("area", pfnzero),
    { op: "mmap", as: "large", pages: 512 },
    v.advise("large", "hugepage"),
    { op: "read", at: "large[9]" },
    v.scan("large", pfnzero),
    { op: "write", at: "large[9]", value: 1 },
    v.scan("large", pfnzero),
    v.LOOK,
  ];
}

function dropped(advice: readonly Step[]): Step[] {
  return [
    { op: "mmap", as: "area", pages: 512 },
    ...advice,
    ...armed(),
    { op: "touch", range: "area", access: "write" },
    v.take("area"),
    { op: "write", at: "area[3]", value: 1 },
    v.advise("area", "dontneed"),
    v.scan("area"),
    v.scan("area", { mask: [], anyof: ["written"] }),
    v.pagemap("area"),
    v.LOOK,
  ];
}

function hugePages(): Step[] {
  return [
    { op: "mmap", as: "area", pages: 2048 },
    v.advise("area", "hugepage"),
    { op: "touch", range: "area", access: "write", stride: 512 },
    ...armed(),
    v.take("area"),
    v.scan("area"),
    { op: "touch", range: "area", access: "write", stride: 256 },
    v.take("area", { return: ["written", "huge"] }),
    { op: "write", at: "area[700]", value: 1 },
    v.take("area"),
    { op: "touch", range: "area", access: "write" },
    v.take("area[0..1024]"),
    v.scan("area"),
    v.take("area[1024..2048]"),
    v.LOOK,
  ];
}

function hugeLimits(): Step[] {
  return [
    { op: "mmap", as: "area", pages: 1024 },
    v.advise("area", "hugepage"),
    { op: "touch", range: "area", access: "write", stride: 512 },
    v.open("fd", v.ASYNC_FEATURES),
    v.register("fd", "area", "wp"),
    v.take("area", { maxPages: 512 }),
    v.scan("area"),
    v.take("area[512..1024]", { maxPages: 300, vecLen: 1 }),
    v.scan("area"),
    v.take("area[900..910]"),
    v.pagemap("area"),
    v.LOOK,
  ];
}

function notAsync(): Step[] {
  return [
    { op: "mmap", as: "area", pages: 6 },
    { op: "touch", range: "area[0..3]", access: "write" },
    v.scan("area"),
    v.take("area"),
    v.scan("area", { flags: ["wp-matching"] }),
    v.open("fd", v.WP_FEATURES),
    v.register("fd", "area", "wp"),
    v.protect("fd", "area[1..5]"),
    v.scan("area"),
    v.take("area"),
    v.scan("area", { flags: ["wp-matching"] }),
    v.pagemap("area"),
    v.LOOK,
  ];
}
