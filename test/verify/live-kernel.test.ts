import { readFileSync } from "node:fs";
import { release } from "node:os";
import { afterAll, describe, expect, it } from "vitest";
import type { Scenario, Step, StepResult } from "../../ts/scenario/document.js";
import { findKernel } from "../support/live-kernel.js";

const STEP_TIMEOUT_MS = 1000;
/** Another executor may have the machine for a while. */
const PATIENCE_MS = 120_000;

const SETTINGS = [
  "/sys/kernel/mm/transparent_hugepage/enabled",
  "/sys/kernel/mm/transparent_hugepage/khugepaged/scan_sleep_millisecs",
  "/sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages",
  "/proc/sys/vm/page-cluster",
  "/proc/swaps",
];

const found = await findKernel({ stepTimeoutMs: STEP_TIMEOUT_MS });
const title = "skip" in found ? `the live kernel (skipped: ${found.skip})` : "the live kernel";

describe.skipIf("skip" in found)(title, { timeout: PATIENCE_MS }, () => {
  if ("skip" in found) return;
  const { kernel } = found;
  afterAll(() => kernel.close());

  async function resultsOf(steps: readonly Step[], machine: Scenario["machine"] = {}): Promise<readonly StepResult[]> {
    const { results } = await kernel.run({ scenario: 1, machine, steps });
    return results;
  }

  it("is the running one", () => {
    expect(kernel.release).toBe(release());
  });

  it("lets a thread wait until its page is there, and tells what it read", async () => {
    const results = await resultsOf([
      { op: "mmap", as: "ram", pages: 4 },
      { op: "uffd", as: "u", handler: { missing: "none" } },
      { op: "register", uffd: "u", range: "ram", modes: ["missing"] },
      { op: "read", at: "ram[2]", as: "t" },
      { op: "copy", uffd: "u", range: "ram[2]", value: 7 },
      { op: "resume", thread: "t" },
    ]);
    const message = { uffd: "u", event: "pagefault", at: "ram[2]", flags: [] };
    expect(results[3]).toEqual({ outcome: "blocked", messages: [message], minflt: 0, majflt: 0 });
    expect(results[4]).toEqual({ ok: true, copied: 4096 });
    expect(results[5]).toEqual({ outcome: "ok", value: 7, messages: [], minflt: 1, majflt: 0 });
  });

  it("answers write-protect faults and merges their messages", async () => {
    const results = await resultsOf([
      { op: "mmap", as: "ram", pages: 4 },
      { op: "uffd", as: "u", features: ["pagefault-flag-wp", "wp-unpopulated"] },
      { op: "register", uffd: "u", range: "ram", modes: ["wp"] },
      { op: "writeprotect", uffd: "u", range: "ram" },
      { op: "pagemap", range: "ram" },
      { op: "touch", range: "ram[1..4]", access: "write" },
      { op: "pagemap-scan", range: "ram", return: ["written", "present"], anyof: ["written"] },
      { op: "stat" },
    ]);
    const message = { uffd: "u", event: "pagefault", range: "ram[1..4]", flags: ["write", "wp"] };
    expect(results[4]).toEqual({ runs: [{ pages: [0, 4], flags: ["swapped", "uffd-wp"] }] });
    expect(results[5]).toEqual({ outcomes: { ok: 3 }, messages: [message], minflt: 6, majflt: 0 });
    expect(results[6]).toEqual({
      found: 1,
      walkEnd: "ram[4]",
      regions: [{ pages: [1, 4], categories: ["present", "written"] }],
    });
    expect(results[7]).toMatchObject({ anon: 3, file: 0, shmem: 0, swap: 0 });
  });

  it("gives a forked child its descriptor, memory and counters", async () => {
    const results = await resultsOf([
      { op: "mmap", as: "ram", pages: 2 },
      { op: "uffd", as: "u", features: ["event-fork"] },
      { op: "register", uffd: "u", range: "ram", modes: ["missing"] },
      { op: "write", at: "ram", value: 5 },
      { op: "fork", as: "child" },
      { op: "read", proc: "child", at: "ram" },
      { op: "read", proc: "child", at: "ram[1]" },
      { op: "stat", proc: "child" },
      { op: "exit" },
      { op: "read", at: "ram" },
      { op: "wake", uffd: "u.1", range: "ram", proc: "child" },
    ]);
    expect(results[4]).toEqual({ ok: true, messages: [{ uffd: "u", event: "fork", child: "u.0" }] });
    expect(results[5]).toMatchObject({ value: 5, messages: [], minflt: 0 });
    expect(results[6]).toMatchObject({ value: 1000001, messages: [{ uffd: "u.0", at: "ram[1]" }] });
    expect(results[7]).toMatchObject({ anon: 2, file: 0 });
    expect(results.slice(9)).toEqual([{ errno: "ESRCH" }, { errno: "EBADF" }]);
  });

  it("tells of what was moved and unmapped, in the names of the document", async () => {
    const results = await resultsOf([
      { op: "mmap", as: "ram", pages: 4 },
      { op: "uffd", as: "u", features: ["event-remap", "event-unmap"] },
      { op: "register", uffd: "u", range: "ram", modes: ["missing"] },
      { op: "mremap", range: "ram[0..2]", pages: 2, move: true, as: "moved" },
      { op: "munmap", range: "ram[3]" },
    ]);
    expect(results[3]).toMatchObject({
      ok: true,
      messages: [
        { event: "remap", from: "ram", to: "moved", length: 8192 },
        { event: "unmap", range: "ram[0..2]" },
      ],
    });
    expect(results[4]).toMatchObject({ ok: true, messages: [{ event: "unmap", range: "ram[3]" }] });
  });

  it("has files, shmem and signals", async () => {
    const results = await resultsOf([
      { op: "mmap", as: "disk", pages: 2, kind: "file", sharing: "shared" },
      { op: "mmap", as: "mem", pages: 2, kind: "shmem" },
      { op: "mmap", as: "more", pages: 4, source: "mem", offset: 1, prot: "r" },
      { op: "write", at: "disk[1]", value: 9 },
      { op: "read", at: "disk[1]+8" },
      { op: "read", at: "more[1]" },
      { op: "write", at: "more" },
      { op: "mmap", as: "again", pages: 1, at: "disk" },
    ]);
    expect(results.slice(0, 3)).toEqual([{ ok: true }, { ok: true }, { ok: true }]);
    expect(results[3]).toMatchObject({ outcome: "ok" });
    expect(results[4]).toMatchObject({ outcome: "ok", minflt: 0 });
    expect(results[4]).not.toHaveProperty("value");
    expect(results.slice(5, 7)).toMatchObject([{ outcome: "SIGBUS" }, { outcome: "SIGSEGV" }]);
    expect(results[7]).toEqual({ errno: "EEXIST" });
  });

  it("skips what comes after a step that never ends, and runs the next scenario", async () => {
    // Linux 6.18 begins again and again where a marker is in the way of a guard page
    const endless: Scenario = {
      scenario: 1,
      steps: [
        { op: "mmap", as: "ram", pages: 1, kind: "shmem", sharing: "shared" },
        { op: "uffd", as: "u", features: ["wp-unpopulated", "pagefault-flag-wp"] },
        { op: "register", uffd: "u", range: "ram", modes: ["wp"] },
        { op: "writeprotect", uffd: "u", range: "ram" },
        { op: "madvise", range: "ram", advice: "guard-install" },
        { op: "stat" },
      ],
    };
    const harmless: Scenario = { scenario: 1, name: "harmless", steps: [{ op: "stat" }] };
    const [before, ended, after] = await kernel.runMany([harmless, endless, harmless], { jobs: 1 });
    const nothing = { tables: 0, anon: 0, file: 0, shmem: 0, swap: 0 };
    if (release().startsWith("6.18.")) expect(ended?.results.slice(4)).toEqual([{ hang: true }, { skipped: true }]);
    expect(before).toEqual({ scenario: 1, name: "harmless", results: [nothing] });
    expect(after).toEqual(before);
  });

  it("makes the machine that is asked for, and puts every setting back", async () => {
    const before = SETTINGS.map(read);
    const machine = { thp: "always", hugetlbPages: 1, swapPages: 64 } as const;
    const results = await resultsOf(
      [
        { op: "mmap", as: "ram", pages: 512 },
        { op: "write", at: "ram[3]", value: 4 },
        { op: "mmap", as: "huge", pages: 512, kind: "hugetlb" },
        { op: "write", at: "huge[9]", value: 6 },
        { op: "mmap", as: "small", pages: 1 },
        { op: "write", at: "small", value: 8 },
        { op: "madvise", range: "small", advice: "pageout" },
        { op: "stat" },
        { op: "read", at: "small" },
      ],
      machine,
    );
    if (results[0]?.unsupported === true) return; // swap in memory or huge pages are not to be had here
    expect(results[1]).toMatchObject({ outcome: "ok", minflt: 1 });
    expect(results[7]).toMatchObject({ anon: 512, swap: 1 });
    expect(results[8]).toMatchObject({ outcome: "ok", value: 8, majflt: 1 });
    expect(SETTINGS.map(read)).toEqual(before);
  });

  it("gives the same transcripts again, whatever runs beside", async () => {
    const documents = Array.from({ length: 40 }, (_, i) => fillingScenario(1 + (i % 8)));
    const seen: number[] = [];
    const first = await kernel.runMany(documents, { jobs: 2, onResult: (_, index) => seen.push(index) });
    const second = await kernel.runMany(documents, { jobs: 1 });
    expect(second).toEqual(first);
    expect(seen.sort((a, b) => a - b)).toEqual(documents.map((_, index) => index));
  });
});

/** Threads that wait for one page each, and are woken by one call. */
function fillingScenario(threads: number): Scenario {
  const pages = Array.from({ length: threads }, (_, page) => page);
  const range = `ram[0..${threads}]`;
  return {
    scenario: 1,
    name: `${threads} threads`,
    steps: [
      { op: "mmap", as: "ram", pages: threads },
      { op: "uffd", as: "u", handler: { missing: "none" } },
      { op: "register", uffd: "u", range: "ram", modes: ["missing"] },
      ...pages.map((page): Step => ({ op: "write", at: `ram[${page}]`, as: `t${page}`, value: page })),
      { op: "zeropage", uffd: "u", range },
      ...pages.map((page): Step => ({ op: "resume", thread: `t${page}` })),
      { op: "stat" },
    ],
  };
}

function read(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "not there";
  }
}
