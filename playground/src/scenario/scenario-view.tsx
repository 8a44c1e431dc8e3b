/** Scenarios step by step: a gallery of lessons, an editor, what each step did, and the memory after it. */
import { effect } from "@preact/signals";
import type { JSX } from "preact";
import { useEffect } from "preact/hooks";
import { dropped } from "../app/dropped.js";
import { bindKeys, type KeyBinding } from "../app/keys.js";
import { complain } from "../app/toasts.js";
import { offer } from "../share/offers.js";
import { EditorPanel } from "./editor-panel.js";
import { Gallery } from "./gallery.js";
import { checkLesson, openText } from "./lessons.js";
import { Memory } from "./memory.js";
import { followScenario, restart, runToEnd, stepBack, stepOnce, togglePlay } from "./player.js";
import { SCENARIO_OFFERS } from "./scenario-files.js";
import { TranscriptPanel } from "./transcript.js";
import { Transport } from "./transport.js";

/** The view. */
export function ScenarioView(): JSX.Element {
  useEffect(() => {
    checkLesson();
    const stops = [followScenario(), followFiles(), bindKeys(KEYS)];
    return () => {
      for (const stop of stops) stop();
    };
  }, []);
  useEffect(() => offer(SCENARIO_OFFERS), []);
  return (
    <div class="scenario">
      <Gallery />
      <Transport />
      <EditorPanel />
      <TranscriptPanel />
      <Memory />
    </div>
  );
}

const KEYS: readonly KeyBinding[] = [
  { key: "n", also: ["j"], what: "next step", run: stepOnce },
  { key: "p", also: ["k"], what: "step back", run: stepBack },
  { key: " ", what: "play, pause", run: togglePlay },
  { key: "Home", what: "to the start", run: restart },
  { key: "End", what: "run to the end", run: runToEnd },
];

/** Opens scenarios that are dropped on the page. */
function followFiles(): () => void {
  return effect(() => {
    const file = dropped.value;
    if (file?.kind !== "scenario") return;
    dropped.value = null;
    file.blob.text().then(openText, complain);
  });
}
