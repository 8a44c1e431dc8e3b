import type { Process, World } from "../world.js";

/** Forks a process: the child has its parent's mappings, and descriptors of its own where the parent's follow forks. */
export function fork(world: World): void {
  const proc = world.proc();
  const child = forkOf(world, proc);
  if (child === undefined) return;
  world.touchedBy(world.choose.pick([proc, child.name]), world.choose.pick(world.mappings));
}

/** Forks this process. Returns the child, unless there are enough. */
export function forkOf(world: World, proc: string): Process | undefined {
  if (!world.canFork) return undefined;
  const child = world.name("p");
  world.push({ op: "fork", ...world.of(proc), as: child });
  const process = { name: child, hasEnded: false };
  world.procs.push(process);
  const copied = world.mappings.filter((mapping) => mapping.procs.has(proc));
  for (const mapping of copied) mapping.procs.add(child);
  for (const uffd of [...world.descriptors]) {
    if (uffd.proc !== proc || uffd.isClosed || !uffd.features.has("event-fork") || uffd.registrations.length === 0)
      continue;
    const name = `${uffd.name}.${uffd.forks++}`;
    world.descriptors.push({ ...uffd, name, proc: child, registrations: [...uffd.registrations], forks: 0 });
  }
  return process;
}

/** Ends a process; seldom the first, as little is left to do then. */
export function exit(world: World): void {
  const running = world.procs.filter((proc) => !proc.hasEnded && (proc.name !== "main" || world.wild(0.05)));
  if (running.length === 0) return;
  const proc = world.choose.pick(running);
  world.push({ op: "exit", ...world.of(proc.name) });
  proc.hasEnded = true;
  world.touchedBy("main", world.choose.pick(world.mappings));
}
