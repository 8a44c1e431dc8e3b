/** Scenarios as people write them: JSON or YAML, in which an error has a place. */
import { ScenarioError } from "../../../ts/scenario/error.js";
import { jsonPlaces } from "../../../ts/scenario/json-places.js";
import { lineAndColumn, type Span, TextError, type TextPlaces } from "../../../ts/scenario/text-places.js";
import type { PlacedDocument } from "../../../ts/scenario/yaml-places.js";

/** What is wrong with a text, and where. */
export interface TextFault {
  readonly message: string;
  readonly span: Span;
  /** Both from 1. */
  readonly line: number;
  readonly column: number;
}

/** Reads JSON, or else YAML, whose reader is only loaded then. @throws TextError for a text that is neither. */
export async function readText(text: string): Promise<PlacedDocument> {
  try {
    return { places: jsonPlaces(text), document: JSON.parse(text) as unknown };
  } catch (error) {
    if (!(error instanceof TextError)) throw error;
    return readOther(text, error);
  }
}

async function readOther(text: string, jsonError: TextError): Promise<PlacedDocument> {
  const { readYaml } = await import("../../../ts/scenario/yaml-places.js");
  try {
    return readYaml(text);
  } catch (error) {
    // who begins with a brace means JSON, and wants to hear what is wrong with that
    throw text.trimStart().startsWith("{") ? jsonError : error;
  }
}

/** Returns what an error says of a text; null for errors that say nothing of it. */
export function faultOf(error: unknown, text: string, places: TextPlaces | null): TextFault | null {
  if (error instanceof TextError) return faultAt(error.message, error.span, text);
  if (error instanceof ScenarioError && places !== null) return faultAt(error.message, places.find(error.where), text);
  return null;
}

function faultAt(message: string, span: Span, text: string): TextFault {
  return { message, span, ...lineAndColumn(text, span.from) };
}
