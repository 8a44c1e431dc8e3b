/** What every step did, a row each; what has not been carried out yet stands back. */
import type { JSX } from "preact";
import { memo } from "preact/compat";
import { useEffect, useRef } from "preact/hooks";
import type { StepOutline } from "../worker/scenario-outline.js";
import { currentStep, outline, stopAt } from "./player.js";
import { kindOf } from "./time-line.js";

export function TranscriptPanel(): JSX.Element {
  const list = useRef<HTMLOListElement>(null);
  const current = currentStep.value;
  useEffect(() => showRow(list.current, current), [current]);
  return (
    <section class="panel transcript" aria-labelledby="transcript-title">
      <div class="panel-head">
        <h2 id="transcript-title">Transcript</h2>
      </div>
      <ol ref={list}>
        {(outline.value?.steps ?? []).map((step, index) => (
          <Row key={index} step={step} index={index} isDone={index <= current} isCurrent={index === current} />
        ))}
      </ol>
    </section>
  );
}

interface RowProps {
  readonly step: StepOutline;
  readonly index: number;
  readonly isDone: boolean;
  readonly isCurrent: boolean;
}

const Row = memo(function Row({ step, index, isDone, isCurrent }: RowProps): JSX.Element {
  const [outcome, ...details] = step.lines;
  return (
    <li class={`${isDone ? "done" : "ahead"} ${kindOf(step)}`}>
      <button type="button" aria-current={isCurrent ? "step" : undefined} onClick={() => stopAt(index + 1)}>
        <span class="number">{index}</span>
        <code class="request">{step.request}</code>
        <span class="outcome">{outcome}</span>
        {details.map((line, number) => (
          <span key={number} class="detail">
            {line}
          </span>
        ))}
        {step.unmet.map((line) => (
          <span key={line} class="unmet-line">
            {line}
          </span>
        ))}
      </button>
    </li>
  );
});

/** Brings a row into sight within the list; the page stays where it is. */
function showRow(list: HTMLElement | null, index: number): void {
  const row = list?.children[Math.max(0, index)];
  if (list === null || !(row instanceof HTMLElement)) return;
  const top = row.offsetTop - list.offsetTop;
  const margin = list.clientHeight / 4;
  if (top < list.scrollTop + margin || top + row.offsetHeight > list.scrollTop + list.clientHeight - margin) {
    list.scrollTop = top - list.clientHeight / 2 + row.offsetHeight / 2;
  }
}
