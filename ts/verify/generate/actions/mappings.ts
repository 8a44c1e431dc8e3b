import { aim } from "../aim.js";
import { HUGE, pageOf } from "../places.js";
import type { Memory } from "../profile.js";
import { follow, forgetAll } from "../registrations.js";
import { focusOf, pagesText, type Mapping, type World } from "../world.js";

/** Near the borders of a 2 MiB and of a 1 GiB stretch, away from what an executor places by itself. */
const BORDER_PLACES = ["0x3000001fc000", "0x30003fffe000", "0x307fffffd000", "0x300000000000"];

/** Makes a mapping of new memory. */
export function map(world: World): void {
  const memory = world.choose.weighted(world.profile.memory);
  const size = world.choose.pick(world.profile.sizes);
  const pages = world.wild(0.02) ? 0 : memory.kind === "hugetlb" ? hugetlbSize(world) : size;
  add(world, memory, pages, undefined);
}

/** Maps an object once more: the whole, a part, or more than there is. */
export function mapAgain(world: World): void {
  const sources = world.mappings.filter(({ name }) => world.kindOf(name) !== "anon");
  if (sources.length === 0) {
    map(world);
    return;
  }
  const source = world.choose.pick(sources);
  const kind = world.kindOf(source.name);
  const unit = kind === "hugetlb" && !world.wild(0.2) ? HUGE : 1;
  const units = Math.max(1, Math.floor(source.pages / unit));
  const offset = world.choose.chance(0.5) ? 0 : world.choose.below(units);
  const pages = world.choose.chance(0.6) ? units - offset : 1 + world.choose.below(units + 1);
  const sharing = world.choose.pick(["shared", "shared", "private"] as const);
  add(world, { kind, sharing }, pages * unit, { mapping: source, offset: offset * unit });
}

function hugetlbSize(world: World): number {
  const pages = world.choose.pick(world.profile.isHuge ? [1, 1, 2, 3] : [1, 2]) * HUGE;
  return world.wild(0.1) ? pages - world.choose.pick([1, 511]) : pages;
}

function add(
  world: World,
  memory: Memory,
  pages: number,
  source: { readonly mapping: Mapping; readonly offset: number } | undefined,
): void {
  const at = placeFor(world, memory, pages);
  const proc = world.proc();
  const name = world.name("m");
  const prot = world.choose.chance(0.08) ? world.choose.pick(["r", "none", "r"] as const) : "rw";
  world.push({
    op: "mmap",
    ...world.of(proc),
    as: name,
    pages,
    ...(memory.kind === "anon" ? {} : { kind: memory.kind }),
    ...(memory.sharing === "private" ? {} : { sharing: memory.sharing }),
    ...(prot === "rw" ? {} : { prot }),
    ...(at === undefined ? {} : { at }),
    ...(source === undefined ? {} : { source: source.mapping.name }),
    ...(source === undefined || source.offset === 0 ? {} : { offset: source.offset }),
  });
  const start = world.startOf(name);
  const mapping: Mapping = {
    ...memory,
    name,
    pages,
    start,
    object: memory.kind === "anon" ? "" : (source?.mapping.object ?? name),
    focus: focusOf(world.choose, pages, start),
    procs: new Set([proc]),
    isGone: false,
  };
  world.mappings.push(mapping);
  world.touchedBy(proc, mapping);
}

