import { aim, aimRegistered, focus } from "../aim.js";
import { HUGE } from "../places.js";
import type { Mapping, World } from "../world.js";

/** One read or write. */
export function access(world: World): void {
  const proc = world.proc();
  const mapping = world.mapping(proc);
  const page = world.wild(0.05) ? mapping.pages : focus(world, mapping);
  accessPage(world, proc, mapping, page, world.choose.chance(0.35));
}

function accessPage(world: World, proc: string, mapping: Mapping, page: number, isNamed: boolean): void {
  const { choose } = world;
  const offset = choose.chance(0.08) ? `+${choose.pick([8, 16, 2048, 4095])}` : "";
  const at = page === 0 && offset === "" ? mapping.name : `${mapping.name}[${page}]${offset}`;
  const as = isNamed && world.canBlock ? { as: world.name("t") } : {};
  if (as.as !== undefined) world.threads.push({ name: as.as, mapping, page });
  if (choose.chance(0.4)) world.push({ op: "read", ...world.of(proc), at, ...as });
  else world.push({ op: "write", ...world.of(proc), at, ...as, ...value(world) });
  world.touchedBy(proc, mapping);
}

function value(world: World): { value?: number } {
  return world.choose.chance(0.7) ? { value: world.choose.below(100000) } : {};
}

/** Reads or writes many pages. */
export function touch(world: World): void {
  const { proc, mapping, from, to, range } = aim(world);
  const wanted = world.choose.chance(0.2) ? world.choose.pick([2, 3, 4, 256, HUGE]) : 1;
  const stride = wanted * world.strideFor(Math.max(0, to - from) / wanted);
  const accessed = world.choose.pick(["read", "write", "write"] as const);
  world.push({
    op: "touch",
    ...world.of(proc),
    range,
    access: accessed,
    ...(accessed === "write" ? value(world) : {}),
    ...(stride > 1 ? { stride } : {}),
  });
  world.touchedBy(proc, mapping);
}

/** Looks after a thread that may wait. */
export function resume(world: World): void {
  if (world.threads.length > 0) world.push({ op: "resume", thread: world.choose.pick(world.threads).name });
}

/** Lets threads wait for a page that nobody answers for, then does something to the page, and looks what became of them. */
export function wait(world: World): void {
  const target = aimRegistered(world, (_, uffd) => uffd.isSilent);
  if (target === undefined || !world.canBlock) return;
  const { choose } = world;
  const { proc, mapping, from } = target;
  const page = Math.min(from, Math.max(0, mapping.pages - 1));
  const first = world.threads.length;
  for (let i = choose.between(1, 3); i > 0; i--) accessPage(world, proc, mapping, page, true);
  if (choose.chance(0.5)) world.push({ op: "pagemap", ...world.of(proc), range: mapping.name });
  resolve(world, target.uffd.name, proc, `${mapping.name}[${page}]`, mapping);
  for (const thread of world.threads.slice(first)) world.push({ op: "resume", thread: thread.name });
  world.touchedBy(proc, mapping);
}

/** One of the things that can happen to a page under threads that wait for it. */
function resolve(world: World, uffd: string, proc: string, page: string, mapping: Mapping): void {
  const { choose } = world;
  const huge = Math.floor(focus(world, mapping) / HUGE) * HUGE;
  const range = mapping.kind === "hugetlb" ? `${mapping.name}[${huge}..${huge + HUGE}]` : page;
  const dontwake = choose.chance(0.2) ? { dontwake: true } : {};
  const of = world.of(proc);
  const choices = [
    () => world.push({ op: "copy", uffd, range, ...(choose.chance(0.3) ? { wp: true } : {}), ...dontwake }),
    () => world.push({ op: "writeprotect", uffd, range, wp: false, ...dontwake }),
    () => world.push({ op: "zeropage", uffd, range, ...dontwake }),
    () => world.push({ op: "continue", uffd, range, ...dontwake }),
    () => world.push({ op: "poison", uffd, range, ...dontwake }),
    () => world.push({ op: "wake", uffd, range }),
    () => world.push({ op: "unregister", uffd, range }),
    () => world.push({ op: "munmap", ...of, range }),
    () => world.push({ op: "mprotect", ...of, range, prot: choose.pick(["r", "none"] as const) }),
    () =>
      world.push({
        op: "madvise",
        ...of,
        range,
        advice: choose.pick(["dontneed", "guard-install", "remove"] as const),
      }),
  ];
  choose.pick(choices)();
  if (choose.chance(0.5)) world.push({ op: "wake", uffd, range });
}

/** Fills, protects and writes pages, and looks: the way write-protection is meant. */
export function trap(world: World): void {
  const target = aimRegistered(world, ({ modes }) => modes.includes("wp"));
  if (target === undefined) return;
  const { choose } = world;
  const { proc, mapping, range, uffd, from, to } = target;
  const of = world.of(proc);
  const stride = world.strideFor(Math.max(0, to - from));
  const strideField = stride > 1 ? { stride } : {};
  const before = choose.pick(["read", "write", "nothing"] as const);
  if (before !== "nothing") world.push({ op: "touch", ...of, range, access: before, ...strideField });
  world.push({ op: "writeprotect", uffd: uffd.name, range });
  if (choose.chance(0.5)) world.push({ op: "pagemap", ...of, range: mapping.name });
  accessPage(world, proc, mapping, focus(world, mapping), uffd.isSilent);
}
