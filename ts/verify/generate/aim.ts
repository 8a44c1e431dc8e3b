import type { RangeText } from "../../scenario/document.js";
import { HUGE, pageOf } from "./places.js";
import { pagesText, type Descriptor, type Mapping, type Registration, type World } from "./world.js";

/** What a call is aimed at. */
export interface Aim {
  readonly proc: string;
  readonly mapping: Mapping;
  readonly from: number;
  readonly to: number;
  readonly range: RangeText;
}

/** Aims at some pages of a mapping of a process. */
export function aim(world: World, proc: string = world.proc(), wanted?: (mapping: Mapping) => boolean): Aim {
  const mapping = world.mapping(proc, wanted);
  const [from, to] = somePages(world, mapping);
  return { proc, mapping, from, to, range: pagesText(mapping, from, to) };
}

/** Aims at some pages that are registered, most likely all of them; anywhere where nothing is. */
export function aimRegistered(
  world: World,
  wanted: (registration: Registration, descriptor: Descriptor) => boolean = () => true,
): (Aim & { readonly uffd: Descriptor }) | undefined {
  const found = world.descriptors.flatMap((uffd) =>
    uffd.isClosed
      ? []
      : uffd.registrations.filter((r) => wanted(r, uffd)).map((registration) => ({ uffd, registration })),
  );
  const uffd = world.descriptor();
  if (uffd === undefined) return undefined;
  if (found.length === 0 || world.wild(0.1)) return { ...aim(world, uffd.proc), uffd };
  const chosen = world.choose.pick(found);
  const { mapping, from, to } = chosen.registration;
  const pages = world.choose.chance(0.3) ? ([from, to] as const) : somePages(world, mapping, from, to);
  return {
    proc: chosen.uffd.proc,
    uffd: world.wild(0.08) ? uffd : chosen.uffd,
    mapping,
    from: pages[0],
    to: pages[1],
    range: pagesText(mapping, ...pages),
  };
}

/** Some pages from `low` to `high`: one, a few between places where steps meet, whole huge pages, or all. */
export function somePages(world: World, mapping: Mapping, low = 0, high: number = mapping.pages): [number, number] {
  const { choose } = world;
  if (high <= low) return [low, low + 1];
  if (mapping.kind === "hugetlb" && !world.wild(0.15)) return hugePages(world, mapping, low, high);
  if (world.profile.isHuge && high - low >= HUGE && choose.chance(0.35)) return hugePages(world, mapping, low, high);
  const kind = choose.below(10);
  if (kind < 3) return [low, high];
  const from = Math.min(Math.max(focus(world, mapping), low), high - 1);
  if (kind < 6) return [from, from + 1];
  if (world.wild(0.2)) return [from, from + choose.below(mapping.pages + 4)];
  if (kind < 8) return [from, Math.min(high, from + choose.between(1, 4))];
  const other = Math.min(Math.max(focus(world, mapping), low), high - 1);
  return [Math.min(from, other), Math.max(from, other) + 1];
}

/** A page that steps like to meet at. */
export function focus(world: World, mapping: Mapping): number {
  if (mapping.pages === 0) return 0;
  return world.choose.chance(0.85) ? world.choose.pick(mapping.focus) : world.choose.below(mapping.pages);
}

/** One whole huge page, or several, if there is one. */
function hugePages(world: World, mapping: Mapping, low: number, high: number): [number, number] {
  const lead = pageOf(mapping.start) % HUGE;
  const first = Math.ceil((low + lead) / HUGE);
  const last = Math.floor((high + lead) / HUGE);
  if (last <= first) return [low, high];
  const from = first + world.choose.below(last - first);
  const to = world.choose.chance(0.6) ? from + 1 : from + 1 + world.choose.below(last - from);
  return [from * HUGE - lead, to * HUGE - lead];
}
