import { integer, orNull, type Part, partOf, type Reader, StateError, text } from "./fields.js";

/** What the view of scenarios shows. */
export interface ScenarioState {
  /** Name of a lesson of the gallery; empty is the first. */
  readonly lesson: string;
  /** A scenario as JSON or YAML; null: that of the lesson. */
  readonly text: string | null;
  /** Steps that have been carried out; null: as many as show what it is about. */
  readonly step: number | null;
}

/** Characters of a scenario that a link can carry. */
export const LONGEST_TEXT = 400_000;
const MOST_STEPS = 1_000_000;

export const SCENARIO_PART: Part<ScenarioState> = partOf<ScenarioState>(
  { lesson: "", text: null, step: null },
  { lesson: lessonName, text: orNull(text(LONGEST_TEXT)), step: orNull(integer(0, MOST_STEPS)) },
);

/** Which lessons there are is known to the view, which is loaded later. */
function lessonName(value: unknown, where: string): ReturnType<Reader<string>> {
  const name = text(64)(value, where);
  if (/^[a-z-]*$/.test(name)) return name;
  throw new StateError(`${where}: expected the name of a lesson, found ${JSON.stringify(name)}`);
}
