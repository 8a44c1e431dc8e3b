/** Lines that are too long go on below their own beginning, not at the edge. */
import { type Extension, RangeSetBuilder } from "@codemirror/state";
import { Decoration, type DecorationSet, EditorView, ViewPlugin, type ViewUpdate } from "@codemirror/view";

/** What a line goes on behind its indentation. */
const HANG = 2;
/** More than this is not text that somebody indents. */
const MOST = 40;

const LINES = Array.from({ length: MOST + 1 }, (_, columns) => Decoration.line({ class: `cm-hang-${columns}` }));

const RULES = Object.fromEntries(
  LINES.map((_, columns) => [
    `.cm-line.cm-hang-${columns}`,
    { textIndent: `-${columns + HANG}ch`, paddingLeft: `calc(${columns + HANG}ch + 0.5rem)` },
  ]),
);

function indents(view: EditorView): DecorationSet {
  const builder = new RangeSetBuilder<Decoration>();
  for (const { from, to } of view.visibleRanges) {
    for (let position = from; position <= to;) {
      const line = view.state.doc.lineAt(position);
      const columns = Math.min(MOST, /^ */.exec(line.text)?.[0].length ?? 0);
      builder.add(line.from, line.from, LINES[columns] ?? Decoration.line({}));
      position = line.to + 1;
    }
  }
  return builder.finish();
}

const plugin = ViewPlugin.fromClass(
  class {
    decorations: DecorationSet;

    constructor(view: EditorView) {
      this.decorations = indents(view);
    }

    update({ docChanged, viewportChanged, view }: ViewUpdate): void {
      if (docChanged || viewportChanged) this.decorations = indents(view);
    }
  },
  { decorations: ({ decorations }) => decorations },
);

/** Indents what is wrapped. */
export const hangingIndent: Extension = [plugin, EditorView.theme(RULES)];
