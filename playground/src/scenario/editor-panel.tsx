/** The text of the scenario: plain until the editor is there, with what is wrong with it below. */
import { effect, signal, type Signal } from "@preact/signals";
import type { JSX } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { theme } from "../app/theme.js";
import { complain } from "../app/toasts.js";
import type { ScenarioEditor } from "./editor/editor.js";
import { editText, sourceText } from "./lessons.js";
import { currentStep, fault, outline } from "./player.js";

/** The editor that is shown. */
const editor: Signal<ScenarioEditor | null> = signal(null);
/** Nothing is carried out while somebody types. */
const SETTLE_MS = 250;

export function EditorPanel(): JSX.Element {
  const host = useRef<HTMLDivElement>(null);
  useEffect(() => (host.current === null ? undefined : showEditor(host.current)), []);
  return (
    <section class="panel editor" aria-labelledby="editor-title">
      <div class="panel-head">
        <h2 id="editor-title">Scenario</h2>
        <span class="quiet">JSON or YAML · Ctrl Space completes</span>
      </div>
      <div class="editor-host" ref={host} hidden={editor.value === null} />
      {editor.value === null && <pre class="editor-plain">{sourceText.value}</pre>}
      <Fault />
    </section>
  );
}

/** What is wrong; the place is there before the message, as screen readers need it. */
function Fault(): JSX.Element {
  const wrong = fault.value;
  return (
    <p class="fault" role="alert">
      {wrong !== null && (
        <>
          <button type="button" class="link" onClick={() => editor.value?.goTo(wrong.span.from)}>
            Line {wrong.line}
          </button>{" "}
          {wrong.message}
        </>
      )}
    </p>
  );
}

/** Loads the editor and keeps it as the state is, until the function that it returns is called. */
function showEditor(host: HTMLElement): () => void {
  const root = host.shadowRoot ?? host.attachShadow({ mode: "open" });
  let isWanted = true;
  let stop: (() => void) | undefined;
  import("./editor/editor.js").then((loaded) => {
    if (isWanted)
      stop = follow(new loaded.ScenarioEditor(root, { text: sourceText.value, theme: theme(), onEdit: settle }));
  }, complain);
  return () => {
    isWanted = false;
    stop?.();
  };
}

let timer: ReturnType<typeof setTimeout> | undefined;

function settle(text: string): void {
  clearTimeout(timer);
  timer = setTimeout(() => editText(text), SETTLE_MS);
}

function follow(made: ScenarioEditor): () => void {
  editor.value = made;
  const stops = [
    effect(() => made.setTheme(theme())),
    effect(() => {
      clearTimeout(timer); // who opens something else has not written it
      made.setText(sourceText.value);
    }),
    effect(() => made.setFault(fault.value)),
    effect(() =>
      made.setCurrent(fault.value === null ? (outline.value?.steps[currentStep.value]?.span ?? null) : null),
    ),
  ];
  return () => {
    for (const stop of stops) stop();
    editor.value = null;
    made.destroy();
  };
}
