/** The gallery: a list of lessons, of which the one that is open says what it teaches and what there is to look at. */
import type { JSX } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { type Lesson, LESSONS, type Look } from "../../gallery/index.js";
import { state } from "../state/store.js";
import { lesson, lookAt, openLesson, pageOf } from "./lessons.js";
import { currentStep, outline, progress, stopAt } from "./player.js";

export function Gallery(): JSX.Element {
  const open = lesson.value;
  const list = useRef<HTMLOListElement>(null);
  useEffect(() => showOpen(list.current), [open]);
  return (
    <section class="panel gallery" aria-labelledby="gallery-title">
      <div class="panel-head">
        <h2 id="gallery-title">Lessons</h2>
      </div>
      {open === null && <Own />}
      <ol ref={list}>
        {LESSONS.map((item) => (
          <Item key={item.file} item={item} isOpen={item === open} />
        ))}
      </ol>
    </section>
  );
}

/** What a scenario that is no lesson says of itself. */
function Own(): JSX.Element {
  const { name = "", about = "" } = (progress.value === null ? outline.value : null) ?? {};
  const says = [name, about].filter((text) => text !== "").join(", ");
  return <p class="own">{says === "" ? "Your own text" : `Your own text: ${says}`}</p>;
}

/** Brings the lesson that is open into sight within the list; the page stays where it is. */
function showOpen(list: HTMLElement | null): void {
  const item = list?.querySelector<HTMLElement>(".open");
  if (list === null || item === undefined || item === null) return;
  const top = item.offsetTop - list.offsetTop;
  const isSeen = top >= list.scrollTop && top + item.offsetHeight <= list.scrollTop + list.clientHeight;
  if (!isSeen) list.scrollTop = top;
}

function Item({ item, isOpen }: { readonly item: Lesson; readonly isOpen: boolean }): JSX.Element {
  return (
    <li class={isOpen ? "open" : ""}>
      <button type="button" class="lesson-title" aria-expanded={isOpen} onClick={() => openLesson(item)}>
        {item.title}
      </button>
      {isOpen && (
        <>
          <p class="lesson-text">{item.lesson}</p>
          <h3>What to look at</h3>
          <ol class="looks">
            {item.look.map((look) => (
              <LookItem key={`${look.step} ${look.at}`} look={look} />
            ))}
          </ol>
        </>
      )}
    </li>
  );
}

function LookItem({ look }: { readonly look: Look }): JSX.Element {
  const { step, at, proc, text } = look;
  const page = pageOf(look, outline.value?.mappings ?? []);
  const { pin, process } = state.map.value;
  const isShown = currentStep.value === step && pin === page && process === (proc ?? "main");
  return (
    <li>
      <button type="button" aria-current={isShown ? "step" : undefined} onClick={() => show(look)}>
        <span class="where">
          step {step} · {at}
          {proc !== undefined && ` of ${proc}`}
        </span>
        {text}
      </button>
    </li>
  );
}

function show(look: Look): void {
  stopAt(look.step + 1);
  lookAt(look, outline.value?.mappings ?? []);
}
