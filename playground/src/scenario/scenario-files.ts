/** What can be taken away from the view of scenarios. */
import type { TextFile } from "../share/download.js";
import type { Offer } from "../share/offers.js";
import { transcriptFile } from "../share/transcript.js";
import { sourceText } from "./lessons.js";
import { moment, scene } from "./player.js";

export const SCENARIO_OFFERS: readonly Offer[] = [
  { label: "Transcript of the steps so far", kind: "JSON", make: transcript },
  { label: "Scenario", kind: "as it is written", make: source },
];

async function transcript(): Promise<TextFile | null> {
  const found = await scene.value?.control.transcript();
  return found === undefined ? null : transcriptFile(found, moment.value.position);
}

function source(): TextFile {
  const text = sourceText.value;
  const isJson = text.trimStart().startsWith("{");
  return { name: isJson ? "scenario.json" : "scenario.yaml", type: "text/plain", text };
}
