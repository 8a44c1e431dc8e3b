/** Completion of scenarios in JSON: fields and values that SCENARIO_SCHEMA has at the place, and names that the document gives. */
import {
  type Completion,
  type CompletionContext,
  type CompletionResult,
  snippetCompletion,
} from "@codemirror/autocomplete";
import { syntaxTree } from "@codemirror/language";
import type { EditorState } from "@codemirror/state";
import type { SyntaxNode } from "@lezer/common";
import { type JsonSchema, SCENARIO_SCHEMA } from "../../../../ts/scenario/schema.js";
import { givenNames } from "./names.js";

/** Where something is: the names and numbers that lead to it from the top. */
type Path = readonly (string | number)[];

/** Returns what can be at the cursor. */
export function completeScenario(context: CompletionContext): CompletionResult | null {
  const { state, pos, explicit } = context;
  const node = syntaxTree(state).resolveInner(pos, -1);
  const token = tokenAt(node);
  const word = context.matchBefore(/"?[\w.[\]-]*/);
  const from = token?.from ?? word?.from ?? pos;
  if (token === null && !explicit && (word === null || word.from === word.to)) return null;
  const to = token === null ? pos : Math.max(pos, token.to);
  const options = isName(token, node, state, from)
    ? fieldOptions(state, objectAround(token ?? node))
    : valueOptions(state, token ?? node, from);
  return options.length === 0 ? null : { from, to, options, validFor: /^"?[\w.[\]-]*"?$/ };
}

/** The string, name or word that the cursor is in or behind. */
function tokenAt(node: SyntaxNode): SyntaxNode | null {
  return ["String", "PropertyName", "Number", "True", "False"].includes(node.name) ? node : null;
}

/** A name stands behind a brace or a comma of an object; a value behind a colon, or in a list. */
function isName(token: SyntaxNode | null, node: SyntaxNode, state: EditorState, from: number): boolean {
  if (token?.name === "PropertyName") return true;
  const container = containerOf(token ?? node);
  if (container?.name !== "Object") return false;
  return !state.sliceDoc(0, from).trimEnd().endsWith(":");
}

function containerOf(node: SyntaxNode | null): SyntaxNode | null {
  let found = node;
  while (found !== null && found.name !== "Object" && found.name !== "Array") found = found.parent;
  return found;
}

function objectAround(node: SyntaxNode): SyntaxNode | null {
  const container = containerOf(node);
  return container?.name === "Object" ? container : null;
}

function fieldOptions(state: EditorState, object: SyntaxNode | null): Completion[] {
  if (object === null) return [];
  const taken = new Set(membersOf(state, object).map(([key]) => key));
  const schema = schemaOf(state, object);
  const { properties = {}, required = [] } = schema as { properties?: Record<string, JsonSchema>; required?: string[] };
  return Object.entries(properties)
    .filter(([key]) => !taken.has(key))
    .map(([key, field]) => ({
      label: `"${key}"`,
      apply: `"${key}": `,
      detail: detailOf(field) + (required.includes(key) ? "" : "?"),
      boost: required.includes(key) ? 1 : 0,
    }));
}

function valueOptions(state: EditorState, node: SyntaxNode, from: number): Completion[] {
  const container = containerOf(node.name === "Object" || node.name === "Array" ? node : node.parent);
  if (container === null) return [];
  const key = container.name === "Array" ? 0 : propertyBefore(state, container, from);
  if (key === null) return [];
  const around = schemaOf(state, container);
  if (key === 0 && isStepList(around)) return stepOptions();
  const schema = memberSchema(state, around, key, null);
  const names = givenNames(state.doc.toString(), String(key));
  return [...valuesOf(schema), ...names.map((name) => JSON.stringify(name))].map((label) => ({ label }));
}

function isStepList({ items }: JsonSchema): boolean {
  return (items as JsonSchema | undefined)?.["oneOf"] !== undefined;
}

/** Whole steps, with the fields that they must have. */
function stepOptions(): Completion[] {
  const { steps } = SCENARIO_SCHEMA["properties"] as Record<string, { items: { oneOf: JsonSchema[] } }>;
  return (steps?.items.oneOf ?? []).map(({ title, required, properties }) => {
    const fields = (required as string[]).filter((name) => name !== "op");
    const holes = fields.map(
      (name) => `, "${name}": ${holeOf(name, (properties as Record<string, JsonSchema>)[name] ?? {})}`,
    );
    return snippetCompletion(`{ "op": "${title as string}"${holes.join("")} }\${}`, {
      label: title as string,
      detail: "step",
    });
  });
}

/** Where something is to be filled in. */
function holeOf(name: string, { type, items }: JsonSchema): string {
  const [first = ""] = ((items as JsonSchema | undefined)?.["enum"] ?? []) as string[];
  if (type === "array") return `["\${${first}}"]`;
  return type === "integer" ? `\${1}` : `"\${${name}}"`;
}

/** The name of the field whose value begins at a position. */
function propertyBefore(state: EditorState, object: SyntaxNode, from: number): string | null {
  const [, key] = /"([^"]*)"\s*:\s*$/.exec(state.sliceDoc(object.from, from)) ?? [];
  return key ?? null;
}

