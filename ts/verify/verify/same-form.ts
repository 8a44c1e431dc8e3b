import type { Scenario } from "../../scenario/document.js";

/** Whether two scenarios are the same but for the names in them and the ways in which places are written. */
export function haveSameForm(a: Scenario, b: Scenario): boolean {
  return formOf(a) === formOf(b);
}

/** The document with names that are numbered in the order of the steps that give them. */
function formOf({ machine, steps }: Scenario): string {
  const names = steps.flatMap((step) => ("as" in step ? [step.as] : []));
  const numbers = new Map([...new Set(names)].map((name, i) => [name, `n${i}`]));
  // a name is a whole text, or what is before a bracket or the point of a forked descriptor
  const numbered = JSON.stringify({ machine, steps }).replaceAll(
    /"([A-Za-z][A-Za-z0-9_-]*)(?=["[.])/g,
    (text, name: string) => (numbers.has(name) ? `"${numbers.get(name) ?? ""}` : text),
  );
  return steps.reduce((text, step) => {
    if (step.op !== "mmap") return text;
    const name = numbers.get(step.as) ?? "";
    const whole = step.pages === 1 ? `"${name}[0]"` : `"${name}[0..${step.pages}]"`;
    return text.replaceAll(whole, `"${name}"`).replaceAll(`"at":"${name}[0]"`, `"at":"${name}"`);
  }, numbered);
}
