import type { Transcript } from "./document.js";

/** Writes a transcript as JSON, with a line for each result. */
export function transcriptText(transcript: Transcript): string {
  const { results, ...head } = transcript;
  const lines = results.map((result) => `  ${JSON.stringify(result)}`).join(",\n");
  return `${JSON.stringify(head).slice(0, -1)},"results":[\n${lines}\n]}`;
}
