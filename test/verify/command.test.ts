import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { findKernel } from "../support/live-kernel.js";

let folder = "";

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "pte-engine-test-"));
});
afterAll(() => rmSync(folder, { recursive: true }));

function verify(args: readonly string[], env: Readonly<Record<string, string>> = {}) {
  const ended = spawnSync(process.execPath, ["dist/cli.js", "verify", ...args], { env: { ...process.env, ...env } });
  return { status: ended.status, stdout: ended.stdout.toString(), stderr: ended.stderr.toString() };
}

const found = await findKernel();
if ("kernel" in found) await found.kernel.close();
const title = "skip" in found ? `verify (skipped: ${found.skip})` : "verify";

describe.skipIf("skip" in found)(title, { timeout: 120_000 }, () => {
  it("compares generated scenarios and tells the rate", () => {
    const { status, stdout } = verify(["--profile", "core", "--seed", "3", "--count", "5"]);
    expect(stdout).toMatch(
      /^Linux \S+: 5 scenarios with \d+ steps compared in [\d.]+ s, \d+ a second\n0 divergences\n$/,
    );
    expect(status).toBe(0);
  });

  it("compares a file, and prints JSON", () => {
    const path = join(folder, "one.json");
    writeFileSync(path, JSON.stringify({ scenario: 1, steps: [{ op: "mmap", as: "a", pages: 1 }, { op: "stat" }] }));
    const { status, stdout } = verify(["--json", path]);
    expect(JSON.parse(stdout)).toMatchObject({
      compared: 1,
      steps: 2,
      divergences: [],
      accepted: {},
      unrepeatable: [],
    });
    expect(status).toBe(0);
  });

  it("records what the kernel gave", () => {
    const golden = join(folder, "golden");
    expect(verify(["--record", golden, "--profile", "core", "--count", "4"]).status).toBe(0);
    expect(readdirSync(golden)).toEqual(["core.jsonl.gz"]);
    const lines = gunzipSync(readFileSync(join(golden, "core.jsonl.gz")))
      .toString()
      .trimEnd()
      .split("\n");
    expect(lines.map((line) => Object.keys(JSON.parse(line) as object))).toEqual(
      new Array(4).fill(["document", "transcript"]),
    );
  });
});

describe("verify that cannot be done", () => {
  it.each([
    [["--profile", "nonsense"], /^pte-engine: --profile: expected one of selftests, core, .*, got "nonsense"\n$/],
    [["--seed", "-1"], /^pte-engine: --seed: expected an integer from 0 to 4294967295, got "-1"\n$/],
    [["--count", "1.5"], /^pte-engine: --count: expected an integer, got "1.5"\n$/],
    [["--minutes", "0"], /^pte-engine: --minutes: expected a number above 0, up to 1440, got "0"\n$/],
    [["no-such-file.json"], /no-such-file\.json/],
  ])("says what is wrong with %j, in a line", (args, message) => {
    const { status, stderr, stdout } = verify(args);
    expect(stderr).toMatch(message);
    expect(stderr.trimEnd().split("\n")).toHaveLength(1);
    expect(stdout).toBe("");
    expect(status).toBe(2);
  });

  it("says which step of a document is wrong", () => {
    const path = join(folder, "wrong.json");
    writeFileSync(path, JSON.stringify({ scenario: 1, steps: [{ op: "mmap" }] }));
    const { status, stderr } = verify([path]);
    expect(stderr).toContain(`pte-engine: ${path}: steps[0]`);
    expect(status).toBe(2);
  });

  it("says why this machine's kernel cannot be asked", () => {
    const { status, stderr } = verify(["--count", "1"], { PATH: "", XDG_CACHE_HOME: join(folder, "cache") });
    expect(stderr).toMatch(/^pte-engine: (there is no C compiler \(cc\)|this is .*|only root .*)\n$/);
    expect(status).toBe(2);
  });
});
