import type { Scenario, Step } from "../../scenario/document.js";
import * as v from "./vocabulary.js";
import type { Memory } from "./vocabulary.js";

const GUARDED: readonly Memory[] = [v.ANON, v.SHMEM, v.FILE, v.FILE_PRIVATE];

/** What guard-regions.c does. */
export function guardCases(): Scenario[] {
  return [
    ...v.forEach(GUARDED, "guards", "At both ends, then everywhere, then nowhere.", basic),
    ...v.forEach(GUARDED, "guards-dropped", "Dropping pages drops no guards.", dropped),
    ...v.forEach(GUARDED, "guards-cut", "Mappings with guards are cut, joined and unmapped.", cut),
    ...v.forEach(GUARDED, "guards-moved", "They move with their mapping, and go with what is cut off.", moved),
    ...v.forEach(GUARDED, "guards-fork", "A child has them, and takes away its own.", forked),
    v.selftest("guards-wipe", "A child of which the memory is wiped has none.", {}, wiped()),
    v.selftest(
      "guards-advice",
      "Free, cold and pageout leave them; populating stops there.",
      { swapPages: 512 },
      advised(),
    ),
    v.selftest("guards-gaps", "Over several mappings with gaps.", {}, gaps()),
    v.selftest("guards-holes", "A hole is punched under them.", {}, holes()),
    v.selftest("guards-huge", "In the middle of a huge page.", { thp: "madvise" }, huge()),
    v.selftest("guards-missing", "In a registered range they raise no message.", {}, registered(["missing"])),
    v.selftest("guards-protected", "Protection passes over them.", {}, registered(["wp"])),
  ];
}

function guard(range: string): Step {
  return v.advise(range, "guard-install");
}

function unguard(range: string): Step {
  return v.advise(range, "guard-remove");
}

function basic(memory: Memory): Step[] {
  return [
    v.map("area", memory, 10),
    v.touch("area", "write", memory, 1),
    guard("area[0]"),
    guard("area[9]"),
    v.touch("area", "read", memory),
    guard("area"),
    v.touch("area", "write", memory, 2),
    v.pagemap("area"),
    v.scan("area", { mask: ["guard"], return: ["guard", "present"] }),
    unguard("area[0..5]"),
    v.touch("area", "read", memory),
    unguard("area"),
    v.touch("area", "write", memory, 3),
    v.LOOK,
  ];
}

function dropped(memory: Memory): Step[] {
  return [
    v.map("area", memory, 8),
    v.touch("area", "write", memory, 1),
    ...[1, 4, 5].map((n) => guard(`area[${n}]`)),
    v.advise("area", "dontneed"),
    v.touch("area", "read", memory),
    v.pagemap("area"),
    unguard("area"),
    v.touch("area", "read", memory),
    v.LOOK,
  ];
}

function cut(memory: Memory): Step[] {
  return [
    v.map("area", memory, 12),
    guard("area[2..9]"),
    { op: "mprotect", range: "area[4..6]", prot: "r" },
    v.touch("area", "read", memory),
    { op: "mprotect", range: "area", prot: "rw" },
    { op: "munmap", range: "area[7..8]" },
    v.touch("area", "read", memory),
    { op: "mmap", as: "new", pages: 1, at: "area[7]" },
    v.touch("area", "write", memory, 4),
    unguard("area[3..7]"),
    v.touch("area", "write", memory, 5),
    v.pagemap("area"),
    v.LOOK,
  ];
}

function moved(memory: Memory): Step[] {
  return [
    v.map("area", memory, 6),
    v.touch("area", "write", memory, 1),
    guard("area[0]"),
    guard("area[4..6]"),
    { op: "mremap", range: "area", pages: 6, move: true, as: "there" },
    v.touch("there", "read", memory),
    v.pagemap("there"),
    { op: "mremap", range: "there", pages: 5 },
    v.pagemap("there"),
    { op: "mremap", range: "there[0..5]", pages: 6, move: true, as: "larger" },
    v.touch("larger", "write", memory, 2),
    v.LOOK,
  ];
}

function forked(memory: Memory): Step[] {
  return [
    v.map("area", memory, 6),
    v.touch("area", "write", memory, 1),
    guard("area[0..3]"),
    { op: "fork", as: "child" },
    ...v.inProcess("child", v.pagemap("area"), v.touch("area", "read", memory), unguard("area[0..2]")),
    ...v.inProcess("child", v.touch("area", "write", memory, 2), guard("area[5]"), v.pagemap("area"), v.LOOK),
    v.touch("area", "read", memory),
    v.pagemap("area"),
    v.LOOK,
  ];
}

function wiped(): Step[] {
  return [
    { op: "mmap", as: "area", pages: 6 },
    v.touch("area", "write", v.ANON, 1),
    guard("area[1..3]"),
    v.advise("area", "wipeonfork"),
    { op: "fork", as: "child" },
    ...v.inProcess("child", v.pagemap("area"), v.touch("area", "read", v.ANON)),
    v.advise("area", "keeponfork"),
    { op: "fork", as: "second" },
    ...v.inProcess("second", v.touch("area", "read", v.ANON)),
  ];
}

function advised(): Step[] {
  return [
    { op: "mmap", as: "area", pages: 8 },
    v.touch("area", "write", v.ANON, 1),
    guard("area[3]"),
    v.advise("area", "free"),
    v.pagemap("area"),
    v.advise("area", "cold"),
    v.advise("area", "pageout"),
    v.pagemap("area"),
    v.advise("area", "populate-read"),
    v.advise("area[4..8]", "populate-write"),
    v.pagemap("area"),
    v.LOOK,
  ];
}

function gaps(): Step[] {
  return [
    { op: "mmap", as: "area", pages: 20 },
    { op: "munmap", range: "area[5..8]" },
    { op: "munmap", range: "area[14..15]" },
    guard("area"),
    v.touch("area", "read", v.ANON),
    v.pagemap("area"),
    unguard("area"),
    v.touch("area", "write", v.ANON, 1),
    guard("area[8..14]"),
    v.pagemap("area"),
  ];
}

function holes(): Step[] {
  return [
    { op: "mmap", as: "area", pages: 10, kind: "shmem", sharing: "shared" },
    { op: "mmap", as: "window", pages: 10, source: "area", sharing: "shared" },
    v.touch("area", "write", v.SHMEM, 1),
    guard("area[3..6]"),
    v.advise("area[2..5]", "remove"),
    v.touch("area", "read", v.SHMEM),
    v.touch("window", "read", v.SHMEM),
    unguard("area"),
    v.touch("area", "read", v.SHMEM),
    v.LOOK,
  ];
}

function huge(): Step[] {
  return [
    { op: "mmap", as: "area", pages: 1024 },
    v.advise("area", "hugepage"),
    { op: "touch", range: "area", access: "write", stride: 512, value: 1 },
    guard("area[250..260]"),
    v.pagemap("area"),
    { op: "read", at: "area[255]" },
    { op: "write", at: "area[270]", value: 2 },
    unguard("area[250..260]"),
    { op: "read", at: "area[255]" },
    v.LOOK,
  ];
}

function registered(modes: v.Mode[]): Step[] {
  return [
    { op: "mmap", as: "area", pages: 6 },
    v.open("fd", v.WP_FEATURES),
    v.register("fd", "area", ...modes),
    guard("area[2..4]"),
    { op: "writeprotect", uffd: "fd", range: "area" },
    v.pagemap("area"),
    v.touch("area", "write", v.ANON, 5),
    v.pagemap("area"),
    unguard("area"),
    v.touch("area", "write", v.ANON, 6),
    v.LOOK,
  ];
}
