/** Serves the files of the playground, and one file of the user's beside them. */
import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { basename, extname, join, normalize, sep } from "node:path";
import { pipeline } from "node:stream/promises";

/** A server, and what comes after its origin in the address of the page. */
export interface PlaygroundServer {
  readonly server: Server;
  readonly path: string;
}

const TYPES: Readonly<Record<string, string>> = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".map": "application/json",
  ".json": "application/json",
  ".wasm": "application/wasm",
};

/** What the page has in its own <meta>, here for browsers that read the header first. */
const POLICY =
  "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; worker-src 'self'; style-src 'self'; connect-src 'self'; " +
  "img-src 'self' data: blob:; base-uri 'none'; form-action 'none'";

const HEADERS = {
  "content-security-policy": POLICY,
  "x-content-type-options": "nosniff",
  "referrer-policy": "no-referrer",
  "cache-control": "no-cache",
};

/** The path under which the user's file is served. */
const FILE_PATH = "/file/";

/** Makes a server for the site in the folder `site`; `file` is a trace or a scenario that the page is to open. */
export function playgroundServer(site: string, file?: string): PlaygroundServer {
  const name = file === undefined ? undefined : basename(file);
  const server = createServer((request, response) => {
    const served = locate(request, site, file, name);
    send(request, response, served).catch(() => response.destroy());
  });
  return { server, path: name === undefined ? "/" : `/?file=${encodeURIComponent(name)}` };
}

/** Returns the file that a request is for; undefined for everything that is not ours to give. */
function locate(request: IncomingMessage, site: string, file?: string, name?: string): string | undefined {
  const path = decodedPath(request.url ?? "/");
  if (path === undefined || path.includes("\0")) return undefined;
  if (name !== undefined && path === FILE_PATH + name) return file;
  const inside = normalize(path === "/" ? "/index.html" : path);
  // `normalize` has resolved all "..", of which none can lead above an absolute path; only known kinds of files are served
  return Object.hasOwn(TYPES, extname(inside)) && inside.startsWith(sep) ? join(site, inside) : undefined;
}

function decodedPath(url: string): string | undefined {
  try {
    return decodeURIComponent(url.split(/[?#]/, 1)[0] ?? "");
  } catch {
    return undefined;
  }
}

async function send(request: IncomingMessage, response: ServerResponse, path: string | undefined): Promise<void> {
  const found = path === undefined ? undefined : await stat(path).catch(() => undefined);
  if (request.method !== "GET" && request.method !== "HEAD") refuse(response, 405, "only GET");
  else if (path === undefined || found?.isFile() !== true) refuse(response, 404, "no such file");
  else {
    const type = TYPES[extname(path)] ?? "application/octet-stream";
    response.writeHead(200, { ...HEADERS, "content-type": type, "content-length": found.size });
    if (request.method === "HEAD") response.end();
    else await pipeline(createReadStream(path), response);
  }
}

function refuse(response: ServerResponse, status: number, text: string): void {
  response.writeHead(status, { ...HEADERS, "content-type": "text/plain" }).end(`${text}\n`);
}
