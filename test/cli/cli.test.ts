import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Comparison, TrackerResult } from "../../ts/sim/comparison.js";

const TRACE = "traces/sqlite.pte-trace.gz";
const LACKEY = "traces/sqlite.lackey.txt.gz";

let folder = "";

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "pte-engine-"));
});
afterAll(() => rmSync(folder, { recursive: true }));

interface Ended {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs the built command line; standard input is a pipe. */
function run(args: readonly string[], input: string | Buffer = ""): Ended {
  const ended = spawnSync(process.execPath, ["dist/cli.js", ...args], { input, maxBuffer: 2 ** 28 });
  return { status: ended.status, stdout: ended.stdout.toString(), stderr: ended.stderr.toString() };
}

function compare(args: readonly string[], input?: string | Buffer): Comparison {
  const ended = run(["compare", "--json", ...args], input);
  expect(ended.stderr).toBe("");
  expect(ended.status).toBe(0);
  return JSON.parse(ended.stdout) as Comparison;
}

function row(comparison: Comparison, tracker: string): TrackerResult {
  const found = comparison.trackers.find((result) => result.tracker === tracker);
  if (found === undefined) throw new Error(`no row ${tracker}`);
  return found;
}

describe("compare", { timeout: 60_000 }, () => {
  it("shows on the shipped trace that without WP_UNPOPULATED pages are missed, and with it none", () => {
    const comparison = compare([TRACE]);
    expect(row(comparison, "wp").dirty.missed).toBeGreaterThan(0);
    for (const tracker of ["wp-pre-read", "wp-populate-read", "wp-unpopulated", "wp-async"]) {
      const { dirty } = row(comparison, tracker);
      expect({ tracker, missed: dirty.missed, false: dirty.false }).toEqual({ tracker, missed: 0, false: 0 });
      expect(dirty.found).toBe(comparison.dirtyPages);
    }
  }, 60_000);

  it("finds as many dirty pages as the trace writes after the point, read from the trace itself", () => {
    const info = JSON.parse(run(["trace", "info", "--json", LACKEY]).stdout) as { accesses: number };
    const all = compare(["--snapshot", "0", LACKEY]);
    const written = new Set<number>();
    for (const line of gunzipSync(readFileSync(LACKEY)).toString().split("\n")) {
      const match = /^ [SM] ([0-9a-f]+),(\d+)$/.exec(line);
      if (match === null) continue;
      const address = parseInt(match[1] ?? "", 16);
      const last = Math.floor((address + Number(match[2]) - 1) / 4096);
      for (let page = Math.floor(address / 4096); page <= last; page++) written.add(page);
    }
    expect(all.dirtyPages).toBe(written.size);
    expect(all.accesses.total + all.accesses.skipped).toBe(info.accesses);
  });

  it("says the same with one thread and with several", () => {
    const [alone, inThreads] = ["1", "3"].map((jobs) => {
      return { ...compare(["--jobs", jobs, "--snapshot", "30%", TRACE]), elapsedMs: 0 };
    });
    expect(inThreads).toEqual(alone);
    expect(run(["compare", "--jobs", "0", TRACE]).stderr).toBe(
      'pte-engine: --jobs: expected 1 or more threads, got "0"\n',
    );
  });

  it("runs the experiment of the patch with its numbers", () => {
    const comparison = compare(["--workload", "seed"]);
    expect(comparison.trackers.map((tracker) => tracker.label)).toEqual([
      "DEFAULT",
      "PRE-READ",
      "MADVISE",
      "WP-UNPOPULATED",
    ]);
    const markers = row(comparison, "wp-unpopulated");
    expect(markers.armed).toEqual({ none: 2_621_440, page: 0, zeroPage: 0 });
    expect(markers.tableBytes.armed - markers.tableBytes.before).toBe((5120 + 10 + 1) * 4096);
    expect(markers.pteTables).toEqual({ before: 0, armed: 5120, end: 5120 });
    expect(row(comparison, "wp").armed).toEqual({ none: 0, page: 0, zeroPage: 0 });
    expect(row(comparison, "wp").tableBytes.armed).toBe(0);
    expect(comparison.published?.["wp-unpopulated"]?.map((figure) => figure.totalUs)).toContain(11_712);
  });

  it("reads lackey text from a pipe, the traced program's output in between", () => {
    const text = gunzipSync(readFileSync(LACKEY)).toString();
    const half = text.indexOf("\n", text.length / 2) + 1;
    const mixed = `${text.slice(0, half)}hello, world\n${text.slice(half)}`;
    const ended = run(["compare", "--json", "-"], mixed);
    expect(ended.status).toBe(0);
    expect(ended.stderr).toMatch(/^1 lines .* passed over\n$/);
    const fromPipe = JSON.parse(ended.stdout) as Comparison;
    const fromFile = compare([LACKEY]);
    expect(fromPipe.trackers).toEqual(fromFile.trackers);
  });

  it("gives the same for the same seed and something else for another", () => {
    const args = ["--workload", "zipf", "--ram", "64M", "--accesses", "50000", "--trackers", "wp,wp-async"];
    const first = compare([...args, "--seed", "7"]);
    const again = compare([...args, "--seed", "7"]);
    expect({ ...again, elapsedMs: 0 }).toEqual({ ...first, elapsedMs: 0 });
    expect(compare([...args, "--seed", "8"]).trackers).not.toEqual(first.trackers);
  });

  it("places the pages of a trace into guest RAM", () => {
    const comparison = compare(["--ram", "1G", "--trackers", "wp-unpopulated", TRACE]);
    const { armed, tableBytes } = row(comparison, "wp-unpopulated");
    expect(comparison.memory.pages).toBe(262_144);
    expect(armed.none + armed.page + armed.zeroPage).toBe(262_144);
    expect(tableBytes.armed).toBe((512 + 1 + 1) * 4096);
  }, 60_000);

  it("takes mappings from a maps file and says how many accesses are outside of them", () => {
    const maps = join(folder, "maps");
    writeFileSync(maps, "04000000-05000000 rw-p 00000000 00:00 0 [heap]\n");
    const ended = run(["compare", "--json", "--maps", maps, LACKEY]);
    expect(ended.status).toBe(0);
    expect(ended.stderr).toMatch(/^\d+ accesses are outside the mappings and were left out\n$/);
    expect((JSON.parse(ended.stdout) as Comparison).memory.pages).toBe(4096);
  });

  it("takes a cost profile from a file", () => {
    const profile = join(folder, "profile.json");
    const cost = { ns: 2, source: "a test" };
    writeFileSync(
      profile,
      JSON.stringify({ profile: 1, name: "mine", provenance: "none", costs: { call: cost, protectNone: cost } }),
    );
    const comparison = compare(["--workload", "seed", "--trackers", "wp-unpopulated", "--profile", profile]);
    expect(comparison.profile.name).toBe("mine");
    expect(row(comparison, "wp-unpopulated").modelled.arm.totalNs).toBe(2 * 2_621_440 + 2);
  });

  it("prints a table and writes a report, and no progress into a pipe", () => {
    const html = join(folder, "report.html");
    const ended = run(["compare", "--html", html, LACKEY]);
    expect(ended.status).toBe(0);
    expect(ended.stdout).toContain("MISSED");
    expect(ended.stdout).not.toContain("\x1b");
    expect(ended.stderr).toBe(`report written to ${html}\n`);
    expect(readFileSync(html, "utf8")).toMatch(/^<!doctype html>/i);
  });
});

describe("wrong arguments and input end with exit code 2 and say what was expected", () => {
  const cases: [string, string[], RegExp][] = [
    ["nothing to compare", ["compare"], /expected a trace file/],
    ["a trace and a workload", ["compare", "--workload", "seed", TRACE], /not both/],
    ["a file that is not there", ["compare", "no-such-file"], /no-such-file.*readable file/],
    ["a file that is no trace", ["compare", "package.json"], /package\.json.*expected/],
    ["an unknown tracker", ["compare", "--trackers", "magic", TRACE], /--trackers: expected .*wp-async/],
    ["an unknown workload", ["compare", "--workload", "magic"], /Allowed choices/],
    ["a snapshot beyond the end", ["compare", "--snapshot", "101%", LACKEY], /--snapshot: expected 0 to \d+ accesses/],
    ["a size that is none", ["compare", "--ram", "much", LACKEY], /"--ram" expected a size/],
    ["too little RAM", ["compare", "--ram", "16K", LACKEY], /more than the 4 pages of RAM/],
    ["a profile without what is needed", ["compare", "--profile", "series-2023", LACKEY], /has no "/],
    ["a profile that is no JSON", ["compare", "--profile", "README.md", LACKEY], /expected a cost profile in JSON/],
    ["an unknown option", ["compare", "--wat"], /unknown option/],
    ["an unknown command", ["compute"], /unknown command/],
  ];
  it.each(cases)("%s", (_, args, message) => {
    const ended = run(args);
    expect(ended.stderr).toMatch(message);
    expect(ended.stderr).not.toContain("    at "); // no stack trace
    expect(ended.stdout).toBe("");
    expect(ended.status).toBe(2);
  });
});

describe("trace", { timeout: 60_000 }, () => {
  it("converts to the own format and back to the same accesses", () => {
    const stored = join(folder, "stored.pte-trace.gz");
    expect(run(["trace", "convert", LACKEY, stored, "--source", "a test"]).status).toBe(0);
    const before = JSON.parse(run(["trace", "info", "--json", LACKEY]).stdout) as Record<string, unknown>;
    const after = JSON.parse(run(["trace", "info", "--json", stored]).stdout) as Record<string, unknown>;
    for (const field of [
      "accesses",
      "reads",
      "writes",
      "fetches",
      "pages",
      "pagesWritten",
      "pagesWrittenInSecondHalf",
    ]) {
      expect({ [field]: after[field] }).toEqual({ [field]: before[field] });
    }
    expect(after["header"]).toEqual({ source: "a test" });
  });

  it("writes to standard output and reads it again", () => {
    const bytes = spawnSync(process.execPath, ["dist/cli.js", "trace", "convert", LACKEY, "-"], {
      maxBuffer: 2 ** 28,
    }).stdout;
    expect(run(["trace", "info", "-"], bytes).stdout).toMatch(/format +pte/);
  });

  it("leaves the old file alone when the new one cannot be made", () => {
    const output = join(folder, "kept.pte-trace");
    writeFileSync(output, "precious");
    const damaged = join(folder, "damaged.txt");
    writeFileSync(damaged, " L 1fff000768,8\n S zzz\n");
    const ended = run(["trace", "convert", damaged, output]);
    expect(ended.status).toBe(2);
    expect(ended.stderr).toContain(`${damaged}:2: expected`);
    expect(readFileSync(output, "utf8")).toBe("precious");
    expect(run(["trace", "convert", "--lenient", damaged, output]).stderr).toContain("1 malformed");
  });
});

describe("doctor", { timeout: 60_000 }, () => {
  it("says that the engine works", () => {
    const ended = run(["doctor"]);
    expect(ended.status).toBe(0);
    expect(ended.stdout).toMatch(/ok +engine .*0xfffffffffffffc00.*2 faults/);
    const { checks } = JSON.parse(run(["doctor", "--json"]).stdout) as {
      checks: { what: string; ok: boolean | null }[];
    };
    expect(checks.find((check) => check.what === "engine")?.ok).toBe(true);
  });
});
