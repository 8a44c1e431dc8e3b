/** The memory after the last step: the map, and why the pinned entry is what it is. */
import type { JSX } from "preact";
import { SceneMap } from "../app/scene-map.js";
import { currentStep, revision, scene, stopAt } from "./player.js";

export function Memory(): JSX.Element {
  return (
    // events of an entry's history name the step that they are part of
    <section class="panel memory" aria-label="Memory">
      <SceneMap scene={scene} revision={revision} moment={currentStep.value} onGoTo={(step) => stopAt(step + 1)} />
    </section>
  );
}
