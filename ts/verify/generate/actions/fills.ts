import { aimRegistered, focus } from "../aim.js";
import { HUGE } from "../places.js";
import type { Mapping, World } from "../world.js";

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
      world.push({ op: "continue", ...common, ...wp });
      break;
  }
  world.touchedBy(target.proc, mapping);
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
  const target = aimRegistered(
    world,
    ({ mapping }) => (mapping.kind === "anon" && mapping.sharing === "private") || world.wild(0.1),
  );
  if (target === undefined) return;
  const { choose } = world;
  const { uffd, mapping, proc, range, from, to } = target;
  const source = world.mapping(proc, ({ kind, sharing }) => kind === "anon" && sharing === "private");
  const unit = from % HUGE === 0 && to % HUGE === 0 && choose.chance(0.8) ? HUGE : 1;
  const page = Math.floor(focus(world, source) / unit) * unit;
  // Moving needs something to move, and a free place; what is in the way is dropped now and then.
  if (choose.chance(0.6)) write(world, proc, source, page, Math.min(source.pages, page + to - from));
  if (choose.chance(0.5)) world.push({ op: "madvise", ...world.of(proc), range, advice: "dontneed" });
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
  if (choose.chance(0.3)) world.push({ op: "pagemap", ...world.of(proc), range: source.name });
  world.touchedBy(proc, mapping);
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
