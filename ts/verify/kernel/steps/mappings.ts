import { PAGE_SIZE } from "../../../base/pages.js";
import type { Protection } from "../../../mm/vma.js";
import { type Backing, type DocumentNames, KINDS } from "../document-names.js";
import { NO_NUMBER } from "../protocol.js";
import { readOk } from "../results.js";
import type { Planned, StepOf } from "./step.js";

const PROTECTION_BITS: Readonly<Record<Protection, number>> = { none: 0, r: 1, rw: 3 };

/** madvise(2), from asm-generic/mman-common.h. */
const ADVICE_NUMBERS: Readonly<Record<StepOf<"madvise">["advice"], number>> = {
  dontneed: 4,
  free: 8,
  remove: 9,
  dontfork: 10,
  dofork: 11,
  hugepage: 14,
  nohugepage: 15,
  wipeonfork: 18,
  keeponfork: 19,
  cold: 20,
  pageout: 21,
  "populate-read": 22,
  "populate-write": 23,
  collapse: 25,
  "guard-install": 102,
  "guard-remove": 103,
};

const MREMAP_MAYMOVE = 1;
const MREMAP_FIXED = 2;
const MREMAP_DONTUNMAP = 4;

const HUGE_PAGE_SIZE: number = 2 ** 21;
/** Longer than any mapping can be; all that is longer is alike. */
const LONGEST_BYTES: number = 2 ** 52;

export function planMmap(step: StepOf<"mmap">, names: DocumentNames): Planned {
  const { as, pages, sharing = "private", prot = "rw", at, source, offset = 0 } = step;
  const start = at === undefined ? names.nextPlace() : names.place("at", at);
  const backing = source === undefined ? newBacking(step, names) : names.backing("source", source);
  const isNew = source === undefined && backing.object > 0;
  const mapping = names.addMapping(as, start, pages, backing);
  const args = [
    start,
    bytesOf(pages),
    PROTECTION_BITS[prot],
    Number(sharing === "shared"),
    KINDS.indexOf(backing.kind),
    backing.object,
    bytesOf(offset),
    isNew ? objectBytes(pages, backing) : NO_NUMBER,
  ];
  return { operation: "mmap", args, read: readOk, mapping };
}

function newBacking({ kind = "anon" }: StepOf<"mmap">, names: DocumentNames): Backing {
  return kind === "anon" ? { kind, object: 0 } : names.newObject(kind);
}

function objectBytes(pages: number, { kind }: Backing): number {
  const bytes = bytesOf(pages);
  return kind === "hugetlb" ? Math.ceil(bytes / HUGE_PAGE_SIZE) * HUGE_PAGE_SIZE : bytes;
}

function bytesOf(pages: number): number {
  return Math.min(pages * PAGE_SIZE, LONGEST_BYTES);
}

export function planMunmap(step: StepOf<"munmap">, names: DocumentNames): Planned {
  const { start, length } = names.range(step.range);
  return { operation: "munmap", args: [start, length], read: readOk };
}

export function planMprotect(step: StepOf<"mprotect">, names: DocumentNames): Planned {
  const { start, length } = names.range(step.range);
  return { operation: "mprotect", args: [start, length, PROTECTION_BITS[step.prot]], read: readOk };
}

export function planMadvise(step: StepOf<"madvise">, names: DocumentNames): Planned {
  const { start, length } = names.range(step.range);
  return { operation: "madvise", args: [start, length, ADVICE_NUMBERS[step.advice]], read: readOk };
}

export function planMremap(step: StepOf<"mremap">, names: DocumentNames): Planned {
  const { start, length } = names.range(step.range);
  const { pages, as, move = false, dontunmap = false } = step;
  const flags = (move ? MREMAP_MAYMOVE | MREMAP_FIXED : 0) | (dontunmap ? MREMAP_DONTUNMAP : 0);
  if (!move) return { operation: "mremap", args: [start, length, bytesOf(pages), flags, 0, 0], read: readOk };
  const backing = names.backingAt(start);
  const to = names.nextPlace();
  const mapping = names.addMapping(as ?? "", to, pages, backing);
  const isHuge = Number(backing.kind === "hugetlb");
  return { operation: "mremap", args: [start, length, bytesOf(pages), flags, to, isHuge], read: readOk, mapping };
}

export function planFork(step: StepOf<"fork">, names: DocumentNames): Planned {
  return { operation: "fork", args: [names.addProcess(step.as)], read: readOk };
}

export function planExit(): Planned {
  return { operation: "exit", args: [], read: readOk };
}
