import type { RangeText } from "../../../scenario/document.js";
import { aimRegistered, focus, type Aim } from "../aim.js";
import { HUGE } from "../places.js";
import { pagesText, type Descriptor, type Mapping, type World } from "../world.js";
import { forkOf } from "./processes.js";

/** Fills pages: copies, zeroes, poisons, or maps what the object has already. */
export function fill(world: World): void {
  const target = aimRegistered(world);
  if (target === undefined) return;
  const { choose } = world;
  const { uffd, mapping, range } = target;
  const common = { uffd: uffd.name, range, ...(choose.chance(0.15) ? { dontwake: true } : {}) };
  const wp = choose.chance(0.3) ? { wp: true } : {};
  switch (choose.weighted(fillsOf(mapping))) {
    case "copy":
      world.push({ op: "copy", ...common, ...(choose.chance(0.4) ? { value: choose.below(1000) } : {}), ...wp });
      break;
    case "zeropage":
      world.push({ op: "zeropage", ...common });
      break;
    case "poison":
      world.push({ op: "poison", ...common });
      break;
    case "continue":
      if (choose.chance(0.6)) dropFromTables(world, target);
      world.push({ op: "continue", ...common, ...wp });
      break;
  }
  world.touchedBy(target.proc, mapping);
}

/** Leaves pages in the object of a mapping and takes them out of its table. */
function dropFromTables(world: World, { uffd, proc, range, from, to }: Aim & { readonly uffd: Descriptor }): void {
  const of = world.of(proc);
  if (world.choose.chance(0.5)) world.push({ op: "copy", uffd: uffd.name, range });
  else {
    const stride = world.strideFor(Math.max(0, to - from));
    world.push({ op: "touch", ...of, range, access: "write", ...(stride > 1 ? { stride } : {}) });
  }
  world.push({ op: "madvise", ...of, range, advice: "dontneed" });
}

function fillsOf({ kind, sharing }: Mapping): (readonly [number, "copy" | "zeropage" | "poison" | "continue"])[] {
  const isObject = kind !== "anon" || sharing === "shared";
  return [
    [4, "copy"],
    [kind === "hugetlb" ? 0.5 : 3, "zeropage"],
    [1.5, "poison"],
    [isObject ? 4 : 0.3, "continue"],
  ];
}

/** Moves pages to a registered place: from the same mapping or another that is like it. */
export function move(world: World): void {
  const target = aimRegistered(world, ({ mapping }) => isPlain(mapping) || world.wild(0.1));
  if (target === undefined) return;
  const { choose } = world;
  const { uffd, mapping, proc, from, to } = target;
  const source = sourceFor(world, proc, mapping);
  const unit = from % HUGE === 0 && to % HUGE === 0 && choose.chance(0.8) ? HUGE : 1;
  const page = Math.floor(focus(world, source) / unit) * unit;
  const wanted = to - from;
  const length = world.wild(0.15) ? wanted : Math.max(1, Math.min(wanted, source.pages - page));
  const range = pagesText(mapping, from, from + length);
  makeMovable(world, proc, source, page, length, range);
  const caller = choose.chance(0.03) ? world.proc() : proc;
  world.push({
    op: "move",
    ...world.of(caller),
    uffd: uffd.name,
    range,
    from: page === 0 ? source.name : `${source.name}[${page}]`,
    ...(choose.chance(0.4) ? { allowSrcHoles: true } : {}),
    ...(choose.chance(0.1) ? { dontwake: true } : {}),
  });
  if (choose.chance(0.4)) world.push({ op: "pagemap", ...world.of(proc), range: source.name });
  world.touchedBy(proc, mapping);
}

/** Moving needs something to move, of one process, and a free place; each is seen to now and then only. */
function makeMovable(
  world: World,
  proc: string,
  source: Mapping,
  page: number,
  length: number,
  range: RangeText,
): void {
  const { choose } = world;
  if (choose.chance(0.65)) write(world, proc, source, page, Math.min(source.pages, page + length));
  if (choose.chance(0.12)) shareByFork(world, proc);
  if (choose.chance(0.65)) world.push({ op: "madvise", ...world.of(proc), range, advice: "dontneed" });
}

/** Most likely another mapping, as pages cannot be moved onto themselves. */
function sourceFor(world: World, proc: string, target: Mapping): Mapping {
  const others = world.mappings.some((mapping) => mapping !== target && isPlain(mapping) && !mapping.isGone);
  return world.mapping(
    proc,
    (mapping) => isPlain(mapping) && (!others || mapping !== target || world.choose.chance(0.2)),
  );
}

function isPlain({ kind, sharing }: Mapping): boolean {
  return kind === "anon" && sharing === "private";
}

/** Pages that a child has, or had, too are not moved. */
function shareByFork(world: World, proc: string): void {
  const child = forkOf(world, proc);
  if (child === undefined || !world.choose.chance(0.4)) return;
  world.push({ op: "exit", proc: child.name });
  child.hasEnded = true;
}

function write(world: World, proc: string, mapping: Mapping, from: number, to: number): void {
  if (to <= from) return;
  const range = `${mapping.name}[${from}..${to}]`;
  const stride = world.strideFor(to - from);
  const value = world.choose.below(1000);
  world.push({ op: "touch", ...world.of(proc), range, access: "write", value, ...(stride > 1 ? { stride } : {}) });
}

/** Lets a page be missing in one mapping that the object has: writes through another mapping of it, then accesses. */
export function minorFault(world: World): void {
  const target = aimRegistered(world, ({ modes }) => modes.includes("minor"));
  if (target === undefined) return;
  const { choose } = world;
  const { mapping, proc, uffd } = target;
  const page = Math.min(target.from, Math.max(0, mapping.pages - 1));
  const others = world.mappings.filter(
    (other) => other !== mapping && other.object === mapping.object && !other.isGone,
  );
  if (mapping.object !== "" && others.length > 0) {
    const other = choose.pick(others);
    world.push({
      op: "write",
      ...world.of(proc),
      at: other.name + `[${focus(world, other)}]`,
      value: choose.below(1000),
    });
  } else {
    const place = `${mapping.name}[${page}]`;
    world.push({ op: "write", ...world.of(proc), at: place, value: choose.below(1000) });
    world.push({ op: "madvise", ...world.of(proc), range: place, advice: "dontneed" });
  }
  const accesses = ["read", "write"] as const;
  world.push({ op: choose.pick(accesses), ...world.of(proc), at: `${mapping.name}[${page}]` });
  if (choose.chance(0.5)) {
    const wp = choose.chance(0.3) ? { wp: true } : {};
    world.push({ op: "continue", uffd: uffd.name, range: target.range, ...wp });
  }
  world.touchedBy(proc, mapping);
}
