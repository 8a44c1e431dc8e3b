import type { Scenario } from "../../scenario/document.js";
import { access, resume, touch, trap, wait } from "./actions/accesses.js";
import { close, isSuitable, open, register, unregister, wake, writeprotect } from "./actions/descriptors.js";
import { fill, minorFault, move } from "./actions/fills.js";
import { advise, map, mapAgain, mprotect, mremap, munmap } from "./actions/mappings.js";
import { collapse, swapOut } from "./actions/memory.js";
import { misuse } from "./actions/misuse.js";
import { observe, observeAll, scan } from "./actions/observations.js";
import { exit, fork } from "./actions/processes.js";
import { Chooser } from "./chooser.js";
import type { ActionName } from "./profile.js";
import { PROFILES, PROFILE_TABLE, type ProfileName } from "./profiles.js";

export { PROFILES, type ProfileName } from "./profiles.js";
import { isTaken } from "./registrations.js";
import { World } from "./world.js";

const ACTIONS: Readonly<Record<ActionName, (world: World) => void>> = {
  map,
  mapAgain,
  munmap,
  mprotect,
  advise,
  mremap,
  fork,
  exit,
  open: (world) => {
    open(world);
    register(world);
  },
  register: (world) => register(world),
  unregister,
  close,
  writeprotect,
  fill,
  minorFault,
  move,
  wake,
  access,
  touch,
  resume,
  wait,
  trap,
  swapOut,
  collapse,
  scan,
  observe,
  misuse,
};

/** What only looks, or comes with its own look. */
const QUIET: ReadonlySet<ActionName> = new Set(["observe", "resume", "scan"]);

/** Returns the scenario of a profile and a seed: an integer from 0 to 2^32 - 1. The same two give the same scenario. */
export function generateScenario(profile: ProfileName, seed: number): Scenario {
  // seeds of one profile are to give others than the same seeds of another: the difference is a prime
  const choose = new Chooser((seed + PROFILES.indexOf(profile) * 0x9e3779b1) % 2 ** 32);
  const table = PROFILE_TABLE[profile];
  const machine = table.machine(choose);
  const world = new World(choose, table);
  setUp(world);
  const actions = (Object.entries(table.actions) as [ActionName, number][]).map(
    ([name, weight]) => [weight, name] as const,
  );
  const length = choose.between(8, 40);
  while (world.steps.length < length) {
    const action = choose.weighted(actions);
    ACTIONS[action](world);
    if (!QUIET.has(action) && choose.chance(0.4)) observe(world);
  }
  observeAll(world);
  return {
    scenario: 1,
    name: `${profile} ${seed}`,
    ...(Object.keys(machine).length > 0 ? { machine } : {}),
    steps: world.steps,
  };
}

function setUp(world: World): void {
  const { mappings, descriptors } = world.profile;
  for (let i = world.choose.between(...mappings); i > 0; i--) {
    if (i > 1 || world.mappings.length === 0 || !world.choose.chance(0.3)) map(world);
    else mapAgain(world);
  }
  for (let i = world.choose.between(...descriptors); i > 0; i--) {
    open(world);
    const descriptor = world.descriptors.at(-1);
    for (const mapping of world.mappings) {
      if (descriptor === undefined || !world.choose.chance(0.6)) continue;
      if (isTaken(world, descriptor, mapping)) continue;
      if (isSuitable(world, descriptor, mapping)) register(world, descriptor, mapping);
    }
  }
}
