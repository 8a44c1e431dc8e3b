import type { RangeText, Step } from "../../../scenario/document.js";
import { aim } from "../aim.js";
import { HUGE } from "../places.js";
import type { Mapping, World } from "../world.js";

type ScanStep = Extract<Step, { op: "pagemap-scan" }>;
type Category = NonNullable<ScanStep["mask"]>[number];

const CATEGORIES: readonly Category[] = [
  "wpallowed",
  "written",
  "file",
  "present",
  "swapped",
  "pfnzero",
  "huge",
  "soft-dirty",
  "guard",
];
const SCAN_SETS: readonly (readonly Category[])[] = [
  [],
  ["written"],
  ["present"],
  ["wpallowed"],
  ["swapped"],
  ["pfnzero"],
  ["guard"],
  ["huge"],
  ["file"],
];

/** Looks at what the last steps could have changed, without changing it. */
export function observe(world: World): void {
  if (world.changed === undefined) return;
  const { proc, mapping } = world.changed;
  const of = world.of(proc);
  const kind = world.choose.below(10);
  if (kind < 5) world.push({ op: "pagemap", ...of, range: mapping.name });
  else if (kind < 7) world.push({ op: "stat", ...of });
  else world.push({ op: "pagemap-scan", ...of, range: mapping.name, return: [...CATEGORIES] });
}

/** Scans, with any masks and limits; may protect what it finds. */
export function scan(world: World): void {
  const { choose } = world;
  const { proc, mapping, range } = aim(world);
  const doesProtect = choose.chance(0.45);
  const flags = [
    ...(doesProtect ? (["wp-matching"] as const) : []),
    ...(choose.chance(0.12) ? (["check-wpasync"] as const) : []),
  ];
  if (mapping.pages > 1024 && choose.chance(0.3)) {
    manyRegions(world, proc, mapping);
    return;
  }
  if (doesProtect && mapping.kind === "hugetlb") makeTables(world, proc, mapping);
  world.push({
    op: "pagemap-scan",
    ...world.of(proc),
    range,
    ...(flags.length > 0 ? { flags } : {}),
    ...masks(world),
    ...(choose.chance(0.25) ? { maxPages: choose.pick([0, 1, 2, 3, 5, 8, 300, 512, 700]) } : {}),
    ...(choose.chance(0.25) ? { vecLen: choose.pick([0, 1, 2, 3, 5, 511, 512, 513, 600]) } : {}),
  });
  world.touchedBy(proc, mapping);
}

/** A scan of more runs of pages than Linux puts out at once. */
function manyRegions(world: World, proc: string, mapping: Mapping): void {
  const of = world.of(proc);
  const { choose } = world;
  const stride = 2 * world.strideFor(mapping.pages / 2);
  const range = mapping.name;
  world.push({ op: "touch", ...of, range, access: "write", stride });
  const limit = choose.weighted<{ vecLen?: number; maxPages?: number }>([
    [2, {}],
    [2, { vecLen: choose.pick([511, 512, 513, 600]) }],
    [1, { maxPages: choose.pick([511, 512, 513]) }],
  ]);
  world.push({ op: "pagemap-scan", ...of, range, mask: ["present"], return: ["present", "written"], ...limit });
  world.touchedBy(proc, mapping);
}

function masks(world: World): Partial<Pick<ScanStep, "inverted" | "mask" | "anyof" | "return">> {
  const { choose } = world;
  const set = (): Category[] => (choose.chance(0.7) ? [...choose.pick(SCAN_SETS)] : choose.some(CATEGORIES, 0.25));
  return {
    ...(choose.chance(0.25) ? { inverted: set() } : {}),
    ...(choose.chance(0.5) ? { mask: set() } : {}),
    ...(choose.chance(0.3) ? { anyof: set() } : {}),
    return: choose.chance(0.5) ? [...CATEGORIES] : set(),
  };
}

/** A scan that protects must find page tables wherever huge pages can be. */
function makeTables(world: World, proc: string, mapping: Mapping): void {
  world.push({ op: "touch", ...world.of(proc), range: mapping.name, access: "read", stride: HUGE });
}

/** Looks at everything, for every process that runs. */
export function observeAll(world: World): void {
  for (const thread of world.threads) {
    if (world.choose.chance(0.5)) world.push({ op: "resume", thread: thread.name });
  }
  for (const { name, hasEnded } of world.procs) {
    if (hasEnded) continue;
    const of = world.of(name);
    for (const mapping of world.mappings) {
      if (!mapping.procs.has(name) || mapping.pages === 0) continue;
      const range: RangeText = mapping.name;
      world.push({ op: "pagemap", ...of, range });
      if (world.choose.chance(0.3)) world.push({ op: "pagemap-scan", ...of, range, return: [...CATEGORIES] });
      const stride = Math.max(world.strideFor(mapping.pages), mapping.pages > HUGE ? 64 : 1);
      world.push({ op: "touch", ...of, range, access: "read", ...(stride > 1 ? { stride } : {}) });
    }
    world.push({ op: "stat", ...of });
  }
}
