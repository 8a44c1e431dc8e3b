import type { JSX } from "preact";
import { COST_PROFILES } from "../../../ts/sim/profiles.js";
import { state } from "../state/store.js";
import { profile } from "./profile.js";

/** Chooses the cost profile, and says where it is from. */
export function ProfilePicker(): JSX.Element {
  return (
    <label class="profile" title={profile.value.provenance}>
      <span>cost profile</span>
      <select value={state.profile.value} onChange={(event) => (state.profile.value = event.currentTarget.value)}>
        {COST_PROFILES.map(({ name }) => (
          <option key={name}>{name}</option>
        ))}
      </select>
    </label>
  );
}
