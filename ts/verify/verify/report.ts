import type { Scenario } from "../../scenario/document.js";
import type { Accepted } from "../accepted.js";
import type { Divergence, Findings } from "./verify.js";

/** Writes a divergence: where it is from, the smallest scenario, the first step that differs and both results. */
export function divergenceText({ label, scenario, difference, isShrunk }: Divergence): string {
  const { index, fields, kernel, engine } = difference;
  const lines = [
    `DIVERGENCE: ${label}${isShrunk ? "" : " (not made smaller)"}`,
    scenarioText(scenario),
    `  first difference: step ${index}, ${JSON.stringify(scenario.steps[index])}: ${fields.join(", ")}`,
    `  kernel: ${JSON.stringify(kernel)}`,
    `  engine: ${JSON.stringify(engine)}`,
  ];
  return `${lines.join("\n")}\n`;
}

/** The document as JSON, with a line for each step. */
export function scenarioText(scenario: Scenario): string {
  const { steps, ...head } = scenario;
  const lines = steps.map((step) => `  ${JSON.stringify(step)}`).join(",\n");
  return `${JSON.stringify(head).slice(0, -1)},"steps":[\n${lines}\n]}`;
}

/** Writes the end of a report: how many, at which rate, and what was left out. */
export function summaryText(findings: Findings, accepted: readonly Accepted[], seconds: number): string {
  const { compared, steps, divergences, unrepeatable, impossible, unmodelled } = findings;
  const rate = seconds > 0 ? `, ${Math.round(compared / seconds)} a second` : "";
  const lines = [
    `${compared} scenarios with ${steps} steps compared in ${seconds.toFixed(1)} s${rate}`,
    ...divergences.filter(({ sameAs }) => sameAs.length > 0).map(sameText),
    ...accepted.map(({ id, why }) => `accepted ${id}: met ${findings.accepted.get(id) ?? 0} times (${why})`),
    ...partly(impossible, "this machine cannot do them to the end"),
    ...partly(unmodelled, "the engine does not model them to the end"),
    ...(unrepeatable.length > 0 ? [`kernel not repeatable: ${unrepeatable.length} (${unrepeatable.join("; ")})`] : []),
    `${divergences.length} ${divergences.length === 1 ? "divergence" : "divergences"}`,
  ];
  return `${lines.join("\n")}\n`;
}

function partly(count: number, why: string): string[] {
  return count > 0 ? [`compared in part: ${count} (${why})`] : [];
}

function sameText({ label, sameAs }: Divergence): string {
  const shown = sameAs.slice(0, 5).join("; ");
  return `the same as ${label}: ${sameAs.length} more (${shown}${sameAs.length > 5 ? "; …" : ""})`;
}
