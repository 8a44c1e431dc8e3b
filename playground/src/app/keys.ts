/** Keys that work wherever the focus is, but not while somebody writes. */

/** What a key does, for the help and for those who press it. */
export interface KeyBinding {
  readonly key: string;
  /** Other keys that do the same. */
  readonly also?: readonly string[];
  readonly what: string;
  readonly run: () => void;
}

const bindings = new Map<string, KeyBinding>();

/** Adds keys; returns a function that takes them away. */
export function bindKeys(added: readonly KeyBinding[]): () => void {
  const pairs = added.flatMap((binding) =>
    [binding.key, ...(binding.also ?? [])].map((key) => [key, binding] as const),
  );
  for (const [key, binding] of pairs) bindings.set(key, binding);
  return () => {
    for (const [key] of pairs) bindings.delete(key);
  };
}

/** The keys that work now. */
export function boundKeys(): readonly KeyBinding[] {
  return [...new Set(bindings.values())];
}

/** Names the keys of a binding. */
export function keyNames({ key, also = [] }: KeyBinding): string {
  return [key, ...also].map((name) => SHORT_NAMES[name] ?? name).join(", ");
}

const SHORT_NAMES: Readonly<Record<string, string>> = { " ": "Space", ArrowLeft: "←", ArrowRight: "→" };

/** Listens to the keyboard. */
export function followKeys(): void {
  addEventListener("keydown", (event) => {
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || isWriting(event.target)) return;
    const binding = bindings.get(event.key);
    if (binding === undefined || document.querySelector("dialog[open]") !== null) return;
    if (hasItsOwn(event.target, event.key)) return;
    event.preventDefault();
    binding.run();
  });
}

const TEXT_INPUTS = "textarea, select, [contenteditable], input:not([type=radio], [type=range], [type=checkbox])";

/** Keys that controls use themselves while they have the focus. */
const OWN_KEYS: readonly (readonly [keys: readonly string[], controls: string])[] = [
  [[" "], "button, summary, select, input:not([type=range])"],
  [["Home", "End", "ArrowLeft", "ArrowRight"], "select, input"],
];

function hasItsOwn(target: EventTarget | null, key: string): boolean {
  if (!(target instanceof Element)) return false;
  return OWN_KEYS.some(([keys, controls]) => keys.includes(key) && target.matches(controls));
}

function isWriting(target: EventTarget | null): boolean {
  return target instanceof Element && (target.shadowRoot !== null || target.matches(TEXT_INPUTS));
}
