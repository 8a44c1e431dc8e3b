import { readdirSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { findChromium, launchChromium } from "../support/chromium.js";

const GOLDEN = new URL("../golden/", import.meta.url);
const FILES = readdirSync(GOLDEN).filter((name) => name.endsWith(".jsonl.gz"));

/** What the page does: runs each scenario of a file and tells which gave something else than Linux did. */
const COMPARISON = `
import * as pte from "/index.js";
const engine = await pte.createEngine();

export async function compare(file) {
  const compressed = (await fetch("/golden/" + file)).body;
  const text = await new Response(compressed.pipeThrough(new DecompressionStream("gzip"))).text();
  const recordings = text.trimEnd().split("\\n").map((line) => JSON.parse(line));
  const wrong = recordings.filter(({ document, transcript }) =>
    sorted(pte.runScenario(document, engine)) !== sorted(transcript));
  return { count: recordings.length, wrong: wrong.map(({ document }) => document.name) };
}

/** As JSON in which the order of fields means nothing. */
function sorted(value) {
  return JSON.stringify(value, (_key, part) =>
    part !== null && typeof part === "object" && !Array.isArray(part)
      ? Object.fromEntries(Object.entries(part).sort(([a], [b]) => (a < b ? -1 : 1)))
      : part);
}
`;

const PAGE = `<!doctype html><meta charset="utf-8"><link rel="icon" href="data:,"><title>golden</title>`;

interface Outcome {
  readonly count: number;
  readonly wrong: readonly string[];
}

const found = findChromium();
const skipReason = "skip" in found ? found.skip : "";

describe.skipIf(skipReason !== "")(`what Linux gave, the engine gives in a browser ${skipReason}`, () => {
  let server: Server;
  let browser: Browser;
  let page: Page;

  beforeAll(async () => {
    server = await serve();
    browser = await launchChromium("path" in found ? found.path : "");
    page = await browser.newPage();
    await page.goto(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  }, 60_000);

  afterAll(async () => {
    await browser.close();
    server.close();
  });

  it.each(FILES)("%s", { timeout: 60_000 }, async (file) => {
    const { count, wrong } = await page.evaluate<Outcome>(
      `import("/comparison.js").then(({ compare }) => compare(${JSON.stringify(file)}))`,
    );
    expect(count).toBeGreaterThan(0);
    expect(wrong).toEqual([]);
  });
});

/** Serves the bundle for browsers, the recordings and the page on a free port of this machine. */
async function serve(): Promise<Server> {
  const files = new Map<string, { type: string; body: Buffer }>([
    ["/", { type: "text/html", body: Buffer.from(PAGE) }],
    ["/comparison.js", { type: "text/javascript", body: Buffer.from(COMPARISON) }],
    ["/index.js", { type: "text/javascript", body: await readFile(builtFile("index.js")) }],
    ["/engine.wasm", { type: "application/wasm", body: await readFile(builtFile("engine.wasm")) }],
  ]);
  for (const name of FILES) {
    files.set(`/golden/${name}`, { type: "application/octet-stream", body: await readFile(new URL(name, GOLDEN)) });
  }
  const server = createServer((request, response) => {
    const file = files.get(request.url ?? "");
    response.writeHead(file === undefined ? 404 : 200, { "content-type": file?.type ?? "text/plain" });
    response.end(file?.body);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return server;
}

function builtFile(name: string): URL {
  return new URL(`../../dist/browser/${name}`, import.meta.url);
}
