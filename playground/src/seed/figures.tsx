/** What the run came to, in numbers. */
import type { JSX } from "preact";
import { formatBytes } from "../../../ts/base/pages.js";
import { formatCount, formatTime } from "../../../ts/report/format.js";
import { MissingCostError, modelledTime } from "../../../ts/sim/cost-profile.js";
import { profile } from "../app/profile.js";
import type { CostCounts } from "../worker/seed-run.js";
import type { SeedOutcome } from "../worker/seed-scene.js";
import { outcome } from "./experiment.js";

/** A name and what stands behind it. */
type Row = readonly [name: string, text: string, tone?: "bad" | "good"];

/** Two groups: what arming did, and what the writes after it met. */
export function Figures(): JSX.Element {
  const result = outcome.value;
  return (
    <div class="figures">
      <Group title="Arming" rows={result === null ? ARM_NAMES.map((name) => [name, "…"]) : armRows(result)} />
      <Group
        title="Writes after it"
        rows={result === null ? WRITE_NAMES.map((name) => [name, "…"]) : writeRows(result)}
      />
      <p class="note">{result === null ? "…" : `Engine, in this browser: ${formatTime(result.engineMs * 1e6)}`}</p>
    </div>
  );
}

function Group({ title, rows }: { readonly title: string; readonly rows: readonly Row[] }): JSX.Element {
  return (
    <section>
      <h2>{title}</h2>
      <dl>
        {rows.map(([name, text, tone]) => (
          <div key={name} class={tone}>
            <dt>{name}</dt>
            <dd>{text}</dd>
          </div>
        ))}
      </dl>
    </section>
  );
}

const ARM_NAMES = ["markers set", "zero pages protected", "pages touched first", "page tables"] as const;
const WRITE_NAMES = [
  "writes",
  "pages changed",
  "reported",
  "MISSED",
  "exceptions 0x6",
  "exceptions 0x7",
  "messages",
  "modelled time",
] as const;

function armRows({ arm }: SeedOutcome): Row[] {
  const texts = [
    formatCount(arm.armed.none),
    formatCount(arm.armed.zeroPage),
    formatCount(arm.prefaulted),
    formatBytes(arm.tableBytes),
  ];
  return ARM_NAMES.map((name, index) => [name, texts[index] ?? ""]);
}

function writeRows({ write }: SeedOutcome): Row[] {
  const counts = [write.writes, write.dirty, write.reported, write.missed];
  const faults = [write.writeNotPresent, write.writeProtected, write.messages];
  const texts = [...[...counts, ...faults].map(formatCount), timeOf(write.costs)];
  return WRITE_NAMES.map((name, index) => {
    const text = texts[index] ?? "";
    return name === "MISSED" ? [name, text, write.missed > 0 ? "bad" : "good"] : [name, text];
  });
}

function timeOf(costs: CostCounts): string {
  try {
    return formatTime(modelledTime(profile.value, costs).totalNs);
  } catch (error) {
    if (error instanceof MissingCostError) return "not in this profile";
    throw error;
  }
}
