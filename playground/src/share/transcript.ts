import type { Transcript } from "../../../ts/scenario/document.js";
import { transcriptText } from "../../../ts/scenario/transcript-text.js";
import type { TextFile } from "./download.js";

/** Writes a transcript of so many steps as `pte-engine run --json` does. */
export function transcriptFile(transcript: Transcript, steps: number): TextFile {
  const name = (transcript.name ?? "").replace(/[^\w-]+/g, "-") || "scenario";
  return {
    name: `${name}-${steps}-steps.transcript.json`,
    type: "application/json",
    text: `${transcriptText(transcript)}\n`,
  };
}
