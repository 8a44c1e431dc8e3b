import type { Scenario, Step } from "../../scenario/document.js";
import * as v from "./vocabulary.js";
import type { Memory } from "./vocabulary.js";

/** What uffd-unit-tests.c and uffd-wp-mremap.c do about write protection: forks, markers, moves, and what ends it. */
export function protectionCases(): Scenario[] {
  const pageout: v.Machine = { swapPages: 512 };
  return [
    ...v.forEach(v.MEMORIES, "wp-fork", "A child without fork events has no protection.", (m) => forks(m, [])),
    ...v.forEach(v.MEMORIES, "wp-fork-event", "With them, it has.", (m) => forks(m, ["event-fork"])),
    v.selftest("wp-fork-paged-out", "The same for a page that is in swap.", pageout, swappedFork([])),
    v.selftest("wp-fork-event-paged-out", "With fork events.", pageout, swappedFork(["event-fork"])),
    ...v.forEach(v.MEMORIES, "wp-unpopulated", "Markers come, are seen, and go in every way.", unpopulated),
    ...v.forEach(v.MEMORIES, "wp-mremap", "A protected mapping moves; nobody asked for events.", (m) =>
      remapped(m, []),
    ),
    ...v.forEach(v.MEMORIES, "wp-mremap-event", "With remap events.", (m) => remapped(m, ["event-remap"])),
    ...v.forEach(v.MEMORIES, "wp-ends", "Unregistering and closing end it, also for who waits.", ends),
    ...v.forEach(v.SMALL, "wp-mprotect", "Rights that are taken and given back leave it.", mprotected),
    v.selftest("wp-huge", "A huge page is protected whole and in part.", { thp: "madvise" }, huge()),
    v.selftest("wp-huge-mremap", "A protected huge page moves.", { thp: "madvise" }, hugeRemapped()),
    v.selftest("wp-no-access", "An area without access is protected, then cut in pieces with rights.", {}, noAccess()),
  ];
}

type Features = readonly ("event-fork" | "event-remap")[];

function forks(memory: Memory, features: Features): Step[] {
  return [
    v.map("area", memory, 3),
    v.open("fd", [...v.WP_FEATURES, ...features]),
    v.register("fd", "area", "wp"),
    { op: "write", at: v.page("area", memory, 0), value: 3 },
    v.protect("fd", v.pages("area", memory, 0, 2)),
    { op: "fork", as: "one" },
    v.pagemap("area"),
    ...v.inProcess("one", v.pagemap("area"), { op: "exit" }),
    v.advise("area", "dontneed"),
    { op: "fork", as: "two" },
    v.pagemap("area"),
    ...v.inProcess("two", v.pagemap("area"), v.touch("area", "write", memory, 8), v.LOOK),
    v.unprotect("fd", "area"),
    v.pagemap("area"),
    v.touch("area", "write", memory, 9),
    v.pagemap("area"),
    v.LOOK,
  ];
}

function swappedFork(features: Features): Step[] {
  return [
    { op: "mmap", as: "area", pages: 6 },
    v.open("fd", [...v.WP_FEATURES, ...features]),
    v.register("fd", "area", "wp"),
    { op: "touch", range: "area[0..4]", access: "write", value: 40 },
    v.protect("fd", "area[0..2]"),
    v.advise("area", "pageout"),
    v.pagemap("area"),
    { op: "fork", as: "child" },
    ...v.inProcess("child", v.pagemap("area"), v.touch("area", "read", v.ANON), v.pagemap("area"), v.LOOK),
    v.touch("area[0..3]", "write", v.ANON, 50),
    v.unprotect("fd", "area"),
    v.pagemap("area"),
    v.LOOK,
  ];
}

function unpopulated(memory: Memory): Step[] {
  const first = v.pages("area", memory, 0);
  return [
    v.map("area", memory, 3),
    v.open("fd", v.WP_FEATURES),
    v.register("fd", "area", "wp"),
    v.protect("fd", first),
    v.pagemap("area"),
    v.unprotect("fd", first),
    v.pagemap("area"),
    v.protect("fd", first),
    v.advise("area", "dontneed"),
    v.pagemap("area"),
    v.protect("fd", "area"),
    { op: "read", at: v.page("area", memory, 0) },
    v.pagemap("area"),
    { op: "write", at: v.page("area", memory, 1), value: 2 },
    v.pagemap("area"),
    v.advise("area", "dontneed"),
    v.pagemap("area"),
    v.touch("area", "write", memory, 5),
    v.LOOK,
  ];
}

