/**
 * Typing over a selection, done by the editor. Left to itself the browser would keep the look of what it deletes in style attributes, which the
 * page's policy forbids, and say so for each.
 */
import type { Extension } from "@codemirror/state";
import { EditorView } from "@codemirror/view";

/** Replaces the selection. */
export const typeOverSelection: Extension = EditorView.domEventHandlers({
  beforeinput: (event, view) => {
    const { state } = view;
    const { main } = state.selection;
    const { data } = event;
    if (event.inputType !== "insertText" || event.isComposing || data === null || main.empty) return false;
    const insert = () => state.update(state.replaceSelection(data), { userEvent: "input.type", scrollIntoView: true });
    const isHandled = state
      .facet(EditorView.inputHandler)
      .some((handle) => handle(view, main.from, main.to, data, insert));
    if (!isHandled) view.dispatch(insert());
    event.preventDefault();
    return true;
  },
});
