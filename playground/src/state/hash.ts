/** The state of the page as the fragment of a link: JSON, compressed with deflate, in base64url. */
import { StateError } from "./fields.js";
import { differences, readState, type State } from "./state.js";

/** What a fragment with a state begins with. */
const PREFIX = "#s=";

/** Decompressed bytes of a state; whoever sends more has not got it from this page. */
const MAX_BYTES = 1 << 20;

/** Returns the fragment for a state; empty for the state without a link. */
export async function encodeHash(state: State): Promise<string> {
  const changed = differences(state);
  if (Object.keys(changed).length === 0) return "";
  const packed = await packed64(JSON.stringify(changed));
  return PREFIX + packed;
}

/**
 * Returns the state of a fragment; null if it carries none.
 * @throws StateError for a fragment that is damaged or holds something else than a state.
 */
export async function decodeHash(hash: string): Promise<State | null> {
  if (!hash.startsWith(PREFIX)) return null;
  return readState(parse(await unpacked64(hash.slice(PREFIX.length))));
}

async function packed64(text: string): Promise<string> {
  const stream = new Blob([text]).stream().pipeThrough(new CompressionStream("deflate-raw"));
  const bytes = new Uint8Array(await new Response(stream).arrayBuffer());
  const characters = Array.from(bytes, (byte) => String.fromCharCode(byte)).join("");
  return btoa(characters).replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "");
}

async function unpacked64(text: string): Promise<string> {
  try {
    const characters = atob(text.replaceAll("-", "+").replaceAll("_", "/"));
    const bytes = Uint8Array.from(characters, (character) => character.charCodeAt(0));
    const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate-raw"));
    return await textOf(stream);
  } catch (error) {
    if (error instanceof StateError) throw error;
    throw new StateError("the link is damaged: a part of it is missing or was changed");
  }
}

async function textOf(stream: ReadableStream<Uint8Array>): Promise<string> {
  const decoder = new TextDecoder("utf-8", { fatal: true });
  let bytes = 0;
  let text = "";
  const reader = stream.getReader();
  for (let part = await reader.read(); !part.done; part = await reader.read()) {
    bytes += part.value.length;
    if (bytes > MAX_BYTES) throw new StateError(`the link is damaged: it holds more than ${MAX_BYTES} bytes`);
    text += decoder.decode(part.value, { stream: true });
  }
  return text + decoder.decode();
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new StateError("the link is damaged: it holds no JSON");
  }
}
