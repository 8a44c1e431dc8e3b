import type { RangeText, Step } from "../../../scenario/document.js";
import { aim, aimRegistered } from "../aim.js";
import type { Mapping, World } from "../world.js";

/** Where the memory of a process ends. Nothing is there. */
const END_OF_MEMORY = "0x7ffffffff000";

/** A call with a range that no such call takes, or that leads nowhere. */
export function misuse(world: World): void {
  const target = aimRegistered(world) ?? { ...aim(world), uffd: undefined };
  const { proc, mapping } = target;
  const range = oddRange(world, mapping);
  const closed = world.descriptors.filter(({ isClosed }) => isClosed);
  const uffd = closed.length > 0 && world.choose.chance(0.4) ? world.choose.pick(closed).name : target.uffd?.name;
  const of = world.of(proc);
  if (uffd === undefined || world.choose.chance(0.3)) world.push(oddCall(world, of, range));
  else world.push(oddRequest(world, of, uffd, range, mapping));
  world.touchedBy(proc, mapping);
}

function oddRange(world: World, mapping: Mapping): RangeText {
  const { choose } = world;
  const { name, pages } = mapping;
  const page = choose.below(pages + 1);
  return choose.pick<() => RangeText>([
    () => ({ start: `${name}[${page}]+${choose.pick([8, 2048, 4095])}`, length: choose.pick([4096, 8192, "4K"]) }),
    () => ({ start: name, length: choose.pick([0, 1, 100, 4095, 4097, 12288, "2M"]) }),
    () => ({ start: `${name}[${page}]`, length: choose.pick([0, 4096, 6144]) }),
    () => `${name}[${pages}..${pages + choose.between(1, 4)}]`,
    () => `${name}[${Math.max(0, pages - 1)}..${pages + choose.between(1, 4)}]`,
    () => `${name}[${page}..${page}]`,
    () => ({ start: END_OF_MEMORY, length: choose.pick([4096, "2M"]) }),
    () => ({ start: name, length: choose.pick(["1G", "1T"]) }),
    () => ({ start: "0x2ffffffff000", length: choose.pick([4096, 8192, "2M"]) }),
  ])();
}

function oddCall(world: World, of: { proc?: string }, range: RangeText): Step {
  const { choose } = world;
  const advice = choose.weighted(world.profile.advice);
  return choose.pick<() => Step>([
    () => ({ op: "munmap", ...of, range: withoutMuch(range) }),
    () => ({ op: "mprotect", ...of, range, prot: choose.pick(["r", "rw"] as const) }),
    () => ({ op: "madvise", ...of, range: withoutMuch(range), advice }),
    () => ({ op: "mremap", ...of, range: withoutMuch(range), pages: choose.below(4) }),
    () => ({ op: "pagemap-scan", ...of, range, return: ["present", "written"] }),
  ])();
}

/** Some calls would take long over, or destroy, everything that a whole tebibyte holds. */
function withoutMuch(range: RangeText): RangeText {
  return typeof range === "string" || (range.length !== "1T" && range.length !== "1G")
    ? range
    : { ...range, length: "2M" };
}

function oddRequest(world: World, of: { proc?: string }, uffd: string, range: RangeText, mapping: Mapping): Step {
  const { choose } = world;
  const fill = { uffd, range: withoutMuch(range) };
  const place = choose.pick([
    mapping.name,
    `${mapping.name}[0]+8`,
    "0x2ffffffff000",
    `${mapping.name}[${mapping.pages}]`,
  ]);
  return choose.pick<() => Step>([
    () => ({ op: "register", uffd, range, modes: choose.some(["missing", "wp", "minor"] as const, 0.5) }),
    () => ({ op: "unregister", uffd, range }),
    () => ({ op: "wake", uffd, range }),
    () => ({ op: "writeprotect", uffd, range, ...(choose.chance(0.4) ? { wp: false } : {}) }),
    () => ({ op: "writeprotect", uffd, range: mapping.name, dontwake: true }),
    () => ({ op: "copy", ...fill, ...(choose.chance(0.5) ? { wp: true } : {}) }),
    () => ({ op: "zeropage", ...fill }),
    () => ({ op: "poison", ...fill }),
    () => ({ op: "continue", ...fill, ...(choose.chance(0.5) ? { wp: true } : {}) }),
    () => ({ op: "move", ...of, ...fill, from: place }),
    () => ({ op: "move", ...of, uffd, range: mapping.name, from: place, allowSrcHoles: true }),
  ])();
}
