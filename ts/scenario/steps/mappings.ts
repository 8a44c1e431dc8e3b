import { PAGE_LIMIT, PAGE_SIZE } from "../../base/pages.js";
import { type Advice, ADVICES } from "../../mm/address-space.js";
import { PROTECTIONS } from "../../mm/vma.js";
import { ADVICE } from "../document.js";
import { attempt } from "../execution.js";
import { notModelled, type PlannedStep, type StepFields } from "../plan.js";

const KINDS = ["anon", "shmem", "file", "hugetlb"] as const;

/** Longer than any mapping can be. */
const TOO_MANY_PAGES: number = 2 * PAGE_LIMIT;

export function readMmap(step: StepFields): PlannedStep {
  const pages = step.get("pages").count();
  const kind = step.get("kind").or("anon").choice(KINDS);
  const sharing = step.get("sharing").or("private").choice(["private", "shared"]);
  const protection = step.get("prot").or("rw").choice(PROTECTIONS);
  const start = step.has("at") ? step.names.place(step.get("at")) : step.names.nextPlace();
  const source = readSource(step);
  const hasObject = kind !== "anon" || source;
  const mapping = step.names.addMapping(step.get("as"), { start, pages, hasObject });
  const isModelled = !hasObject && sharing === "private" && step.machine.thp !== "always";
  if (!isModelled) return { action: notModelled, mapping, isCall: true };
  const length = Math.min(pages, TOO_MANY_PAGES) * PAGE_SIZE;
  return {
    mapping,
    isCall: true,
    action: ({ space }) =>
      attempt(() => {
        space.mmap({ length, at: start, protection });
        return { ok: true };
      }),
  };
}

export function readMunmap(step: StepFields): PlannedStep {
  const { start, length } = step.range();
  return {
    isCall: true,
    action: ({ space }) =>
      attempt(() => {
        space.munmap(start, length);
        return { ok: true };
      }),
  };
}

export function readMprotect(step: StepFields): PlannedStep {
  const { start, length } = step.range();
  const protection = step.get("prot").choice(PROTECTIONS);
  return {
    isCall: true,
    action: ({ space }) =>
      attempt(() => {
        space.mprotect(start, length, protection);
        return { ok: true };
      }),
  };
}

export function readMadvise(step: StepFields): PlannedStep {
  const { start, length } = step.range();
  const advice = step.get("advice").choice(ADVICE);
  if (!isModelled(advice)) return { action: notModelled, isCall: true };
  return {
    isCall: true,
    action: (execution) =>
      attempt(() => {
        const call = execution.space.madvise(start, length, advice);
        return call === null ? { ok: true } : execution.callAnswer(call);
      }),
  };
}

function isModelled(advice: (typeof ADVICE)[number]): advice is Advice {
  return (ADVICES as readonly string[]).includes(advice);
}

export function readMremap(step: StepFields): PlannedStep {
  const { hasObject } = step.names.nearest(step.range().start) ?? { hasObject: false };
  const pages = step.get("pages").count();
  step.flag("dontunmap");
  if (!step.flag("move")) return { action: notModelled, isCall: true };
  const start = step.names.nextPlace();
  const mapping = step.names.addMapping(step.get("as"), { start, pages, hasObject });
  return { action: notModelled, mapping, isCall: true };
}

export function readFork(step: StepFields): PlannedStep {
  step.names.addProcess(step.get("as"));
  return { action: notModelled, isCall: true };
}

export function readExit(): PlannedStep {
  return { action: notModelled };
}

/** Checks the fields about the object of another mapping. Returns whether there is one. */
function readSource(step: StepFields): boolean {
  step.get("offset").or(0).count();
  if (!step.has("source")) return false;
  const field = step.get("source");
  if (!step.names.mapping(field).hasObject) field.wrong("the name of a shmem, file or hugetlb mapping");
  return true;
}
