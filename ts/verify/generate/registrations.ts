import type { Mode } from "./profile.js";
import type { Descriptor, Mapping, Registration, World } from "./world.js";

/** Whether some of the pages are registered with another descriptor. */
export function isTaken(
  world: World,
  uffd: Descriptor,
  mapping: Mapping,
  from = 0,
  to: number = mapping.pages,
): boolean {
  return world.descriptors.some(
    (other) =>
      other !== uffd &&
      !other.isClosed &&
      other.proc === uffd.proc &&
      other.registrations.some((r) => r.mapping === mapping && r.from < to && from < r.to),
  );
}

/** Remembers a registration, unless Linux is to refuse it or has no use for it: to register for less changes nothing. */
export function record(world: World, uffd: Descriptor, { mapping, from, to, modes }: Registration): void {
  if (modes.length === 0 || from >= to || isTaken(world, uffd, mapping, from, to)) return;
  const isThere = uffd.registrations.some(
    (r) => r.mapping === mapping && r.from <= from && to <= r.to && modes.every((mode: Mode) => r.modes.includes(mode)),
  );
  if (isThere) return;
  forget(uffd, mapping, from, to);
  uffd.registrations.push({ mapping, from, to, modes });
}

/** Pages are no longer registered with a descriptor: what is left of registrations stays. */
export function forget(uffd: Descriptor, mapping: Mapping, from: number, to: number): void {
  uffd.registrations = uffd.registrations.flatMap((r) => {
    if (r.mapping !== mapping || r.to <= from || to <= r.from) return [r];
    const before = { ...r, to: from };
    const after = { ...r, from: to };
    return [before, after].filter((part) => part.from < part.to);
  });
}

/** Pages of a process are gone. */
export function forgetAll(world: World, proc: string, mapping: Mapping, from: number, to: number): void {
  for (const uffd of world.descriptors) if (uffd.proc === proc) forget(uffd, mapping, from, to);
}

/** Pages of a process were moved to a mapping of their own: registrations go along with descriptors that want to hear of it. */
export function follow(world: World, proc: string, source: Mapping, from: number, target: Mapping): void {
  for (const uffd of world.descriptors) {
    if (uffd.proc !== proc || !uffd.features.has("event-remap")) continue;
    const first = uffd.registrations.find((r) => r.mapping === source && r.from <= from && from < r.to);
    if (first !== undefined)
      uffd.registrations.push({ mapping: target, from: 0, to: target.pages, modes: first.modes });
  }
}
