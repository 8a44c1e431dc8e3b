import { describe, expect, it } from "vitest";
import { Field } from "../../ts/scenario/fields.js";
import { Names } from "../../ts/scenario/names.js";
import { Places } from "../../ts/scenario/places.js";

const START = 0x100000000000;
const PAGE = 4096;

function namesWith(...mappings: { name: string; start: number; pages: number }[]): Names {
  const names = new Names();
  for (const { name, start, pages } of mappings) {
    names.addMapping(new Field("as", name), { start, pages, object: null, isHuge: false });
  }
  return names;
}

describe("a place that is read", () => {
  const names = namesWith({ name: "ram", start: START, pages: 8 });

  it.each([
    ["ram", START],
    ["ram[7]", START + 7 * PAGE],
    ["ram[7]+16", START + 7 * PAGE + 16],
    ["ram[99]", START + 99 * PAGE],
    ["0x100000000000", START],
    ["0xABCdef", 0xabcdef],
  ])("%s is the address %i", (text, address) => {
    expect(names.place(new Field("at", text))).toBe(address);
  });

  it.each(["0xffffffffffffffff", "0x10000000000000ff1", "ram[99999999999999999999]", "0x8000000000001"])(
    "%s keeps its offset in its page, and sums with a length stay exact",
    (text) => {
      const address = names.place(new Field("at", text));
      expect(Number.isSafeInteger(2 * address)).toBe(true);
      expect(address).toBeGreaterThan(2 ** 47);
      expect(address % PAGE).toBe(text.startsWith("0x") ? Number(`0x${text.slice(-3)}`) : 0);
    },
  );
});

describe("a range that is read", () => {
  const names = namesWith({ name: "ram", start: START, pages: 8 });

  it.each([
    ["ram", START, 8 * PAGE],
    ["ram[7]", START + 7 * PAGE, PAGE],
    ["ram[0..3]", START, 3 * PAGE],
    ["ram[5..5]", START + 5 * PAGE, 0],
    ["ram[6..12]", START + 6 * PAGE, 6 * PAGE],
    [{ start: "ram[1]+8", length: 100 }, START + PAGE + 8, 100],
    [{ start: "ram", length: "4K" }, START, 4096],
    [{ start: "ram", length: "2M" }, START, 2 << 20],
    [{ start: "ram", length: "1T" }, START, 2 ** 40],
    [{ start: "ram", length: "99999999999T" }, START, 2 ** 51],
  ])("%j is %i and %i bytes on", (range, start, length) => {
    expect(names.range(new Field("range", range))).toEqual({ start, length });
  });
});

describe("placement", () => {
  it("gives each mapping without an address a top-level table entry of its own", () => {
    const names = new Names();
    expect([names.nextPlace(), names.nextPlace(), names.nextPlace()]).toEqual([
      START,
      START + 2 ** 39,
      START + 2 ** 40,
    ]);
  });
});

describe("an address that is written", () => {
  const places = new Places();
  places.add({ name: "ram", start: START, pages: 8 });
  places.add({ name: "next", start: START + 8 * PAGE, pages: 4 });
  places.add({ name: "twin", start: START, pages: 2 });

  it.each([
    [START, "twin"],
    [START + 7 * PAGE, "twin[7]"],
    [START + 7 * PAGE + 16, "twin[7]+16"],
    [START + 16, "twin[0]+16"],
    [START + 8 * PAGE, "next"],
    [START + 100 * PAGE, "next[92]"],
    [START - PAGE, "0xffffffff000"],
  ])("%i is %s", (address, text) => {
    expect(places.placeText(address)).toBe(text);
  });

  it.each([
    [START, START + 2 * PAGE, "twin"],
    [START, START + 8 * PAGE, "twin[0..8]"],
    [START + PAGE, START + 2 * PAGE, "twin[1]"],
    [START + 8 * PAGE, START + 12 * PAGE, "next"],
    [START + 8 * PAGE, START + 9 * PAGE, "next[0]"],
    [START + 8, START + PAGE, { start: "twin[0]+8", length: PAGE - 8 }],
    [START, START + 8, { start: "twin", length: 8 }],
    [PAGE, 2 * PAGE, { start: "0x1000", length: PAGE }],
  ])("%i to %i is %j", (start, end, text) => {
    expect(places.rangeText(start, end)).toEqual(text);
  });

  it("relative to a mapping that does not start at a page has no page number", () => {
    const odd = new Places();
    odd.add({ name: "odd", start: START + 16, pages: 8 });
    expect(odd.rangeText(START + PAGE, START + 2 * PAGE)).toEqual({ start: "odd[0]+4080", length: PAGE });
  });
});
