import { spawnSync } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Comparison } from "../../ts/sim/comparison.js";
import { COSTS, type CostProfile } from "../../ts/sim/cost-profile.js";
import { reasonToSkipMeasuring } from "../support/kernel.js";

let folder = "";

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "pte-engine-test-"));
});
afterAll(() => rmSync(folder, { recursive: true }));

function run(args: readonly string[], env: Readonly<Record<string, string>> = {}) {
  const ended = spawnSync(process.execPath, ["dist/cli.js", ...args], { env: { ...process.env, ...env } });
  return { status: ended.status, stdout: ended.stdout.toString(), stderr: ended.stderr.toString() };
}

const skip = await reasonToSkipMeasuring();
if (skip !== undefined) console.warn(`tests that measure the kernel are skipped: ${skip}`);

describe.skipIf(skip !== undefined)("measuring the kernel of this machine", () => {
  let path = "";

  it("calibrates: every cost is positive and has a spread, and compare takes the profile", () => {
    path = join(folder, "host.json");
    const ended = run(["calibrate", "--seconds", "0.1", "-o", path]);
    expect(ended.stderr).toBe(`profile written to ${path}\n`);
    expect(ended.status).toBe(0);
    const profile = JSON.parse(readFileSync(path, "utf8")) as CostProfile;
    expect(Object.keys(profile.costs)).toEqual(Object.keys(COSTS));
    for (const [name, { ns, spread }] of Object.entries(profile.costs)) {
      expect(ns, name).toBeGreaterThan(0);
      expect(spread?.samples, name).toBeGreaterThanOrEqual(5);
      expect(spread?.madNs, name).toBeGreaterThanOrEqual(0);
      expect(spread?.minNs, name).toBeLessThanOrEqual(spread?.medianNs ?? 0);
      expect(ended.stdout).toContain(name);
    }
    const trace = ["compare", "--profile", path, "--json", "traces/sqlite.pte-trace.gz"];
    expect((JSON.parse(run(trace).stdout) as Comparison).profile.provenance).toBe(profile.provenance);
  }, 120_000);

  it("prints the profile where no file is given, and leaves no files behind", () => {
    const temporary = join(folder, "tmp");
    mkdirSync(temporary);
    const ended = run(["calibrate", "--seconds", "0.1"], { TMPDIR: temporary });
    expect(ended.stderr).toBe("");
    expect((JSON.parse(ended.stdout) as CostProfile).profile).toBe(1);
    expect(readdirSync(temporary)).toEqual([]);
  }, 120_000);

  it("runs the four rows of the patch's experiment beside the model", () => {
    const html = join(folder, "report.html");
    const args = ["compare", "--workload", "seed", "--measure", "--ram", "64M", "--profile", path, "--html", html];
    const { measured } = JSON.parse(run([...args, "--json"]).stdout) as Comparison;
    const rows = measured?.rows.filter(({ hugePages }) => hugePages === "off") ?? [];
    expect(rows.map(({ tracker }) => tracker)).toEqual(["wp", "wp-pre-read", "wp-populate-read", "wp-unpopulated"]);
    expect(measured).toMatchObject({ bytes: 2 ** 26, host: { kernel: expect.stringContaining("Linux ") as string } });
    for (const { total, predictedNs, predictedNowNs } of measured?.rows ?? []) {
      expect(total.minNs).toBeGreaterThan(0);
      expect(total.samples).toBeGreaterThanOrEqual(measured?.rounds ?? Infinity);
      expect(predictedNs).toBeGreaterThan(0);
      expect(predictedNowNs).toBeGreaterThan(0);
    }
    expect(measured?.slowdown).toBeGreaterThan(0);
    expect(readFileSync(html, "utf8")).toContain("The model beside what this host&#39;s kernel took");
  }, 120_000);
});

describe("a host that cannot be measured ends with exit code 2 and says why", () => {
  const calibrate = ["calibrate", "--seconds", "0.1"];

  it("without a C compiler", () => {
    const ended = run(calibrate, { CC: "no-such-compiler" });
    expect(ended.stderr).toMatch(/needs a C compiler and there is no "no-such-compiler"/);
    expect(ended).toMatchObject({ status: 2, stdout: "" });
  });

  it("with a compiler that fails, whose words are shown", () => {
    const ended = run(calibrate, { CC: program("failing", "echo support.c:1: no headers >&2; exit 1") });
    expect(ended.stderr).toMatch(/cannot compile .*\nsupport\.c:1: no headers/);
    expect(ended).toMatchObject({ status: 2, stdout: "" });
  });

  it.each([
    ["without userfaultfd", '{"failed":"userfaultfd","errno":"Operation not permitted"}', /does not let this process/],
    ["with an old kernel", '{"failed":"UFFDIO_API","errno":"Invalid argument"}', /came with Linux 6\.4/],
  ])("%s", (name, line, message) => {
    // a compiler whose output is a program that fails as on such a host
    const failing = program(`says-${name.replaceAll(" ", "-")}`, `echo '${line}'; exit 1`);
    const compiler = program(`cc-${name.replaceAll(" ", "-")}`, `cp "${failing}" "$5"`);
    for (const args of [calibrate, ["compare", "--workload", "seed", "--measure"]]) {
      const ended = run(args, { CC: compiler });
      expect(ended.stderr).toMatch(message);
      expect(ended.stderr).not.toContain("    at ");
      expect(ended).toMatchObject({ status: 2, stdout: "" });
    }
  });

  it.each([
    ["--measure without the experiment", ["compare", "--measure", "--workload", "zipf"], /needs --workload seed/],
    ["a time that is none", ["calibrate", "--seconds", "soon"], /--seconds: expected a number/],
  ])("%s", (_, args, message) => {
    const ended = run(args);
    expect(ended.stderr).toMatch(message);
    expect(ended).toMatchObject({ status: 2, stdout: "" });
  });

  function program(name: string, script: string): string {
    const path = join(folder, name);
    writeFileSync(path, `#!/bin/sh\n${script}\n`);
    chmodSync(path, 0o755);
    return path;
  }
});
