import { describe, expect, it } from "vitest";
import { type Finding, findings } from "../../ts/report/findings.js";
import type { Comparison, TrackerResult } from "../../ts/sim/comparison.js";
import { missingCase, seedCase } from "./fixture.js";

function texts(comparison: Comparison, tone: Finding["tone"]): string[] {
  return findings(comparison)
    .filter((finding) => finding.tone === tone)
    .map(({ text }) => text);
}

/** The case with missed pages, with its trackers changed. */
function changed(change: (result: TrackerResult, index: number) => TrackerResult): Comparison {
  const comparison = missingCase();
  return { ...comparison, trackers: comparison.trackers.map(change) };
}

function withMissed(result: TrackerResult, missed: number): TrackerResult {
  return { ...result, dirty: { ...result.dirty, missed, missedPages: missed > 0 ? [16] : [] } };
}

describe("findings", () => {
  it("say first which tracker missed pages, how many, why and where", () => {
    expect(findings(missingCase())[0]).toEqual({
      tone: "bad",
      text:
        "sync wp missed 1,234 of 3,534 dirty pages: they did not exist when the tracker armed, so nothing marked them. " +
        "The first at 0x7f3a10000, 0x7f3a11000 and 0x7f3a12000.",
    });
  });

  it("say it of one page in the singular", () => {
    const [first] = texts(
      changed((result, i) => (i === 0 ? withMissed(result, 1) : result)),
      "bad",
    );
    expect(first).toBe(
      "sync wp missed 1 of 3,534 dirty pages: it did not exist when the tracker armed, so nothing marked it. " +
        "The first at 0x10000.",
    );
  });

  it("name no cause where none is known", () => {
    const bad = texts(
      changed((result, i) => withMissed(result, i === 4 ? 7 : 0)),
      "bad",
    );
    expect(bad).toEqual(["WP_ASYNC + scan missed 7 of 3,534 dirty pages. The first at 0x10000."]);
  });

  it("name the cheapest tracker among those that missed nothing, although another is cheaper", () => {
    const cheap = changed((result, i) => (i === 0 ? { ...result, modelled: noTime(result) } : result));
    expect(texts(cheap, "good")).toEqual([
      "WP_ASYNC + scan costs least of the 4 trackers that missed nothing: 6.22 ms modelled " +
        "(arm 151 µs, faults 6.05 ms, collect 21.0 µs). Next: WP_UNPOPULATED, 36.6 ms (5.88×).",
    ]);
  });

  it("name all of those that cost the same", () => {
    const same = changed((result) => ({ ...result, modelled: noTime(result) }));
    expect(texts(same, "good")).toEqual([
      "+ pre-read, + POPULATE_READ, WP_UNPOPULATED and WP_ASYNC + scan cost least of the 4 trackers that missed " +
        "nothing: 0 modelled.",
    ]);
  });

  it("name the only one that missed nothing", () => {
    const one = changed((result, i) => withMissed(result, i === 3 ? 0 : 5));
    expect(texts(one, "good")).toEqual([
      "Only WP_UNPOPULATED missed nothing: 36.6 ms modelled (arm 151 µs, faults 36.4 ms, collect 0).",
    ]);
  });

  it("recommend nobody when all missed pages", () => {
    const none = changed((result) => withMissed(result, 5));
    expect(texts(none, "good")).toEqual([]);
    expect(texts(none, "bad").at(-1)).toBe("Every tracker missed dirty pages.");
  });

  it("tell of pages that were reported for nothing", () => {
    expect(texts(missingCase(), "plain")).toEqual(["WP_ASYNC + scan reported 20 pages whose content is what it was."]);
  });

  it("say without dirty pages what would be missed, and compare those that armed every page", () => {
    expect(texts(seedCase(), "plain").slice(0, 3)).toEqual([
      "No page changed after the snapshot point, so this run cannot show which tracker loses pages.",
      "sync wp armed 0 of 2,621,440 pages: a first write to any of them goes unnoticed.",
      "WP_UNPOPULATED and WP_ASYNC + scan cost least of the 4 trackers that armed every page: 11.8 ms modelled. " +
        "Next: + POPULATE_READ, 278 ms (23.5×).",
    ]);
    expect(texts(seedCase(), "good")).toEqual([]);
  });

  it("give the span of the ratios to published figures", () => {
    expect(texts(seedCase(), "plain").at(-1)).toBe("Modelled arming takes 0.566× to 1.01× the published time.");
  });
});

/** As if nothing had taken time. */
function noTime(result: TrackerResult): TrackerResult["modelled"] {
  const nothing = { totalNs: 0, items: [] };
  return { ...result.modelled, arm: nothing, fault: nothing, collect: nothing };
}
