import { CompletionContext } from "@codemirror/autocomplete";
import { json } from "@codemirror/lang-json";
import { EditorState } from "@codemirror/state";
import { describe, expect, it } from "vitest";
import { completeScenario } from "../../playground/src/scenario/editor/completion.js";

/** What can be at the `|` of a text. */
function optionsAt(marked: string): string[] {
  const pos = marked.indexOf("|");
  const state = EditorState.create({ doc: marked.replace("|", ""), extensions: json() });
  return completeScenario(new CompletionContext(state, pos, true))?.options.map(({ label }) => label) ?? [];
}

const U = '{ "op": "uffd", "as": "u" }, { "op": "mmap", "as": "ram", "pages": 4 }';

describe("completion of scenarios", () => {
  it.each([
    ["fields of the document", '{ "scenario": 1, | }', ['"name"', '"about"', '"machine"', '"steps"']],
    ["fields of the machine", '{ "machine": { "t|" } }', ['"thp"', '"swapPages"']],
    ["values of the machine", '{ "machine": { "thp": "|" } }', ['"never"', '"madvise"', '"always"']],
    ["whole steps", '{ "steps": [ | ] }', ["mmap", "writeprotect", "pagemap-scan"]],
    ["whole steps behind others", `{ "steps": [ ${U}, | ] }`, ["mmap", "stat"]],
    ["operations", `{ "steps": [ ${U}, { "op": "|" } ] }`, ['"mmap"', '"wake"']],
    ["operations before a quote", `{ "steps": [ { "op": | } ] }`, ['"mmap"', '"wake"']],
    ["the first field of a step", '{ "steps": [ { | } ] }', ['"op"']],
    ["fields of a step", '{ "steps": [ { "op": "copy", | } ] }', ['"uffd"', '"range"', '"value"', '"wp"', '"expect"']],
    ["features", '{ "steps": [ { "op": "uffd", "as": "u", "features": ["|"] } ] }', ['"wp-unpopulated"', '"wp-async"']],
    ["modes", '{ "steps": [ { "op": "register", "modes": ["wp", |] } ] }', ['"missing"', '"minor"']],
    ["handlers", '{ "steps": [ { "op": "uffd", "handler": { "wp": "|" } } ] }', ['"unprotect"', '"none"']],
    ["truth", '{ "steps": [ { "op": "copy", "wp": | } ] }', ["true", "false"]],
    ["descriptors", `{ "steps": [ ${U}, { "op": "wake", "uffd": "|" } ] }`, ['"u"']],
    ["mappings", `{ "steps": [ ${U}, { "op": "read", "at": | } ] }`, ['"ram"']],
    [
      "processes",
      '{ "steps": [ { "op": "fork", "as": "child" }, { "op": "exit", "proc": "|" } ] }',
      ['"main"', '"child"'],
    ],
  ])("has %s", (_what, text, some) => {
    expect(optionsAt(text)).toEqual(expect.arrayContaining(some));
  });

  it.each([
    ["a field twice", '{ "steps": [ { "op": "copy", "uffd": "u", | } ] }', '"uffd"'],
    ["fields of other operations", '{ "steps": [ { "op": "stat", | } ] }', '"range"'],
    ["mappings as descriptors", `{ "steps": [ ${U}, { "op": "wake", "uffd": "|" } ] }`, '"ram"'],
  ])("does not have %s", (_what, text, one) => {
    expect(optionsAt(text)).not.toContain(one);
  });

  it("has nothing where it knows nothing", () => {
    expect(optionsAt('{ "steps": [ { "op": "copy", "value": | } ] }')).toEqual([]);
    expect(optionsAt('{ "about": "|" }')).toEqual([]);
    expect(optionsAt('{ "steps": [ { "op": "stat", "expect": { "|" } } ] }')).toEqual([]);
  });
});
