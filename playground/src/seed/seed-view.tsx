/** First sight: the experiment of WP_UNPOPULATED, four ways. */
import type { JSX } from "preact";
import { useEffect } from "preact/hooks";
import { formatCount } from "../../../ts/report/format.js";
import { bindKeys } from "../app/keys.js";
import { ProfilePicker } from "../app/profile-picker.js";
import { SceneMap } from "../app/scene-map.js";
import { SEED_MODES } from "../state/seed.js";
import { change, state } from "../state/store.js";
import { AFTER_ARMING, writesAt } from "../worker/seed-moments.js";
import type { SeedPhase, SeedProgress } from "../worker/seed-run.js";
import { ArmChart } from "./arm-chart.js";
import { CostTable } from "./cost-table.js";
import { Controls, modeName } from "./controls.js";
import { followExperiment, goTo, goToEnd, moment, outcome, progress, revision, runAgain, scene } from "./experiment.js";
import { Figures } from "./figures.js";
import { TableBytes } from "./table-bytes.js";
import { sentenceOf } from "./sentence.js";
import { formatSize } from "./sizes.js";

/** The view; while it is shown the experiment follows its controls. */
export function SeedView(): JSX.Element {
  useEffect(followExperiment, []);
  useEffect(() => bindKeys(KEYS), []);
  return (
    <div class="seed">
      <section class="panel seed-controls" aria-label="Experiment">
        <Controls />
        <Figures />
      </section>
      <section class="panel seed-map" aria-label="Result">
        <Sentence />
        <Moment />
        <SceneMap scene={scene} revision={revision} moment={moment.value} onGoTo={(wanted) => void goTo(wanted)} />
      </section>
      <section class="panel seed-times" aria-labelledby="times-title">
        <div class="panel-head">
          <h2 id="times-title">Time to arm {formatSize(state.seed.value.bytes)}</h2>
          <ProfilePicker />
        </div>
        <ArmChart />
        <CostTable />
        <TableBytes />
      </section>
    </div>
  );
}

const KEYS = [
  ...SEED_MODES.map((mode, index) => ({
    key: String(index + 1),
    what: `arm with ${modeName(mode)}`,
    run: () => change("seed", { mode }),
  })),
  { key: "t", what: "switch transparent huge pages", run: () => change("seed", { thp: !state.seed.value.thp }) },
  { key: "r", what: "run again", run: runAgain },
];

const PHASES: Readonly<Record<SeedPhase, string>> = {
  prefault: "makes every page exist",
  arm: "write-protects",
  write: "armed; the guest writes",
};

/** The sentence that matters, or what is going on. */
function Sentence(): JSX.Element {
  const result = outcome.value;
  const { text, tone } = result === null ? { text: doing(progress.value), tone: "plain" } : sentenceOf(result);
  return (
    <>
      <p class={`sentence ${tone}`} aria-busy={result === null}>
        {text}
      </p>
      <div class="sr-only" role="status">
        {result === null ? "" : text}
      </div>
    </>
  );
}

/** Says that the map is of a moment in between, and leads back. */
function Moment(): JSX.Element | null {
  const shown = moment.value;
  if (shown === null) return null;
  const armed = shown < AFTER_ARMING ? "before anything is armed" : "before the first write";
  const writes = writesAt(shown);
  return (
    <p class="moment">
      The map shows the moment {writes > 0 ? `after write ${formatCount(writes)}` : armed}.
      <button type="button" class="button" onClick={() => void goToEnd()}>
        Show the end
      </button>
    </p>
  );
}

function doing(step: SeedProgress | null): string {
  const mode = modeName(state.seed.value.mode);
  return step === null ? `${mode} starts` : `${mode} ${PHASES[step.phase]}: ${Math.round(step.done * 100)} %`;
}
