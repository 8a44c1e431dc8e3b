/** The memory after the last step: the map, and why the pinned entry is what it is. */
import type { JSX } from "preact";
import { SceneMap } from "../app/scene-map.js";
import { currentStep, goTo, isPlaying, revision, scene } from "./player.js";

export function Memory(): JSX.Element {
  return (
    <section class="panel memory" aria-label="Memory">
      <SceneMap scene={scene} revision={revision} moment={currentStep.value} onGoTo={showStep} />
    </section>
  );
}

/** Events of an entry's history name the step that they are part of. */
function showStep(step: number): void {
  isPlaying.value = false;
  goTo(step + 1);
}
