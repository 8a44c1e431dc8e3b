import { describe, expect, it } from "vitest";
import {
  formatCompact,
  formatCounted,
  formatList,
  formatRatio,
  formatTime,
  shortenText,
  visibleText,
} from "../../ts/report/format.js";
import { linearScale, logScale } from "../../ts/report/scale.js";
import { wrapText } from "../../ts/report/text-layout.js";

describe("formatTime", () => {
  it.each([
    [0, "0"],
    [0.5, "0.500 ns"],
    [4.5, "4.50 ns"],
    [999, "999 ns"],
    [999.6, "1.00 µs"],
    [1000, "1.00 µs"],
    [11_712_000, "11.7 ms"],
    [999_949_999, "1.00 s"],
    [1_111_453_000, "1.11 s"],
    [1_234_567_000_000, "1,230 s"],
  ])("writes %d ns", (ns, text) => {
    expect(formatTime(ns)).toBe(text);
  });
});

describe("other numbers", () => {
  it("are counted in the singular and the plural", () => {
    expect([0, 1, 2_621_440].map((n) => formatCounted(n, "page"))).toEqual(["0 pages", "1 page", "2,621,440 pages"]);
    expect(formatCounted(2, "access", "accesses")).toBe("2 accesses");
  });

  it("are short on axes", () => {
    expect([0, 500, 2500, 4e6, 9e15].map(formatCompact)).toEqual(["0", "500", "2.5 k", "4 M", "9 P"]);
  });

  it("have a ratio where there is something to compare with", () => {
    expect(formatRatio(3, 2)).toBe("1.50×");
    expect(formatRatio(123_456, 1)).toBe("123,456×");
    expect(formatRatio(3, 0)).toBe("–");
  });
});

describe("text", () => {
  it("shows what is invisible and leaves other text alone", () => {
    expect(visibleText("a\u001b[1m\t\u0085\u202e\ud800b")).toBe("a\\u{1b}[1m\\u{9}\\u{85}\\u{202e}\\u{d800}b");
    expect(visibleText("Größe 大きさ 🎉 <b>")).toBe("Größe 大きさ 🎉 <b>");
  });

  it("is joined as in a sentence", () => {
    expect([[], ["a"], ["a", "b"], ["a", "b", "c"]].map(formatList)).toEqual(["", "a", "a and b", "a, b and c"]);
  });

  it("is cut with an ellipsis only where it is too long", () => {
    expect([shortenText("abcd", 4), shortenText("abcde", 4)]).toEqual(["abcd", "abc…"]);
  });

  it("wraps at spaces and cuts words that are longer than a line", () => {
    expect(wrapText("one two three", 7)).toEqual(["one two", "three"]);
    expect(wrapText("abcdefgh ij", 3)).toEqual(["abc", "def", "gh", "ij"]);
    expect(wrapText("", 3)).toEqual([""]);
  });
});

describe("scales", () => {
  it("have round ticks from 0", () => {
    expect(linearScale(5434, 4).ticks).toEqual([0, 2000, 4000]);
    expect(linearScale(3, 4).ticks).toEqual([0, 1, 2, 3]);
    expect(linearScale(100, 4).position(25)).toBe(0.25);
  });

  it("stand when there is nothing to show", () => {
    expect(linearScale(0, 4).ticks).toEqual([0, 1]);
    expect(linearScale(0, 4).position(0)).toBe(0);
    expect(logScale([0, 0]).position(0)).toBe(0);
  });

  it("of powers of ten surround the values", () => {
    const scale = logScale([0, 21e3, 36.5e6]);
    expect(scale.ticks).toEqual([1e4, 1e5, 1e6, 1e7, 1e8]);
    expect([0, 1e4, 1e6, 1e8].map(scale.position)).toEqual([0, 0, 0.5, 1]);
  });

  it("of powers of ten have a length for a single power", () => {
    expect(logScale([1000]).ticks).toEqual([1000, 10_000]);
  });
});
