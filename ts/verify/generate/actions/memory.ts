import { aim } from "../aim.js";
import type { World } from "../world.js";

/** Writes pages, has them paged out, and accesses one. */
export function swapOut(world: World): void {
  const { choose } = world;
  const { proc, mapping, range, from, to } = aim(world);
  const of = world.of(proc);
  const stride = world.strideFor(Math.max(0, to - from));
  if (choose.chance(0.6)) {
    world.push({
      op: "touch",
      ...of,
      range,
      access: "write",
      value: choose.below(1000),
      ...(stride > 1 ? { stride } : {}),
    });
  }
  world.push({ op: "madvise", ...of, range, advice: "pageout" });
  world.push({ op: "pagemap", ...of, range: mapping.name });
  if (choose.chance(0.5)) {
    const at = `${mapping.name}[${Math.min(from, Math.max(0, mapping.pages - 1))}]`;
    world.push({ op: choose.pick(["read", "write"] as const), ...of, at });
  }
  world.touchedBy(proc, mapping);
}

/** Populates whole huge pages and has them made of one piece. */
export function collapse(world: World): void {
  const { choose } = world;
  const { proc, mapping, range, from, to } = aim(world);
  const of = world.of(proc);
  if (choose.chance(0.7)) {
    const stride = Math.max(choose.pick([1, 1, 1, 2, 64]), world.strideFor(Math.max(0, to - from)));
    world.push({ op: "touch", ...of, range, access: "write", ...(stride > 1 ? { stride } : {}) });
  }
  world.push({ op: "madvise", ...of, range, advice: "collapse" });
  world.touchedBy(proc, mapping);
}
