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

/** Aims at some pages of a mapping of a process, not seldom at those of the call before. */
export function aim(world: World, proc: string = world.proc(), wanted?: (mapping: Mapping) => boolean): Aim {
  const { last } = world;
  if (last?.mapping.procs.has(proc) === true && wanted === undefined && world.choose.chance(0.3)) {
    return { ...last, proc, range: pagesText(last.mapping, last.from, last.to) };
  }
  const mapping = world.mapping(proc, wanted);
  return aimAt(world, proc, mapping, somePages(world, mapping));
}

function aimAt(world: World, proc: string, mapping: Mapping, [from, to]: readonly [number, number]): Aim {
  world.last = { mapping, from, to };
  return { proc, mapping, from, to, range: pagesText(mapping, from, to) };
}

/** Aims at some pages that are registered, most likely all of them; seldom anywhere, where nothing is. */
export function aimRegistered(
  world: World,
  wanted: (registration: Registration, descriptor: Descriptor) => boolean = () => true,
): (Aim & { readonly uffd: Descriptor }) | undefined {
  const uffd = world.descriptor();
  if (uffd === undefined) return undefined;
  const found = world.descriptors.flatMap((owner) =>
    owner.isClosed
      ? []
      : owner.registrations.filter((r) => wanted(r, owner)).map((registration) => ({ owner, registration })),
  );
  // what needs a registration leads nowhere without one: that is interesting once, not again and again
  if (found.length === 0 && !world.choose.chance(0.15)) return undefined;
  if (found.length === 0 || world.wild(0.1)) return { ...aim(world, uffd.proc), uffd };
  const near = found.filter(({ registration }) => registration.mapping === world.last?.mapping);
  const { owner, registration } = world.choose.pick(near.length > 0 && world.choose.chance(0.5) ? near : found);
  const pages = pagesOf(world, registration);
  return { ...aimAt(world, owner.proc, registration.mapping, pages), uffd: world.wild(0.08) ? uffd : owner };
}

/** All pages of a registration, those of the call before, or some others. */
function pagesOf(world: World, { mapping, from, to }: Registration): readonly [number, number] {
  const { last, choose } = world;
  if (choose.chance(0.3)) return [from, to];
  if (last?.mapping === mapping && from <= last.from && last.from < last.to && last.to <= to && choose.chance(0.4)) {
    return [last.from, last.to];
  }
  return somePages(world, mapping, from, to);
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
