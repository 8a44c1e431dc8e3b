import { execFile } from "node:child_process";
import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { transform } from "esbuild";
import ts from "typescript";
import { beforeAll, describe, expect, it } from "vitest";

const ROOT = fileURLToPath(new URL("../", import.meta.url));
/** Inside of the package, so that the examples find it by its name, as a user's program does. */
const OUT = `${ROOT}build/examples/`;

const run = promisify(execFile);
const names = (await readdir(`${ROOT}examples`))
  .filter((file) => file.endsWith(".ts"))
  .map((file) => file.slice(0, -3));

async function runExample(name: string, ...args: string[]): Promise<string[]> {
  const { stdout, stderr } = await run(process.execPath, [`${OUT}${name}.js`, ...args], { cwd: ROOT });
  expect(stderr).toBe("");
  return stdout.trimEnd().split("\n");
}

beforeAll(async () => {
  await mkdir(OUT, { recursive: true });
  for (const name of names) {
    const source = await readFile(`${ROOT}examples/${name}.ts`, "utf8");
    await writeFile(`${OUT}${name}.js`, (await transform(source, { loader: "ts", format: "esm" })).code);
  }
});

describe("the examples", () => {
  it("are the four that are tested here, and fit on a screen", async () => {
    expect(names.sort()).toEqual(["dirty-rounds", "lost-dirty-page", "protect-unpopulated", "replay-trace"]);
    for (const name of names) {
      expect((await readFile(`${ROOT}examples/${name}.ts`, "utf8")).split("\n").length).toBeLessThan(41);
    }
  });

  it("have no type error", { timeout: 60_000 }, () => {
    const { config } = ts.readConfigFile(`${ROOT}tsconfig.json`, (path) => ts.sys.readFile(path)) as { config: object };
    const { options } = ts.parseJsonConfigFileContent(config, ts.sys, ROOT);
    const program = ts.createProgram(
      names.map((name) => `${ROOT}examples/${name}.ts`),
      { ...options, noEmit: true, paths: { "pte-engine": [`${ROOT}ts/node.ts`] } },
    );
    const errors = ts
      .getPreEmitDiagnostics(program)
      .map((error) => ts.flattenDiagnosticMessageText(error.messageText, "\n"));
    expect(errors).toEqual([]);
  });

  it("protect-unpopulated shows the two faults of a write to a marker", async () => {
    expect(await runExample("protect-unpopulated")).toEqual([
      "protected: 0 present, 1 uffd-wp; 12 KiB of tables, 0 pages",
      "write: blocked: 1 present, 1 uffd-wp; 12 KiB of tables, 1 pages",
      "message: wp write at 0x100000000000",
      "write: ok, 2 faults: 1 present, 0 uffd-wp; 12 KiB of tables, 1 pages",
    ]);
  });

  it("lost-dirty-page shows how a page is lost", async () => {
    expect(await runExample("lost-dirty-page")).toEqual([
      "features []: wrote pages 0 and 1, noticed 0",
      "features [wp-unpopulated]: wrote pages 0 and 1, noticed 0 and 1",
    ]);
  });

  it("dirty-rounds counts the pages that each round has written", async () => {
    const lines = await runExample("dirty-rounds");
    expect(lines).toHaveLength(4);
    lines.forEach((line, i) => {
      const [writes = 0, dirty = 0, regions = 0] = (
        /: (\d+) writes, (\d+) dirty pages in (\d+) regions$/.exec(line) ?? []
      )
        .slice(1)
        .map(Number);
      const pages = 2 ** (19 - i);
      // of n pages, w random writes leave n·(1 - e^(-w/n)) written
      expect(writes).toBe(2 ** 20);
      expect(dirty / (pages * (1 - Math.exp(-writes / pages)))).toBeCloseTo(1, 2);
      expect(regions).toBeLessThan(dirty);
    });
  });

  it("replay-trace compares the trackers on a trace file", { timeout: 60_000 }, async () => {
    const lines = await runExample("replay-trace", "traces/sqlite.pte-trace.gz");
    for (const label of ["sync wp", "POPULATE_READ", "WP_UNPOPULATED", "WP_ASYNC"]) {
      expect(lines.some((line) => line.includes(label))).toBe(true);
    }
    const lost = lines.filter((line) => / lost \d+ of \d+ dirty pages$/.test(line));
    expect(lost).toHaveLength(1);
    expect(lost[0]).toContain("sync wp lost ");
  });
});
