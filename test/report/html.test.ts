import { type DefaultTreeAdapterMap, parse, type ParserError } from "parse5";
import { describe, expect, it } from "vitest";
import { comparisonHtml } from "../../ts/report/html.js";
import { comparisonTable } from "../../ts/report/table.js";
import type { Comparison } from "../../ts/sim/comparison.js";
import { emptyCase, HOSTILE_SOURCE, hugeCase, measuredCase, missingCase, seedCase } from "./fixture.js";

type Node = DefaultTreeAdapterMap["node"];
type Element = DefaultTreeAdapterMap["element"];

const CASES: readonly { name: string; comparison: Comparison }[] = [
  { name: "missed pages", comparison: missingCase() },
  { name: "a published experiment", comparison: seedCase() },
  { name: "a measured experiment", comparison: measuredCase() },
  { name: "nothing, from a hostile name", comparison: emptyCase() },
  { name: "the largest numbers", comparison: hugeCase() },
  { name: "no tracker", comparison: { ...missingCase(), trackers: [] } },
];

function parsed(html: string): { elements: Element[]; errors: string[] } {
  const errors: string[] = [];
  const onParseError = ({ code, startLine }: ParserError): number => errors.push(`${code} in line ${startLine}`);
  return { elements: elementsOf(parse(html, { onParseError })), errors };
}

function elementsOf(node: Node): Element[] {
  const children = "childNodes" in node ? node.childNodes.flatMap(elementsOf) : [];
  return "tagName" in node ? [node, ...children] : children;
}

function textOf(node: Node): string {
  if ("value" in node) return node.value;
  return "childNodes" in node ? node.childNodes.map(textOf).join("") : "";
}

function attribute(element: Element, name: string): string | undefined {
  return element.attrs.find((one) => one.name === name)?.value;
}

function named(elements: readonly Element[], tag: string): Element[] {
  return elements.filter(({ tagName }) => tagName === tag);
}

describe.each(CASES)("the report of $name", ({ comparison }) => {
  const html = comparisonHtml(comparison);
  const { elements, errors } = parsed(html);

  it("is HTML that a strict parser has nothing to say about", () => {
    expect(errors).toEqual([]);
  });

  it("carries the comparison as JSON", () => {
    const [data, ...others] = named(elements, "script");
    expect(others).toEqual([]);
    expect(data && attribute(data, "type")).toBe("application/json");
    expect(JSON.parse(data ? textOf(data) : "")).toEqual(comparison);
  });

  it("loads nothing: no address, no element or attribute that could have one", () => {
    const loading = /^(a|audio|base|embed|form|iframe|image|img|link|object|source|use|video)$/;
    expect(elements.filter(({ tagName }) => loading.test(tagName))).toEqual([]);
    const attributes = elements.flatMap(({ attrs }) => attrs.map(({ name }) => name));
    expect(attributes.filter((name) => /^on|^(src|href|srcset|style|action|data)$/.test(name))).toEqual([]);
    const style = named(elements, "style").map(textOf).join("");
    expect(style).not.toMatch(/url\(|@import|:\/\//);
  });

  it("forbids the browser to load or run anything", () => {
    const policy = named(elements, "meta").find((meta) => attribute(meta, "http-equiv") === "Content-Security-Policy");
    expect(policy && attribute(policy, "content")).toMatch(/^default-src 'none'; style-src 'unsafe-inline';/);
  });

  it("says in words what each picture shows", () => {
    const ids = elements.map((element) => attribute(element, "id")).filter((id) => id !== undefined);
    expect(new Set(ids).size).toBe(ids.length);
    for (const chart of named(elements, "svg").filter((svg) => attribute(svg, "class") === "chart")) {
      expect(attribute(chart, "role")).toBe("img");
      for (const id of (attribute(chart, "aria-labelledby") ?? "").split(" ")) {
        const text = elements.find((element) => attribute(element, "id") === id);
        expect(text && textOf(text), id).not.toBe("");
        expect(text, id).toBeDefined();
      }
    }
  });

  it("gives every cell of a table a head, and every table a caption", () => {
    for (const table of named(elements, "table")) {
      const inside = elementsOf(table);
      expect(named(inside, "caption")).toHaveLength(1);
      expect(named(inside, "th").filter((th) => attribute(th, "scope") === undefined)).toEqual([]);
    }
  });

  it("has no number that is none", () => {
    expect(html).not.toMatch(/NaN|undefined|Infinity/);
  });
});

describe("the tables", () => {
  it.each([missingCase(), seedCase(), hugeCase()])("show every cell that the terminal shows", (comparison) => {
    const terminal = comparisonTable(comparison, { width: 1000, color: "none" }).split("\n");
    const first = terminal.findIndex((line) => line.startsWith("Tracker")) + 1;
    const cells = terminal.slice(first, first + 5).flatMap((row) => row.split(/ {2,}/).slice(1));
    expect(cells).toHaveLength(5 * 20);
    const shown = new Set(named(parsed(comparisonHtml(comparison)).elements, "td").map(textOf));
    expect(cells.filter((cell) => !shown.has(cell))).toEqual([]);
  });

  it("show what the terminal has no room for", () => {
    const rows = named(parsed(comparisonHtml(missingCase())).elements, "tr").map(textOf);
    // exceptions by error code and faults on a marker
    expect(rows).toContainEqual(expect.stringMatching(/^WP_UNPOPULATED.*4001,2343,8341,634\n?$/));
    // page tables before, armed, new and in the end
    expect(rows).toContainEqual(expect.stringMatching(/^sync wp.*60\.0 KiB60\.0 KiB076\.0 KiB\n?$/));
  });

  it("itemise the modelled time", () => {
    const rows = named(parsed(comparisonHtml(missingCase())).elements, "tr").map(textOf);
    expect(rows).toContainEqual(expect.stringMatching(/^armpreRead: .*5,5004202\.31 ms\n?$/));
  });
});

describe("names from outside", () => {
  it("are text wherever they stand", () => {
    const { elements } = parsed(comparisonHtml(emptyCase()));
    const [heading] = named(elements, "h1");
    expect(heading && textOf(heading)).toBe(
      HOSTILE_SOURCE.replaceAll("\u001b", "\\u{1b}").replace("\u0007", "\\u{7}").replace("\u202e", "\\u{202e}"),
    );
  });
});

describe("pictures", () => {
  it("draw one line for trackers whose counts are the same at every point", () => {
    const { elements } = parsed(comparisonHtml(missingCase()));
    expect(named(elements, "polyline")).toHaveLength(4);
    expect(named(elements, "li").map(textOf)).toContain("+ pre-read and + POPULATE_READ: 5,034");
  });

  it("are left out over no accesses", () => {
    expect(named(parsed(comparisonHtml(seedCase())).elements, "polyline")).toEqual([]);
  });

  it("draw bars as long as their share of the longest", () => {
    const { elements } = parsed(comparisonHtml(missingCase()));
    const missed = elements.filter((element) => attribute(element, "class") === "missed");
    // 1,234 of the 3,554 pages that the longest bar has: 3,534 dirty ones and 20 false ones
    expect(missed.map((rect) => attribute(rect, "width"))).toContain("34.72%");
  });
});
