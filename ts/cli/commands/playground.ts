import { once } from "node:events";
import { stat } from "node:fs/promises";
import { spawn } from "node:child_process";
import type { AddressInfo } from "node:net";
import { fileURLToPath } from "node:url";
import { Command } from "commander";
import { UsageError } from "../errors.js";
import { playgroundServer } from "../playground-server.js";

interface Options {
  port: string;
  open: boolean;
}

/** Where the bundled command finds the site: beside itself. */
const SITE = fileURLToPath(new URL("./playground/", import.meta.url));
const HIGHEST_PORT = 65535;

/** `pte-engine playground [FILE]`: serves the playground on this machine and shows it, with a trace or a scenario if one is given. */
export function playgroundCommand(site: string = SITE): Command {
  return new Command("playground")
    .description("open the playground in a browser: map of the address space, experiments, scenarios")
    .argument("[file]", "a trace or a scenario to show")
    .option("--port <port>", "port on 127.0.0.1; 0 takes a free one", "0")
    .option("--no-open", "serve it, but start no browser")
    .action(async (file: string | undefined, options: Options) => {
      const port = readPort(options.port);
      if (file !== undefined) await checkFile(file);
      const { server, path } = playgroundServer(site, file);
      server.listen(port, "127.0.0.1");
      await once(server, "listening"); // rejects with the error of a port that is taken
      const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}${path}`;
      process.stdout.write(`${url}\n`);
      if (options.open) openBrowser(url);
    });
}

function readPort(text: string): number {
  const port = Number(text);
  if (/^\d+$/.test(text) && port <= HIGHEST_PORT) return port;
  throw new UsageError(`--port expected 0 to ${HIGHEST_PORT}, got "${text}"`);
}

async function checkFile(path: string): Promise<void> {
  if (!(await stat(path)).isFile()) throw new UsageError(`${path}: expected a file`);
}

/** Shows a page in the user's browser. Where there is none the address has been printed. */
function openBrowser(url: string): void {
  const [program, ...args] = browserCommand(url);
  if (program === undefined) return;
  spawn(program, args, { detached: true, stdio: "ignore" })
    .on("error", () => undefined)
    .unref();
}

function browserCommand(url: string): string[] {
  if (process.platform === "darwin") return ["open", url];
  return process.platform === "win32" ? ["cmd", "/c", "start", "", url] : ["xdg-open", url];
}
