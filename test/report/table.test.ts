import { describe, expect, it } from "vitest";
import { comparisonTable } from "../../ts/report/table.js";
import type { Comparison } from "../../ts/sim/comparison.js";
import { emptyCase, hugeCase, measuredCase, missingCase, seedCase } from "./fixture.js";

function plain(comparison: Comparison, width: number): string {
  return comparisonTable(comparison, { width, color: "none" });
}

function widest(text: string): number {
  return Math.max(...text.split("\n").map((line) => Array.from(line).length));
}

describe("the table of a comparison with missed pages", () => {
  it("fits 120 columns in two panels", () => {
    expect(plain(missingCase(), 120)).toMatchInlineSnapshot(`
      "Dirty trackers compared
      Source    python-sort.pte (project's own format, from valgrind 3.19.0 lackey)
      Layout    mappings inferred from the accesses, gaps up to 2.00 MiB closed; 9,000 pages in 1 mapping
      Accesses  4,250,000: 3,187,500 reads, 1,062,500 writes
      Snapshot  after 1,000,000 accesses; 3,500 pages existed, 500 on the zero page
      Truth     3,534 dirty pages: content changed after the snapshot

                        dirty pages ─────────   modelled time ────────────────────   page tables ────────────────
      Tracker           found   MISSED  false       arm   faults  collect    total     before    → armed  new PTE
      sync wp           2,300  ✗ 1,234      0    126 µs  24.7 ms        0  24.8 ms   60.0 KiB   60.0 KiB        0
      + pre-read        3,534      ✓ 0      0   2.46 ms  36.5 ms        0  38.9 ms   60.0 KiB  104.0 KiB       11
      + POPULATE_READ   3,534      ✓ 0      0    709 µs  36.5 ms        0  37.2 ms   60.0 KiB  104.0 KiB       11
      WP_UNPOPULATED    3,534      ✓ 0      0    151 µs  36.4 ms        0  36.6 ms   60.0 KiB  104.0 KiB       11
      WP_ASYNC + scan   3,554      ✓ 0     20    151 µs  6.05 ms  21.0 µs  6.22 ms   60.0 KiB  104.0 KiB       11

                        entries armed ──────────────────   mapping faults ───   wp faults ────────────
      Tracker            none   page   zero  pre-faulted   zero    new   copy    sync  async  messages
      sync wp               0  3,000    500            0    400  1,234    300   2,300      0     2,300
      + pre-read            0  3,000  6,000        5,500      0      0  1,534   3,534      0     3,534
      + POPULATE_READ       0  3,000  6,000        5,500      0      0  1,534   3,534      0     3,534
      WP_UNPOPULATED    5,500  3,000    500            0    400  1,234    300   3,534      0     3,534
      WP_ASYNC + scan   5,500  3,000    500            0    400  1,234    300       0  3,534         0

      ✗ sync wp missed 1,234 of 3,534 dirty pages: they did not exist when the tracker armed, so nothing marked them. The
        first at 0x7f3a10000, 0x7f3a11000 and 0x7f3a12000.
      • WP_ASYNC + scan reported 20 pages whose content is what it was.
      ✓ WP_ASYNC + scan costs least of the 4 trackers that missed nothing: 6.22 ms modelled (arm 151 µs, faults 6.05 ms,
        collect 21.0 µs). Next: WP_UNPOPULATED, 36.6 ms (5.88×).
      Times are modelled with the cost profile v4-thp-off (fitted to the v4 commit text, THP off).
      "
    `);
  });

  it("fits 80 columns with the same numbers", () => {
    expect(plain(missingCase(), 80)).toMatchInlineSnapshot(`
      "Dirty trackers compared
      Source    python-sort.pte (project's own format, from valgrind 3.19.0 lackey)
      Layout    mappings inferred from the accesses, gaps up to 2.00 MiB closed; 9,000
                pages in 1 mapping
      Accesses  4,250,000: 3,187,500 reads, 1,062,500 writes
      Snapshot  after 1,000,000 accesses; 3,500 pages existed, 500 on the zero page
      Truth     3,534 dirty pages: content changed after the snapshot

                        dirty pages ─────────   modelled time ────────────────────
      Tracker           found   MISSED  false       arm   faults  collect    total
      sync wp           2,300  ✗ 1,234      0    126 µs  24.7 ms        0  24.8 ms
      + pre-read        3,534      ✓ 0      0   2.46 ms  36.5 ms        0  38.9 ms
      + POPULATE_READ   3,534      ✓ 0      0    709 µs  36.5 ms        0  37.2 ms
      WP_UNPOPULATED    3,534      ✓ 0      0    151 µs  36.4 ms        0  36.6 ms
      WP_ASYNC + scan   3,554      ✓ 0     20    151 µs  6.05 ms  21.0 µs  6.22 ms

                        page tables ────────────────
      Tracker             before    → armed  new PTE
      sync wp           60.0 KiB   60.0 KiB        0
      + pre-read        60.0 KiB  104.0 KiB       11
      + POPULATE_READ   60.0 KiB  104.0 KiB       11
      WP_UNPOPULATED    60.0 KiB  104.0 KiB       11
      WP_ASYNC + scan   60.0 KiB  104.0 KiB       11

                        entries armed ──────────────────   mapping faults ───
      Tracker            none   page   zero  pre-faulted   zero    new   copy
      sync wp               0  3,000    500            0    400  1,234    300
      + pre-read            0  3,000  6,000        5,500      0      0  1,534
      + POPULATE_READ       0  3,000  6,000        5,500      0      0  1,534
      WP_UNPOPULATED    5,500  3,000    500            0    400  1,234    300
      WP_ASYNC + scan   5,500  3,000    500            0    400  1,234    300

                        wp faults ────────────
      Tracker            sync  async  messages
      sync wp           2,300      0     2,300
      + pre-read        3,534      0     3,534
      + POPULATE_READ   3,534      0     3,534
      WP_UNPOPULATED    3,534      0     3,534
      WP_ASYNC + scan       0  3,534         0

      ✗ sync wp missed 1,234 of 3,534 dirty pages: they did not exist when the tracker
        armed, so nothing marked them. The first at 0x7f3a10000, 0x7f3a11000 and
        0x7f3a12000.
      • WP_ASYNC + scan reported 20 pages whose content is what it was.
      ✓ WP_ASYNC + scan costs least of the 4 trackers that missed nothing: 6.22 ms
        modelled (arm 151 µs, faults 6.05 ms, collect 21.0 µs). Next: WP_UNPOPULATED,
        36.6 ms (5.88×).
      Times are modelled with the cost profile v4-thp-off (fitted to the v4 commit
      text, THP off).
      "
    `);
  });

  it.each([80, 100, 120, 140, 200])("is never wider than %i columns", (width) => {
    expect(widest(plain(missingCase(), width))).toBeLessThanOrEqual(width);
    expect(widest(plain(seedCase(), width))).toBeLessThanOrEqual(width);
  });

  it.each([40, 80, 140, 300])("has every cell at width %i, in the order of the columns", (width) => {
    const words = plain(missingCase(), width).split(/\s+/).join(" ");
    for (const cell of ["✗ 1,234", "24.7 ms", "104.0 KiB", "5,500", "6,000", "1,534", "6.05 ms"]) {
      expect(words).toContain(cell);
    }
  });

  it("takes a terminal of no width for a narrow one", () => {
    expect(plain(missingCase(), 0)).toBe(plain(missingCase(), 40));
  });
});

