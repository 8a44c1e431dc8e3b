import type { Scenario, Step } from "../../scenario/document.js";
import * as v from "./vocabulary.js";
import type { Memory, Mode } from "./vocabulary.js";

const MODE_SETS: readonly (readonly Mode[])[] = [
  [],
  ["minor"],
  ["missing"],
  ["missing", "minor"],
  ["wp"],
  ["wp", "minor"],
  ["missing", "wp"],
  ["missing", "wp", "minor"],
];

type HugePages = "hugepage" | "nohugepage";

/** What uffd-unit-tests.c does about missing pages, fills, minor faults, moves, signals, events and poison. */
export function userfaultfdCases(): Scenario[] {
  return [
    ...v.forEach(v.MEMORIES, "registers", "Each set of modes on one page, and what the range then allows.", registers),
    ...v.forEach(v.MEMORIES, "zeros", "A page of zeros where none is, then where it is.", zeros),
    ...v.forEach(v.MEMORIES, "copies", "Copies that wake, that do not, that stop at a page, and that protect.", copies),
    ...v.forEach(
      v.ALIASED,
      "minor",
      "Pages of the object that this mapping does not have: one minor fault each.",
      minor,
    ),
    ...v.forEach(v.ALIASED, "minor-wp", "The same with pages that come protected.", minorProtected),
    ...v.forEach(v.MEMORIES, "signals", "A signal for each missing page, also in a child; no messages.", signals),
    ...v.forEach(v.MEMORIES, "signals-wp", "A signal for each write to a protected page.", protectedSignals),
    ...v.forEach(v.SMALL, "events", "A child touches half, moves, touches the rest, drops all.", (m) =>
      events(m, false),
    ),
    ...v.forEach(v.MEMORIES, "events-wp", "The same, protected.", (m) => events(m, true)),
    ...v.forEach(
      v.MEMORIES,
      "poison",
      "Even pages are poisoned, odd ones copied: signals for the poisoned ones.",
      poison,
    ),
    ...moves(),
    ...collapses(),
  ];
}

function registers(memory: Memory): Step[] {
  const range = v.pages("area", memory, 1);
  const features = ["missing-hugetlbfs", "missing-shmem", "minor-hugetlbfs", "minor-shmem"] as const;
  return [
    v.map("area", memory, 3),
    v.open("fd", [...features, "pagefault-flag-wp", "wp-hugetlbfs-shmem"]),
    ...MODE_SETS.flatMap((modes): Step[] => [
      v.register("fd", range, ...modes),
      { op: "unregister", uffd: "fd", range },
    ]),
  ];
}

function zeros(memory: Memory): Step[] {
  return [
    v.map("area", memory, 3),
    v.open("fd", [], v.SILENT),
    v.register("fd", "area", "missing"),
    { op: "zeropage", uffd: "fd", range: v.pages("area", memory, 1) },
    { op: "zeropage", uffd: "fd", range: v.pages("area", memory, 1) },
    { op: "zeropage", uffd: "fd", range: "area" },
    v.pagemap("area"),
    { op: "read", at: v.page("area", memory, 1) },
    { op: "write", at: v.page("area", memory, 1), value: 9 },
    v.LOOK,
  ];
}

function copies(memory: Memory): Step[] {
  const copy = (from: number, to: number, rest: { wp?: boolean; dontwake?: boolean } = {}): Step => {
    return { op: "copy", uffd: "fd", range: v.pages("area", memory, from, to), value: 30, ...rest };
  };
  return [
    v.map("area", memory, 4),
    v.open("fd", v.WP_FEATURES, v.SILENT),
    v.register("fd", "area", "missing", "wp"),
    { op: "read", at: v.page("area", memory, 2), as: "reader" },
    copy(2, 3, { dontwake: true }),
    { op: "resume", thread: "reader" },
    { op: "wake", uffd: "fd", range: v.pages("area", memory, 2) },
    { op: "resume", thread: "reader" },
    copy(0, 4),
    copy(0, 4),
    copy(3, 4, { wp: true }),
    { op: "write", at: v.page("area", memory, 3), value: 4, as: "writer" },
    v.pagemap("area"),
    v.unprotect("fd", "area"),
    { op: "resume", thread: "writer" },
    v.LOOK,
  ];
}

