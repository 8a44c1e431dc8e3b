import { mkdtempSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { request, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, describe, expect, it } from "vitest";
import { playgroundCommand } from "../../ts/cli/commands/playground.js";
import { playgroundServer } from "../../ts/cli/playground-server.js";

const FOLDER = mkdtempSync(join(tmpdir(), "pte-playground-"));
const SITE = join(FOLDER, "site");
const TRACE = join(FOLDER, "my trace.txt");

mkdirSync(join(SITE, "chunks"), { recursive: true });
writeFileSync(join(SITE, "index.html"), "<!doctype html>");
writeFileSync(join(SITE, "chunks", "a.js"), "1");
writeFileSync(join(SITE, "engine.wasm"), "wasm");
writeFileSync(join(SITE, "secret.txt"), "not a file of the site");
writeFileSync(join(FOLDER, "outside.js"), "not a file of the site");
writeFileSync(TRACE, "a trace");

let server: Server | undefined;

afterEach(() => server?.close());
afterAll(() => rmSync(FOLDER, { recursive: true }));

interface Answer {
  readonly status: number | undefined;
  readonly type: string | undefined;
  readonly policy: string | string[] | undefined;
  readonly text: string;
}

async function start(file?: string): Promise<{ port: number; path: string }> {
  const started = playgroundServer(SITE, file);
  server = started.server;
  await new Promise<void>((resolve) => started.server.listen(0, "127.0.0.1", resolve));
  return { port: (started.server.address() as AddressInfo).port, path: started.path };
}

/** Asks for a path as it is written; `fetch` would resolve its "..". */
function ask(port: number, path: string, method = "GET"): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const asking = request({ host: "127.0.0.1", port, path, method, agent: false }, (response) => {
      let text = "";
      response.on("data", (part: Buffer) => (text += part.toString()));
      response.on("end", () => {
        const { "content-type": type, "content-security-policy": policy } = response.headers;
        resolve({ status: response.statusCode, type, policy, text });
      });
    });
    asking.on("error", reject).end();
  });
}

describe("the server of the playground", () => {
  it.each([
    ["/", "text/html; charset=utf-8"],
    ["/?embed=1", "text/html; charset=utf-8"],
    ["/chunks/a.js", "text/javascript; charset=utf-8"],
    ["/engine.wasm", "application/wasm"],
  ])("gives %s as %s with its policy", async (path, type) => {
    const { port } = await start();
    const answer = await ask(port, path);
    expect(answer).toMatchObject({ status: 200, type });
    expect(answer.policy).toContain("default-src 'none'; script-src 'self' 'wasm-unsafe-eval'");
  });

  it.each([
    "/../outside.js",
    "/%2e%2e/outside.js",
    "/chunks/../../outside.js",
    "/..%2foutside.js",
    "/secret.txt",
    "/chunks",
    "/none.js",
    "/%",
    "/%00.js",
    "/file/my%20trace.txt",
  ])("has nothing at %s", async (path) => {
    const { port } = await start();
    expect((await ask(port, path)).status).toBe(404);
  });

  it("takes nothing", async () => {
    const { port } = await start();
    expect((await ask(port, "/", "POST")).status).toBe(405);
    expect(await ask(port, "/", "HEAD")).toMatchObject({ status: 200, text: "" });
  });

  it("gives the user's file, and no other of its folder", async () => {
    const { port, path } = await start(TRACE);
    expect(path).toBe("/?file=my%20trace.txt");
    expect(await ask(port, "/file/my%20trace.txt")).toMatchObject({ status: 200, text: "a trace" });
    expect((await ask(port, "/file/outside.js")).status).toBe(404);
  });
});

describe("pte-engine playground", () => {
  it.each([
    [["--port", "x"], '--port expected 0 to 65535, got "x"'],
    [["--port", "65536"], '--port expected 0 to 65535, got "65536"'],
    [[join(FOLDER, "none")], "no such file"],
    [[FOLDER], "expected a file"],
  ])("%j: %s", async (args, message) => {
    const command = playgroundCommand(SITE).exitOverride();
    await expect(command.parseAsync(["--no-open", ...args], { from: "user" })).rejects.toThrow(message);
  });
});
