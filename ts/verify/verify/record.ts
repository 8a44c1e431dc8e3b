import { isDeepStrictEqual } from "node:util";
import type { Scenario, Transcript } from "../../scenario/document.js";
import type { LiveKernel } from "../kernel/live-kernel.js";

/** A scenario and what a real kernel gave. */
export interface Recording {
  readonly document: Scenario;
  readonly transcript: Transcript;
}

/** Returns recordings of those scenarios that the kernel here can do, and for which it gives the same twice. */
export async function record(
  scenarios: readonly Scenario[],
  kernel: Pick<LiveKernel, "runMany">,
): Promise<Recording[]> {
  const transcripts = await kernel.runMany(scenarios);
  const again = await kernel.runMany(scenarios);
  return scenarios.flatMap((document, i) => {
    const transcript = transcripts[i] as Transcript;
    const isKept = isDeepStrictEqual(transcript, again[i]) && isPossible(transcript);
    return isKept ? [{ document, transcript }] : [];
  });
}

function isPossible({ results }: Transcript): boolean {
  return results[0]?.unsupported !== true;
}

/** A file of recordings as text: one line for each. */
export function recordingLines(recordings: readonly Recording[]): string {
  return recordings.map((recording) => `${JSON.stringify(recording)}\n`).join("");
}