describe("the table of a published experiment", () => {
  it("shows the published figures below, and praises nobody for missing none of none", () => {
    expect(plain(seedCase(), 120)).toMatchInlineSnapshot(`
      "uffd_wp_perf
      Source    seed workload: 10.0 GiB anonymous memory, never touched (seed 1)
      Layout    one anonymous mapping; 2,621,440 pages in 1 mapping
      Accesses  0: 0 reads, 0 writes
      Snapshot  after 0 accesses; 0 pages existed, 0 on the zero page
      Truth     0 dirty pages: content changed after the snapshot

                        dirty pages ────────   modelled time ───────────────────   page tables ───────────────
      Tracker           found  MISSED  false       arm  faults  collect    total     before   → armed  new PTE
      sync wp               0       0      0   4.00 µs       0        0  4.00 µs   4.00 KiB  4.00 KiB        0
      + pre-read            0       0      0    1.11 s       0        0   1.11 s   4.00 KiB  20.0 MiB    5,131
      + POPULATE_READ       0       0      0    278 ms       0        0   278 ms   4.00 KiB  20.0 MiB    5,131
      WP_UNPOPULATED        0       0      0   11.8 ms       0        0  11.8 ms   4.00 KiB  20.0 MiB    5,131
      WP_ASYNC + scan       0       0      0   11.8 ms       0        0  11.8 ms   4.00 KiB  20.0 MiB    5,131

                        entries armed ─────────────────────────   mapping faults    wp faults ───────────
      Tracker                none  page       zero  pre-faulted   zero  new  copy   sync  async  messages
      sync wp                   0     0          0            0      0    0     0      0      0         0
      + pre-read                0     0  2,621,440    2,621,440      0    0     0      0      0         0
      + POPULATE_READ           0     0  2,621,440    2,621,440      0    0     0      0      0         0
      WP_UNPOPULATED    2,621,440     0          0            0      0    0     0      0      0         0
      WP_ASYNC + scan   2,621,440     0          0            0      0    0     0      0      0         0

      • No page changed after the snapshot point, so this run cannot show which tracker loses pages.
      • sync wp armed 0 of 2,621,440 pages: a first write to any of them goes unnoticed.
      • WP_UNPOPULATED and WP_ASYNC + scan cost least of the 4 trackers that armed every page: 11.8 ms modelled. Next: +
        POPULATE_READ, 278 ms (23.5×).
      • Modelled arming takes 0.566× to 1.01× the published time.
      Times are modelled with the cost profile v4-thp-off (fitted to the v4 commit text, THP off).

                                              arming ────────────────────   its pre-fault part ───────
      Model and publication                   modelled  published   ratio   modelled  published  ratio
      sync wp (v4 commit text)                 4.00 µs    4.00 µs   1.00×          –          –      –
      + pre-read (v4 commit text)               1.11 s     1.11 s   1.00×     1.10 s     1.10 s  1.00×
      + POPULATE_READ (v4 commit text)          278 ms     278 ms  0.999×     267 ms     266 ms  1.00×
      WP_UNPOPULATED (v4 commit text)          11.8 ms    11.7 ms   1.01×          –          –      –
      WP_UNPOPULATED (in a VM, 27 Feb 2023)    11.8 ms    20.9 ms  0.566×          –          –      –
      "
    `);
  });
});

