/** The line of time: a tick for each step, in the colour of how it ended, and a slider over them. */
import type { JSX } from "preact";
import { useMemo } from "preact/hooks";
import type { Outcome, StepOutline } from "../worker/scenario-outline.js";
import { length, outline, position, stopAt } from "./player.js";

/** What outcomes are called, and how high their ticks are: nobody has to tell them by colour alone. */
const KINDS: readonly { readonly kind: Outcome | "unmet"; readonly name: string; readonly height: number }[] = [
  { kind: "ok", name: "ok", height: 11 },
  { kind: "message", name: "messages", height: 19 },
  { kind: "blocked", name: "waits", height: 22 },
  { kind: "failed", name: "errno or signal", height: 26 },
  { kind: "unknown", name: "not modelled", height: 6 },
  { kind: "unmet", name: "not as expected", height: 26 },
];
const HEIGHT = 26;

export function TimeLine(): JSX.Element {
  const steps = outline.value?.steps ?? [];
  const ticks = useMemo(() => ticksOf(steps), [steps]);
  const at = position.value;
  return (
    <div class="time-line">
      <svg viewBox={`0 0 ${Math.max(1, steps.length)} ${HEIGHT}`} preserveAspectRatio="none" aria-hidden="true">
        {ticks.map(({ kind, path }) => (
          <path key={kind} class={`tick ${kind}`} d={path} vector-effect="non-scaling-stroke" />
        ))}
      </svg>
      <input
        type="range"
        aria-label="Steps that have been carried out"
        min={0}
        max={length.value}
        value={at}
        style={{ "--at": `${(100 * at) / Math.max(1, length.value)}%` }}
        aria-valuetext={at === 0 ? "before the first step" : `after step ${at - 1}: ${steps[at - 1]?.request ?? ""}`}
        onInput={(event) => stopAt(Number(event.currentTarget.value))}
      />
      <TickLegend steps={steps} />
    </div>
  );
}

function TickLegend({ steps }: { readonly steps: readonly StepOutline[] }): JSX.Element {
  const counts = countKinds(steps);
  return (
    <ul class="tick-legend">
      {KINDS.filter(({ kind }) => (counts.get(kind) ?? 0) > 0).map(({ kind, name, height }) => (
        <li key={kind}>
          <svg width="6" height="14" viewBox={`0 0 6 ${HEIGHT}`} preserveAspectRatio="none" aria-hidden="true">
            <path class={`tick ${kind}`} d={`M3 ${HEIGHT}V${HEIGHT - height}`} vector-effect="non-scaling-stroke" />
          </svg>
          {name} <b>{counts.get(kind)}</b>
        </li>
      ))}
    </ul>
  );
}

/** One path for each kind, however many steps there are. */
function ticksOf(steps: readonly StepOutline[]): { kind: string; path: string }[] {
  return KINDS.map(({ kind, height }) => ({
    kind,
    path: steps
      .map((step, index) => (kindOf(step) === kind ? `M${index + 1} ${HEIGHT}V${HEIGHT - height}` : ""))
      .join(""),
  })).filter(({ path }) => path !== "");
}

function countKinds(steps: readonly StepOutline[]): Map<Outcome | "unmet", number> {
  const counts = new Map<Outcome | "unmet", number>();
  for (const step of steps) counts.set(kindOf(step), (counts.get(kindOf(step)) ?? 0) + 1);
  return counts;
}

/** What is not as expected is the most notable of all. */
export function kindOf({ outcome, unmet }: StepOutline): Outcome | "unmet" {
  return unmet.length > 0 ? "unmet" : outcome;
}
