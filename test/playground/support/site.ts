import type { Server } from "node:http";
import type { AddressInfo } from "node:net";
import { fileURLToPath } from "node:url";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import type { Browser, BrowserContextOptions, Page } from "playwright-core";
import { playgroundServer } from "../../../ts/cli/playground-server.js";
import { findChromium, launchChromium } from "../../support/chromium.js";

const SITE = fileURLToPath(new URL("../../../dist/playground/", import.meta.url));
const PICTURES = fileURLToPath(new URL("../../../test-results/", import.meta.url));
const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

const found = findChromium();

/** Why tests in a browser are skipped; empty if they are not. */
export const skipReason: string = "skip" in found ? found.skip : "";

/** The built site on a free port, and a browser. */
export interface Site {
  readonly origin: string;
  readonly browser: Browser;
  /** Opens a path in a context of its own, and notes what goes wrong there. */
  open(path: string, options?: BrowserContextOptions): Promise<Visit>;
  close(): Promise<void>;
}

/** A page, and what went wrong on it: errors, failed requests, requests to other places. */
export interface Visit {
  readonly page: Page;
  readonly complaints: readonly string[];
}

/** Starts both. `file` is served beside the site, as the command does it. */
export async function startSite(file?: string): Promise<Site> {
  const { server } = playgroundServer(SITE, file);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const browser = await launchChromium("path" in found ? found.path : "");
  return {
    origin,
    browser,
    open: (path, options) => visit(browser, origin, path, options),
    close: () => closeBoth(browser, server),
  };
}

/** A phone. */
export const PHONE = { viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true } as const;

/** Presses Tab until the focus is on what the selector names. */
export async function tabTo(page: Page, selector: string): Promise<void> {
  for (let presses = 0; presses < 120; presses++) {
    if (await page.evaluate((wanted) => document.activeElement?.matches(wanted) === true, selector)) return;
    await page.keyboard.press("Tab");
  }
  throw new Error(`Tab never comes to ${selector}`);
}

/** Saves what a page shows, for people to look at; returns the path. */
export async function takePicture(page: Page, name: string): Promise<string> {
  const path = `${PICTURES}${name}.png`;
  await page.screenshot({ path, fullPage: true });
  return path;
}

/** What axe finds that is serious or critical, in a line each. */
export async function accessibilityProblems(page: Page): Promise<string[]> {
  await page.evaluate(AXE);
  return page.evaluate(async () => {
    const axe = (globalThis as unknown as { axe: { run(): Promise<{ violations: Violation[] }> } }).axe;
    const { violations } = await axe.run();
    return violations
      .filter(({ impact }) => impact === "serious" || impact === "critical")
      .map(({ id, help, nodes }) => `${id}: ${help} (${nodes.map((node) => node.html).join(" ")})`);
  });
}

interface Violation {
  readonly id: string;
  readonly help: string;
  readonly impact: string;
  readonly nodes: readonly { readonly html: string }[];
}

async function visit(browser: Browser, origin: string, path: string, options?: BrowserContextOptions): Promise<Visit> {
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, ...options });
  const page = await context.newPage();
  const complaints: string[] = [];
  page.on("console", (message) => {
    if (message.type() === "error" || message.type() === "warning") complaints.push(message.text());
  });
  page.on("pageerror", (error) => complaints.push(error.message));
  page.on("requestfailed", (request) => complaints.push(`not loaded: ${request.url()}`));
  page.on("request", (request) => {
    const isOurs = request.url().startsWith(`${origin}/`) || /^(?:data|blob):/.test(request.url());
    if (!isOurs) complaints.push(`asked for ${request.url()}`);
  });
  await page.goto(origin + path);
  return { page, complaints };
}

async function closeBoth(browser: Browser, server: Server): Promise<void> {
  await browser.close();
  server.closeAllConnections();
  server.close();
}
