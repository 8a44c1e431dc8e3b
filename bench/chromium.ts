import { readFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { chromium } from "playwright-core";
import { chromiumPath } from "../scripts/lib/chromium.mjs";
import type { ElsewhereResult } from "./results.js";

/** Clocks in pages have coarse steps. */
const LEAST_MS = 20;

const FILES: Readonly<Record<string, readonly [type: string, path: string]>> = {
  "/guest.mjs": ["text/javascript", "build/bench-guest.mjs"],
  "/engine.wasm": ["application/wasm", "build/engine.wasm"],
  "/limits.wasm": ["application/wasm", "build/limits.wasm"],
};

/** What the page runs. */
const GUEST_SCRIPT = (rounds: number): string => `(async () => {
  const { measureGuest } = await import("/guest.mjs");
  const bytes = async (path) => (await fetch(path)).arrayBuffer();
  return measureGuest(await bytes("/engine.wasm"), await bytes("/limits.wasm"), { rounds: ${rounds}, leastMs: ${LEAST_MS} });
})()`;

/** Measures the rows in a page, or says why not. */
export async function measureInChromium(rounds: number): Promise<ElsewhereResult | { reason: string }> {
  console.log("the same rows in Chromium");
  const path = chromiumPath();
  if (path === undefined) return { reason: "Chromium: not found, set CHROMIUM_PATH or install the chromium package" };
  const server = await serve();
  const browser = await chromium.launch({ executablePath: path, args: ["--disable-background-networking"] });
  try {
    const page = await browser.newPage();
    await page.goto(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
    const rows = await page.evaluate<ElsewhereResult["rows"]>(GUEST_SCRIPT(rounds));
    return { where: `Chromium ${browser.version()}`, rows };
  } finally {
    await browser.close();
    server.close();
  }
}

/** Serves the files to a page that is isolated, so that its clock has the finest steps there are. */
async function serve(): Promise<Server> {
  const server = createServer((request, response) => {
    const file = FILES[request.url ?? ""];
    response.writeHead(200, {
      "content-type": file?.[0] ?? "text/html",
      "cross-origin-opener-policy": "same-origin",
      "cross-origin-embedder-policy": "require-corp",
    });
    response.end(file === undefined ? "<!doctype html><title>benchmarks</title>" : readFileSync(file[1]));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return server;
}
