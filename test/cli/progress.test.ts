import { describe, expect, it } from "vitest";
import { Progress } from "../../ts/cli/progress.js";

function streamThat(isTTY: boolean): { stream: NodeJS.WriteStream; written: string[] } {
  const written: string[] = [];
  const stream = { isTTY, write: (text: string) => written.push(text) > 0 };
  return { stream: stream as unknown as NodeJS.WriteStream, written };
}

describe("progress", () => {
  it("shows a line on a terminal and removes it", () => {
    const { stream, written } = streamThat(true);
    const progress = new Progress(stream);
    progress.show("reading", 0.5);
    progress.show("reading", 0.51); // too soon to be shown
    progress.clear();
    expect(written).toEqual(["\r\x1b[2K 50 % reading", "\r\x1b[2K"]);
  });

  it("says nothing into a pipe", () => {
    const { stream, written } = streamThat(false);
    const progress = new Progress(stream);
    progress.show("reading", 0.5);
    progress.clear();
    expect(written).toEqual([]);
  });
});