/** Values that a schema names. */
function valuesOf(schema: JsonSchema): string[] {
  const {
    enum: names,
    const: only,
    type,
    oneOf,
  } = schema as { enum?: unknown[]; const?: unknown; type?: string; oneOf?: JsonSchema[] };
  if (names !== undefined) return names.map((name) => JSON.stringify(name));
  if (only !== undefined) return [JSON.stringify(only)];
  if (type === "boolean") return ["true", "false"];
  return (oneOf ?? []).flatMap(valuesOf);
}

/** Says what a field's value is. */
function detailOf(schema: JsonSchema): string {
  const { enum: names, type, const: only, pattern, anyOf } = schema as Partial<Record<string, unknown>>;
  if (Array.isArray(names)) return names.length > 4 ? "name" : names.join(" | ");
  if (anyOf !== undefined) return "range";
  if (only !== undefined) return JSON.stringify(only);
  if (typeof pattern === "string" && pattern.includes("0x")) return "place";
  return typeof type === "string" ? type : "value";
}

/** Returns the schema of an object or a list; one that allows nothing where there is none. */
function schemaOf(state: EditorState, node: SyntaxNode): JsonSchema {
  const [path, nodes] = pathTo(state, node);
  let schema: JsonSchema = stepSchema(state, SCENARIO_SCHEMA, nodes[0] ?? null);
  path.forEach((key, depth) => (schema = memberSchema(state, schema, key, nodes[depth + 1] ?? null)));
  return schema;
}

/** The keys that lead to a node, and the objects and lists on the way, from the top. */
function pathTo(state: EditorState, node: SyntaxNode): [Path, SyntaxNode[]] {
  const path: (string | number)[] = [];
  const nodes: SyntaxNode[] = [node];
  for (let at: SyntaxNode = node; ;) {
    const key = at.parent?.name === "Property" ? propertyName(state, at.parent) : 0;
    const container = containerOf(at.parent);
    if (container === null) break;
    path.unshift(key);
    nodes.unshift(container);
    at = container;
  }
  return [path, nodes];
}

function memberSchema(
  state: EditorState,
  schema: JsonSchema,
  key: string | number,
  node: SyntaxNode | null,
): JsonSchema {
  const { items, properties = {} } = schema as { items?: JsonSchema; properties?: Record<string, JsonSchema> };
  const member = typeof key === "number" ? items : properties[key];
  return stepSchema(state, member ?? {}, node);
}

/** A step's schema is that of its operation; while it has none, it can only get one. */
function stepSchema(state: EditorState, schema: JsonSchema, node: SyntaxNode | null): JsonSchema {
  const { oneOf } = schema as { oneOf?: JsonSchema[] };
  if (oneOf === undefined) return schema;
  const op = node?.name === "Object" ? membersOf(state, node).find(([key]) => key === "op")?.[1] : undefined;
  const titles = oneOf.map(({ title }) => title as string);
  const found = oneOf.find(({ title }) => JSON.stringify(title) === op);
  return found ?? { properties: { op: { enum: titles } }, required: ["op"] };
}

/** The fields of an object with their values as text. */
function membersOf(state: EditorState, object: SyntaxNode): [key: string, value: string][] {
  return object.getChildren("Property").map((property) => {
    const value = property.lastChild;
    return [propertyName(state, property), value === null ? "" : state.sliceDoc(value.from, value.to)];
  });
}

function propertyName(state: EditorState, property: SyntaxNode): string {
  const name = property.getChild("PropertyName");
  return name === null ? "" : state.sliceDoc(name.from, name.to).replaceAll('"', "");
}