describe("the table of a measured experiment", () => {
  const text = plain(measuredCase(), 120);

  it("shows prediction, measurement and error, and how far apart the rounds were", () => {
    const from = text.indexOf("Times are modelled");
    expect(text.slice(from, text.indexOf("Model and publication"))).toMatchInlineSnapshot(`
      "Times are modelled with the cost profile v4-thp-off (fitted to the v4 commit text, THP off).

                                arming ───────────────────   at the host's speed then   measured, all rounds ────────────────
      Model and this host       predicted  measured  error          predicted   error   quartile   median     most  pre-fault
      sync wp, THP off             440 ns    400 ns  +10 %             400 ns  +0.0 %     408 ns   420 ns   600 ns          –
      + pre-read, THP off          1.50 s    2.00 s  -25 %             1.95 s  -2.5 %     2.04 s   2.10 s   3.00 s     1.90 s
      + POPULATE_READ, THP on           –   5.00 ms      –                  –       –    5.10 ms  5.25 ms  7.50 ms    4.80 ms
      Measured on this host (Linux 6.18.0, a CPU, 2 CPUs, 16.0 GiB, THP setting madvise) at 2026-05-01 12:34 UTC: 10.0 GiB, 7
      rounds after one to warm up. "measured" is the least of them: other programs only add time.
      "At the host's speed then" predicts from costs that were sampled between the rows, on small mappings: they took 1.30×
      what the profile says. Calibrate again, or look for what else runs.
      THP off and on are MADV_NOHUGEPAGE and MADV_HUGEPAGE. With huge pages the prediction is arithmetic with the profile's
      figures for them; the engine models pages of 4 KiB only.

                                              arming ────────────────────   its pre-fault part ───────
      "
    `);
  });

  it("says how far off the predictions are", () => {
    expect(text).toContain("• Predicted arming is off by -25 % to +10 % from what this host measured, THP off.");
    expect(text).not.toContain("measured, THP on."); // nothing was predicted
  });
});

describe("colours", () => {
  const colored = comparisonTable(missingCase(), { width: 120, color: "ansi" });

  it("make missed pages bold and red, and none of them green", () => {
    expect(colored).toContain("\u001b[1;31m✗ 1,234\u001b[0m");
    expect(colored).toContain("\u001b[32m    ✓ 0\u001b[0m");
  });

  it("change nothing but colours", () => {
    const bare = colored.replace(/\u001b\[[\d;]*m/g, "");
    const lines = (text: string): string[] => text.split("\n").map((line) => line.trimEnd());
    expect(lines(bare)).toEqual(lines(plain(missingCase(), 120)));
  });

  it("are absent when not wanted", () => {
    expect(plain(missingCase(), 120)).not.toContain("\u001b");
  });
});

describe("comparisons at the edge", () => {
  it("writes control characters and direction marks of names as their codes", () => {
    const text = plain(emptyCase(), 100);
    // every character that moves a cursor, starts a sequence or turns the direction, but for the ends of lines
    expect(text.replaceAll("\n", "")).not.toMatch(/[\p{Cc}\u202a-\u202e\u2066-\u2069]/u);
    expect(text).toContain("\\u{1b}[2J\\u{1b}]0;owned\\u{7}");
    expect(text).toContain("\\u{202e}gpj.");
  });

  it("keeps to the width when a name is longer than a line", () => {
    expect(widest(plain(emptyCase(), 80))).toBeLessThanOrEqual(80);
  });

  it("says that a run without dirty pages shows nothing about missing them", () => {
    const text = plain(emptyCase(), 300);
    expect(text).toContain("0: 0 reads, 0 writes");
    expect(text).toContain("No page changed after the snapshot point");
    expect(text).not.toMatch(/[✓✗]/);
    expect(text).not.toMatch(/NaN|undefined|Infinity/);
  });

  it("writes the largest counts in full", () => {
    const text = plain(hugeCase(), 140);
    expect(text).toContain("✗ 9,007,199,254,740,991");
    expect(text).toContain("3,780,000,000 s");
  });

  it("says so when no tracker was compared", () => {
    expect(plain({ ...missingCase(), trackers: [] }, 100)).toContain("No tracker was compared.");
  });
});
