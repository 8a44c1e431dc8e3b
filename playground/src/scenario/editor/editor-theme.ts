/** Colours of the editor: the page's own properties, which reach into the shadow root, and those of the syntax. */
import { HighlightStyle, syntaxHighlighting } from "@codemirror/language";
import type { Extension } from "@codemirror/state";
import { EditorView } from "@codemirror/view";
import { tags } from "@lezer/highlight";
import type { Theme } from "../../app/theme.js";

const SYNTAX: Readonly<Record<Theme, HighlightStyle>> = {
  light: syntax({ name: "#0a5cb8", text: "#1a6e34", number: "#9a3d00", word: "#6a3d9a", quiet: "#55606c" }),
  dark: syntax({ name: "#74b4f5", text: "#6fcf8a", number: "#f2a65a", word: "#c9a3ee", quiet: "#9aa5b1" }),
};

/** Returns the look of the editor. */
export function editorTheme(theme: Theme): Extension {
  return [EditorView.theme(RULES, { dark: theme === "dark" }), syntaxHighlighting(SYNTAX[theme])];
}

function syntax(colours: Readonly<Record<"name" | "text" | "number" | "word" | "quiet", string>>): HighlightStyle {
  return HighlightStyle.define([
    { tag: [tags.propertyName, tags.definition(tags.propertyName)], color: colours.name },
    { tag: [tags.string, tags.content], color: colours.text },
    { tag: tags.number, color: colours.number },
    { tag: [tags.bool, tags.null, tags.keyword], color: colours.word },
    { tag: [tags.punctuation, tags.separator, tags.bracket, tags.comment], color: colours.quiet },
  ]);
}

const RULES = {
  "&": { height: "100%", color: "var(--ink)", backgroundColor: "var(--surface)", fontSize: "var(--text-s)" },
  "&.cm-focused": { outline: "none" }, // the panel around it has one
  ".cm-scroller": { fontFamily: "var(--mono)", lineHeight: "1.5", overflow: "auto" },
  ".cm-content": { caretColor: "var(--ink)", padding: "0.375rem 0" },
  ".cm-line": { paddingLeft: "0.5rem" },
  ".cm-gutters": { backgroundColor: "var(--surface)", color: "var(--quiet)", border: "0" },
  ".cm-lineNumbers .cm-gutterElement": { padding: "0 0.25rem 0 0.5rem", minWidth: "1.75rem" },
  ".cm-gutter-lint": { width: "1rem" },
  ".cm-activeLine": { backgroundColor: "transparent" },
  "&.cm-focused .cm-activeLine": { backgroundColor: "color-mix(in srgb, var(--raised) 70%, transparent)" },
  ".cm-line.cm-step": { backgroundColor: "var(--accent-soft)", boxShadow: "inset 3px 0 0 var(--accent)" },
  "&.cm-focused > .cm-scroller > .cm-selectionLayer .cm-selectionBackground, .cm-selectionBackground": {
    background: "color-mix(in srgb, var(--accent) 28%, transparent)",
  },
  ".cm-cursor": { borderLeftColor: "var(--ink)" },
  ".cm-matchingBracket, &.cm-focused .cm-matchingBracket": {
    backgroundColor: "transparent",
    outline: "1px solid var(--line-strong)",
  },
  ".cm-tooltip": {
    border: "1px solid var(--line)",
    borderRadius: "var(--radius)",
    backgroundColor: "var(--surface)",
    boxShadow: "var(--shadow)",
  },
  ".cm-tooltip.cm-tooltip-autocomplete > ul": { fontFamily: "var(--mono)", maxHeight: "14rem" },
  ".cm-tooltip.cm-tooltip-autocomplete > ul > li": { padding: "0.125rem 0.5rem" },
  ".cm-tooltip-autocomplete ul li[aria-selected]": { background: "var(--accent)", color: "var(--on-accent)" },
  ".cm-completionDetail": { marginLeft: "1rem", fontStyle: "normal", opacity: "0.75" },
  ".cm-completionMatchedText": { textDecoration: "none", fontWeight: "700" },
  ".cm-diagnostic": { padding: "0.375rem 0.625rem", maxWidth: "34rem", font: "var(--text-s)/1.5 var(--font)" },
  ".cm-diagnostic-error": { borderLeft: "4px solid var(--bad)" },
};
