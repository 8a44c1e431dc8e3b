import { aim, aimRegistered } from "../aim.js";
import type { Feature, Handler, Mode } from "../profile.js";
import { forget, isTaken, record } from "../registrations.js";
import { pagesText, type Descriptor, type Mapping, type World } from "../world.js";

/** Opens a userfaultfd for a process. */
export function open(world: World): void {
  const { choose } = world;
  const proc = world.proc();
  const name = world.name("u");
  const wanted = Object.entries(world.profile.features) as [Feature, number][];
  const features = wanted.filter(([, probability]) => choose.chance(probability)).map(([feature]) => feature);
  const isSilent = choose.chance(world.silence);
  const handler = handlerOf(world, isSilent);
  const userModeOnly = choose.chance(0.1) ? { userModeOnly: true } : {};
  world.push({ op: "uffd", ...world.of(proc), as: name, features, ...userModeOnly, ...handler });
  world.descriptors.push({
    name,
    proc,
    features: new Set(features),
    isSilent,
    registrations: [],
    isClosed: false,
    forks: 0,
  });
}

function handlerOf(world: World, isSilent: boolean): { handler?: Handler } {
  const { choose } = world;
  if (isSilent) return { handler: { missing: "none", wp: "none", minor: "none" } };
  if (choose.chance(0.45)) return {};
  return {
    handler: {
      missing: choose.weighted([
        [3, "copy"],
        [3, "zeropage"],
        [1, "poison"],
        [1, "none"],
      ] as const),
      ...(choose.chance(0.25) ? { wp: "none" as const } : {}),
      ...(choose.chance(0.4) ? { minor: choose.pick(["poison", "none"] as const) } : {}),
    },
  };
}

/** Registers pages with a descriptor: mostly memory of its process that takes such a registration. */
export function register(world: World, descriptor?: Descriptor, wanted?: Mapping): void {
  const uffd = descriptor ?? world.descriptor();
  if (uffd === undefined) return;
  const fits = (mapping: Mapping): boolean => {
    if (wanted !== undefined) return mapping === wanted;
    return isSuitable(world, uffd, mapping) && (!isTaken(world, uffd, mapping) || world.wild(0.5));
  };
  const target = aim(world, uffd.proc, fits);
  const { mapping } = target;
  const isWhole = world.choose.chance(0.65);
  const [from, to] = isWhole ? [0, mapping.pages] : [target.from, target.to];
  const modes = modesFor(world, uffd, mapping);
  if (!world.push({ op: "register", uffd: uffd.name, range: pagesText(mapping, from, to), modes })) return;
  if (mapping.kind !== "file" || uffd.features.has("wp-async")) record(world, uffd, { mapping, from, to, modes });
  world.touchedBy(uffd.proc, mapping);
}

/** Regular files can only be registered for asynchronous write-protection. */
export function isSuitable(world: World, uffd: Descriptor, mapping: Mapping): boolean {
  return mapping.kind !== "file" || uffd.features.has("wp-async") || world.wild(0.2);
}

function modesFor(world: World, uffd: Descriptor, mapping: Mapping): readonly Mode[] {
  const modes = world.choose.weighted(world.profile.modes);
  if (world.wild(0.08)) return world.choose.some<Mode>(["missing", "wp", "minor"], 0.5);
  if (mapping.kind === "file") return ["wp"];
  if (mapping.kind !== "anon" || mapping.sharing === "shared" || !modes.includes("minor")) return modes;
  const others = modes.filter((mode) => mode !== "minor");
  return others.length > 0 ? others : uffd.features.has("wp-async") ? ["wp"] : ["missing"];
}

/** Ends the registration of pages. */
export function unregister(world: World): void {
  const target = aimRegistered(world);
  if (target === undefined) return;
  const { uffd, mapping, from, to, proc } = target;
  world.push({ op: "unregister", uffd: uffd.name, range: target.range });
  forget(uffd, mapping, from, to);
  world.touchedBy(proc, mapping);
}

/** Closes a descriptor; sometimes opens and registers another at once, so that something goes on. */
export function close(world: World): void {
  const uffd = world.descriptor();
  if (uffd === undefined) return;
  world.push({ op: "close", ...(world.choose.chance(0.1) ? world.of(world.proc()) : {}), uffd: uffd.name });
  uffd.isClosed = true;
  const mapping = uffd.registrations[0]?.mapping;
  if (mapping !== undefined) world.touchedBy(uffd.proc, mapping);
  if (world.choose.chance(0.6)) {
    open(world);
    register(world);
  }
}

/** Protects pages against writes, or ends that. */
export function writeprotect(world: World): void {
  const target = aimRegistered(world, ({ modes }) => modes.includes("wp"));
  if (target === undefined) return;
  const { uffd, mapping, proc } = target;
  const wp = world.choose.chance(0.35) ? { wp: false } : {};
  const dontwake = world.choose.chance(wp.wp === false ? 0.2 : 0.02) ? { dontwake: true } : {};
  world.push({ op: "writeprotect", uffd: uffd.name, range: target.range, ...wp, ...dontwake });
  world.touchedBy(proc, mapping);
}

/** Wakes who waits for pages. */
export function wake(world: World): void {
  const target = aimRegistered(world);
  if (target === undefined) return;
  world.push({ op: "wake", uffd: target.uffd.name, range: target.range });
  world.touchedBy(target.proc, target.mapping);
}
