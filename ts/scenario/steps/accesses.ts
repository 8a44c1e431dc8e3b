import { isPageAligned, PAGE_SIZE } from "../../base/pages.js";
import type { Thread, ThreadPlan } from "../../mm/thread.js";
import type { StepResult } from "../document.js";
import { type Action, type Checked, notModelled, type StepFields } from "../plan.js";

/** Bytes at the start of a page that hold its number. */
const NUMBER_BYTES = 8;

export function readRead(step: StepFields): Checked {
  const address = step.names.place(step.get("at"));
  return single(step, { address, access: "read", count: 1, stride: 1, value: 0 });
}

export function readWrite(step: StepFields): Checked {
  const address = step.names.place(step.get("at"));
  const value = step.get("value").or(1).count();
  return single(step, { address, access: "write", count: 1, stride: 1, value: contentAt(address, value) });
}

export function readTouch(step: StepFields): Checked {
  const { start, length } = step.range();
  const access = step.get("access").choice(["read", "write"]);
  const value = step.get("value").or(1).count();
  const stride = step.get("stride").or(1).count();
  if (stride === 0) step.get("stride").wrong("at least 1");
  const count = Math.ceil(length / (PAGE_SIZE * stride));
  if (access === "write" && changesPartOfNumber(start)) return { action: notModelled };
  return { action: touch({ address: start, access, count, stride, value: contentAt(start, value) }) };
}

export function readResume(step: StepFields): Checked {
  const name = step.names.thread(step.get("thread"));
  return { isOfEnded: true, action: (execution) => execution.accessResult(name) ?? { errno: "ESRCH" } };
}

function single(step: StepFields, plan: ThreadPlan): Checked {
  const name = step.has("as") ? step.names.addThread(step.get("as")) : null;
  if (plan.access === "write" && changesPartOfNumber(plan.address)) return { action: notModelled };
  const hasValue = plan.access === "read" && isPageAligned(plan.address);
  return {
    action: (execution) => {
      const thread = execution.startAccess(plan);
      if (thread === null) return { unsupported: true };
      const result = (): StepResult => singleResult(thread, hasValue);
      if (name !== null) execution.nameAccess(name, thread, result);
      return result;
    },
  };
}

function touch(plan: ThreadPlan): Action {
  return (execution) => {
    const thread = execution.startAccess(plan);
    if (thread === null) return { unsupported: true };
    return () => {
      thread.endAfterCurrent();
      const outcomes = Object.fromEntries(Object.entries(thread.outcomes).filter(([, count]) => count > 0));
      return { outcomes, messages: [], minflt: thread.minflt, majflt: thread.majflt };
    };
  };
}

function singleResult(thread: Thread, hasValue: boolean): StepResult {
  const { outcome, minflt, majflt } = thread;
  const result = { outcome, messages: [], minflt, majflt };
  return hasValue && outcome === "ok" ? { ...result, value: thread.value } : result;
}

/** What a write stores into the modelled content of a page: nothing if it goes elsewhere in it. */
function contentAt(address: number, value: number): number | undefined {
  return isPageAligned(address) ? value : undefined;
}

function changesPartOfNumber(address: number): boolean {
  return !isPageAligned(address) && address % PAGE_SIZE < NUMBER_BYTES;
}
