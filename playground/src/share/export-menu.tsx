import { useSignal } from "@preact/signals";
import type { JSX } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { complain, note } from "../app/toasts.js";
import { download } from "./download.js";
import { type Offer, offers } from "./offers.js";

/** A button that opens the list of all files that the view offers. */
export function ExportMenu(): JSX.Element | null {
  const isOpen = useSignal(false);
  const host = useRef<HTMLDivElement>(null);
  const close = (): void => {
    isOpen.value = false;
  };
  useEffect(() => {
    const onPointer = (event: PointerEvent): void => {
      if (event.target instanceof Node && host.current?.contains(event.target) === false) close();
    };
    addEventListener("pointerdown", onPointer);
    return () => removeEventListener("pointerdown", onPointer);
  }, []);
  if (offers.value.length === 0) return null;
  return (
    <div
      class="menu"
      ref={host}
      onKeyDown={(event) => moveIn(event, host.current, close)}
      onFocusOut={({ relatedTarget }) => {
        if (relatedTarget instanceof Node && host.current?.contains(relatedTarget) === false) close();
      }}
    >
      <button type="button" class="button" aria-expanded={isOpen.value} onClick={() => (isOpen.value = !isOpen.value)}>
        Export
      </button>
      {isOpen.value && (
        <ul aria-label="Files">
          {offers.value.map((file) => (
            <li key={file.label + file.kind}>
              <button type="button" onClick={() => void take(file).then(close)}>
                {file.label} <span class="quiet">{file.kind}</span>
              </button>
            </li>
          ))}
        </ul>
      )}
    </div>
  );
}

async function take({ make, label, hint }: Offer): Promise<void> {
  try {
    const file = await make();
    if (file === null) throw new Error(`${label}: there is nothing to save yet`);
    download(file);
    note(hint ?? `${file.name} is saved.`);
  } catch (error) {
    complain(error);
  }
}

/** Up and down go through the list, Escape closes it and goes back to its button. */
function moveIn(event: KeyboardEvent, host: HTMLElement | null, close: () => void): void {
  const buttons = [...(host?.querySelectorAll("button") ?? [])];
  const at = buttons.findIndex((button) => button === document.activeElement);
  if (event.key === "Escape") {
    close();
    buttons[0]?.focus();
  } else if (event.key === "ArrowDown") buttons[Math.min(at + 1, buttons.length - 1)]?.focus();
  else if (event.key === "ArrowUp") buttons[Math.max(at - 1, 0)]?.focus();
  else return;
  event.preventDefault();
}
