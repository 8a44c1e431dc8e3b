/** One write, event by event. */
import type { JSX } from "preact";
import { useEffect } from "preact/hooks";
import { formatTime } from "../../../ts/report/format.js";
import type { OneWrite } from "../../../ts/sim/one-write.js";
import { WRITE_PAGES, WRITE_TRACKERS, type WriteChoice } from "../../../ts/sim/write-choice.js";
import { bindKeys } from "../app/keys.js";
import { ProfilePicker } from "../app/profile-picker.js";
import { transportKeys } from "../app/transport.js";
import { offer } from "../share/offers.js";
import { change, state } from "../state/store.js";
import { CostSpans } from "./cost-spans.js";
import { Picks } from "./picks.js";
import { Sequence } from "./sequence.js";
import { Stepper } from "./stepper.js";
import { StepCard } from "./step-card.js";
import { WRITE_OFFERS } from "./write-files.js";
import { sentence } from "./words.js";
import { events, EVENTS, followWrite, isRunning, step, told } from "./write.js";

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
  useEffect(() => bindKeys(transportKeys(EVENTS)), []);
  useEffect(() => offer(WRITE_OFFERS), []);
  const write = told.value;
  return (
    <div class="write">
      <Choices />
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
        {write !== null && <CostSpans told={write} />}
      </section>
    </div>
  );
}

function Choices(): JSX.Element {
  return (
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
  );
}

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
