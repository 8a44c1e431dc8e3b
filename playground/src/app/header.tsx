import type { JSX } from "preact";
import { useRef } from "preact/hooks";
import { ExportMenu } from "../share/export-menu.js";
import { shareLink, state } from "../state/store.js";
import { openFile } from "./files.js";
import { isHelpOpen } from "./help.js";
import { theme, toggleTheme } from "./theme.js";
import { complain, note } from "./toasts.js";
import { VIEWS } from "./views.js";

/** Name, tabs, and what can be done with the page as a whole. */
export function Header(): JSX.Element {
  return (
    <header class="header">
      <a class="skip" href="#view" onClick={skipToView}>
        Skip to the view
      </a>
      <h1 class="brand">
        pte-engine <span>playground</span>
      </h1>
      <Tabs />
      <div class="actions">
        <OpenButton />
        <ExportMenu />
        <button type="button" class="button" onClick={() => void share()}>
          Share
        </button>
        <button
          type="button"
          class="button icon"
          onClick={toggleTheme}
          aria-label={`Change to ${otherTheme()} colours`}
        >
          <ThemeIcon />
        </button>
        <button
          type="button"
          class="button icon"
          onClick={() => (isHelpOpen.value = true)}
          aria-label="Help and limits"
        >
          ?
        </button>
      </div>
    </header>
  );
}

function Tabs(): JSX.Element {
  return (
    <nav class="tabs" aria-label="Views">
      {VIEWS.map(({ id, title }) => (
        <button
          type="button"
          key={id}
          aria-current={state.view.value === id ? "page" : undefined}
          onClick={() => (state.view.value = id)}
        >
          {title}
        </button>
      ))}
    </nav>
  );
}

/** What dropping a file does, for those who do not drag. */
function OpenButton(): JSX.Element {
  const input = useRef<HTMLInputElement>(null);
  const choose = (): void => {
    const file = input.current?.files?.[0];
    if (file !== undefined) void openFile(file, file.name);
    if (input.current !== null) input.current.value = ""; // so that the same file can be chosen again
  };
  return (
    <>
      <button type="button" class="button" onClick={() => input.current?.click()}>
        Open<span class="wide"> a file</span>…
      </button>
      <input ref={input} type="file" hidden aria-label="Trace or scenario" onChange={choose} />
    </>
  );
}

function ThemeIcon(): JSX.Element {
  return (
    <svg viewBox="0 0 16 16" width="16" height="16" aria-hidden="true">
      <circle cx="8" cy="8" r="6" fill="none" stroke="currentColor" stroke-width="1.5" />
      <path d="M8 2a6 6 0 0 1 0 12z" fill="currentColor" />
    </svg>
  );
}

function otherTheme(): string {
  return theme() === "dark" ? "light" : "dark";
}

function skipToView(event: MouseEvent): void {
  event.preventDefault(); // the fragment of the address is the state's
  document.getElementById("view")?.focus();
}

async function share(): Promise<void> {
  try {
    const link = await shareLink();
    await navigator.clipboard.writeText(link);
    note("The link to what you see is in the clipboard.");
  } catch (error) {
    complain(
      error instanceof DOMException ? new Error("The clipboard is denied: copy the link from the address bar.") : error,
    );
  }
}
