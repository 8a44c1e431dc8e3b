/** One write, event by event. */
import type { JSX } from "preact";
import { useEffect } from "preact/hooks";
import { formatTime } from "../../../ts/report/format.js";
import type { OneWrite } from "../../../ts/sim/one-write.js";
import { WRITE_PAGES, WRITE_TRACKERS, type WriteChoice } from "../../../ts/sim/write-choice.js";
import { bindKeys } from "../app/keys.js";
import { ProfilePicker } from "../app/profile-picker.js";
import { change, state } from "../state/store.js";
import { Picks } from "./picks.js";
import { Sequence } from "./sequence.js";
import { StepCard } from "./step-card.js";
import { sentence, spanTime } from "./words.js";
import { events, followWrite, goTo, isAtEnd, isRunning, step, stepBy, told, toggleRun } from "./write.js";

const TRACKERS: Readonly<Record<WriteChoice["tracker"], readonly [name: string, about: string]>> = {
  none: ["none", "nobody asks"],
  sync: ["sync", "a handler is told"],
  "sync-unpopulated": ["sync, WP_UNPOPULATED", "also of what does not exist"],
  async: ["async", "the kernel resolves, a scan tells"],
};

const PAGES: Readonly<Record<WriteChoice["page"], readonly [name: string, about: string]>> = {
  none: ["nothing", "never touched"],
  "zero-page": ["zero page", "only read so far"],
  page: ["page", "written before"],
  "huge-page": ["huge page", "2 MiB, written before"],
};

/** The view; while it is shown the write follows its choices. */
export function WriteView(): JSX.Element {
  useEffect(followWrite, []);
  useEffect(() => bindKeys(KEYS), []);
  const write = told.value;
  return (
    <div class="write">
      <section class="panel write-choices" aria-label="Which write">
        <div class="controls">
          <Picks
            legend="Tracker"
            picks={WRITE_TRACKERS}
            words={TRACKERS}
            value={state.write.value.tracker}
            onPick={(tracker) => choose({ tracker })}
          />
          <Picks
            legend="Page, before it is armed"
            picks={WRITE_PAGES}
            words={PAGES}
            value={state.write.value.page}
            onPick={(page) => choose({ page })}
          />
          <Armed />
        </div>
      </section>
      <section class="panel write-sequence" aria-labelledby="write-title">
        <h2 class="sentence" id="write-title" aria-busy={write === null}>
          {write === null ? "The write is carried out" : outcome(write)}
        </h2>
        <Stepper />
        {write !== null && <Sequence told={write} />}
        <EventList />
      </section>
      <section class="panel write-costs" aria-labelledby="write-costs-title">
        <div class="panel-head">
          <h2 id="write-costs-title">This event</h2>
        </div>
        <StepCard />
        <div class="panel-head costs-head">
          <h2>What it costs</h2>
          <ProfilePicker />
        </div>
        {write !== null && <Costs told={write} />}
      </section>
    </div>
  );
}

const KEYS = [
  { key: "p", what: "slow motion, or stop it", run: toggleRun },
  { key: ",", what: "the event before", run: () => stepBy(-1) },
  { key: ".", what: "the next event", run: () => stepBy(1) },
];

/** Another write begins with all of it in sight. */
function choose(choice: Partial<WriteChoice>): void {
  isRunning.value = false;
  change("write", { ...choice, step: null });
}

function Armed(): JSX.Element {
  const { armed, tracker } = state.write.value;
  return (
    <label class="switch">
      <input
        type="checkbox"
        role="switch"
        checked={armed && tracker !== "none"}
        disabled={tracker === "none"}
        onChange={() => choose({ armed: !armed })}
      />
      <span>Armed: the tracker has write-protected it</span>
    </label>
  );
}

const REPORTED: Readonly<Record<OneWrite["reported"], string>> = {
  "by a message": "and a message tells of it",
  "by a scan": "and a scan will find it",
  "to nobody": "and nobody is told",
};

