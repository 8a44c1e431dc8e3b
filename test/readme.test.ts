import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";

const ROOT = fileURLToPath(new URL("../", import.meta.url));
const README = readFileSync(`${ROOT}README.md`, "utf8");
const pages = [
  "README.md",
  "traces/README.md",
  ...readdirSync(`${ROOT}docs`)
    .filter((name) => name.endsWith(".md"))
    .map((name) => `docs/${name}`),
];

describe("the documentation", () => {
  it("quotes the example as it is run by the tests", () => {
    expect(README).toContain(readFileSync(`${ROOT}examples/protect-unpopulated.ts`, "utf8"));
  });

  it("quotes benchmark rows as they were measured", () => {
    const measured = readFileSync(`${ROOT}docs/benchmarks.md`, "utf8").split("\n").map(cellsOf);
    const quoted = README.split("\n")
      .filter((line) => / ns\/(PTE|access) /.test(line))
      .map(cellsOf);
    expect(quoted.length).toBeGreaterThan(0);
    for (const cells of quoted) expect(measured).toContainEqual(cells);
  });

  it.each(pages)("%s links to files that are there", (page) => {
    const links = [...readFileSync(join(ROOT, page), "utf8").matchAll(/\]\(([^)#:]+)\)/g)].map(
      (match) => match[1] ?? "",
    );
    for (const link of links)
      expect({ link, isThere: existsSync(join(ROOT, dirname(page), link)) }).toEqual({ link, isThere: true });
  });
});

/** The cells of a line of a table, however wide they are written. */
function cellsOf(line: string): string[] {
  return line.split("|").map((cell) => cell.trim());
}
