import { isMap, isNode, isScalar, isSeq, type Node, parseDocument } from "yaml";
import { memberOf, TextError, TextPlaces } from "./text-places.js";

/** A document that was read, and where its values are in the text. */
export interface PlacedDocument {
  readonly document: unknown;
  readonly places: TextPlaces;
}

/** Reads YAML, of which nearly all JSON is a part. @throws TextError for a text that is none. */
export function readYaml(text: string): PlacedDocument {
  const parsed = parseDocument(text, { prettyErrors: false });
  const [error] = parsed.errors;
  if (error !== undefined) throw new TextError(error.message, { from: error.pos[0], to: error.pos[1] });
  const places = new TextPlaces();
  if (isNode(parsed.contents)) note(parsed.contents, "", places);
  return { document: readValue(parsed), places };
}

/** Aliases are only followed now, and may go too far. */
function readValue(parsed: ReturnType<typeof parseDocument>): unknown {
  try {
    return parsed.toJS();
  } catch (error) {
    throw new TextError((error as Error).message, { from: 0, to: 0 });
  }
}

function note(node: Node, where: string, places: TextPlaces): void {
  if (node.range) places.add(where, { from: node.range[0], to: node.range[1] });
  if (isSeq(node)) {
    node.items.forEach((item, index) => {
      if (isNode(item)) note(item, memberOf(where, index), places);
    });
  } else if (isMap(node)) {
    for (const { key, value } of node.items) {
      if (isScalar(key) && isNode(value)) note(value, memberOf(where, String(key.value)), places);
    }
  }
}
