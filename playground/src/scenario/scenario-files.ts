/** What can be taken away from the view of scenarios. */
import type { TextFile } from "../share/download.js";
import { type Offer, PERFETTO } from "../share/offers.js";
import { transcriptFile } from "../share/transcript.js";
import { sourceText } from "./lessons.js";
import { moment, scene } from "./player.js";

export const SCENARIO_OFFERS: readonly Offer[] = [
  { label: "Transcript of the steps so far", kind: "JSON", make: transcript },
  { label: "Course of the steps so far", make: course, ...PERFETTO },
  { label: "Scenario", kind: "as it is written", make: source },
];

async function transcript(): Promise<TextFile | null> {
  const found = await scene.value?.control.transcript();
  return found === undefined ? null : transcriptFile(found, moment.value.position);
}

async function course(): Promise<TextFile | null> {
  const text = await scene.value?.control.traceEvents();
  return text === undefined ? null : { name: "scenario.trace.json", type: "application/json", text };
}

function source(): TextFile {
  const text = sourceText.value;
  const isJson = text.trimStart().startsWith("{");
  return { name: isJson ? "scenario.json" : "scenario.yaml", type: "text/plain", text };
}
