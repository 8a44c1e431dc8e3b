/** The gallery's lessons, and what of them is open. */
import { computed, type ReadonlySignal } from "@preact/signals";
import { PAGE_SIZE } from "../../../ts/base/pages.js";
import type { NamedMapping } from "../../../ts/scenario/places.js";
import { scenarioText } from "../../../ts/scenario/scenario-text.js";
import { type Lesson, LESSONS, type Look } from "../../gallery/index.js";
import { complain, note } from "../app/toasts.js";
import { LONGEST_TEXT } from "../state/scenario.js";
import { change, state } from "../state/store.js";

/** The lesson that is open; null where the text is the reader's own. */
export const lesson: ReadonlySignal<Lesson | null> = computed(() => {
  const { lesson: name, text } = state.scenario.value;
  return text === null ? lessonOf(name) : null;
});

/** The text of the scenario that is open. */
export const sourceText: ReadonlySignal<string> = computed(() => {
  const { lesson: name, text } = state.scenario.value;
  return text ?? scenarioText(lessonOf(name).scenario);
});

/** Opens a lesson at the first thing to look at. */
export function openLesson({ file }: Lesson): void {
  change("scenario", { lesson: file === LESSONS[0]?.file ? "" : file, text: null, step: null });
  change("map", { process: "main", pin: null, page: null, zoom: null });
}

/** Opens a scenario of the reader's own at its end. */
export function openText(text: string): void {
  if (text.length > LONGEST_TEXT) note("This scenario is too long for a link: what you share will not have it.");
  change("scenario", { text, step: null });
  change("map", { process: "main", pin: null, page: null, zoom: null });
}

/** Takes what the reader has written; what is looked at stays. */
export function editText(text: string): void {
  const { lesson: name } = state.scenario.value;
  const isLesson = text === scenarioText(lessonOf(name).scenario);
  change("scenario", { text: isLesson ? null : text });
}

/** Tells whether a link names a lesson that is not there. */
export function checkLesson(): void {
  const { lesson: name } = state.scenario.value;
  if (name === "" || LESSONS.some(({ file }) => file === name)) return;
  complain(new Error(`scenario.lesson: expected one of ${LESSONS.map(({ file }) => file).join(", ")}; found ${name}`));
  change("scenario", { lesson: "" });
}

/** Returns the page that is to be looked at; null where no such mapping is. */
export function pageOf({ at }: Look, mappings: readonly NamedMapping[]): number | null {
  const [, name, index] = /^(\w+)\[(\d+)\]$/.exec(at) ?? [];
  const mapping = mappings.findLast((named) => named.name === name);
  return mapping === undefined ? null : mapping.start / PAGE_SIZE + Number(index);
}

/** Pins what is to be looked at, and shows its mapping. */
export function lookAt(look: Look, mappings: readonly NamedMapping[]): void {
  const page = pageOf(look, mappings);
  change("map", { pin: page, process: look.proc ?? "main", page, zoom: null });
}

function lessonOf(name: string): Lesson {
  const [first] = LESSONS;
  const found = LESSONS.find(({ file }) => file === name) ?? first;
  if (found === undefined) throw new Error("the gallery is empty");
  return found;
}
