import { FIRST_COPIED_VALUE } from "../handler.js";
import { notModelled, type PlannedStep, type StepFields } from "../plan.js";
import { withUffd } from "./descriptors.js";

export function readCopy(step: StepFields): PlannedStep {
  const name = step.uffd();
  const { start, length } = step.range();
  const wake = step.flag("dontwake") ? "later" : "now";
  const writeProtect = step.flag("wp");
  const hasValue = step.has("value");
  const value = step.get("value").or(FIRST_COPIED_VALUE).count();
  const options = { value, step: hasValue ? 0 : 1, writeProtect, wake } as const;
  return {
    action: withUffd(name, { copied: 0 }, (uffd) => ({ ok: true, copied: uffd.copy(start, length, options) })),
  };
}

export function readZeropage(step: StepFields): PlannedStep {
  const name = step.uffd();
  const { start, length } = step.range();
  const wake = step.flag("dontwake") ? "later" : "now";
  return {
    action: withUffd(name, { zeroed: 0 }, (uffd) => ({ ok: true, zeroed: uffd.zeropage(start, length, wake) })),
  };
}

export function readContinue(step: StepFields): PlannedStep {
  readFill(step);
  step.flag("wp");
  return { action: notModelled };
}

export function readPoison(step: StepFields): PlannedStep {
  const name = step.uffd();
  const { start, length } = step.range();
  const wake = step.flag("dontwake") ? "later" : "now";
  return {
    action: withUffd(name, { updated: 0 }, (uffd) => ({ ok: true, updated: uffd.poison(start, length, wake) })),
  };
}

export function readMove(step: StepFields): PlannedStep {
  readFill(step);
  step.flag("allowSrcHoles");
  step.names.place(step.get("from"));
  return { action: notModelled, isCall: true };
}

function readFill(step: StepFields): void {
  step.uffd();
  step.range();
  step.flag("dontwake");
}
