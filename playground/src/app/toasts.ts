/** Short messages at the edge of the page, which screen readers speak. */
import { signal, type Signal } from "@preact/signals";

/** One message. Complaints stay until they are dismissed. */
export interface Toast {
  readonly id: number;
  readonly kind: "note" | "complaint";
  readonly text: string;
}

const NOTE_MS = 4000;

export const toasts: Signal<readonly Toast[]> = signal([]);

let nextId = 1;

/** Tells that something is done. */
export function note(text: string): void {
  const id = add("note", text);
  setTimeout(() => dismiss(id), NOTE_MS);
}

/** Tells what went wrong; the same message twice is one. */
export function complain(error: unknown): void {
  const text = error instanceof Error ? error.message : String(error);
  if (!toasts.value.some((toast) => toast.text === text)) add("complaint", text);
}

/** Takes a message away. */
export function dismiss(id: number): void {
  toasts.value = toasts.value.filter((toast) => toast.id !== id);
}

function add(kind: Toast["kind"], text: string): number {
  const id = nextId++;
  toasts.value = [...toasts.value, { id, kind, text }];
  return id;
}
