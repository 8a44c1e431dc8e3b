import { computed, type ReadonlySignal } from "@preact/signals";
import type { CostProfile } from "../../../ts/sim/cost-profile.js";
import { COST_PROFILES, defaultCostProfile } from "../../../ts/sim/profiles.js";
import { state } from "../state/store.js";

/** The cost profile that modelled times are from. */
export const profile: ReadonlySignal<CostProfile> = computed(
  () => COST_PROFILES.find(({ name }) => name === state.profile.value) ?? defaultCostProfile(),
);
