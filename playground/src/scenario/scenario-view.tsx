/** Scenarios step by step: a gallery of lessons, an editor, what each step did, and the memory after it. */
import { effect } from "@preact/signals";
import type { JSX } from "preact";
import { useEffect } from "preact/hooks";
import { dropped } from "../app/dropped.js";
import { bindKeys } from "../app/keys.js";
import { complain } from "../app/toasts.js";
import { transportKeys } from "../app/transport.js";
import { offer } from "../share/offers.js";
import { EditorPanel } from "./editor-panel.js";
import { Gallery } from "./gallery.js";
import { checkLesson, openText } from "./lessons.js";
import { Memory } from "./memory.js";
import { followScenario, STEPS } from "./player.js";
import { SCENARIO_OFFERS } from "./scenario-files.js";
import { TranscriptPanel } from "./transcript.js";
import { TransportPanel } from "./transport.js";

/** The view. */
export function ScenarioView(): JSX.Element {
  useEffect(() => {
    checkLesson();
    const stops = [followScenario(), followFiles(), bindKeys(transportKeys(STEPS))];
    return () => {
      for (const stop of stops) stop();
    };
  }, []);
  useEffect(() => offer(SCENARIO_OFFERS), []);
  return (
    <div class="scenario">
      <Gallery />
      <TransportPanel />
      <EditorPanel />
      <TranscriptPanel />
      <Memory />
    </div>
  );
}

/** Opens scenarios that are dropped on the page. */
function followFiles(): () => void {
  return effect(() => {
    const file = dropped.value;
    if (file?.kind !== "scenario") return;
    dropped.value = null;
    file.blob.text().then(openText, complain);
  });
}
