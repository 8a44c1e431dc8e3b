import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { runCommand } from "../../ts/cli/commands/run.js";
import { createEngine } from "../../ts/node.js";
import { engineUrl } from "../support/engine-url.js";

const RAM = { op: "mmap", as: "ram", pages: 2 };
const GOOD = { scenario: 1, name: "a write", steps: [RAM, { op: "write", at: "ram", expect: { minflt: 1 } }] };
const UNMET = { ...GOOD, steps: [RAM, { op: "write", at: "ram", expect: { minflt: 0 } }] };
const WRONG = { scenario: 1, steps: [{ op: "munmap", range: "ram" }] };
const TRANSCRIPT = {
  scenario: 1,
  name: "a write",
  results: [{ ok: true }, { outcome: "ok", messages: [], minflt: 1, majflt: 0 }],
};

let folder: string;
let output: string;
let errors: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "run-command-"));
  output = errors = "";
  vi.spyOn(process.stdout, "write").mockImplementation((text) => ((output += String(text)), true));
  vi.spyOn(process.stderr, "write").mockImplementation((text) => ((errors += String(text)), true));
});

afterEach(() => {
  vi.restoreAllMocks();
  process.exitCode = undefined;
  rmSync(folder, { recursive: true });
});

function file(name: string, content: unknown): string {
  const path = join(folder, name);
  writeFileSync(path, typeof content === "string" ? content : JSON.stringify(content));
  return path;
}

async function run(...args: string[]): Promise<void> {
  await runCommand(() => createEngine({}, engineUrl)).parseAsync(args, { from: "user" });
}

describe("pte-engine run FILE", () => {
  it("tells what was asked for and what happened", async () => {
    await run(file("good.json", GOOD));
    expect(output).toBe(
      [
        "a write",
        "  0  mmap as=ram pages=2",
        "     → ok",
        "  1  write at=ram",
        "     → ok, 1 minor fault",
        "       page tables +12.0 KiB, resident +1 page",
        "",
      ].join("\n"),
    );
    expect([errors, process.exitCode]).toEqual(["", undefined]);
  });

  it("prints the transcript with --json, a line for each result", async () => {
    await run("--json", file("good.json", GOOD));
    expect(JSON.parse(output)).toEqual(TRANSCRIPT);
    expect(output.trimEnd().split("\n")).toHaveLength(4);
  });

  it("reads YAML too", async () => {
    await run(
      "--json",
      file(
        "good.yaml",
        "scenario: 1\nname: a write\nsteps:\n - {op: mmap, as: ram, pages: 2}\n - {op: write, at: ram}\n",
      ),
    );
    expect(JSON.parse(output)).toEqual(TRANSCRIPT);
  });

  it("fails with 1 for an expectation that is not met, and goes on with the next file", async () => {
    await run(file("unmet.json", UNMET), file("good.json", GOOD));
    expect(errors).toBe(`${join(folder, "unmet.json")}: steps[1]: expected minflt 0, found 1\n`);
    expect(process.exitCode).toBe(1);
    expect(output.split("a write")).toHaveLength(3);
  });

  it("throws for a wrong document, naming the file and the place in it", async () => {
    await expect(run(file("wrong.json", WRONG))).rejects.toThrow(
      `${join(folder, "wrong.json")}: steps[0].range: expected the name of a mapping, found "ram"`,
    );
    expect(output).toBe("");
  });

  it("throws for what is neither JSON nor YAML", async () => {
    await expect(run(file("broken.json", "{ 'a': [1"))).rejects.toThrow(/broken\.json: neither JSON nor YAML: /);
  });
});

describe("pte-engine run --jsonl IN OUT", () => {
  const lines = [JSON.stringify(GOOD), "", JSON.stringify(WRONG), "not JSON", JSON.stringify(UNMET)].join("\n");

  it("writes a transcript or an error for each line that is not empty", async () => {
    const out = join(folder, "out.jsonl");
    await run("--jsonl", file("in.jsonl", lines), out);
    const written = readFileSync(out, "utf8")
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line) as unknown);
    expect(written).toEqual([
      TRANSCRIPT,
      { error: 'steps[0].range: expected the name of a mapping, found "ram"' },
      { error: expect.stringContaining("JSON") as string },
      TRANSCRIPT,
    ]);
    expect(process.exitCode).toBe(2);
    expect(errors).toContain("line 3: steps[0].range");
    expect(errors).toContain("line 5: steps[1]: expected minflt 0, found 1");
  });

  it("writes to standard output for -", async () => {
    await run("--jsonl", file("in.jsonl", JSON.stringify(GOOD)), "-");
    expect(JSON.parse(output)).toEqual(TRANSCRIPT);
  });

  it("wants two paths", async () => {
    await expect(run("--jsonl", file("in.jsonl", lines))).rejects.toThrow("--jsonl expected an input and an output");
    await expect(run("--jsonl", "a", "b", "c")).rejects.toThrow("--jsonl expected an input and an output");
  });
});
