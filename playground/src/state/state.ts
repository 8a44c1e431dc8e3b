/**
 * The state of the page, which a link carries: one part for the view, one for each view, one for the map. A view that has something to carry
 * adds a file with its part and two lines here.
 */
import { defaultCostProfile, COST_PROFILES } from "../../../ts/sim/profiles.js";
import { objectAt, oneOf, type Part, StateError } from "./fields.js";
import { MAP_PART, type MapState } from "./map.js";
import { SCENARIO_PART, type ScenarioState } from "./scenario.js";
import { SEED_PART, type SeedState } from "./seed.js";

/** The views, in the order of their tabs. */
export const VIEW_IDS = ["experiment", "scenario", "snapshot", "write"] as const;

/** Name of a view. */
export type ViewId = (typeof VIEW_IDS)[number];

const VIEW_PART: Part<ViewId> = { defaults: "experiment", read: oneOf(VIEW_IDS) };

/** Name of the cost profile that modelled times are from. */
const PROFILE_PART: Part<string> = {
  defaults: defaultCostProfile().name,
  read: oneOf(COST_PROFILES.map(({ name }) => name)),
};

/** All that a link carries. */
export interface State {
  readonly view: ViewId;
  readonly profile: string;
  readonly map: MapState;
  readonly seed: SeedState;
  readonly scenario: ScenarioState;
}

const PARTS: { readonly [K in keyof State]: Part<State[K]> } = {
  view: VIEW_PART,
  profile: PROFILE_PART,
  map: MAP_PART,
  seed: SEED_PART,
  scenario: SCENARIO_PART,
};

/** Name of a part. */
export type PartName = keyof State;

export const PART_NAMES: readonly PartName[] = Object.keys(PARTS) as PartName[];

/** What the page shows without a link. */
export const DEFAULT_STATE: State = stateOf((name) => PARTS[name].defaults);

/**
 * Reads the state from what a link says; parts that it does not mention are as without a link.
 * @throws StateError that names the field and what was expected.
 */
export function readState(value: unknown): State {
  const given = objectAt(value, "link");
  const unknown = Object.keys(given).find((name) => !Object.hasOwn(PARTS, name));
  if (unknown !== undefined) throw new StateError(`link.${unknown}: expected one of ${PART_NAMES.join(", ")}`);
  return stateOf((name) => {
    const part: Part<unknown> = PARTS[name];
    return Object.hasOwn(given, name) ? part.read(given[name], name) : part.defaults;
  });
}

/** Returns what of a state differs from the state without a link; the rest need not be carried. */
export function differences(state: State): Record<string, unknown> {
  const changed: Record<string, unknown> = {};
  for (const name of PART_NAMES) {
    const difference = differenceOf(state[name], DEFAULT_STATE[name]);
    if (difference !== undefined) changed[name] = difference;
  }
  return changed;
}

function differenceOf(value: unknown, fallback: unknown): unknown {
  if (typeof value !== "object" || value === null) return value === fallback ? undefined : value;
  const fields = Object.entries(value).filter(
    ([name, field]) => JSON.stringify(field) !== JSON.stringify((fallback as Record<string, unknown>)[name]),
  );
  return fields.length === 0 ? undefined : Object.fromEntries(fields);
}

function stateOf(value: (name: PartName) => unknown): State {
  return Object.fromEntries(PART_NAMES.map((name) => [name, value(name)])) as unknown as State;
}