function minor(memory: Memory): Step[] {
  return [
    v.map("object", memory, 4),
    v.alias("window", "object", memory, 4),
    v.open("fd", ["minor-hugetlbfs", "minor-shmem"]),
    v.register("fd", "window", "minor"),
    v.touch("object", "write", memory, 60),
    v.touch("window", "read", memory),
    { op: "continue", uffd: "fd", range: v.pages("window", memory, 1) },
    { op: "read", at: v.page("window", memory, 3) },
    v.touch("window", "write", memory, 61),
    { op: "read", at: v.page("object", memory, 2) },
    v.pagemap("window"),
    v.LOOK,
  ];
}

function minorProtected(memory: Memory): Step[] {
  const first = v.pages("window", memory, 0);
  return [
    v.map("object", memory, 3),
    v.alias("window", "object", memory, 3),
    v.open("fd", [...v.WP_FEATURES, "minor-hugetlbfs", "minor-shmem"], { minor: "none", wp: "none" }),
    v.register("fd", "window", "minor", "wp"),
    v.touch("object", "write", memory, 70),
    { op: "read", at: v.page("window", memory, 0), as: "reader" },
    { op: "continue", uffd: "fd", range: first, wp: true },
    { op: "resume", thread: "reader" },
    v.pagemap("window"),
    { op: "write", at: v.page("window", memory, 0), value: 1, as: "writer" },
    v.unprotect("fd", first),
    { op: "resume", thread: "writer" },
    v.protect("fd", "window"),
    v.pagemap("window"),
    v.touch("object", "read", memory),
    v.LOOK,
  ];
}

function signals(memory: Memory): Step[] {
  return [
    v.map("area", memory, 3),
    v.open("fd", ["sigbus", "event-fork"]),
    v.register("fd", "area", "missing"),
    v.touch("area", "read", memory),
    { op: "copy", uffd: "fd", range: v.pages("area", memory, 0, 2), value: 5 },
    v.touch("area", "write", memory, 6),
    { op: "fork", as: "child" },
    ...v.inProcess("child", v.touch("area", "write", memory, 7), v.pagemap("area")),
    v.advise("area", "dontneed"),
    v.touch("area", "read", memory),
    v.LOOK,
  ];
}

function protectedSignals(memory: Memory): Step[] {
  return [
    v.map("area", memory, 3),
    v.open("fd", ["sigbus", ...v.WP_FEATURES]),
    v.register("fd", "area", "missing", "wp"),
    { op: "copy", uffd: "fd", range: "area", value: 5, wp: true },
    v.touch("area", "read", memory),
    v.touch("area", "write", memory, 6),
    v.unprotect("fd", v.pages("area", memory, 1)),
    v.touch("area", "write", memory, 7),
    v.pagemap("area"),
    v.LOOK,
  ];
}

function events(memory: Memory, isProtected: boolean): Step[] {
  const modes: Mode[] = isProtected ? ["missing", "wp"] : ["missing"];
  const half = v.pages("area", memory, 0, 2);
  const moved: Step = { op: "mremap", range: "area", pages: 4 * memory.unit, move: true, as: "there" };
  return [
    v.map("area", memory, 4),
    v.open("fd", [...(isProtected ? v.WP_FEATURES : []), "event-fork", "event-remap", "event-remove", "event-unmap"]),
    v.register("fd", "area", ...modes),
    { op: "write", at: v.page("area", memory, 1), value: 1 },
    ...(isProtected ? [v.protect("fd", "area")] : []),
    { op: "fork", as: "child" },
    ...v.inProcess("child", v.touch(half, "write", memory, 3), v.pagemap("area"), moved, v.pagemap("there")),
    ...v.inProcess("child", v.touch("there", "read", memory), v.advise("there", "dontneed"), v.pagemap("there")),
    ...v.inProcess("child", v.touch("there", "write", memory, 8), { op: "munmap", range: "there" }, v.LOOK),
    v.pagemap("area"),
    v.touch("area", "read", memory),
    v.LOOK,
  ];
}

