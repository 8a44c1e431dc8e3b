import { chromium, type Browser } from "playwright-core";
import { chromiumPath } from "../../scripts/lib/chromium.mjs";

/** Keeps the browser from calling out by itself, so that tests run the same on a closed network. */
const QUIET_FLAGS: readonly string[] = [
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
  "--no-first-run",
  "--disable-quic",
];

/**
 * Finds Chromium, or says why browser tests must be skipped.
 * Throws an Error instead of a skip when PTE_REQUIRE_ALL is 1, and when CHROMIUM_PATH names no program.
 */
export function findChromium(): { path: string } | { skip: string } {
  const path = chromiumPath();
  if (path !== undefined) return { path };
  const reason = "no Chromium found: set CHROMIUM_PATH or install the chromium package";
  if (process.env["PTE_REQUIRE_ALL"] === "1") throw new Error(reason);
  return { skip: reason };
}

/** Starts the browser at `path` without a window. The caller closes it. */
export function launchChromium(path: string): Promise<Browser> {
  return chromium.launch({ executablePath: path, args: [...QUIET_FLAGS] });
}
