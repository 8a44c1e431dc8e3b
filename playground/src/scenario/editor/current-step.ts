/** The lines of the step that was carried out last. */
import { type Extension, RangeSet, StateEffect, type StateEffectType, StateField } from "@codemirror/state";
import { Decoration, type DecorationSet, EditorView } from "@codemirror/view";
import type { Span } from "../../../../ts/scenario/text-places.js";

/** Marks the lines of a part of the text, or none. */
export const markStep: StateEffectType<Span | null> = StateEffect.define<Span | null>();

const LINE = Decoration.line({ class: "cm-step", attributes: { "aria-current": "step" } });

const field = StateField.define<DecorationSet>({
  create: () => Decoration.none,
  update: (before, { changes, effects, state }) => {
    const effect = effects.findLast((candidate) => candidate.is(markStep));
    if (effect === undefined) return before.map(changes);
    const span = effect.value;
    if (span === null) return Decoration.none;
    const [first, last] = [state.doc.lineAt(span.from).number, state.doc.lineAt(span.to).number];
    const lines = Array.from({ length: last - first + 1 }, (_, index) => state.doc.line(first + index));
    return RangeSet.of(lines.map(({ from }) => LINE.range(from)));
  },
  provide: (self) => EditorView.decorations.from(self),
});

/** Shows them. */
export const currentStep: Extension = field;