function outcome({ events: all, reported, totalNs, spans }: OneWrite): string {
  const exceptions = all.flatMap(({ exception }) => (exception === undefined ? [] : [`0x${exception.toString(16)}`]));
  const met = exceptions.length === 0 ? "No exception" : `Exception ${exceptions.join(", then ")}`;
  const took = spans.length === 0 || totalNs === null ? "" : `, ${formatTime(totalNs)} modelled`;
  return `${met}${took}, ${REPORTED[reported]}.`;
}

function Stepper(): JSX.Element {
  const count = events.value.length;
  const onKeyDown = (event: KeyboardEvent): void => {
    const moves: Readonly<Record<string, () => void>> = {
      ArrowRight: () => stepBy(1),
      ArrowDown: () => stepBy(1),
      ArrowLeft: () => stepBy(-1),
      ArrowUp: () => stepBy(-1),
      Home: () => stepBy(-count),
      End: () => stepBy(count),
    };
    const move = moves[event.key];
    if (move === undefined) return;
    event.preventDefault();
    move();
  };
  return (
    <div class="stepper" role="toolbar" aria-label="Slow motion" onKeyDown={onKeyDown}>
      <button type="button" class="button" onClick={toggleRun} aria-keyshortcuts="p">
        {isRunning.value ? "Pause" : "Slow motion"}
      </button>
      <button type="button" class="button icon" aria-label="First event" onClick={() => stepBy(-count)}>
        <StepIcon kind="first" />
      </button>
      <button
        type="button"
        class="button icon"
        aria-label="Event before"
        disabled={step.value <= 0}
        onClick={() => stepBy(-1)}
      >
        <StepIcon kind="before" />
      </button>
      <button type="button" class="button icon" aria-label="Next event" disabled={isAtEnd()} onClick={() => stepBy(1)}>
        <StepIcon kind="next" />
      </button>
      <button type="button" class="button icon" aria-label="All events" onClick={() => stepBy(count)}>
        <StepIcon kind="all" />
      </button>
      <span class="step-count">
        event {step.value + 1} of {count}
      </span>
    </div>
  );
}

const ICONS = {
  first: "M3 2v8M10 2L5 6l5 4z",
  before: "M9 2L3 6l6 4z",
  next: "M3 2l6 4-6 4z",
  all: "M9 2v8M2 2l5 4-5 4z",
} as const;

function StepIcon({ kind }: { readonly kind: keyof typeof ICONS }): JSX.Element {
  return (
    <svg viewBox="0 0 12 12" width="12" height="12" aria-hidden="true">
      <path d={ICONS[kind]} fill="currentColor" stroke="currentColor" stroke-width="1.5" />
    </svg>
  );
}

/** The same as the picture, to be read out. */
function EventList(): JSX.Element {
  return (
    <div class="sr-only">
      <ol aria-label="What happens">
        {events.value.map((event, number) => (
          <li key={number} aria-current={number === step.value ? "step" : undefined}>
            {sentence(event)}
          </li>
        ))}
      </ol>
    </div>
  );
}

function Costs({ told: { spans, totalNs, profile, minflt } }: { readonly told: OneWrite }): JSX.Element {
  if (spans.length === 0) return <p class="quiet">A write without a fault: the model has no figure for it.</p>;
  return (
    <>
      <ul class="cost-spans">
        {spans.map((span) => (
          <li key={span.cost}>
            <b>{spanTime(span)}</b>
            <span>
              <button type="button" onClick={() => goTo(span.last)}>
                events {span.first + 1}–{span.last + 1}
              </button>{" "}
              {span.of}
              {span.note !== null && <small>{span.note}</small>}
            </span>
          </li>
        ))}
        <li class="total">
          <b>{totalNs === null ? "?" : formatTime(totalNs)}</b>
          <span>
            {totalNs === null ? `not all figures are in ${profile.name}` : "together"}; minor faults charged: {minflt}
          </span>
        </li>
      </ul>
      <p class="note">
        Modelled: figures of {profile.name}. A figure is of all events that its bracket spans; what is inside of it was
        not measured piece by piece.
      </p>
    </>
  );
}
