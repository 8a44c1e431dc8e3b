import { readFile } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  type Comparison,
  compareTrackers,
  createEngine,
  defaultCostProfile,
  layoutRam,
  SEED_EXPERIMENT_BYTES,
  TraceStore,
} from "../../ts/node.js";
import { findChromium, launchChromium } from "../support/chromium.js";
import { engineUrl } from "../support/engine-url.js";

/** What the browser runs, as a module: the experiment of the patch, all trackers. */
const EXPERIMENT = `
import * as pte from "/index.js";
export async function experiment() {
  return pte.compareTrackers(await pte.createEngine(), {
    title: "seed",
    source: "browser",
    store: new pte.TraceStore(),
    layout: pte.layoutRam(pte.SEED_EXPERIMENT_BYTES),
    accesses: { reads: 0, writes: 0, skipped: 0 },
    profile: pte.defaultCostProfile(),
    labels: "seed",
  });
}
`;

const WORKER = `
import { experiment } from "/experiment.js";
experiment().then((result) => postMessage({ result }), (error) => postMessage({ error: String(error.stack) }));
`;

const PAGE = `<!doctype html><meta charset="utf-8"><link rel="icon" href="data:,"><title>seed</title>`;

const WRITTEN_HERE: Readonly<Record<string, readonly [type: string, text: string]>> = {
  "/": ["text/html", PAGE],
  "/experiment.js": ["text/javascript", EXPERIMENT],
  "/worker.js": ["text/javascript", WORKER],
};

const BUILT: Readonly<Record<string, string>> = { "/index.js": "text/javascript", "/engine.wasm": "application/wasm" };

const found = findChromium();
const skipReason = "skip" in found ? found.skip : "";

describe.skipIf(skipReason !== "")(`the library in a browser ${skipReason}`, () => {
  let server: Server;
  let browser: Browser;
  let page: Page;
  let origin: string;
  let inNode: Comparison;
  const complaints: string[] = [];

  beforeAll(async () => {
    server = await serve();
    origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    browser = await launchChromium("path" in found ? found.path : "");
    inNode = await experimentInNode();
  }, 60_000);

  afterAll(async () => {
    await browser.close();
    server.close();
  });

  it("does the experiment of the patch in a module worker as Node does", { timeout: 60_000 }, async () => {
    page = await openPage(browser, origin, complaints);
    const result = await page.evaluate(
      () =>
        new Promise<Comparison>((resolve, reject) => {
          const worker = new Worker("/worker.js", { type: "module" });
          worker.onerror = (event): void => {
            reject(new Error(event.message));
          };
          worker.onmessage = ({ data }: MessageEvent<{ result?: Comparison; error?: string }>): void => {
            if (data.result === undefined) reject(new Error(data.error));
            else resolve(data.result);
          };
        }),
    );
    expect(comparable(result)).toEqual(comparable(inNode));
    expect(result.trackers.map((row) => row.armed.none)).toEqual([0, 0, 0, 2_621_440, 2_621_440]);
    expect(complaints).toEqual([]);
  });

  it("does the same on a plain page", { timeout: 60_000 }, async () => {
    page = await openPage(browser, origin, complaints);
    const result = await page.evaluate<Comparison>(`import("/experiment.js").then((module) => module.experiment())`);
    expect(comparable(result)).toEqual(comparable(inNode));
    expect(complaints).toEqual([]);
  });
});

async function experimentInNode(): Promise<Comparison> {
  return compareTrackers(await createEngine({}, engineUrl), {
    title: "seed",
    source: "browser",
    store: new TraceStore(),
    layout: layoutRam(SEED_EXPERIMENT_BYTES),
    accesses: { reads: 0, writes: 0, skipped: 0 },
    profile: defaultCostProfile(),
    labels: "seed",
  });
}

/** All of a result but how long it took. */
function comparable(comparison: Comparison): Comparison {
  return { ...comparison, elapsedMs: 0 };
}

async function openPage(browser: Browser, origin: string, complaints: string[]): Promise<Page> {
  const page = await browser.newPage();
  page.on("console", (message) => {
    if (message.type() === "error" || message.type() === "warning") complaints.push(message.text());
  });
  page.on("pageerror", (error) => complaints.push(error.message));
  page.on("requestfailed", (request) => complaints.push(`not loaded: ${request.url()}`));
  await page.goto(origin);
  return page;
}

/** Serves the bundle for browsers and the few files above on a free port of this machine. */
async function serve(): Promise<Server> {
  const files = new Map<string, { type: string; body: Buffer }>();
  for (const [path, [type, text]] of Object.entries(WRITTEN_HERE)) files.set(path, { type, body: Buffer.from(text) });
  for (const [path, type] of Object.entries(BUILT)) {
    files.set(path, { type, body: await readFile(new URL(`../../dist/browser${path}`, import.meta.url)) });
  }
  const server = createServer((request, response) => {
    const file = files.get(request.url ?? "");
    response.writeHead(file === undefined ? 404 : 200, { "content-type": file?.type ?? "text/plain" });
    response.end(file?.body);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return server;
}