function remapped(memory: Memory, features: Features): Step[] {
  return [
    v.map("area", memory, 3),
    v.open("fd", [...v.WP_FEATURES, ...features]),
    v.register("fd", "area", "wp"),
    v.touch(v.pages("area", memory, 0, 2), "write", memory, 9),
    v.protect("fd", "area"),
    v.pagemap("area"),
    { op: "mremap", range: "area", pages: 3 * memory.unit, move: true, as: "there" },
    v.pagemap("there"),
    // where protection stays without a registration, a write to a huge page of the pool never ends
    ...(memory.unit > 1 && features.length === 0 ? [] : [v.touch("there", "write", memory, 19)]),
    v.pagemap("there"),
    v.LOOK,
  ];
}

function ends(memory: Memory): Step[] {
  const [first, second] = [v.pages("area", memory, 0), v.pages("area", memory, 1)];
  return [
    v.map("area", memory, 4),
    v.open("fd", v.WP_FEATURES, v.SILENT),
    v.register("fd", "area", "wp"),
    v.touch(v.pages("area", memory, 0, 2), "write", memory, 1),
    v.protect("fd", "area"),
    { op: "write", at: v.page("area", memory, 0), value: 7, as: "early" },
    { op: "write", at: v.page("area", memory, 1), value: 8, as: "late" },
    { op: "wake", uffd: "fd", range: first },
    { op: "unregister", uffd: "fd", range: first },
    { op: "resume", thread: "early" },
    v.pagemap("area"),
    { op: "close", uffd: "fd" },
    { op: "resume", thread: "late" },
    v.pagemap("area"),
    { op: "read", at: second.replace(/\.\.\d+/, "") },
    v.LOOK,
  ];
}

function mprotected(memory: Memory): Step[] {
  return [
    v.map("area", memory, 6),
    v.open("fd", v.WP_FEATURES, v.SILENT),
    v.register("fd", "area", "wp"),
    v.touch(v.pages("area", memory, 0, 3), "write", memory, 1),
    v.protect("fd", "area"),
    { op: "mprotect", range: v.pages("area", memory, 1, 5), prot: "none" },
    v.pagemap("area"),
    { op: "mprotect", range: v.pages("area", memory, 2, 4), prot: "r" },
    { op: "read", at: v.page("area", memory, 2) },
    { op: "mprotect", range: "area", prot: "rw" },
    v.pagemap("area"),
    { op: "write", at: v.page("area", memory, 4), value: 4, as: "writer" },
    v.unprotect("fd", "area"),
    { op: "resume", thread: "writer" },
    v.LOOK,
  ];
}

function huge(): Step[] {
  return [
    { op: "mmap", as: "area", pages: 1536 },
    v.advise("area", "hugepage"),
    { op: "touch", range: "area[0..1024]", access: "write", value: 1, stride: 512 },
    v.open("fd", v.WP_FEATURES),
    v.register("fd", "area", "wp"),
    v.protect("fd", "area[0..512]"),
    v.pagemap("area"),
    { op: "write", at: "area[77]", value: 2 },
    v.protect("fd", "area[600..700]"),
    v.pagemap("area"),
    v.protect("fd", "area[1024..1536]"),
    { op: "write", at: "area[1200]", value: 3 },
    v.pagemap("area"),
    v.LOOK,
  ];
}

function hugeRemapped(): Step[] {
  return [
    { op: "mmap", as: "area", pages: 1024 },
    v.advise("area", "hugepage"),
    { op: "touch", range: "area", access: "write", value: 1, stride: 512 },
    v.open("fd", [...v.WP_FEATURES, "event-remap"]),
    v.register("fd", "area", "wp"),
    v.protect("fd", "area"),
    { op: "mremap", range: "area", pages: 1024, move: true, as: "there" },
    v.pagemap("there"),
    { op: "write", at: "there[5]", value: 2 },
    v.pagemap("there"),
    v.LOOK,
  ];
}

function noAccess(): Step[] {
  return [
    { op: "mmap", as: "area", pages: 16, prot: "none" },
    v.open("fd", v.ASYNC_FEATURES),
    v.register("fd", "area", "wp"),
    v.protect("fd", "area"),
    { op: "mprotect", range: "area[0..4]", prot: "rw" },
    { op: "mprotect", range: "area[6..9]", prot: "r" },
    { op: "mprotect", range: "area[12..14]", prot: "rw" },
    v.take("area[0..10]"),
    v.take("area"),
    { op: "touch", range: "area[0..2]", access: "write" },
    { op: "touch", range: "area[6..8]", access: "read" },
    v.take("area"),
    v.pagemap("area"),
    v.LOOK,
  ];
}
