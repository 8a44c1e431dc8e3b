/** The page's end of the worker. */
import { type Remote, wrap } from "comlink";
import type { RemoteScene, SceneKind, SceneTypes, WorkerApi } from "./protocol.js";

let api: Remote<WorkerApi> | undefined;

/** Starts the worker, so that it is there when the first view asks; `onError` hears of errors that nobody waits for. */
export function startWorker(onError: (error: unknown) => void): void {
  // beside the page, and not beside this module, which may be in any chunk
  const worker = new Worker(new URL("worker.js", document.baseURI), { type: "module" });
  worker.addEventListener("error", (event) => onError(new Error(event.message || "the worker did not start")));
  api = wrap<WorkerApi>(worker);
}

/** Opens a scene; the one of its kind that was open before ends. Errors of the library come back as errors with their message. */
export async function openScene<K extends SceneKind>(
  kind: K,
  params: SceneTypes[K]["params"],
): Promise<RemoteScene<K>> {
  if (api === undefined) throw new Error("the worker has not been started");
  return (await api.open(kind, params)) as unknown as RemoteScene<K>;
}
