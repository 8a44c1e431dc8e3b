/** The editor of scenarios. It is loaded when it is first shown; nothing else imports what it is made of. */
import { autocompletion, closeBrackets, closeBracketsKeymap, completionKeymap } from "@codemirror/autocomplete";
import { defaultKeymap, history, historyKeymap } from "@codemirror/commands";
import { json } from "@codemirror/lang-json";
import { yaml } from "@codemirror/lang-yaml";
import { bracketMatching, indentOnInput } from "@codemirror/language";
import { type Diagnostic, lintGutter, lintKeymap, setDiagnostics } from "@codemirror/lint";
import { Compartment, EditorState, type Extension, Text } from "@codemirror/state";
import { drawSelection, EditorView, highlightActiveLine, keymap, lineNumbers } from "@codemirror/view";
import type { Theme } from "../../app/theme.js";
import type { TextFault } from "../../worker/scenario-text.js";
import type { Span } from "../../../../ts/scenario/text-places.js";
import { completeScenario } from "./completion.js";
import { currentStep, markStep } from "./current-step.js";
import { typeOverSelection } from "./type-over.js";
import { hangingIndent } from "./hanging-indent.js";
import { editorTheme } from "./editor-theme.js";

/** What an editor begins with. */
export interface EditorOptions {
  readonly text: string;
  readonly theme: Theme;
  /** Told what the text is after every change by the reader. */
  readonly onEdit: (text: string) => void;
}

/** Puts an editor into a shadow root: its style sheets are constructed there, which needs no exception from the page's policy. */
export class ScenarioEditor {
  readonly #view: EditorView;
  readonly #theme = new Compartment();
  readonly #language = new Compartment();

  constructor(root: ShadowRoot, { text, theme, onEdit }: EditorOptions) {
    const told = EditorView.updateListener.of(({ docChanged, state, transactions }) => {
      if (docChanged && transactions.some((transaction) => !transaction.isUserEvent("replace"))) {
        onEdit(state.doc.toString());
      }
    });
    const extensions = [
      told,
      this.#theme.of(editorTheme(theme)),
      this.#language.of(languageOf(text)),
      currentStep,
      BASICS,
    ];
    this.#view = new EditorView({ root, parent: root, state: EditorState.create({ doc: text, extensions }) });
  }

  /** Puts another text in, unless it is the same. */
  setText(text: string): void {
    const { doc } = this.#view.state;
    if (doc.eq(Text.of(text.split("\n")))) return;
    this.#view.dispatch({
      changes: { from: 0, to: doc.length, insert: text },
      selection: { anchor: 0 },
      effects: this.#language.reconfigure(languageOf(text)),
      userEvent: "replace",
      scrollIntoView: true,
    });
  }

  /** Underlines what is wrong; null: nothing is. */
  setFault(fault: TextFault | null): void {
    const { state } = this.#view;
    const diagnostics = fault === null ? [] : [diagnosticOf(fault, state)];
    this.#view.dispatch(setDiagnostics(state, diagnostics));
  }

  /** Marks the lines of the step that was carried out last, and shows them. */
  setCurrent(span: Span | null): void {
    const { doc } = this.#view.state;
    const isThere = span !== null && span.to <= doc.length;
    const effects = [markStep.of(isThere ? span : null)];
    const isShown = isThere && !this.#view.hasFocus; // who writes is not to lose the place
    const scroll = isShown ? [EditorView.scrollIntoView(span.from, { y: "center" })] : [];
    this.#view.dispatch({ effects: [...effects, ...scroll] });
  }

  setTheme(theme: Theme): void {
    this.#view.dispatch({ effects: this.#theme.reconfigure(editorTheme(theme)) });
  }

  /** Goes to a position. */
  goTo(position: number): void {
    this.#view.dispatch({
      selection: { anchor: Math.min(position, this.#view.state.doc.length) },
      scrollIntoView: true,
    });
    this.#view.focus();
  }

  /** Takes the editor away. */
  destroy(): void {
    this.#view.destroy();
  }
}

const BASICS: Extension = [
  lineNumbers(),
  lintGutter(),
  history(),
  drawSelection(),
  indentOnInput(),
  bracketMatching(),
  closeBrackets(),
  autocompletion({ override: [completeScenario], icons: false }),
  highlightActiveLine(),
  EditorView.lineWrapping,
  hangingIndent,
  typeOverSelection,
  EditorState.tabSize.of(2),
  EditorView.contentAttributes.of({ "aria-label": "Text of the scenario", tabindex: "0" }),
  keymap.of([...closeBracketsKeymap, ...defaultKeymap, ...historyKeymap, ...completionKeymap, ...lintKeymap]),
];

/** What begins with a brace is JSON, or wants to be. */
function languageOf(text: string): Extension {
  return text.trimStart().startsWith("{") || text.trim() === "" ? json() : yaml();
}

/** An error in a long value is underlined in its first line only. */
function diagnosticOf({ message, span }: TextFault, { doc }: EditorState): Diagnostic {
  const from = Math.min(span.from, doc.length);
  const to = Math.min(Math.max(span.to, from), doc.lineAt(from).to);
  return { from, to, severity: "error", message };
}