/** Beside another mapping, with or without a gap, over a part of it, at a border of tables, or wherever the executor likes. */
function placeFor(world: World, memory: Memory, pages: number): string | undefined {
  const { choose } = world;
  const other = world.mappings.at(-1 - choose.below(Math.max(1, world.mappings.length)));
  const isHuge = memory.kind === "hugetlb";
  if (other === undefined || choose.chance(0.55)) {
    return !isHuge && choose.chance(0.15) ? choose.pick(BORDER_PLACES) : undefined;
  }
  if (!isHuge && world.wild(0.02)) return "0x3f0000000010";
  if (world.wild(0.1)) return `${other.name}[${choose.below(other.pages + 1)}]`;
  const unit = isHuge || world.profile.isHuge ? HUGE : 1;
  const end = Math.ceil(other.pages / unit) * unit;
  const gap = choose.chance(0.7) ? 0 : choose.below(3) * unit;
  // a start that a huge page cannot have is refused: rarely of use
  if (isHuge && pageOf(other.start) % HUGE !== 0) return undefined;
  return `${other.name}[${end + gap + (choose.chance(0.05) ? pages : 0)}]`;
}

/** Unmaps pages. */
export function munmap(world: World): void {
  const { proc, mapping, from, to, range } = aim(world);
  if (!world.push({ op: "munmap", ...world.of(proc), range })) return;
  forgetAll(world, proc, mapping, from, to);
  if (from === 0 && to >= mapping.pages && proc === "main") mapping.isGone = true;
  world.touchedBy(proc, mapping);
}

/** Changes the protection of pages; what was closed off is often opened again. */
export function mprotect(world: World): void {
  const { proc, mapping, range } = aim(world);
  const prot = world.choose.pick(["rw", "rw", "r", "none"] as const);
  world.push({ op: "mprotect", ...world.of(proc), range, prot });
  world.touchedBy(proc, mapping);
  if (prot === "none" && world.choose.chance(0.6)) world.push({ op: "mprotect", ...world.of(proc), range, prot: "rw" });
}

/** Gives advice about pages. */
export function advise(world: World): void {
  const { proc, mapping, range } = aim(world);
  const advice = world.choose.weighted(world.profile.advice);
  world.push({ op: "madvise", ...world.of(proc), range, advice });
  world.touchedBy(proc, mapping);
}

/** Moves, grows or shrinks a mapping or a part of one. */
export function mremap(world: World): void {
  const { proc, mapping, from, to, range } = aimForRemap(world);
  const length = Math.max(0, to - from);
  const unit = mapping.kind === "hugetlb" ? HUGE : 1;
  const move = world.choose.chance(0.65);
  const dontunmap = move && world.choose.chance(0.3);
  const pages = dontunmap && !world.wild(0.2) ? length : newLength(world, length, unit);
  const step = { op: "mremap", ...world.of(proc), range, pages, ...(dontunmap ? { dontunmap } : {}) } as const;
  if (!move) {
    // keeping everything in place is what a wrong combination of fields asks for
    const odd = world.wild(0.03) ? { dontunmap: true } : {};
    world.push({ ...step, ...odd });
    world.touchedBy(proc, mapping);
    return;
  }
  const name = world.name("m");
  if (!world.push({ ...step, move, as: name })) return;
  if (from === 0 && to >= mapping.pages && !dontunmap && proc === "main") mapping.isGone = true;
  const start = world.startOf(name);
  const moved = { ...mapping, name, pages, start, focus: focusOf(world.choose, pages, start), procs: new Set([proc]) };
  const target = { ...moved, isGone: false };
  world.mappings.push(target);
  follow(world, proc, mapping, from, target);
  if (!dontunmap) forgetAll(world, proc, mapping, from, to);
  world.touchedBy(proc, mapping);
}

/** A private hugetlb mapping is moved as a whole or not at all. */
function aimForRemap(world: World): ReturnType<typeof aim> {
  const found = aim(world);
  const { mapping } = found;
  if (mapping.kind !== "hugetlb" || mapping.sharing === "shared") return found;
  return { ...found, from: 0, to: mapping.pages, range: pagesText(mapping, 0, mapping.pages) };
}

function newLength(world: World, length: number, unit: number): number {
  const { choose } = world;
  if (choose.chance(0.55)) return length;
  if (world.wild(0.03)) return 0;
  const change = choose.between(1, 4) * unit;
  return choose.chance(0.5) ? length + change : Math.max(unit, length - change);
}
