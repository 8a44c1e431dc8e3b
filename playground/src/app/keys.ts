/** Keys that work wherever the focus is, but not while somebody writes. */

/** What a key does, for the help and for those who press it. */
export interface KeyBinding {
  readonly key: string;
  readonly what: string;
  readonly run: () => void;
}

const bindings = new Map<string, KeyBinding>();

/** Adds keys; returns a function that takes them away. */
export function bindKeys(added: readonly KeyBinding[]): () => void {
  for (const binding of added) bindings.set(binding.key, binding);
  return () => {
    for (const { key } of added) bindings.delete(key);
  };
}

/** The keys that work now. */
export function boundKeys(): readonly KeyBinding[] {
  return [...bindings.values()];
}

/** Listens to the keyboard. */
export function followKeys(): void {
  addEventListener("keydown", (event) => {
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || isWriting(event.target)) return;
    const binding = bindings.get(event.key);
    if (binding === undefined || document.querySelector("dialog[open]") !== null) return;
    event.preventDefault();
    binding.run();
  });
}

const TEXT_INPUTS = "textarea, select, [contenteditable], input:not([type=radio], [type=range], [type=checkbox])";

function isWriting(target: EventTarget | null): boolean {
  return target instanceof Element && (target.shadowRoot !== null || target.matches(TEXT_INPUTS));
}