function poison(memory: Memory): Step[] {
  return [
    v.map("area", memory, 4),
    v.open("fd", ["poison"], v.SILENT),
    v.register("fd", "area", "missing"),
    ...[0, 2].map((n): Step => ({ op: "poison", uffd: "fd", range: v.pages("area", memory, n) })),
    ...[1, 3].map((n): Step => ({ op: "copy", uffd: "fd", range: v.pages("area", memory, n), value: 0 })),
    v.touch("area", "read", memory),
    { op: "copy", uffd: "fd", range: v.pages("area", memory, 0) },
    { op: "poison", uffd: "fd", range: "area" },
    v.pagemap("area"),
    { op: "fork", as: "child" },
    ...v.inProcess("child", v.touch("area", "write", memory, 4)),
    v.advise("area", "dontneed"),
    v.pagemap("area"),
    v.LOOK,
  ];
}

/** Two areas of two huge pages each, of which the first is written; huge pages are wanted in each or not. */
function moveAreas(source: HugePages, target: HugePages): Step[] {
  return [
    { op: "mmap", as: "source", pages: 1024 },
    { op: "mmap", as: "target", pages: 1024 },
    v.advise("source", source),
    v.advise("target", target),
    { op: "touch", range: "source", access: "write", stride: 256, value: 12 },
    v.open("fd", ["move"], v.SILENT),
    v.register("fd", "target", "missing"),
  ];
}

function move(range: string, from: string, rest: { allowSrcHoles?: boolean } = {}): Step[] {
  return [{ op: "move", uffd: "fd", range, from, ...rest }, v.pagemap("source"), v.pagemap("target"), v.LOOK];
}

function moves(): Scenario[] {
  const machine: v.Machine = { thp: "madvise" };
  const holes = { allowSrcHoles: true };
  return [
    v.selftest("moves", "Pages are moved one by one to where they are missing.", {}, [
      ...moveAreas("nohugepage", "nohugepage"),
      { op: "read", at: "target[0]", as: "reader" },
      ...move("target[0]", "source[0]"),
      { op: "resume", thread: "reader" },
      { op: "read", at: "source[0]" },
      ...move("target[256]", "source[256]"),
      ...move("target[256]", "source[512]"),
    ]),
    v.selftest("moves-holes", "Moves over pages that are not there.", {}, [
      ...moveAreas("nohugepage", "nohugepage"),
      ...move("target[0..3]", "source[0]"),
      ...move("target[4..300]", "source[4]", holes),
    ]),
    v.selftest("moves-huge", "Aligned and whole, a huge page stays one.", machine, [
      ...moveAreas("hugepage", "hugepage"),
      ...move("target[0..512]", "source[0]"),
      ...move("target[512..1024]", "source[512]", holes),
      { op: "touch", range: "target", access: "read", stride: 256 },
    ]),
    v.selftest("moves-huge-split", "To where huge pages are not wanted.", machine, [
      ...moveAreas("hugepage", "nohugepage"),
      ...move("target[0..512]", "source[0]"),
      ...move("target[700..702]", "source[600]", holes),
    ]),
    v.selftest("moves-huge-unaligned", "To a place that is not aligned, the huge page is split.", machine, [
      ...moveAreas("hugepage", "hugepage"),
      ...move("target[8..16]", "source[8]"),
      { op: "read", at: "target[9]" },
    ]),
  ];
}

function collapses(): Scenario[] {
  const steps: Step[] = [
    { op: "mmap", as: "object", pages: 512, kind: "shmem", sharing: "shared" },
    { op: "mmap", as: "window", pages: 512, source: "object", sharing: "shared" },
    v.open("fd", ["minor-shmem"]),
    v.register("fd", "window", "minor"),
    { op: "touch", range: "object", access: "write", value: 20 },
    { op: "touch", range: "window", access: "read", stride: 100 },
    v.advise("window", "collapse"),
    v.pagemap("object"),
    v.pagemap("window"),
    { op: "touch", range: "object", access: "read", stride: 64 },
    v.LOOK,
  ];
  const about = "After minor faults a shared mapping is collapsed, and what is in it stays.";
  return [v.selftest("minor-collapses", about, { shmemThp: "madvise" }, steps)];
}
