import type { Scenario, Step } from "./document.js";

/** Characters of a line, as far as that is possible. */
const WIDTH = 72;

/** Writes a scenario as JSON that people edit: a line for each step, and what is expected of it below. */
export function scenarioText({ steps, ...head }: Scenario): string {
  const fields = Object.entries(head).map(([key, value]) => `  ${JSON.stringify(key)}: ${inline(value)},\n`);
  const lines = steps.map((step) => `    ${stepText(step)}`).join(",\n");
  return `{\n${fields.join("")}  "steps": [${lines === "" ? "" : `\n${lines}\n  `}]\n}\n`;
}

function stepText(step: Step): string {
  const whole = inline(step);
  const { expect, ...request } = step;
  if (expect === undefined || 4 + whole.length <= WIDTH) return whole;
  return `${inline(request).slice(0, -2)},\n      "expect": ${expectText(expect)} }`;
}

function expectText(expect: Readonly<Record<string, unknown>>): string {
  const whole = inline(expect);
  if (16 + whole.length <= WIDTH) return whole;
  const fields = Object.entries(expect).map(([key, value]) => `        ${JSON.stringify(key)}: ${inline(value)}`);
  return `{\n${fields.join(",\n")}\n      }`;
}

function inline(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(inline).join(", ")}]`;
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  const fields = Object.entries(value).map(([key, field]) => `${JSON.stringify(key)}: ${inline(field)}`);
  return fields.length === 0 ? "{}" : `{ ${fields.join(", ")} }`;
}
