import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";

const SITE = fileURLToPath(new URL("../../dist/playground/", import.meta.url));
const BUDGET = 150 * 1024;
/** What its chunks begin with: the editor, loaded where somebody edits a scenario, and what reads the text that is edited, loaded for YAML. */
const EDITOR = /^chunks\/(?:editor|yaml-places)-/;

describe("the playground's scripts", () => {
  it("are less than 150 KiB without the editor", () => {
    const names = readdirSync(SITE, { recursive: true, encoding: "utf8" })
      .map((name) => name.replaceAll("\\", "/"))
      .filter((name) => name.endsWith(".js") && !EDITOR.test(name));
    const bytes = names.map((name) => gzipSync(readFileSync(SITE + name), { level: 9 }).length);
    const total = bytes.reduce((sum, size) => sum + size, 0);
    console.log(`playground: ${(total / 1024).toFixed(1)} KiB of scripts, gzip, in ${names.length} files`);
    expect(names).toContain("main.js");
    expect(total).toBeLessThan(BUDGET);
  });
});
